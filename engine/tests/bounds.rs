//! What is too deep, too large or too much work is refused or an error outcome: never a crash, and the same from the compiled
//! matcher and the oracle. Every test runs on the two megabytes of stack that a thread has.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use trailwire_engine::diagnostic::{Code, any_error};
use trailwire_engine::eval::search;
use trailwire_engine::event::Event;
use trailwire_engine::lang::{Language, jmespath};
use trailwire_engine::matcher::{CompiledSet, Fired, Outcome, Scope, Scratch, Verdict};
use trailwire_engine::pattern::Pattern;
use trailwire_engine::pushdown::{Asked, Written, push_down};
use trailwire_engine::trigger::Trigger;

const HEAD: &str =
    r#"{"source":"aws.iam","detail-type":"AWS API Call via CloudTrail","account":"1","region":"r","detail":{"eventName":"x","#;

fn event(member: &str) -> Vec<u8> {
    format!("{HEAD}{member}}}}}").into_bytes()
}

fn set(expressions: &[&str]) -> CompiledSet {
    let trigger = |(number, expression): (usize, &&str)| {
        let document = json!({"name": format!("t{number}"), "event_names": ["x"], "match_expression": expression,
            "action": [{"send": [{"destination": "d"}]}]});
        Trigger::from_value(&document).unwrap()
    };
    let (set, refused) = CompiledSet::new(expressions.iter().enumerate().map(trigger).collect());
    assert_eq!(refused, []);
    set
}

/// What the compiled matcher says, which must be what the oracle says: `match`, `no match` or `error` for each trigger.
#[track_caller]
fn outcomes(set: &CompiledSet, event: &[u8]) -> Option<Vec<&'static str>> {
    let judged = set.judge(event, &Scope::default(), &mut Scratch::default()).map(<[Verdict]>::to_vec).ok();
    let checked = set.judge_checked(event, &Scope::default(), &mut Scratch::default()).map(<[Verdict]>::to_vec).ok();
    assert_eq!(judged, checked);
    let read = serde_json::from_slice(event).ok().and_then(|value| Event::from_value(value).ok());
    let by_oracle = read.map(|event| {
        let outcome = |trigger: &trailwire_engine::matcher::CompiledTrigger| match trigger.judge(&event, &Scope::default()) {
            Outcome::Match => "match",
            Outcome::NoMatch(_) => "no match",
            Outcome::Error(_) => "error",
        };
        set.triggers().iter().map(outcome).collect::<Vec<_>>()
    });
    let told = judged.map(|verdicts| {
        let mut told = vec!["no match"; set.triggers().len()];
        for verdict in verdicts {
            let place = told.get_mut(verdict.trigger as usize).unwrap();
            *place = if verdict.fired == Fired::Match { "match" } else { "error" };
        }
        told
    });
    assert_eq!(told, by_oracle);
    told
}

#[test]
fn a_megabyte_of_brackets_is_no_event() {
    let set = set(&["detail.a == 'x'", "detail.z"]);
    for bracket in ["[", "{", "{\"a\":", "[{\"a\":[", "\"", "\\\"", "]", "}", ",", ":"] {
        let many = bracket.repeat(1_000_000 / bracket.len());
        for bytes in [many.clone().into_bytes(), event(&format!("\"z\":{many}")), event(&format!("\"a\":{many}"))] {
            assert_eq!(outcomes(&set, &bytes), None, "{bracket}");
        }
    }
    // Closed again, but far deeper than JSON is read.
    let deep = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
    assert_eq!(outcomes(&set, &event(&format!("\"z\":{deep}"))), None);
    assert_eq!(outcomes(&set, deep.as_bytes()), None);
}

#[test]
fn strings_of_ten_megabytes_are_judged() {
    let set = set(&[
        "starts_with(detail.a, 'aaa')",
        "ends_with(detail.a, 'aab')",
        "contains(detail.a, 'ba')",
        "matches(detail.a, '(a*)*b$')",
        "length(detail.a) > `1000`",
        "detail.a == 'a'",
        "lower(detail.a) == 'a'",
        "split(detail.a, 'b')[0] == 'a'",
    ]);
    let long = "a".repeat(10_000_000);
    let expected = ["match", "match", "no match", "match", "match", "no match", "no match", "no match"];
    assert_eq!(outcomes(&set, &event(&format!("\"a\":\"{long}b\""))).unwrap(), expected);
    // The same with an escape in it, and as a value that nobody reads.
    let expected = ["match", "no match", "no match", "no match", "match", "no match", "no match", "no match"];
    assert_eq!(outcomes(&set, &event(&format!("\"a\":\"{long}\\u0062c\""))).unwrap(), expected);
    let all_missing = ["error", "error", "error", "error", "error", "no match", "error", "error"];
    assert_eq!(outcomes(&set, &event(&format!("\"z\":\"{long}\""))).unwrap(), all_missing);
}

#[test]
fn arrays_of_a_hundred_thousand_elements_are_judged_or_too_much() {
    let set = set(&[
        "length(detail.list) == `100000`",
        "contains(detail.list, `99999`)",
        "detail.list[-1] == `99999`",
        "detail.list[?@ == `99999`] | [0] == `99999`",
        "length(detail.list[*].[@, @][] | [*].[@, @][] | [*].[@, @][] | [*].[@, @][]) > `1`",
        "sort(detail.list)[0] == `0`",
        "detail.list == detail.list",
    ]);
    let list: Vec<String> = (0..100_000).map(|number| number.to_string()).collect();
    let found = outcomes(&set, &event(&format!("\"list\":[{}]", list.join(",")))).unwrap();
    assert_eq!(found, ["match", "match", "match", "match", "error", "match", "match"]);
}

#[test]
fn regular_expressions_are_bounded_when_they_are_compiled() {
    for regex in
        ["(a{1000}){1000}", "((a{100}){100}){100}", "(\\\\pL{1000}){100}", "a{1000000000}", "(((((((((a*)*)*)*)*)*)*)*){50}){50}{50}{50}"]
    {
        for (language, text) in [
            (Language::JmesPath, format!("matches(detail.a, '{regex}')")),
            (Language::FilterPattern, format!("{{ $.a = %{}% }}", regex.replace("\\\\", "\\"))),
        ] {
            let (tree, diagnostics) = language.parse(&text);
            assert!(tree.is_none() && any_error(&diagnostics), "{text} is accepted");
        }
    }
}

/// A text for each way to nest, as deep as the language's length allows and deeper.
#[test]
fn deep_texts_are_refused_with_a_diagnostic() {
    let nested = |open: &str, inner: &str, close: &str, count: usize| format!("{}{inner}{}", open.repeat(count), close.repeat(count));
    for count in [90, 100, 250, 5_000, 20_000, 200_000] {
        for text in [
            nested("(", "a", ")", count),
            nested("[", "a", "]", count),
            nested("{a: ", "a", "}", count),
            nested("!", "a", "", count),
            nested("a[?", "a", "]", count),
            nested("not_null(", "a", ")", count),
            nested("map(&", "a", ", b)", count),
            nested("a || (", "a", ")", count),
            nested("a && b || ", "a", "", count),
            nested("a == ", "a", "", count),
            nested("a.", "a", "", count),
            nested("a | ", "a", "", count),
            nested("[0]", "", "", count),
            nested("a[*].", "a", "", count),
            nested("", "a", "[]", count),
            nested("`", &nested("[", "", "]", count), "`", 1),
            nested("parse_json('", &nested("[", "", "]", count), "')", 1),
        ] {
            check(Language::JmesPath, &text);
        }
        for text in [
            format!("{{ {} }}", nested("(", "$.a = 1", ")", count)),
            format!("{{ {}$.a = 1 }}", "$.a = 1 && ".repeat(count)),
            format!("{{ {}$.a = 1{} }}", "$.a = 1 && ($.b = 2 || (".repeat(count), "))".repeat(count)),
            format!("{{ ${} = 1 }}", ".a".repeat(count)),
            format!("{{ ${} = 1 }}", "[*]".repeat(count)),
            format!("{{ $.a = {} }}", "*a".repeat(count)),
            "{".repeat(count),
        ] {
            check(Language::FilterPattern, &text);
        }
        for text in [
            nested("{\"a\":", "[1]", "}", count),
            nested("[", "", "]", count),
            nested("{\"a\":", "", "", count),
            nested("{\"$or\":[{\"b\":[1]},", "{\"a\":[1]}", "]}", count),
            format!("{{\"a\":[{}1]}}", "1,".repeat(count)),
            format!("{{\"a\":[{{\"wildcard\":\"{}\"}}]}}", "*a".repeat(count)),
        ] {
            check(Language::EventPattern, &text);
        }
    }
}

/// It is refused, or else it can be printed, pushed down and judged.
fn check(language: Language, text: &str) {
    let shown = text.get(..40).unwrap_or(text);
    let (tree, diagnostics) = language.parse(text);
    assert_eq!(tree.is_none(), any_error(&diagnostics), "{shown}");
    assert!(diagnostics.iter().all(|diagnostic| !diagnostic.draw().is_empty()));
    let Some(tree) = tree else { return };
    let printed = tree.to_string();
    if language != Language::EventPattern {
        assert!(printed.len() > jmespath::LONGEST || jmespath::parse(&printed).0.is_some(), "{shown}");
    }
    let pushed = push_down(Asked { expression: Some(Written { tree: &tree, text }), ..Asked::default() });
    assert!(pushed.pattern.is_none_or(|pattern| Pattern::parse(&pattern).0.is_some()), "{shown}");
    let _ = search(&tree, &json!({"a": {"a": [[1, "a"]]}, "detail": {"a": 1}}));
}

#[test]
fn work_without_end_is_an_error() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    // Texts that grow fourfold, time and again.
    let strings = format!("join('', b){}", " | [@, @, @, @] | join('', @)".repeat(20));
    for (text, message) in [
        ("parse_json(a)", "`parse_json` was given a string that is not JSON".to_owned()),
        ("length(b[*].[@, @, @, @][] | [*].[@, @, @, @][] | [*].[@, @, @, @][] | [*].[@, @, @, @][])", TOO_MUCH.to_owned()),
        (strings.as_str(), TOO_MUCH.to_owned()),
    ] {
        let tree = jmespath::parse(text).0.unwrap_or_else(|| panic!("{text}"));
        let b: Vec<Value> = (0..20_000).map(|number| number.to_string().into()).collect();
        let outcome = search(&tree, &json!({"a": deep, "b": b}));
        assert_eq!(outcome.map_err(|error| error.message), Err(message), "{text}");
    }
}

const TOO_MUCH: &str = "the expression takes more than 1000000 steps on this event";

#[test]
fn a_long_text_is_refused_by_its_length() {
    for (language, length, code) in [
        (Language::JmesPath, 70_000, Code::TOO_COMPLEX),
        (Language::FilterPattern, 3_000, Code::FILTER_TOO_COMPLEX),
        (Language::EventPattern, 3_000, Code::PATTERN_TOO_LARGE),
    ] {
        let text = match language {
            Language::JmesPath => "a".repeat(length),
            Language::FilterPattern => format!("{{ $.a = {} }}", "a".repeat(length)),
            Language::EventPattern => json!({"a": ["a".repeat(length)]}).to_string(),
        };
        let (tree, diagnostics) = language.parse(&text);
        assert!(tree.is_none());
        assert_eq!(diagnostics.first().map(|diagnostic| diagnostic.code), Some(code));
    }
}
