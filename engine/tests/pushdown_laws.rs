//! The laws of push-down, each with its own generator. The judges are the evaluator and the pattern's obvious matcher.
//!
//! 2,000 cases of each by default. CI runs 10,000 (`TRAILWIRE_PROPERTY_CASES=10000`);
//! `TRAILWIRE_PROPERTY_CASES=1000000 cargo test --release -p trailwire-engine --test pushdown_laws` runs a million cases of each.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};
use trailwire_engine::eval::{search, truthy};
use trailwire_engine::event::Event;
use trailwire_engine::expr::Expr;
use trailwire_engine::lang::jmespath;
use trailwire_engine::matcher::{CompiledTrigger, Outcome, Scope};
use trailwire_engine::pattern::Pattern;
use trailwire_engine::pushdown::{Asked, Errors, Frame, Mode, PushDown, Written, push_down};
use trailwire_engine::shape::{FIELDS, Kinds, Schema};
use trailwire_engine::trigger::Trigger;

fn config() -> ProptestConfig {
    let cases = std::env::var("TRAILWIRE_PROPERTY_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(2_000);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

// --- values

const TEXTS: [&str; 17] = [
    "",
    "a",
    "b",
    "ab",
    "AB",
    "abc",
    "x",
    "a\"",
    "\"",
    "a*b",
    "a\\b",
    "10.0.0.1",
    "::ffff:10.0.0.1",
    "2001:db8::1",
    "2001:DB8:0::1",
    "é",
    "5",
];

const NAMES: [&str; 5] = ["CreateUser", "DeleteUser", "GetUser", "ConsoleLogin", "a"];

/// Events come from seeds: there are six of them in a case, and trees of strategies are slow. Expressions shrink, events do not.
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(sides).unwrap()).unwrap()
    }

    fn one_of<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.roll(list.len())].clone()
    }

    fn text(&mut self) -> Value {
        Value::from(self.one_of(&TEXTS))
    }

    fn scalar(&mut self) -> Value {
        match self.roll(8) {
            0 => Value::Null,
            1 => Value::from(self.roll(2) == 0),
            2 => self.one_of(&numbers()),
            _ => self.text(),
        }
    }

    /// Any JSON; names with dots in them stand for other paths.
    fn anything(&mut self, depth: usize) -> Value {
        match self.roll(5) {
            0 if depth > 0 => (0..self.roll(3)).map(|_| self.anything(depth - 1)).collect(),
            1 | 2 if depth > 0 => self.object(depth),
            _ => self.scalar(),
        }
    }

    fn object(&mut self, depth: usize) -> Value {
        const NAMES: [&str; 12] = ["a", "a", "a", "b", "b", "b", "c", "detail", "a.b", "b.c", "detail.a", "userIdentity.type"];
        (0..self.roll(3)).map(|_| (self.one_of(&NAMES).to_owned(), self.anything(depth - 1))).collect()
    }
}

fn numbers() -> Vec<Value> {
    let exact = [json!(0), json!(1), json!(5), json!(5.5), json!(-3), json!(300), json!(1e10), json!(0.1)];
    let beyond = [json!(9_007_199_254_740_993_i64), json!(-9_007_199_254_740_993_i64), json!(u64::MAX)];
    exact.into_iter().chain(beyond).collect()
}

fn text() -> impl Strategy<Value = String> {
    select(&TEXTS[..]).prop_map(str::to_owned)
}

fn number() -> impl Strategy<Value = Value> {
    select(numbers())
}

fn scalar() -> impl Strategy<Value = Value> {
    any::<u64>().prop_map(|seed| Dice(seed).scalar())
}

fn anything() -> impl Strategy<Value = Value> {
    any::<u64>().prop_map(|seed| Dice(seed).object(4))
}

/// The known fields that the generated expressions speak of, those above before those below.
const TESTED: [&str; 15] = [
    "region",
    "source",
    "detail.errorCode",
    "detail.eventName",
    "detail.eventSource",
    "detail.userAgent",
    "detail.sourceIPAddress",
    "detail.readOnly",
    "detail.userIdentity",
    "detail.userIdentity.type",
    "detail.userIdentity.invokedBy",
    "detail.userIdentity.sessionContext.attributes.mfaAuthenticated",
    "detail.requestParameters",
    "detail.responseElements",
    "detail.resources",
];

/// A value of the kind of a known field.
fn of_kind(path: &str, dice: &mut Dice) -> Value {
    let kinds = FIELDS.iter().find(|field| field.path == path).unwrap().kinds;
    match path {
        "detail.eventName" => Value::from(dice.one_of(&NAMES)),
        "detail.eventSource" => Value::from(dice.one_of(&["iam.amazonaws.com", "sts.amazonaws.com"])),
        "source" => Value::from(dice.one_of(&["aws.iam", "aws.signin"])),
        "detail.userIdentity" => json!({}),
        _ if kinds == Kinds::BOOLEAN => Value::from(dice.roll(2) == 0),
        _ if kinds == Kinds::STRING => dice.text(),
        _ if kinds == Kinds::ARRAY => (0..dice.roll(3)).map(|_| dice.anything(2)).collect(),
        _ => dice.object(3),
    }
}

/// An event of E: the known fields absent, null or of their type, anything else beside them, names with dots among it.
fn event() -> impl Strategy<Value = Value> {
    const MORE: [&str; 5] = ["userIdentity.type", "requestParameters.a", "userIdentity.invokedBy", "a", "z"];
    any::<u64>().prop_map(|seed| {
        let dice = &mut Dice(seed);
        let mut event = json!({"source": "aws.iam", "detail-type": "AWS API Call via CloudTrail", "account": "111122223333", "detail": {}});
        for _ in 0..dice.roll(3) {
            let name = dice.one_of(&MORE);
            event["detail"][name] = dice.anything(2);
        }
        for path in TESTED {
            let value = match dice.roll(8) {
                0 => continue,
                1 => Value::Null,
                _ => of_kind(path, dice),
            };
            put(&mut event, &path.split('.').collect::<Vec<_>>(), value);
        }
        event
    })
}

/// Puts a value at a path; makes the objects on the way where there are none.
fn put(event: &mut Value, path: &[&str], value: Value) {
    let Value::Object(members) = event else { return };
    match path {
        [] => {}
        [name] => {
            members.insert((*name).to_owned(), value);
        }
        [name, rest @ ..] => put(members.entry(*name).or_insert_with(|| Value::Object(Map::new())), rest, value),
    }
}

// --- expressions

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
    ]
}

fn expression(path: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    atom(path).prop_recursive(3, 10, 3, |inner| {
        let several = proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            3 => several.clone().prop_map(|parts| format!("({})", parts.join(" && "))),
            2 => several.prop_map(|parts| format!("({})", parts.join(" || "))),
            2 => inner.prop_map(|inner| format!("!({inner})")),
        ]
    })
}

fn known_path() -> BoxedStrategy<String> {
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

fn any_path() -> BoxedStrategy<String> {
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

fn errors() -> impl Strategy<Value = Errors> {
    prop_oneof![2 => Just(Errors::NoMatch), 1 => Just(Errors::Match)]
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![1 => Just(Mode::Names), 3 => Just(Mode::Safe), 3 => Just(Mode::Full)]
}

fn names() -> impl Strategy<Value = Vec<String>> {
    subsequence(NAMES.to_vec(), 0..=NAMES.len()).prop_map(|names| names.into_iter().map(str::to_owned).collect())
}

// --- judges

fn matches(pushed: &PushDown, event: &Value) -> bool {
    match (&pushed.never, &pushed.pattern) {
        (Some(_), _) => false,
        (None, None) => true,
        (None, Some(text)) => Pattern::parse(text).0.is_some_and(|pattern| pattern.matches(event)),
    }
}

fn sent(pushed: &PushDown) -> &str {
    pushed.pattern.as_deref().or(pushed.never.as_deref()).unwrap_or("no pattern")
}

/// What a rule's state carries, written apart from the matcher.
fn is_delivered(event: &Value, include_read_only: bool) -> bool {
    let detail = &event["detail"];
    let name = detail["eventName"].as_str().unwrap_or_default();
    let is_session = detail["eventSource"] == "sts.amazonaws.com" && ["GetFederationToken", "GetSessionToken"].contains(&name);
    include_read_only
        || detail["readOnly"] != json!(true)
        || is_session
        || !["Get", "List", "Describe"].iter().any(|verb| name.starts_with(verb))
}

fn trigger(names: &[String], text: &str, errors: Errors, include_read_only: bool) -> CompiledTrigger {
    let mut document = json!({"name": "t", "match_expression": text, "include_read_only": include_read_only, "include_self": true,
        "on_error": if errors == Errors::Match { "match" } else { "no_match" }, "action": [{"send": [{"destination": "d"}]}]});
    if names.is_empty() {
        document["any_event"] = json!(true);
    } else {
        document["event_names"] = json!(names);
    }
    CompiledTrigger::new(Trigger::from_value(&document).unwrap()).unwrap()
}

fn fires(trigger: &CompiledTrigger, event: &Value, errors: Errors) -> bool {
    match trigger.judge(&Event::from_value(event.clone()).unwrap(), &Scope::default()) {
        Outcome::Match => true,
        Outcome::NoMatch(_) => false,
        Outcome::Error(_) => errors == Errors::Match,
    }
}

fn verdict(expr: &Expr, event: &Value, errors: Errors) -> bool {
    search(expr, event).map_or(errors == Errors::Match, |value| truthy(&value))
}

/// No name has a dot in it, so every path has one spelling.
fn has_plain_names(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.iter().all(|(name, value)| !name.contains('.') && has_plain_names(value)),
        Value::Array(elements) => elements.iter().all(has_plain_names),
        _ => true,
    }
}

proptest! {
    #![proptest_config(config())]

    /// P1, P3 and P4, with `never`: over events of E and whole triggers.
    #[test]
    fn p1_nothing_that_matches_is_lost(
        text in expression(known_path()), names in names(), errors in errors(), mode in mode(), include_read_only in any::<bool>(),
        events in proptest::collection::vec(event(), 6),
    ) {
        let Some(tree) = jmespath::parse(&text).0 else { return Ok(()) };
        let trigger = trigger(&names, &text, errors, include_read_only);
        let asked = Asked { names: &names, expression: Some(Written { tree: &tree, text: &text }), errors, mode, ..Asked::default() };
        let pushed = push_down(asked);
        prop_assert_eq!(&pushed, &push_down(asked), "the same input, the same bytes");
        if let Some(pattern) = &pushed.pattern {
            let (read, diagnostics) = Pattern::parse(pattern);
            prop_assert!(read.is_some(), "{} {:?}", pattern, diagnostics);
            prop_assert!(mode == Mode::Full || read.unwrap().wildcards() == 0);
        }
        for event in &events {
            if fires(&trigger, event, errors) {
                prop_assert!(is_delivered(event, include_read_only), "{}", event);
                prop_assert!(matches(&pushed, event), "{}\n{} loses {}\nfor {:?}", text, sent(&pushed), event, errors);
            }
        }
    }

    /// P1s: with no schema, over any JSON without repeated names.
    #[test]
    fn p1s_nothing_that_matches_is_lost_whatever_it_looks_like(
        text in expression(any_path()), errors in errors(), mode in mode(), events in proptest::collection::vec(anything(), 8),
    ) {
        let Some(tree) = jmespath::parse(&text).0 else { return Ok(()) };
        let written = Some(Written { tree: &tree, text: &text });
        let pushed = push_down(Asked { expression: written, errors, mode, schema: Schema::None, frame: Frame::Bare, ..Asked::default() });
        for event in events.iter().filter(|event| event.is_object()) {
            if verdict(&tree, event, errors) {
                prop_assert!(matches(&pushed, event), "{}\n{} loses {}\nfor {:?}", text, sent(&pushed), event, errors);
            }
        }
    }

    /// P2: whatever satisfies an exact pattern and is delivered matches. (An event that does not tell its region is out of scope.)
    #[test]
    fn p2_exact_means_that_nothing_else_is_kept(
        text in expression(known_path()), names in names(), errors in errors(), events in proptest::collection::vec(event(), 6),
    ) {
        let Some(tree) = jmespath::parse(&text).0 else { return Ok(()) };
        let trigger = trigger(&names, &text, errors, true);
        let written = Some(Written { tree: &tree, text: &text });
        let pushed = push_down(Asked { names: &names, expression: written, errors, mode: Mode::Full, ..Asked::default() });
        if pushed.pattern.is_none() {
            return Ok(());
        }
        prop_assert_eq!(pushed.exact, pushed.residual.is_empty());
        for event in events.iter().filter(|event| pushed.exact && has_plain_names(event) && event["region"].is_string()) {
            if matches(&pushed, event) {
                prop_assert!(fires(&trigger, event, errors), "{}\n{} keeps {}", text, sent(&pushed), event);
            }
        }
    }

    /// P5: without any one of its conjuncts, P1 holds for what is left.
    #[test]
    fn p5_any_conjunct_can_be_left_out(
        parts in proptest::collection::vec(expression(known_path()), 2..4), errors in errors(), events in proptest::collection::vec(event(), 4),
    ) {
        for left_out in 0..parts.len() {
            let kept: Vec<&str> = parts.iter().enumerate().filter(|(index, _)| *index != left_out).map(|(_, part)| part.as_str()).collect();
            let text = kept.join(" && ");
            let Some(tree) = jmespath::parse(&text).0 else { continue };
            let written = Some(Written { tree: &tree, text: &text });
            let pushed = push_down(Asked { expression: written, errors, frame: Frame::Bare, ..Asked::default() });
            for event in &events {
                if verdict(&tree, event, errors) {
                    prop_assert!(matches(&pushed, event), "{}\n{} loses {}", text, sent(&pushed), event);
                }
            }
        }
    }
}
