//! For random searches and records: what is lowered means what was written, is text that means the same, needs no more bytes than it says, and is a
//! trigger's match.

use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};

use super::{judge, read};
use crate::eval;
use crate::event::Event;
use crate::lang::jmespath;
use crate::matcher::{CompiledSet, CompiledTrigger, Outcome, Scope, Scratch, TriggerSet};
use crate::search::{Need, Query};
use crate::testing::cases;
use crate::trigger::Trigger;

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a",
        "b",
        "ab",
        "A",
        "1",
        "22",
        "1.5",
        "true",
        "false",
        "10.0.0.0/8",
        "10.1.2.3",
        "x/y",
        "a*",
        "*b",
        "*a*",
        "a*b",
        "*",
        "\"a b\"",
        "\"a\\\"b\"",
        "*\\ b",
        "\"é\"",
        "é*",
        "CreateUser",
        "Create*",
        "iam.amazonaws.com",
        "\\\\",
        "2026-03-01",
        "2026",
        "b\\:a",
        "\"*\"",
        "\"\"",
        "0",
        "-1",
        "\"[\"",
        "1\\,22",
    ])
}

fn field() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "event",
        "source",
        "error",
        "actor",
        "user",
        "ip",
        "time",
        "readOnly",
        "requestParameters",
        "requestParameters.a",
        "requestParameters.a.b",
        "requestParameters.items.a",
        "requestParameters.items[].b",
        "resources.ARN",
        "resources",
        "detail-type",
        "detail.eventName",
        "nosuch.a",
        "userIdentity",
        "userIdentity.type.x",
        "role",
    ])
}

fn query() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        word().prop_map(str::to_owned),
        (field(), word()).prop_map(|(field, word)| format!("{field}:{word}")),
        (field(), word(), word()).prop_map(|(field, a, b)| format!("{field}:{a},{b}")),
        (field(), word(), word()).prop_map(|(field, a, b)| format!("{field}:({a} OR -{b})")),
        (field(), prop::sample::select(vec![">", ">=", "<", "<="]), word())
            .prop_map(|(field, order, word)| format!("{field}:{order}{word}")),
        (field(), word(), word()).prop_map(|(field, a, b)| format!("{field}:[{a} TO {b}}}")),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} OR {b})")),
            inner.clone().prop_map(|inner| format!("NOT ({inner})")),
            inner.prop_map(|inner| format!("-({inner})")),
        ]
    })
}

fn value() -> impl Strategy<Value = Value> {
    let text = prop::sample::select(vec![
        "a",
        "b",
        "ab",
        "A b",
        "a\"b",
        "a\nb",
        "x\\b",
        "10.1.2.3",
        "11.1.2.3",
        "22",
        "x/y",
        "é",
        "éa",
        "2026-03-01T12:00:00Z",
        "b:a",
        "CreateUser",
        "",
        "a\u{1}b",
        "x\\nb",
        "\\\\nb",
        "x\u{1}ab",
    ]);
    let leaf = prop_oneof![
        4 => text.prop_map(Value::from),
        1 => prop::sample::select(vec![json!(null), json!(true), json!(false), json!(22), json!(22.0), json!(1.5), json!(0), json!(-1)]),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(prop::sample::select(vec!["a", "b", "items"]), inner, 0..3).prop_map(|members| json!(members)),
        ]
    })
}

fn record() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec!["CreateUser", "CreateLogStream", "GetUser", "a", "ab"]);
    (
        name,
        any::<bool>(),
        any::<bool>(),
        prop::collection::btree_map(field().prop_filter("it is a path", |name| !name.contains('-')), value(), 0..6),
    )
        .prop_map(|(name, read_only, is_named, members)| {
            let mut record = json!({"eventSource": "iam.amazonaws.com", "eventType": "AwsApiCall", "readOnly": read_only});
            if is_named {
                record["eventName"] = json!(name);
            }
            for (path, value) in members {
                let place = match path {
                    "event" | "detail.eventName" => "eventName",
                    "source" => "eventSource",
                    "error" => "errorCode",
                    "actor" => "userIdentity/arn",
                    "user" => "userIdentity/userName",
                    "role" => "userIdentity/sessionContext/sessionIssuer/userName",
                    "ip" => "sourceIPAddress",
                    "time" => "eventTime",
                    "nosuch.a" => "nosuch/a",
                    "resources.ARN" | "resources" => "resources",
                    "userIdentity" | "userIdentity.type.x" => "userIdentity/type",
                    "readOnly" => "readOnly",
                    _ => "requestParameters",
                };
                // Beside what CloudTrail says of itself, a field of a known type has it.
                let is_scalar = !matches!(place, "resources" | "requestParameters" | "nosuch/a" | "readOnly");
                if is_scalar && (value.is_array() || value.is_object()) || place == "readOnly" && !value.is_boolean() {
                    continue;
                }
                let mut at = &mut record;
                for name in place.split('/') {
                    at = &mut at[name];
                }
                *at = value;
            }
            record
        })
}

/// Whether a text has what is needed.
fn meets(need: &Need, text: &str) -> bool {
    match need {
        Need::Nothing => true,
        Need::Bytes(bytes) => text.contains(bytes),
        Need::AnyCase { text: bytes, .. } => text.to_ascii_lowercase().contains(bytes),
        Need::All(needs) => needs.iter().all(|need| meets(need, text)),
        Need::Any(needs) => needs.iter().any(|need| meets(need, text)),
    }
}

fn trigger(query: &Query) -> CompiledTrigger {
    let parts = query.parts();
    let document = json!({"name": "t", "event_names": parts.event_names, "any_event": parts.event_names.is_empty(), "event_sources": parts.event_sources,
        "include_read_only": parts.reads, "action": [{"send": [{"destination": "d"}]}]});
    let mut document = document;
    document.as_object_mut().unwrap().retain(|_, value| value.as_array().is_none_or(|list| !list.is_empty()));
    CompiledTrigger::with(Trigger::from_value(&document).unwrap_or_else(|diagnostics| panic!("{diagnostics:?}")), parts.expr)
}

/// Each case compiles an expression four times: a tenth of the usual number takes as long as other laws do.
fn some() -> Config {
    Config { cases: cases().cases / 10, ..cases() }
}

proptest! {
    #![proptest_config(some())]

    #[test]
    fn a_search_means_what_is_written(text in query(), record in record()) {
        let (Some(query), _) = Query::parse(&text) else { return Ok(()) };
        let Some(expr) = query.expr() else { return Ok(()) };
        let event = Event::from_value(record.clone()).unwrap();
        let expected = judge::holds(query.root.as_ref().unwrap(), event.envelope());

        let found = eval::search(&expr, event.envelope()).unwrap_or_else(|error| panic!("{text} errs: {error}\n{record}"));
        prop_assert_eq!(eval::truthy(&found), expected, "{} as {}\n{}", text, expr, record);

        let printed = expr.to_string();
        let reread = jmespath::parse(&printed).0.unwrap_or_else(|| panic!("{text}: {printed}"));
        prop_assert_eq!(reread.to_string(), printed);
        prop_assert_eq!(eval::truthy(&eval::search(&reread, event.envelope()).unwrap()), expected);

        let need = query.need();
        if expected && !need.may_be_of_number() {
            for text in [record.to_string(), serde_json::to_string_pretty(&record).unwrap()] {
                prop_assert!(meets(&need, &text), "{:?} {}", need, text);
            }
        }

        let trigger = trigger(&query);
        prop_assert_eq!(trigger.judge(&event, &Scope::default()) == Outcome::Match, expected, "{} as a trigger\n{}", text, record);
        let set = CompiledSet::of(TriggerSet::of(vec![trigger]));
        let mut scratch = Scratch::default();
        let verdicts = set.judge(event.envelope().to_string().as_bytes(), &Scope::default(), &mut scratch);
        prop_assert_eq!(verdicts.map(<[_]>::len), Ok(usize::from(expected && event.account().is_some() && event.region().is_some())));
    }

    #[test]
    fn any_text_is_survived(text in "[a-c:()\"*\\\\ \\-\\[\\]{}<>=,./0-9TOROAND]{0,40}") {
        let (query, diagnostics) = Query::parse(&text);
        prop_assert!(query.is_some() || crate::diagnostic::any_error(&diagnostics));
        if let Some(expr) = query.and_then(|query| query.expr()) {
            let found = eval::search(&expr, &json!({"detail": {"a": "b"}}));
            prop_assert!(found.is_ok(), "{found:?}");
        }
    }
}

#[test]
fn parts() {
    for (text, names, sources, rest, reads) in [
        (
            "event:CreateUser,DeleteUser user:bob",
            &["CreateUser", "DeleteUser"][..],
            &[][..],
            Some("detail.userIdentity.userName == 'bob'"),
            false,
        ),
        ("event:(GetUser OR CreateUser) source:iam.amazonaws.com", &["CreateUser", "GetUser"], &["iam.amazonaws.com"], None, true),
        ("(event:CreateUser source:a) (b OR event:c)", &["CreateUser"], &["a"], Some("x"), false),
        ("event:Create*", &[], &[], Some("type(detail.eventName) == 'string' && starts_with(detail.eventName, 'Create')"), true),
        ("-readOnly:true", &[], &[], Some("!(detail.readOnly == `true`)"), false),
        ("event:GetUser readOnly:false", &["GetUser"], &[], Some("detail.readOnly == `false`"), false),
        ("-event:CreateUser", &[], &[], Some("!(detail.eventName == 'CreateUser')"), true),
        ("event:CreateUser OR error:*", &[], &[], Some("detail.eventName == 'CreateUser' || detail.errorCode != `null`"), true),
        ("", &[], &[], None, true),
    ] {
        let parts = read(text).parts();
        let expr = parts.expr.map(|expr| expr.to_string());
        if rest != Some("x") {
            assert_eq!(expr.as_deref(), rest, "{text}");
        }
        assert_eq!(
            (parts.event_names, parts.event_sources, parts.reads),
            (names.iter().map(ToString::to_string).collect(), sources.iter().map(ToString::to_string).collect(), reads),
            "{text}"
        );
    }
}
