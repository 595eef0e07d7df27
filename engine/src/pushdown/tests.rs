//! What the corpus cannot say: patterns of users, and the bounds. The corpus is in tests/corpus/pushdown.

use std::sync::Arc;

use super::*;
use crate::expr::Kind;
use crate::lang::jmespath;
use crate::pattern::{Pattern, length};
use crate::text::Span;

fn leaf(pattern: &str) -> Expr {
    let (pattern, diagnostics) = Pattern::parse(pattern);
    Expr::new(Kind::Pattern(Arc::new(pattern.unwrap_or_else(|| panic!("{diagnostics:?}")))), Span::new(0, 0))
}

/// A pattern and an expression, pushed down together.
fn push(pattern: &str, text: &str, mode: Mode, errors: Errors) -> PushDown {
    let mut operands = vec![leaf(pattern)];
    operands.extend(jmespath::parse(text).0);
    let tree = if operands.len() == 1 { operands.remove(0) } else { Expr::new(Kind::And(operands), Span::new(0, text.len())) };
    push_down(Asked { expression: Some(Written { tree: &tree, text }), mode, errors, frame: Frame::Bare, ..Asked::default() })
}

#[test]
fn a_users_pattern_is_pushed_whole() {
    for (pattern, text, sent, exact) in [
        (r#"{"detail":{"a":["x"],"b":[{"exists":false}]}}"#, "", r#"{"detail":{"a":["x"],"b":[{"exists":false}]}}"#, true),
        (r#"{"detail":{"a":[{"numeric":[">",5]}]}}"#, "", r#"{"detail":{"a":[{"numeric":[">",5]}]}}"#, true),
        (r#"{"detail":{"a":["x"]}}"#, "detail.errorCode == 'e'", r#"{"detail":{"a":["x"],"errorCode":["e"]}}"#, true),
        (r#"{"detail":{"errorCode":["d","e"]}}"#, "detail.errorCode == 'e'", r#"{"detail":{"errorCode":["e"]}}"#, true),
        (
            r#"{"detail":{"$or":[{"a":["x"]},{"b":["y"]}]}}"#,
            "detail.errorCode == 'e'",
            r#"{"detail":{"errorCode":["e"],"$or":[{"a":["x"]},{"b":["y"]}]}}"#,
            true,
        ),
        // What the pattern sees at a path, the expression need not see.
        (r#"{"detail":{"p":{"q":["x"]}}}"#, "detail.p.q == 'y'", r#"{"detail":{"p":{"q":["x"]}}}"#, false),
        // Whether something is missing depends on the other fields, so nothing of it is taken out.
        (
            r#"{"detail":{"errorCode":["x"],"b":[{"exists":false}]}}"#,
            "detail.errorCode == 'x'",
            r#"{"detail":{"errorCode":["x"],"b":[{"exists":false}]}}"#,
            false,
        ),
    ] {
        let pushed = push(pattern, text, Mode::Safe, Errors::NoMatch);
        assert_eq!((pushed.pattern.as_deref(), pushed.exact), (Some(sent), exact), "{pattern} {text} {:?}", pushed.notes);
    }
}

#[test]
fn a_users_pattern_that_cannot_be_pushed_stays() {
    for (pattern, mode, errors) in [
        (r#"{"detail":{"a":[{"wildcard":"*x*"}]}}"#, Mode::Safe, Errors::NoMatch),
        (r#"{"detail":{"a":["x"]}}"#, Mode::Safe, Errors::Match),
        (r#"{"detail":{"a":["x"]}}"#, Mode::Names, Errors::NoMatch),
        (r#"{"detail":{"a.b":["x"]}}"#, Mode::Safe, Errors::NoMatch),
    ] {
        let pushed = push(pattern, "", mode, errors);
        assert_eq!((pushed.pattern, pushed.exact), (None, false), "{pattern}");
    }
    assert!(push(r#"{"detail":{"a":[{"wildcard":"*x*"}]}}"#, "", Mode::Full, Errors::NoMatch).exact);
}

fn pushed(text: &str, mode: Mode) -> PushDown {
    let tree = jmespath::parse(text).0.unwrap();
    push_down(Asked { expression: Some(Written { tree: &tree, text }), mode, ..Asked::default() })
}

#[test]
fn what_has_no_room_stays() {
    let parts: Vec<String> = (0..60).map(|at| format!("detail.requestParameters.field{at} == '{}'", "v".repeat(60))).collect();
    let pushed = pushed(&parts.join(" && "), Mode::Safe);
    let pattern = pushed.pattern.unwrap();
    assert!((1900..=2048).contains(&length(&pattern)), "{}", length(&pattern));
    assert!(pushed.notes.iter().any(|note| note.ends_with("there is no room for it in the pattern")));
}

#[test]
fn wildcards_are_bounded() {
    let fields = ["userAgent", "errorCode", "errorMessage", "eventName", "awsRegion", "eventID", "requestID"];
    let parts: Vec<String> = fields.iter().map(|field| format!("contains(detail.{field} || '', 'x')")).collect();
    let pattern = Pattern::parse(&pushed(&parts.join(" && "), Mode::Full).pattern.unwrap()).0.unwrap();
    assert_eq!(pattern.wildcards(), MOST_WILDCARDS);
}

#[test]
fn many_alternatives_fall_back_to_what_they_share() {
    let branch = |at: usize| format!("(detail.eventName == 'N{at}' && detail.errorCode == 'E{at}')");
    let text = (0..17).map(branch).collect::<Vec<_>>().join(" || ");
    let pushed = pushed(&text, Mode::Safe);
    let names: Vec<String> = (0..17).map(|at| format!("\"N{at}\"")).collect();
    assert!(pushed.pattern.unwrap().contains(&format!("\"eventName\":[{}]", names.join(","))));
    assert!(!pushed.exact);
}

#[test]
fn a_reason_is_given() {
    let pushed = pushed("detail.eventName == 'A' && detail.a == detail.b && contains(detail.userAgent, 'x')", Mode::Safe);
    assert_eq!(
        pushed.notes,
        [
            "`detail.a == detail.b`: a pattern compares a field with constants only",
            "`contains(detail.userAgent, 'x')`: it takes a wildcard, which only `push_down = \"full\"` may spend",
        ]
    );
}
