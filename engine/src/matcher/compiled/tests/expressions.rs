//! Random expressions: what people write, and everything else the language has.

use super::dice::Dice;

const PATHS: [&str; 22] = [
    "detail.a",
    "detail.b",
    "detail.c",
    "detail.a.b",
    "detail.a.b.c",
    "detail.list",
    "detail.x",
    "detail.eventName",
    "detail.\"q\\\"uote\"",
    "detail.\"é\"",
    "detail.userIdentity.type",
    "detail.userIdentity.arn",
    "detail.sourceIPAddress",
    "detail.requestParameters.x",
    "detail.requestParameters",
    "detail.errorCode",
    "source",
    "a",
    "detail.\"\"",
    "detail.readOnly",
    "@.detail.a",
    "detail | a",
];
const LITERALS: [&str; 26] = [
    "'x'",
    "'y'",
    "'xy'",
    "''",
    "'é'",
    "'10.0.0.1'",
    "'quote\"d'",
    "'Root'",
    "'IAMUser'",
    "'arn:'",
    "'false'",
    "`0`",
    "`1`",
    "`5`",
    "`5.0`",
    "`null`",
    "`true`",
    "`false`",
    "`[]`",
    "`{}`",
    "`[\"x\", \"y\"]`",
    "`[\"x\", 5, null]`",
    "`{\"a\": 1}`",
    "`\"back\\\\\\\\slash\"`",
    "`18446744073709551615`",
    "'10.0.0.0/8'",
];
const COMPARATORS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

/// An expression, `depth` deep at most.
pub(super) fn expression(dice: &mut Dice, depth: usize) -> String {
    if depth == 0 {
        return predicate(dice);
    }
    let inner = |dice: &mut Dice| expression(dice, depth - 1);
    match dice.roll(9) {
        0 => format!("!({})", inner(dice)),
        1 | 2 => format!("({}) || ({})", inner(dice), inner(dice)),
        3..=6 => (0..=1 + dice.roll(3)).map(|_| format!("({})", inner(dice))).collect::<Vec<_>>().join(" && "),
        7 => format!("({}) == ({})", inner(dice), inner(dice)),
        _ => predicate(dice),
    }
}

/// What is asked of an array's elements.
fn sequence(dice: &mut Dice) -> String {
    let literal = dice.pick(&LITERALS);
    let base = dice.pick(&["detail.list", "detail.a", "detail.x", "detail.requestParameters.x", "detail", "a"]);
    let condition = |dice: &mut Dice| {
        let name = dice.pick(&["a", "x", "@", "a.b", "\"\"", "é"]);
        let name = if name == "é" { "\"é\"" } else { name };
        match dice.roll(6) {
            0 => name.to_owned(),
            1 => format!("{} {} {name}", dice.pick(&LITERALS), dice.pick(&COMPARATORS)),
            _ => format!("{name} {} {}", dice.pick(&COMPARATORS), dice.pick(&LITERALS)),
        }
    };
    let step = |dice: &mut Dice| match dice.roll(8) {
        0 | 1 => "[]".to_owned(),
        2 | 3 => format!("[].{}", dice.pick(&["x", "a", "b.c", "x[]", "a[].x"])),
        4 => format!("[*].{}", dice.pick(&["x", "a", "a.b", "a[*]"])),
        5 => format!("[?{}]", condition(dice)),
        6 => format!("[?!({}) {} ({})].{}", condition(dice), dice.pick(&["&&", "||"]), condition(dice), dice.pick(&["x", "a", "b"])),
        _ => "[][].x".to_owned(),
    };
    let array = format!("{base}{}", step(dice));
    let default = dice.pick(&["`[]`", "`[]`", "`[\"x\", 5]`", "`[null]`"]);
    match dice.roll(7) {
        0 => array,
        1 => format!("contains({array}, {literal})"),
        2..=4 => format!("contains({array} || {default}, {literal})"),
        5 => format!("length({array} || {default}) {} `{}`", dice.pick(&COMPARATORS), dice.roll(3)),
        _ => format!("`{}` {} length({array} || {default})", dice.roll(3), dice.pick(&COMPARATORS)),
    }
}

fn predicate(dice: &mut Dice) -> String {
    let path = dice.pick(&PATHS);
    let literal = dice.pick(&LITERALS);
    let text = dice.pick(&["'x'", "'y'", "''", "'xy'", "'é'", "'arn:'"]);
    match dice.roll(34) {
        0..=7 => format!("{path} {} {literal}", dice.pick(&["==", "!="])),
        8 => format!("{path} {} {literal}", dice.pick(&COMPARATORS)),
        9 => format!("{literal} {} {path}", dice.pick(&COMPARATORS)),
        10 => format!("{path} {} {}", dice.pick(&COMPARATORS), dice.pick(&PATHS)),
        11 => path.to_owned(),
        12..=15 => format!("{}({path}, {text})", dice.pick(&["starts_with", "ends_with", "contains"])),
        16 => format!("contains({path}, {literal})"),
        17 => format!("contains(`[\"x\", \"y\", 5, null]`, {path})"),
        18 => format!("contains(`[\"x\", \"xy\"]`, {path})"),
        19 => format!("matches({path}, '^x|é$')"),
        20 => format!("cidr_contains('10.0.0.0/8', {path})"),
        21 => format!("length({path}) {} `1`", dice.pick(&COMPARATORS)),
        22 => format!("detail.{}.x", dice.pick(&["list[]", "list[*]", "*", "list[?a == 'x']", "list[0]", "a.*", "list[1:]"])),
        23 => format!("{path}.{{a: x, b: b}}"),
        24 => format!("type({path}) == '{}'", dice.pick(&["null", "string", "object", "array", "number"])),
        25 => format!("not_null({path}, {}) == {literal}", dice.pick(&PATHS)),
        26 => format!("({path} || {literal}) == {literal}"),
        27 => format!("contains(keys(detail), {text})"),
        28 => format!("length(detail.list[?contains(@, {text})]) > `0`"),
        29..=32 => sequence(dice),
        _ => literal.to_owned(),
    }
}
