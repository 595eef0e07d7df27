//! The measured probes, and what a person reads when a pattern is refused.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const PROBES: &str = include_str!("../../../tests/corpus/eventbridge/probes.json");

#[test]
fn probes() {
    let probes: Vec<Value> = serde_json::from_str(PROBES).unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for probe in &probes {
        let text = probe["pattern"].as_str().map_or_else(|| probe["pattern"].to_string(), str::to_owned);
        let (pattern, diagnostics) = Pattern::parse(&text);
        if probe["refused"] == json!(true) {
            count += 1;
            if pattern.is_some() || diagnostics.is_empty() {
                wrong.push(format!("{}: accepted", probe["name"]));
            }
            continue;
        }
        let Some(pattern) = pattern else {
            wrong.push(format!("{}: refused: {diagnostics:?}", probe["name"]));
            continue;
        };
        for case in probe["events"].as_array().unwrap() {
            count += 1;
            if case["match"] != json!(pattern.matches(&case["event"])) {
                wrong.push(format!("{}: {} on {}", probe["name"], !case["match"].as_bool().unwrap(), case["event"]));
            }
        }
        let (again, _) = Pattern::parse(&pattern.to_string());
        assert_eq!(again.as_ref(), Some(&pattern), "{}: printed and read", probe["name"]);
    }
    assert_eq!(wrong, [] as [String; 0]);
    assert!(count >= 74, "{count} probes");
}

#[test]
fn refusals_have_a_place() {
    for (text, drawn) in [
        (
            r#"{"detail": {"eventName": [{"prefx": "Create"}]}}"#,
            r#"error[TW2302]: unknown operator `prefx`
  |
1 | {"detail": {"eventName": [{"prefx": "Create"}]}}
  |                            ^^^^^^^
  = help: did you mean `prefix`?"#,
        ),
        (
            r#"{"detail": {"eventName": "CreateUser"}}"#,
            r#"error[TW2301]: `detail.eventName` is a string where EventBridge wants an array of tests or an object
  |
1 | {"detail": {"eventName": "CreateUser"}}
  |                          ^^^^^^^^^^^^
  = help: write `["CreateUser"]`"#,
        ),
        (
            r#"{"detail": {"eventName": ["A"], "eventName": ["B"]}}"#,
            r#"error[TW2305]: `detail.eventName` stands twice, of which EventBridge would forget one
  |
1 | {"detail": {"eventName": ["A"], "eventName": ["B"]}}
  |                                 ^^^^^^^^^^^
  = help: put everything in one of them"#,
        ),
        (
            "{\"detail\": [}",
            r#"error[TW2300]: the pattern is not JSON: expected value
  |
1 | {"detail": [}
  |             ^"#,
        ),
    ] {
        let (pattern, diagnostics) = Pattern::parse(text);
        assert_eq!(pattern, None);
        assert_eq!(diagnostics.iter().map(Diagnostic::draw).collect::<Vec<_>>(), [drawn]);
    }
}

#[test]
fn every_mistake_is_told() {
    let (_, diagnostics) = Pattern::parse(r#"{"a": [], "b": 5, "c": [{"cidr": "x"}], "$or": [{}]}"#);
    assert_eq!(diagnostics.len(), 5, "{diagnostics:?}");
}

#[test]
fn work_is_bounded() {
    let (pattern, _) = Pattern::parse(r#"{"a":{"x":[1]},"b":{"x":[1]},"c":{"x":[1]},"d":{"x":[2]}}"#);
    let pattern = pattern.unwrap();
    let many = json!((0..200).map(|_| json!({"x": 1})).collect::<Vec<_>>());
    let event = json!({"a": many, "b": many, "c": many, "d": many});
    let mut steps = 20_000;
    assert_eq!(pattern.matches_within(&event, &mut steps), Ok(false), "independent arrays do not multiply");
    assert_eq!(pattern.matches_within(&event, &mut 100), Err(TooMuchWork));
}

#[test]
fn limits() {
    let (pattern, _) = Pattern::parse(r#"{"a": [{"wildcard": "*a\\*b*"}], "b": [{"anything-but": {"wildcard": "*c"}}]}"#);
    let pattern = pattern.unwrap();
    assert_eq!(pattern.wildcards(), 3);
    let limits = Limits { characters: 10, wildcards: 2, combinations: 1 };
    assert_eq!(pattern.validate(&pattern.to_string(), limits).len(), 2);
    assert_eq!(pattern.validate(&pattern.to_string(), Limits::default()), []);
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a*\\\\\" $.]{0,3}".prop_map(Value::from),
        prop_oneof![Just("prefix"), Just("exists"), Just("=")].prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 24, 4, |inner| {
        let name = prop_oneof![Just("a".to_owned()), Just("a.b".to_owned()), Just("$or".to_owned()), "[b-c]", any_operator()];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map(name, inner, 0..3).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn any_operator() -> impl Strategy<Value = String> {
    proptest::sample::select(vec!["prefix", "suffix", "anything-but", "wildcard", "numeric", "cidr", "exists", "equals-ignore-case"])
        .prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(crate::testing::cases())]

    #[test]
    fn any_text_is_read_and_what_is_accepted_is_printed_and_read_again(text in ".{0,40}", value in json_value(), event in json_value()) {
        let _ = Pattern::parse(&text);
        let (pattern, diagnostics) = Pattern::parse(&value.to_string());
        prop_assert_eq!(pattern.is_none(), crate::diagnostic::any_error(&diagnostics));
        if let Some(pattern) = pattern {
            prop_assert_eq!(Pattern::parse(&pattern.to_string()).0, Some(pattern.clone()));
            prop_assert!(pattern.matches_within(&event, &mut 1_000_000).is_ok());
        }
    }
}
