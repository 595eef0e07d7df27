use serde_json::json;

use super::*;
use crate::lang::jmespath::parse;

#[track_caller]
fn check(text: &str, current: &Value, expected: Result<Value, &str>) {
    let (expr, diagnostics) = parse(text);
    let expr = expr.unwrap_or_else(|| panic!("{text}: {diagnostics:?}"));
    let found = search(&expr, current);
    assert_eq!(found.as_ref().map_err(|error| error.message.as_str()), expected.as_ref().map_err(|error| *error), "{text}");
}

#[test]
fn the_exact_rules() {
    let event =
        json!({"s": "x", "n": 5, "f": 5.0, "z": 0, "e": [], "o": {}, "big": 9_007_199_254_740_993_i64, "b": "ä\u{1f600}", "l": ["b", "a"]});
    for (text, expected) in [
        // strings order and measure by code point
        ("length(b)", json!(2)),
        ("s < 'y'", json!(true)),
        // a mix gives null
        ("s < `1`", json!(null)),
        ("o < o", json!(null)),
        // numbers
        ("n == `5.0`", json!(true)),
        ("f == `5`", json!(true)),
        ("big == `9007199254740993`", json!(true)),
        ("big == `9007199254740992`", json!(false)),
        ("n < `5.5`", json!(true)),
        // == is deep and typed
        ("s == `1`", json!(false)),
        ("l == `[\"b\", \"a\"]`", json!(true)),
        // contains
        ("contains(s, `1`)", json!(false)),
        ("contains(s, 'x')", json!(true)),
        ("contains(l, 'a')", json!(true)),
        // to_number takes JSON's grammar
        ("to_number('1e3')", json!(1000.0)),
        ("to_number(' 1')", json!(null)),
        ("to_number('+1')", json!(null)),
        ("to_number('0x1')", json!(null)),
        ("to_number('NaN')", json!(null)),
        ("to_string(l)", json!(r#"["b","a"]"#)),
        ("to_json(`null`)", json!("null")),
        ("to_json('a')", json!("\"a\"")),
        ("keys(`{\"b\": 1, \"a\": 2}`)", json!(["b", "a"])),
        ("values(`{\"b\": 1, \"a\": 2}`)", json!([1, 2])),
        ("`{\"b\": 1, \"a\": 2}`.*", json!([1, 2])),
        // a backtick literal that is not JSON is its left-trimmed text
        ("` foo bar `", json!("foo bar ")),
        // && and || return operands; truth inside is JMESPath's
        ("z || 'd'", json!(0)),
        ("e || 'd'", json!("d")),
        ("o && 'd'", json!({})),
        ("!o", json!(true)),
        // the fork's functions
        ("split('a,b,c', ',')", json!(["a", "b", "c"])),
        ("split('a,b,c', ',', `2`)", json!(["a", "b,c"])),
        ("split('a,b,c', ',', `0`)", json!(["a,b,c"])),
        ("split('a,b,c', ',', `-1`)", json!(["a", "b", "c"])),
        ("split('äbc', '')", json!(["ä", "b", "c"])),
        ("split('abc', '', `2`)", json!(["a", "bc"])),
        ("split('', 'x')", json!([""])),
        ("parse_json('{\"a\": 1}').a", json!(1)),
        // ours
        ("matches('CreateUser', '^Create')", json!(true)),
        ("matches('xCreateUser', '^Create')", json!(false)),
        ("lower('ÄBC')", json!("Äbc")),
        ("upper('äbc')", json!("äBC")),
        ("cidr_contains('10.0.0.0/8', '10.9.9.9')", json!(true)),
        ("cidr_contains('10.0.0.0/8', 'ec2.amazonaws.com')", json!(false)),
        ("l[?@ == 'a'] | [0]", json!("a")),
        ("sum(`[1, 2.5]`)", json!(3.5)),
        ("sum(`[9223372036854775807, 1]`)", json!(9_223_372_036_854_775_808_u64)),
        ("avg(`[1, 2]`)", json!(1.5)),
        ("abs(`-9223372036854775808`)", json!(9_223_372_036_854_775_808_u64)),
        ("l[::-1]", json!(["a", "b"])),
        ("l[-9:9]", json!(["b", "a"])),
        ("missing.a[0].b", json!(null)),
    ] {
        check(text, &event, Ok(expected));
    }
}

#[test]
fn errors_end_the_evaluation_where_they_are_reached() {
    let event = json!({"s": "x"});
    let wants = "`starts_with` wants a string as first argument, this is null";
    for (text, expected) in [
        ("starts_with(a, 'x')", Err(wants)),
        ("!starts_with(a, 'x')", Err(wants)),
        ("s == 'y' && starts_with(a, 'x')", Ok(json!(false))),
        ("s == 'x' && starts_with(a, 'x')", Err(wants)),
        ("s == 'x' || starts_with(a, 'x')", Ok(json!(true))),
        ("starts_with(a, 'x') || s == 'x'", Err(wants)),
        ("parse_json(s)", Err("`parse_json` was given a string that is not JSON")),
        ("sort_by([s, a], &@)", Err("`sort_by` wants a key that is a string for all or a number for all, this is null")),
        ("length(a)", Err("`length` wants a string, an array or an object as first argument, this is null")),
    ] {
        check(text, &event, expected);
    }
}

#[test]
fn work_is_bounded() {
    let text = vec!["[@, @]"; 40].join(" | ");
    let expr = parse(&text).0.unwrap();
    let error = search(&expr, &json!({"a": [1, 2, 3]})).unwrap_err();
    assert_eq!(error.message, "the expression takes more than 1000000 steps on this event");
}

#[test]
fn the_observer_sees_what_is_reached() {
    let expr = parse("a == 'x' && b == 'y' && c").0.unwrap();
    let text = "a == 'x' && b == 'y' && c";
    let mut seen = Vec::new();
    let value = search_observed(&expr, &json!({"a": "x"}), &mut |node, outcome| {
        seen.push(format!("{} = {}", node.span.of(text), outcome.map_or_else(ToString::to_string, ToString::to_string)));
    });
    assert_eq!(value, Ok(json!(false)));
    assert_eq!(
        seen,
        [
            r#"a = "x""#,
            r#"'x' = "x""#,
            "a == 'x' = true",
            "b = null",
            r#"'y' = "y""#,
            "b == 'y' = false",
            "a == 'x' && b == 'y' && c = false",
        ]
    );
}

#[test]
fn slices_follow_python() {
    let array: Vec<i32> = (0..5).collect();
    for (slice, expected) in [
        ("[1:3]", vec![1, 2]),
        ("[:]", vec![0, 1, 2, 3, 4]),
        ("[::2]", vec![0, 2, 4]),
        ("[::-2]", vec![4, 2, 0]),
        ("[10:0:-1]", vec![4, 3, 2, 1]),
        ("[-2:]", vec![3, 4]),
        ("[:-10:-1]", vec![4, 3, 2, 1, 0]),
        ("[3:1]", vec![]),
        ("[-1:0:-3]", vec![4, 1]),
        ("[::9223372036854775807]", vec![0]),
    ] {
        check(slice, &json!(array), Ok(json!(expected)));
    }
}

#[test]
fn a_pattern_is_a_leaf_of_the_tree() {
    use crate::expr::Kind;
    use crate::pattern::Pattern;
    let span = crate::text::Span::default();
    let pattern = Pattern::parse(r#"{"detail": {"eventName": [{"prefix": "Create"}]}}"#).0.unwrap();
    let leaf = Expr::new(Kind::Pattern(std::sync::Arc::new(pattern)), span);
    for (name, expected) in [("CreateUser", true), ("DeleteUser", false)] {
        let event = json!({"detail": {"eventName": name}});
        assert_eq!(search(&leaf, &event), Ok(json!(expected)));
        let both = Expr::new(Kind::And(vec![leaf.clone(), Expr::new(Kind::Literal(json!("x")), span)]), span);
        assert_eq!(search(&both, &event), Ok(if expected { json!("x") } else { json!(false) }));
    }
    let many = json!((0..120_000).map(|_| json!({"eventName": 1})).collect::<Vec<_>>());
    assert!(search(&leaf, &json!({"detail": many})).unwrap_err().message.contains("too many steps"));
}
