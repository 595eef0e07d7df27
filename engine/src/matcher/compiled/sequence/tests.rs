//! Each question about arrays against the oracle, and that it is told without it.

use serde_json::json;

use super::*;
use crate::eval::search;
use crate::lang::jmespath::parse;
use crate::matcher::compiled::scan::{Form, tapes};
use crate::value::{is_true_inside, is_true_verdict};

const ASKED: [&str; 30] = [
    "contains(a[] || `[]`, 'x')",
    "contains(a[*] || `[]`, `null`)",
    "contains(a[].b || `[]`, 'x')",
    "contains(a[].b || `[\"x\"]`, 'x')",
    "contains(a[].b || `[\"y\"]`, 'x')",
    "contains(a[].b.c || `[]`, `5`)",
    "contains(a[].b[].c || `[]`, `{\"d\": [1]}`)",
    "contains(a[][] || `[]`, 'x')",
    "contains(a[][].b || `[]`, 'x')",
    "contains(a[*].b || `[]`, `[1, 2]`)",
    "contains(a[?b == 'x'].c || `[]`, `5.0`)",
    "length(a[] || `[]`) == `0`",
    "length(a[] || `[1, 2, 3]`) == `3`",
    "length(a[].b || `[]`) != `1`",
    "length(a[].b || `[]`) != 'x'",
    "length(a[].b || `[]`) > 'x'",
    "length(a[?b].c || `[]`) >= `2`",
    "`2` > length(a[?!(b == 'x') && c < `6` || b == `null`] || `[]`)",
    "`1.5` < length(a[?`5` <= c] || `[]`)",
    "a[]",
    "a[*].b",
    "a[?b == 'x']",
    "a[?b != 'x'].c",
    "a[?@ == 'x']",
    "o.a[].b",
    "o.a[*].b",
    "o | a[*].b",
    "o.a[?b == 'x'].c",
    "contains(o.a[*].b || `[]`, 'x')",
    "length(o.a[*] || `[]`) > `1`",
];

/// What it is in every event.
fn events() -> Vec<Value> {
    let arrays = [
        json!(null),
        json!("x"),
        json!({"b": "x"}),
        json!([]),
        json!([null]),
        json!([[]]),
        json!(["x"]),
        json!([["x"], null, "y", 5]),
        json!([[["x"]]]),
        json!([{"b": "x", "c": 5}]),
        json!([{"b": "x", "c": 5.5}, {"b": "y", "c": 7}, {"c": "x"}, {}, {"b": null, "c": 5}]),
        json!([[{"b": "x"}, {"b": ["x"]}], {"b": {"c": 5}}, "x", true, -1.5e3]),
        json!([{"b": [{"c": {"d": [1]}}, {"c": 1}], "c": [1, 2]}, {"b": [1, 2]}]),
        json!([{"b": false}, {"b": ""}, {"b": []}, {"b": {}}, {"b": 0}]),
    ];
    let mut events: Vec<Value> = arrays.iter().map(|array| json!({"a": array, "o": {"a": array}, "z": "é"})).collect();
    events.push(json!({"z": 1}));
    events
}

/// The answer about a text, in each way in which its structure can be found; `None` where one is not sure.
fn answers(sequence: &Sequence, fields: &Fields, event: &str) -> Vec<Option<Truth>> {
    let answer = |mut tape: super::super::scan::Tape| {
        assert_eq!(tape.scan(event.as_bytes()), Form::Compact, "{event}");
        assert!(tape.flatten(event.as_bytes()), "{event}");
        let mut extract = Extract::default();
        extract.begin(fields);
        sequence.run(Source { event: event.as_bytes(), tape: &tape, fields }, &mut extract).ok()
    };
    tapes().into_iter().map(answer).collect()
}

fn made(text: &str) -> (Expr, Option<Sequence>, Fields) {
    let expr = parse(text).0.unwrap_or_else(|| panic!("{text}"));
    let mut fields = Fields::new();
    let sequence = Sequence::of(&expr, &mut fields);
    fields.seal();
    (expr, sequence, fields)
}

#[test]
fn the_answers_are_the_oracles() {
    let (mut inside, mut outside) = (0, 0);
    for text in ASKED {
        let (expr, sequence, fields) = made(text);
        let sequence = sequence.unwrap_or_else(|| panic!("{text} is asked of the oracle"));
        for event in events() {
            let value = search(&expr, &event).unwrap();
            let expected = Truth { inside: is_true_inside(&value), verdict: is_true_verdict(&value) };
            for answer in answers(&sequence, &fields, &event.to_string()) {
                assert_eq!(answer, Some(expected), "{text} of {event}");
            }
            if expected.inside { inside += 1 } else { outside += 1 }
        }
    }
    assert!(inside > 60 && outside > 60, "{inside} {outside}");
}

#[test]
fn of_members_that_come_twice_the_last_counts() {
    let (_, sequence, fields) = made("contains(a[].b || `[]`, 'x')");
    let sequence = sequence.unwrap();
    for (event, expected) in
        [(r#"{"a":[{"b":"x","b":"y"}]}"#, false), (r#"{"a":[{"b":"y","b":"x"}]}"#, true), (r#"{"a":[{"b":"x"}],"a":[]}"#, false)]
    {
        assert!(answers(&sequence, &fields, event).iter().all(|answer| *answer == Some(Truth::of(expected))), "{event}");
    }
}

#[test]
fn what_is_not_certain_is_the_oracles() {
    let (_, sequence, fields) = made("contains(a[].b || `[]`, 'x')");
    let sequence = sequence.unwrap();
    for event in [
        r#"{"a":[{"b":"\u0078"}]}"#,
        r#"{"a":[{"\u0062":"x"}]}"#,
        r#"{"a":[{"b":nul}]}"#,
        r#"{"a":[{"b":1:2}]}"#,
        r#"{"a":[{"b":01}]}"#,
        r#"{"a":[{"b"}]}"#,
        r#"{"a":[{"b","c"}]}"#,
        r#"{"a":[{b:"x"}]}"#,
        r#"{"a":[{}:1]}"#,
        r#"{"a":nul}"#,
    ] {
        assert!(answers(&sequence, &fields, event).iter().all(Option::is_none), "{event}");
    }
}

#[test]
fn what_may_err_or_has_other_parts_is_the_oracles() {
    for text in [
        "contains(a[].b, 'x')",
        "length(a[]) > `0`",
        "contains(a || `[]`, 'x')",
        "contains(a[].b || `null`, 'x')",
        "contains(a[].b || c || `[]`, 'x')",
        "contains(a[].b || `[]`, c)",
        "contains(a[1:] || `[]`, 'x')",
        "contains(a.* || `[]`, 'x')",
        "contains(a[?starts_with(b, 'x')] || `[]`, 'x')",
        "contains([] || `[]`, 'x')",
        "a[*].b[*].c",
        "o.a[*].b[*]",
        "(o || a).a[*].b",
        "a[].b | [0]",
        "a[].{b: b}",
    ] {
        assert!(made(text).1.is_none(), "{text}");
    }
}
