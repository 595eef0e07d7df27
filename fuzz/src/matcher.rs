//! Any bytes as an event, judged by the compiled matcher and by the oracle. The first line may be an expression, which is then
//! judged beside the triggers that are always there.

use std::sync::OnceLock;

use serde_json::{Value, json};
use trailwire_engine::event::Event;
use trailwire_engine::lang::jmespath;
use trailwire_engine::matcher::{CompiledSet, Fired, Outcome, Scope, Scratch, Verdict};
use trailwire_engine::trigger::Trigger;

use super::repaired::repaired;

/// Panics where something does not hold.
pub fn check(bytes: &[u8]) {
    let mut scratch = Scratch::default();
    let (expression, event) = parts(bytes);
    for (set, scope) in always() {
        agree(set, event, scope, &mut scratch);
    }
    if let Some(expression) = expression {
        for more in [json!({"event_names": ["CreateUser"]}), json!({"any_event": true})] {
            agree(&set(&[expression], &more), event, &Scope::default(), &mut scratch);
        }
    }
}

/// The expression of the first line, if it is one, and the event.
fn parts(bytes: &[u8]) -> (Option<&str>, &[u8]) {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return (None, bytes) };
    match std::str::from_utf8(&bytes[..end]) {
        Ok(expression) if jmespath::parse(expression).0.is_some() => (Some(expression), &bytes[end + 1..]),
        _ => (None, bytes),
    }
}

const EXPRESSIONS: [&str; 38] = [
    "detail.userIdentity.type == 'Root'",
    "detail.userIdentity.type != 'Root' && detail.errorCode == 'x'",
    "starts_with(detail.errorCode, 'Access')",
    "ends_with(detail.eventName, 'User') && contains(detail.userAgent, 'aws')",
    "!starts_with(detail.requestParameters.a, 'x')",
    "detail.requestParameters.a",
    "!(detail.requestParameters.a)",
    "detail.requestParameters.a == `5`",
    "detail.requestParameters.a > `9007199254740992` || detail.requestParameters.a < `-0.5`",
    "`1e3` == detail.requestParameters.b",
    "detail.requestParameters.a == detail.requestParameters.b",
    "detail.requestParameters == `{\"a\": [1, \"x\"]}`",
    "contains(`[\"x\", 5, null]`, detail.a)",
    "contains(detail.a, 'x') || contains(detail.b, `5`)",
    "cidr_contains('10.0.0.0/8', detail.sourceIPAddress)",
    "cidr_contains('2001:db8::/32', detail.sourceIPAddress)",
    "matches(detail.userAgent, '^\\[?aws.*\\d$')",
    "lower(detail.a || '') == 'x'",
    "(detail.errorCode || 'none') == 'none'",
    "not_null(detail.a, detail.b, 'x') == 'x'",
    "length(detail.list) > `2`",
    "detail.list[?a == 'x'].b | [0] == `1`",
    "length(detail.list[?contains(@, 'x')]) > `0`",
    "detail.list[*].a[] && detail.a == 'x'",
    "detail.list[-1].a == 'x' && detail.list[0:2] == `[1, 2]`",
    "detail.a.*.b | [0]",
    "keys(detail) | contains(@, 'a')",
    "type(detail.a) == 'null' && type(detail.b) == 'string'",
    "detail.\"a.b\" == 'x' || detail.\"é\" == '\\\\' || detail.\"\" == 'x'",
    "parse_json(detail.a).b == 'x'",
    "split(detail.a, '/')[1] == 'x'",
    "to_number(detail.a) == `5`",
    "a == 'x' || source == 'aws.iam' && detail.readOnly",
    "detail.a && detail.b && detail.c == 'x'",
    "contains(detail.list[].a || `[]`, 'x')",
    "contains(detail.list[].a[].b.c || `[]`, `5`) || length(detail.list[*].a || `[]`) > `1`",
    "length(detail.list[?a == 'x' || !(b >= `5`)].c || `[1]`) != `1`",
    "detail.list[?a != 'x']",
];

fn set(expressions: &[&str], more: &Value) -> CompiledSet {
    let triggers = expressions.iter().enumerate().map(|(number, expression)| {
        let mut document =
            json!({"name": format!("t{number}"), "match_expression": expression, "action": [{"send": [{"destination": "d"}]}]});
        let members = document.as_object_mut().expect("is an object");
        members.extend(more.as_object().expect("is an object").clone());
        Trigger::from_value(&document).expect("is a trigger")
    });
    let (set, refused) = CompiledSet::new(triggers.collect());
    assert_eq!(refused, [], "{expressions:?}");
    set
}

/// Triggers of one name, of several, and of any event; without and with a narrow scope.
fn always() -> &'static [(CompiledSet, Scope)] {
    static SETS: OnceLock<Vec<(CompiledSet, Scope)>> = OnceLock::new();
    SETS.get_or_init(|| {
        let narrow = Scope {
            accounts: Some(["111122223333".to_owned()].into()),
            regions: Some(["eu-west-1".to_owned()].into()),
            own_role_arns: vec!["arn:aws:iam::111122223333:role/trailwire/tw-1-forward".to_owned()],
        };
        vec![
            (set(&EXPRESSIONS, &json!({"event_names": ["CreateUser", "GetUser"]})), Scope::default()),
            (set(&EXPRESSIONS, &json!({"any_event": true, "include_read_only": true})), Scope::default()),
            (set(&EXPRESSIONS, &json!({"event_names": ["CreateUser"], "event_sources": ["iam.amazonaws.com"]})), narrow),
        ]
    })
}

fn agree(set: &CompiledSet, bytes: &[u8], scope: &Scope, scratch: &mut Scratch) {
    let read = serde_json::from_slice::<Value>(bytes);
    let checked = set.judge_checked(bytes, scope, scratch).map(<[Verdict]>::to_vec).ok();
    let told = set.judge(bytes, scope, scratch).map(<[Verdict]>::to_vec).ok();
    let shown = String::from_utf8_lossy(bytes);
    if let Ok(value) = read {
        let expected = by_oracle(set, value, scope);
        assert_eq!(checked, expected, "checked, {shown:?}");
        assert_eq!(told, expected, "{shown:?}");
        return;
    }
    assert_eq!(checked, None, "not JSON, {shown:?}");
    // Where no member has a name of the set there is nobody to fire, however the brackets pair; how many there are is still counted.
    let is_nobodys = told.as_ref().is_some_and(Vec::is_empty) && !names_anybody(set, &shown);
    if told.is_some() {
        let repaired = repaired(bytes).unwrap_or_else(|| panic!("brackets or quotes are left open, and it is judged: {shown:?}"));
        assert!(is_nobodys || told == by_oracle(set, repaired, scope), "{told:?} with null where it is faulty, {shown:?}");
    }
}

/// Whether a member anywhere has an event name of the set, spelt plainly or perhaps with escapes. Elsewhere such a name is nobody's, in a text or as a bare word.
fn names_anybody(set: &CompiledSet, event: &str) -> bool {
    let dense: String = event.split_ascii_whitespace().collect();
    let named = |name: &String| dense.contains(&format!("\"eventName\":\"{name}\""));
    let names = |trigger: &Trigger| trigger.any_event || trigger.event_names.iter().any(named);
    event.contains('\\') || set.triggers().iter().any(|trigger| names(trigger.trigger()))
}

/// The triggers that fire, in the order of the set; `None` where it is no event.
fn by_oracle(set: &CompiledSet, value: Value, scope: &Scope) -> Option<Vec<Verdict>> {
    let event = Event::from_value(value).ok()?;
    let mut verdicts = Vec::new();
    for (number, trigger) in set.triggers().iter().enumerate() {
        let fired = match trigger.judge(&event, scope) {
            Outcome::Match => Fired::Match,
            Outcome::NoMatch(_) => continue,
            Outcome::Error(_) => Fired::Error,
        };
        verdicts.push(Verdict { trigger: u32::try_from(number).expect("a small set"), fired });
    }
    Some(verdicts)
}
