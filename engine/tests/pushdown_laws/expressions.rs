//! Expressions as people write them, over paths that mean something and over any path.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::json;
use trailwire_engine::pushdown::{Errors, Mode};

use super::events::{NAMES, TESTED, number, scalar, text};

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn literal() -> impl Strategy<Value = String> {
    let odd = vec!["`[]`", "`{}`", "`[\"a\"]`", "`{\"a\":1}`", "`9007199254740993`", "`0.1`", "`null`", "`true`", "`false`"];
    prop_oneof![
        6 => text().prop_map(|text| quoted(&text)),
        2 => number().prop_map(|number| format!("`{number}`")),
        2 => select(odd).prop_map(str::to_owned),
        1 => select(&NAMES[..]).prop_map(quoted),
    ]
}

fn operand(path: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    let plain = path.clone();
    prop_oneof![
        8 => plain,
        1 => (path.clone(), literal()).prop_map(|(path, literal)| format!("({path} || {literal})")),
        1 => (path.clone(), literal()).prop_map(|(path, literal)| format!("not_null({path}, {literal})")),
        1 => path.clone().prop_map(|path| format!("lower({path} || '')")),
        1 => path.prop_map(|path| format!("upper({path})")),
    ]
}

fn atom(path: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    let operand = operand(path).boxed();
    let comparator = select(vec!["==", "==", "!=", "<", "<=", ">", ">="]);
    let network = select(vec!["10.0.0.0/8", "10.0.0.1/32", "0.0.0.0/0", "2001:db8::/32", "::ffff:10.0.0.0/104"]);
    let function = select(vec!["starts_with", "ends_with", "contains", "contains"]);
    let operand_of_type = operand.clone();
    let some = (operand.clone(), operand.clone(), 0..6, literal()).boxed();
    prop_oneof![
        6 => (operand.clone(), comparator, literal()).prop_map(|(operand, comparator, literal)| format!("{operand} {comparator} {literal}")),
        1 => (operand.clone(), literal()).prop_map(|(operand, literal)| format!("{literal} == {operand}")),
        4 => (function, operand.clone(), literal()).prop_map(|(function, operand, literal)| format!("{function}({operand}, {literal})")),
        2 => operand.clone(),
        1 => (proptest::collection::vec(scalar(), 0..3), operand.clone())
            .prop_map(|(values, operand)| format!("contains(`{}`, {operand})", json!(values))),
        1 => (network, operand).prop_map(|(network, operand)| format!("cidr_contains('{network}', {operand})")),
        1 => some.prop_map(|(a, b, which, literal)| match which {
            0 => format!("{a} == {b}"),
            1 => format!("{a}[?@ == {literal}]"),
            2 => format!("length({a}) > `1`"),
            3 => format!("matches({a}, '^a')"),
            4 => format!("{a}[0] == {literal}"),
            _ => format!("[{a}, {b}]"),
        }),
        1 => literal(),
        2 => (operand_of_type, select(vec!["string", "number", "boolean", "array", "null"])).prop_map(|(operand, name)| format!("type({operand}) == '{name}'")),
    ]
}

pub(super) fn expression(path: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    atom(path).prop_recursive(3, 10, 3, |inner| {
        let several = proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            3 => several.clone().prop_map(|parts| format!("({})", parts.join(" && "))),
            2 => several.prop_map(|parts| format!("({})", parts.join(" || "))),
            2 => inner.prop_map(|inner| format!("!({inner})")),
        ]
    })
}

pub(super) fn known_path() -> BoxedStrategy<String> {
    let more = vec![
        "detail.requestParameters.a",
        "detail.requestParameters.a.b",
        "detail.a",
        "detail",
        "detail.\"userIdentity.type\"",
        "detail.errorCode.a",
        "detail.requestParameters.a[0]",
        "detail.requestParameters.a[].b",
        "detail.requestParameters.a[*].b[]",
        "(detail.requestParameters.a[].b)[0]",
        "detail.requestParameters.a[?b].a",
        "detail.resources[0].a",
        "detail.resources[*].b",
        "detail.userIdentity[0]",
    ];
    prop_oneof![4 => select(&TESTED[..]).prop_map(str::to_owned), 2 => select(more).prop_map(str::to_owned)].boxed()
}

pub(super) fn any_path() -> BoxedStrategy<String> {
    let paths = vec![
        "a",
        "b",
        "a.b",
        "a.b.c",
        "\"a.b\"",
        "detail.a",
        "detail.a.b",
        "detail",
        "detail.errorCode",
        "a.c",
        "a[0]",
        "a[0].b",
        "a[].b",
        "a[*].b[].c",
        "b[?a].c",
        "(a[*].b)[0]",
    ];
    select(paths).prop_map(str::to_owned).boxed()
}

pub(super) fn errors() -> impl Strategy<Value = Errors> {
    prop_oneof![2 => Just(Errors::NoMatch), 1 => Just(Errors::Match)]
}

pub(super) fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![1 => Just(Mode::Names), 3 => Just(Mode::Safe), 3 => Just(Mode::Full)]
}

pub(super) fn names() -> impl Strategy<Value = Vec<String>> {
    subsequence(NAMES.to_vec(), 0..=NAMES.len()).prop_map(|names| names.into_iter().map(str::to_owned).collect())
}
