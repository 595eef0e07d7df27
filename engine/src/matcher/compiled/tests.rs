//! The compiled set against the oracle.
//!
//! Each property runs 10,000 cases; `make properties` runs a million.

mod dice;
mod expressions;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::event::Event;
use crate::trigger::Trigger;
use crate::value::Value;
use dice::Dice;
use expressions::expression;

fn trigger(index: usize, expression: Option<&str>, more: &Value) -> Trigger {
    let mut document =
        json!({"name": format!("t{index}"), "event_names": ["x", "CreateUser"], "action": [{"send": [{"destination": "d"}]}]});
    let members = document.as_object_mut().unwrap();
    if let Some(expression) = expression {
        members.insert("match_expression".to_owned(), expression.into());
    }
    members.extend(more.as_object().unwrap().clone());
    Trigger::from_value(&document).unwrap_or_else(|diagnostics| panic!("{document}: {diagnostics:?}"))
}

const FILTER_PATTERNS: [&str; 4] = [
    "{ ($.errorCode = \"x*\") || ($.a = 5) }",
    "{ ($.userIdentity.type = \"Root\") && ($.userIdentity.invokedBy NOT EXISTS) }",
    "{ $.list[0] != \"x\" }",
    "{ ($.a IS NULL) || ($.b NOT EXISTS) && ($.c IS TRUE) }",
];
const EVENT_PATTERNS: [&str; 3] = [
    r#"{"detail": {"userIdentity": {"type": ["Root"]}}}"#,
    r#"{"detail": {"a": [{"exists": false}], "sourceIPAddress": [{"cidr": "10.0.0.0/8"}]}}"#,
    r#"{"detail": {"list": ["x", {"prefix": "y"}], "b": [{"numeric": [">", 1]}]}}"#,
];

/// A set of a few triggers, or of so many that they are filed by what they ask for.
fn some_set(dice: &mut Dice) -> CompiledSet {
    let most = if dice.one_in(3) { 12 } else { 3 };
    let count = 1 + dice.roll(most);
    let any_events = if dice.one_in(8) { 2 } else { 12 };
    let mut triggers: Vec<Trigger> = (0..count).map(|index| some_trigger(dice, index, any_events)).collect();
    if dice.one_in(40) {
        // More texts than are sought one by one.
        let field = dice.pick(&["detail.a", "detail.x", "detail.userIdentity.arn"]);
        let texts = ["x", "y", "xy", ":", "r", "é", "00", "line\nfeed", "a"];
        let more = (0..30).map(|index| {
            let text = texts.get(index).map_or_else(|| format!("{}{}", dice.pick(&texts), dice.pick(&texts)), |text| (*text).to_owned());
            trigger(count + index, Some(&format!("contains({field}, '{text}')")), &json!({}))
        });
        triggers.extend(more.collect::<Vec<_>>());
    }
    let (set, refused) = CompiledSet::new(triggers);
    // Literals of a type that a function never takes.
    assert!(
        refused
            .iter()
            .all(|refused| refused.diagnostics.iter().all(|diagnostic| diagnostic.code == crate::diagnostic::Code::ARGUMENT_TYPE))
    );
    set
}

/// One of `any_events` is for any event.
fn some_trigger(dice: &mut Dice, index: usize, any_events: usize) -> Trigger {
    let more = match dice.roll(11) {
        _ if dice.one_in(any_events) => json!({"event_names": null, "any_event": true}),
        0 => json!({"event_sources": ["iam.amazonaws.com", "x"]}),
        1 => json!({"include_read_only": true}),
        2 => json!({"regions": ["eu-west-1"]}),
        3 => json!({"exclude_regions": ["us-east-1"], "include_self": true}),
        4 => json!({"account_ids": ["111122223333"]}),
        5 => json!({"event_names": ["GetUser", "x"]}),
        6 => json!({"enabled": false}),
        _ => json!({}),
    };
    let depth = dice.roll(3);
    let text = expression(dice, depth);
    let mut made = trigger(index, (!dice.one_in(30)).then_some(text.as_str()), &more);
    if dice.one_in(12) {
        made.match_expression = None;
        made.filter_pattern = Some(dice.pick(&FILTER_PATTERNS).to_owned());
    } else if dice.one_in(12) {
        made.match_expression = None;
        made.event_pattern = Some(dice.pick(&EVENT_PATTERNS).to_owned());
    }
    made
}

fn scope(dice: &mut Dice) -> Scope {
    let own = ["arn:aws:iam::111122223333:role/trailwire/tw-1-forward".to_owned()];
    match dice.roll(5) {
        0 => Scope { regions: Some(["eu-west-1".to_owned()].into()), ..Scope::default() },
        1 => Scope { accounts: Some(["111122223333".to_owned()].into()), own_role_arns: own.to_vec(), ..Scope::default() },
        2 => Scope { own_role_arns: own.to_vec(), ..Scope::default() },
        _ => Scope::default(),
    }
}

/// An envelope round a record.
fn envelope(dice: &mut Dice, detail: Value) -> Value {
    let mut envelope = json!({"version": "0", "id": "i", "detail-type": "AWS API Call via CloudTrail", "source": "aws.iam",
        "account": "111122223333", "region": dice.pick(&["eu-west-1", "us-east-1"]), "resources": []});
    if dice.one_in(20) {
        let name = dice.pick(&["source", "detail-type", "account", "region", "a"]).to_owned();
        envelope[name] = dice::value(dice, 1);
    }
    envelope["detail"] = detail;
    envelope
}

/// What CloudTrail writes.
fn record(dice: &mut Dice) -> Value {
    let mut record = json!({"eventVersion": "1.11", "userIdentity": {"type": dice.pick(&["Root", "IAMUser", "AssumedRole"]), "arn": dice.pick(&[
        "arn:aws:iam::111122223333:user/x", "arn:aws:sts::111122223333:assumed-role/tw-1-forward/s"]), "sessionContext": {"sessionIssuer":
        {"arn": dice.pick(&["arn:aws:iam::111122223333:role/trailwire/tw-1-forward", "arn:aws:iam::1:role/x"])}, "attributes": {"mfaAuthenticated": "false"}}},
        "eventSource": dice.pick(&["iam.amazonaws.com", "sts.amazonaws.com"]), "eventName": dice.pick(&["x", "CreateUser", "GetUser", "Other"]),
        "sourceIPAddress": dice.pick(&["10.0.0.1", "192.168.1.1", "iam.amazonaws.com"]), "userAgent": "[x/1.0, y]",
        "readOnly": dice.one_in(2), "requestParameters": {"x": "y", "b": "{\"x\":\"\\\"\"}"}, "responseElements": null, "errorCode": "x"});
    for _ in 0..dice.roll(5) {
        let name = dice.pick(&["a", "b", "c", "list", "x", "requestParameters", "errorCode", "userIdentity"]).to_owned();
        if dice.one_in(3) {
            record.as_object_mut().unwrap().remove(&name);
        } else {
            record[name] = dice::value(dice, 3);
        }
    }
    record
}

fn text_of(dice: &mut Dice, value: &Value) -> String {
    let mut text = String::new();
    let loose = dice.one_in(3);
    dice::write(dice, value, loose, &mut text);
    text
}

type Outcomes = Result<Vec<Verdict>, ()>;

fn by_oracle(set: &CompiledSet, event: &[u8], scope: &Scope) -> Outcomes {
    let mut verdicts = Vec::new();
    set.judge_whole(event, scope, &mut verdicts).map(|()| verdicts).map_err(|_| ())
}

#[track_caller]
fn agree(set: &CompiledSet, event: &[u8], scope: &Scope, scratch: &mut Scratch) {
    let expected = by_oracle(set, event, scope);
    let told = |judged: Result<&[Verdict], InvalidEvent>| judged.map(<[Verdict]>::to_vec).map_err(|_| ());
    let explained = || {
        let texts: Vec<_> = set.triggers().iter().map(|trigger| trigger.trigger().match_expression.clone()).collect();
        format!("{texts:#?}\n{scope:?}\n{}", String::from_utf8_lossy(event))
    };
    let is_json = serde_json::from_slice::<Value>(event).is_ok();
    // The scratch has the processor's widest vectors; all narrower ones, and none, must tell the same.
    let others = scan::tapes().into_iter().map(|tape| Scratch { tape, ..Scratch::default() });
    for scratch in others.collect::<Vec<_>>().iter_mut().chain([scratch]) {
        assert_eq!(told(set.judge_checked(event, scope, scratch)), expected, "checked: {}\n{:?}", explained(), scratch.tape);
        let found = told(set.judge(event, scope, scratch));
        if is_json {
            assert_eq!(found, expected, "{}\n{:?}", explained(), scratch.tape);
        }
    }
}

/// Records of the field, where they are at hand.
#[test]
fn compiled_is_oracle_on_collected_records() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/records.jsonl");
    #[expect(clippy::disallowed_methods, reason = "a test may read its data")]
    let Ok(lines) = std::fs::read_to_string(path) else {
        println!("skipped: there is no {path}");
        return;
    };
    let dice = &mut Dice::new(1);
    let mut scratch = Scratch::default();
    for line in lines.lines() {
        let record = serde_json::from_str::<Value>(line).unwrap()["record"].take();
        let set = some_set(dice);
        agree(&set, record.to_string().as_bytes(), &Scope::default(), &mut scratch);
        let event = envelope(dice, record);
        agree(&set, text_of(dice, &event).as_bytes(), &Scope::default(), &mut scratch);
    }
}

proptest! {
    #![proptest_config(crate::testing::cases())]

    #[test]
    fn compiled_is_oracle_on_records(seed: u64) {
        let dice = &mut Dice::new(seed);
        let (set, scope, mut scratch) = (some_set(dice), scope(dice), Scratch::default());
        // A scratch has the objects of earlier events in mind.
        for _ in 0..1 + dice.roll(3) {
            let record = record(dice);
            let event = if dice.one_in(15) { record } else { envelope(dice, record) };
            agree(&set, text_of(dice, &event).as_bytes(), &scope, &mut scratch);
        }
    }

    #[test]
    fn compiled_is_oracle_on_any_members(seed: u64) {
        let dice = &mut Dice::new(seed);
        let (set, scope, mut scratch) = (some_set(dice), scope(dice), Scratch::default());
        for _ in 0..1 + dice.roll(3) {
            let mut detail = dice::members(dice, 3);
            detail.insert("eventName".to_owned(), if dice.one_in(10) { dice::value(dice, 1) } else { "x".into() });
            let event = envelope(dice, Value::Object(detail));
            agree(&set, text_of(dice, &event).as_bytes(), &scope, &mut scratch);
        }
    }

    #[test]
    fn compiled_is_oracle_on_any_json(seed: u64) {
        let dice = &mut Dice::new(seed);
        let (set, scope, mut scratch) = (some_set(dice), scope(dice), Scratch::default());
        let value = dice::value(dice, 5);
        agree(&set, text_of(dice, &value).as_bytes(), &scope, &mut scratch);
    }

    #[test]
    fn compiled_is_oracle_on_mutated_bytes(seed: u64) {
        let dice = &mut Dice::new(seed);
        let (set, scope, mut scratch) = (some_set(dice), scope(dice), Scratch::default());
        let record = record(dice);
        let value = envelope(dice, record);
        let event = text_of(dice, &value).into_bytes();
        let mut event = event.clone();
        // So that it has an object of nearly the same members in mind.
        let _ = set.judge(&event, &scope, &mut scratch);
        for _ in 0..=dice.roll(3) {
            mutate(dice, &mut event);
        }
        agree(&set, &event, &scope, &mut scratch);
    }
}

/// That the cases are worth something: how many of a thousand outcomes are which.
#[test]
fn the_cases_match_err_and_do_neither() {
    let (mut matches, mut errors, mut others, mut refused, mut looked_at) = (0, 0, 0, 0, 0);
    for seed in 0..2_000 {
        let dice = &mut Dice::new(seed);
        let (set, scope) = (some_set(dice), scope(dice));
        let record = record(dice);
        let value = envelope(dice, record);
        let event = Event::from_value(value.clone()).unwrap();
        for (_, outcome) in set.oracle.outcomes(&event, &scope) {
            looked_at += 1;
            match outcome {
                Outcome::Match => matches += 1,
                Outcome::Error(_) => errors += 1,
                Outcome::NoMatch(super::super::Reason::Expression) => others += 1,
                Outcome::NoMatch(_) => {}
            }
        }
        let mut bytes = text_of(dice, &value).into_bytes();
        mutate(dice, &mut bytes);
        refused += usize::from(set.judge(&bytes, &scope, &mut Scratch::default()).is_err());
    }
    let share = |count: usize| count * 1_000 / looked_at;
    let told = format!("{} match, {} err, {} do neither; {refused} of 2000 refused", share(matches), share(errors), share(others));
    println!("{told}");
    assert!(share(matches) >= 100 && share(errors) >= 100 && share(others) >= 200 && (800..1_990).contains(&refused), "{told}");
}

fn mutate(dice: &mut Dice, event: &mut Vec<u8>) {
    let at = dice.roll(event.len());
    match dice.roll(4) {
        0 => event.truncate(at),
        1 if at < event.len() => {
            event.remove(at);
        }
        2 => event.insert(at.min(event.len()), *dice.pick(&b"{}[],:\"\\ 0e.-tn\x00\xff\xc3\x0c".each_ref())),
        _ => {
            if let Some(byte) = event.get_mut(at) {
                *byte = *dice.pick(&b"{}[],:\"\\ 0e.-tn\x00\xff\xc3\x0c".each_ref());
            }
        }
    }
}

/// Bytes that `serde_json` refuses, in places that are read or passed.
#[test]
fn what_is_read_is_checked() {
    let (set, _) = CompiledSet::new(vec![trigger(0, Some("detail.a == 'x' || detail.b.c == 'x'"), &json!({}))]);
    let judge = |detail: &str| {
        let event = format!(
            r#"{{"source":"aws.iam","detail-type":"AWS API Call via CloudTrail","account":"1","region":"r","detail":{{"eventName":"x",{detail}}}}}"#
        );
        set.judge(event.as_bytes(), &Scope::default(), &mut Scratch::default()).map(<[Verdict]>::len).map_err(|_| ())
    };
    assert_eq!(judge(r#""a":"x""#), Ok(1));
    assert_eq!(judge(r#""a":"y""#), Ok(0));
    for detail in [
        r#""a":tru"#,
        r#""a":01"#,
        r#""a":1e999"#,
        r#""a":"\x""#,
        r#""a":"\ud800""#,
        "\"a\":\"\u{1}\"",
        r#""a":"#,
        r#""a" "x""#,
        r#"a:"x""#,
        r#""a":"x","#,
        r#""a":"x"}"#,
        r#""a":"x""y":1"#,
        r#""a":"x",,"y":1"#,
        r#""\x":1"#,
        r#""b":{"c":"y"]"#,
        r#""b":{"d""#,
        r#""b":{"c":"x",}"#,
        r#""z":"#,
        r#""z":[}"#,
        r#""b":[{"c":"x"}"#,
        r#""b":{"c":tru}"#,
        // The structure is checked wherever it is.
        r#""z":{"y":[1,,2]}"#,
        r#""z":[,1]"#,
        r#""z":[1,]"#,
        r#""z":[[]1]"#,
        r#""z":["x"[]]"#,
        r#""z":{:1}"#,
        r#""z":[{}{}]"#,
        r#""z":[[{"y":1]}]"#,
    ] {
        assert_eq!(judge(detail), Err(()), "{detail}");
    }
    // Faults in values that nobody reads are not looked for.
    assert_eq!(judge(r#""a":"x","z":tru"#), Ok(1));
    for detail in [r#""a":"x","z":{"y":[1:2]}"#, r#""a":"x","z":[01,"\x"]"#] {
        assert_eq!(judge(detail), Ok(1), "{detail}");
    }
}

#[test]
fn many_that_read_the_whole_event_are_looked_at_for_each() {
    let expressions = ["contains(* || `[]`, 'aws.iam')", "contains(*.eventName[] || `[]`, 'x')", "contains(detail.* || `[]`, 'x')"];
    let triggers = (0..9).map(|index| trigger(index, Some(expressions[index % 3]), &json!({}))).collect();
    let (set, mut scratch) = (CompiledSet::new(triggers).0, Scratch::default());
    for detail in [json!({"eventName": "x"}), json!({"eventName": "CreateUser", "a": "x"}), json!({"eventName": "CreateUser"})] {
        let event =
            json!({"source": "aws.iam", "detail-type": "AWS API Call via CloudTrail", "account": "1", "region": "r", "detail": detail});
        agree(&set, event.to_string().as_bytes(), &Scope::default(), &mut scratch);
        assert!(scratch.verdicts.len() >= 3, "{event}: {:?}", scratch.verdicts);
    }
}

/// Sub-expressions that differ in nothing but a text that looks like a place.
#[test]
fn texts_that_look_like_places_are_told_apart() {
    let expressions = [
        "contains(detail.a[].b || `[]`, 'Span { start: 1, end: 2 }')",
        "contains(detail.a[].b || `[]`, 'Span { start: 1, end: 3 }')",
        "upper(detail.eventName) == 'Span { x }' || upper(detail.eventName) == 'CREATEUSER'",
        "upper(detail.eventName) == 'Span { y }' || upper(detail.eventName) == 'CREATEUSER'",
    ];
    let triggers = expressions.iter().enumerate().map(|(index, text)| trigger(index, Some(text), &json!({}))).collect();
    let (set, refused) = CompiledSet::new(triggers);
    assert_eq!(refused, []);
    let mut dice = Dice::new(1);
    for text in ["Span { start: 1, end: 2 }", "Span { start: 1, end: 3 }", "x"] {
        let event = envelope(&mut dice, json!({"eventName": "CreateUser", "a": [{"b": text}]}));
        agree(&set, event.to_string().as_bytes(), &Scope::default(), &mut Scratch::default());
    }
}

#[test]
fn depth_is_bounded_as_in_serde_json() {
    let (set, _) = CompiledSet::new(vec![trigger(0, None, &json!({}))]);
    for depth in [1, 60, 124, 125, 126, 127, 128, 300] {
        let event = format!(
            r#"{{"source":"aws.iam","detail-type":"AWS API Call via CloudTrail","account":"1","region":"r","detail":{{"eventName":"x","z":{}{}}}}}"#,
            "[".repeat(depth),
            "]".repeat(depth)
        );
        let found = set.judge(event.as_bytes(), &Scope::default(), &mut Scratch::default()).map(<[Verdict]>::to_vec).map_err(|_| ());
        assert_eq!(found, by_oracle(&set, event.as_bytes(), &Scope::default()), "{depth}");
    }
}

/// Work beyond the oracle's steps is an error here, too, wherever it stands.
#[test]
fn steps_are_bounded_as_in_the_oracle() {
    let many = vec!["detail.list[?@ == 'x']"; 60].join(" || ");
    let (set, refused) = CompiledSet::new(vec![
        trigger(
            0,
            Some("detail.eventName == 'x' && length(detail.list[*].[@, @][] | [*].[@, @][] | [*].[@, @][] | [*].[@, @][]) > `1`"),
            &json!({}),
        ),
        trigger(1, Some(&format!("({many}) && detail.eventName == 'y'")), &json!({})),
        trigger(2, Some("detail.eventName == 'x' && detail.list[0] == 'a'"), &json!({})),
    ]);
    assert_eq!(refused, []);
    for length in [1, 500, 5_000, 40_000] {
        let list = vec!["\"a\""; length].join(",");
        let event = format!(
            r#"{{"source":"aws.iam","detail-type":"AWS API Call via CloudTrail","account":"1","region":"r","detail":{{"eventName":"x","list":[{list}]}}}}"#
        );
        agree(&set, event.as_bytes(), &Scope::default(), &mut Scratch::default());
    }
}

/// Nor do literals count less that are read once for each element.
#[test]
fn steps_of_literals_are_bounded_as_in_the_oracle() {
    let numbers = |count: usize| vec!["0"; count].join(",");
    let matches = [
        format!("contains(detail.a[*].b[?contains(`[{}]`, @)] || `[]`, 'x')", numbers(200)),
        format!("contains(detail.c[?contains(`[{}]`, b)] || `[]`, 'x')", numbers(1_000)),
        format!("contains(`[{0}]`[?contains(`[{0}]`, @)] || `[]`, `5`)", numbers(1_000)),
        format!("length(detail.c[?contains(b || '{}', 'x')] || `[]`) > `0`", "y".repeat(64_000)),
    ];
    let triggers = matches.iter().enumerate().map(|(index, text)| trigger(index, Some(&format!("{text} && detail.k == 'v'")), &json!({})));
    let (set, refused) = CompiledSet::new(triggers.collect());
    assert_eq!(refused, []);
    let mut errors = 0;
    for (inner, outer) in [(1, 1), (300, 300), (5_000, 2_000)] {
        let detail = json!({"eventName": "x", "k": "w", "a": [{"b": vec![1; inner]}], "c": vec![json!({}); outer]});
        let event =
            json!({"source": "aws.iam", "detail-type": "AWS API Call via CloudTrail", "account": "1", "region": "r", "detail": detail});
        let event = event.to_string();
        agree(&set, event.as_bytes(), &Scope::default(), &mut Scratch::default());
        let outcomes = by_oracle(&set, event.as_bytes(), &Scope::default());
        errors += outcomes.map_or(0, |outcomes| outcomes.len());
    }
    assert!(errors > 4, "{errors}");
}

#[test]
fn one_scratch_serves_many_sets() {
    let mut scratch = Scratch::default();
    for seed in 0..300 {
        let dice = &mut Dice::new(seed);
        let set = some_set(dice);
        let record = record(dice);
        let event = envelope(dice, record).to_string();
        agree(&set, event.as_bytes(), &Scope::default(), &mut scratch);
    }
}
