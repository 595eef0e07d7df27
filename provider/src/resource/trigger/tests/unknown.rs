//! Mistakes are found while anything may be unknown, and nothing is claimed of what is.

use super::*;

fn check(changes: Value, unknown: &[&str]) -> String {
    let bench = Bench::new();
    let mut config = bench.config(T, &with(changes));
    unknown.iter().for_each(|path| forget(&mut config, path));
    drawn(&T.validate(&ValidateRequest { config }))
}

/// Makes the value at `test.0.event` unknown.
fn forget(config: &mut Dynamic, path: &str) {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    match (config, rest) {
        (Dynamic::Map(members), Some(rest)) => forget(members.get_mut(name).unwrap(), rest),
        (Dynamic::Map(members), None) => drop(members.insert(name.to_owned(), Dynamic::Unknown)),
        (Dynamic::List(items), Some(rest)) => forget(&mut items[name.parse::<usize>().unwrap()], rest),
        (Dynamic::List(items), None) => items[name.parse::<usize>().unwrap()] = Dynamic::Unknown,
        (other, _) => panic!("{path} of {other:?}"),
    }
}

#[test]
fn what_is_not_known_yet_is_not_wrong_yet() {
    let everything =
        ["name", "hub", "event_names", "regions", "match_expression", "description", "enabled", "push_down", "on_error", "severity"];
    assert_eq!(check(json!({}), &everything), "");
    // Blocks from a `dynamic` whose collection is not known yet.
    for unknown in ["action", "test", "action.0", "action.0.notify", "action.0.notify.0", "action.1.wait"] {
        assert_eq!(check(json!({ "test": [] }), &[unknown]), "", "{unknown}");
    }
    assert_eq!(check(json!({ "event_names": null }), &["any_event"]), "");
    assert_eq!(check(json!({ "any_event": true }), &["event_names"]), "");
    assert_eq!(check(json!({ "filter_pattern": "{ $.requestParameters.a = 1 }" }), &["match_expression", "event_pattern"]), "");
    assert_eq!(check(json!({ "action": [{ "send": [{ "destination": "d" }] }] }), &["action.0.notify"]), "");
    // What is wrong whatever comes is told at once.
    let both = check(json!({ "filter_pattern": "{ $.requestParameters.a = 1 }", "match_expression": "a" }), &["event_pattern"]);
    assert!(both.starts_with("error[TW1104]: `filter_pattern` and `match_expression` exclude each other (in filter_pattern)"), "{both}");
    assert!(check(json!({ "action": [] }), &["event_names"]).contains("a trigger has at least one action"));
    assert!(check(json!({ "action": [{}] }), &["name"]).contains("exactly one block inside, this one has 0 (in action[0])"));
}

#[test]
fn a_syntax_error_is_drawn_in_every_language() {
    for (attribute, text, expected) in [
        (
            "match_expression",
            "start_with(detail.eventName, 'x')",
            "error[TW2101]: unknown function `start_with` (in match_expression)\n  |\n1 | start_with(",
        ),
        ("filter_pattern", "{ $.errorCode == \"x\" }", "error[TW2201]"),
        (
            "event_pattern",
            "{\"detail\": {\"eventName\": \"x\"}}",
            "error[TW2301]: `detail.eventName` is a string where EventBridge wants an array of tests or an object (in event_pattern)\n  |\n1 | ",
        ),
    ] {
        // Beside another mistake too.
        for more in [json!({}), json!({ "name": "Bad" })] {
            let mut changes = json!({ attribute: text });
            changes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let found = check(changes, &["event_names"]);
            assert!(found.contains(expected) && found.contains("^"), "{found}");
        }
    }
    assert!(check(json!({ "push_down": "all" }), &[]).starts_with("error[TW1102]: `all` is not a known `push_down` (in push_down)"));
}

#[test]
fn a_trigger_that_can_never_fire_is_an_error_once_that_is_certain() {
    let never = json!({ "match_expression": "detail.eventName == 'RunInstances'" });
    assert_eq!(
        check(never.clone(), &[]),
        "error[TW1112]: this trigger can never fire (in match_expression)\n  |\n1 | detail.eventName == 'RunInstances'\n  \
         | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n  = help: `detail.eventName == 'RunInstances'`: it cannot hold together with the rest; \
         correct the match, or the event names and sources that it stands beside"
    );
    for unknown in ["event_names", "event_names.0", "event_sources", "any_event", "match_expression", "on_error"] {
        assert_eq!(check(never.clone(), &[unknown]), "", "{unknown}");
    }
    assert!(check(never, &["enabled", "regions", "action", "test"]).starts_with("error[TW1112]"));
}

#[test]
fn a_failing_test_says_what_was_expected_and_why_it_is_not_so() {
    let event = json!({ "eventName": "AuthorizeSecurityGroupIngress", "userIdentity": { "type": "IAMUser" } }).to_string();
    let good = json!({ "name": "a user", "event": event, "expect": false });
    let bad = json!({ "name": "root", "event": event, "expect": true });
    let unread = json!({ "name": "cut", "event": "{", "expect": true });
    let config = json!({ "match_expression": "detail.userIdentity.type == 'Root'", "test": [good, bad, unread] });
    let found = check(config.clone(), &[]);
    assert_eq!(
        found,
        "error[TW1111]: test `root` expects the trigger to fire, and it does not (in test[1].expect)\n  = help: the match is not true; \
         `detail.userIdentity.type == 'Root'` is false: `detail.userIdentity.type` is \"IAMUser\"\n\
         error[TW1110]: the event of test `cut` cannot be read: not JSON: EOF while parsing an object at line 1 column 1 (in test[2].event)\n  \
         = help: it is one event as JSON text: what EventBridge delivers, or a CloudTrail record"
    );
    // One test that is not known says nothing, the others are told.
    assert_eq!(check(config.clone(), &["test.1.event", "test.2.expect"]), "");
    assert!(check(config.clone(), &["test.2.event"]).contains("(in test[1].expect)"));
    // A verdict depends on all of these.
    for unknown in
        ["event_names", "event_sources", "match_expression", "on_error", "enabled", "include_read_only", "regions", "account_ids"]
    {
        assert!(!check(config.clone(), &[unknown]).contains("TW1111"), "{unknown}");
    }
}

/// A warning about a value that was not known while planning is told in apply, and only then.
#[tokio::test]
async fn a_warning_is_told_once() {
    let warning = "warning[TW2405]: `PutObject` is a data event";
    for (unknown, in_plan, in_apply) in [(None, true, false), (Some("event_names"), false, true), (Some("event_names.0"), false, true)] {
        let (bench, _) = bench(&REGIONS).await;
        let config = bench.config(T, &with(json!({ "event_names": ["PutObject"], "event_sources": ["s3.amazonaws.com"] })));
        let mut planned_from = config.clone();
        unknown.into_iter().for_each(|path| forget(&mut planned_from, path));
        let validated = drawn(&T.validate(&ValidateRequest { config: planned_from.clone() }));
        assert_eq!(validated.starts_with(warning), in_plan, "{unknown:?}: {validated}");
        let plan = bench.plan(T, &Dynamic::Null, &planned_from).await;
        let request = crate::resource::ApplyRequest {
            prior: Dynamic::Null,
            planned: plan.planned,
            config,
            private: Vec::new(),
            stop: bench.stop.clone(),
            progress: Default::default(),
        };
        let response = T.apply(&bench.context(), request).await;
        assert!(!response.state.is_null());
        assert_eq!(drawn(&response.diagnostics).starts_with(warning), in_apply, "{unknown:?}: {}", drawn(&response.diagnostics));
    }
}

#[tokio::test]
async fn what_becomes_known_after_the_plan_is_checked_before_any_call() {
    let (bench, _) = bench(&REGIONS).await;
    let event = json!({ "eventName": "AuthorizeSecurityGroupIngress" }).to_string();
    let config = bench.config(T, &with(json!({ "test": [{ "name": "fires not", "event": event, "expect": false }] })));
    let mut unknown = config.clone();
    forget(&mut unknown, "test.0.event");
    let plan = bench.plan(T, &Dynamic::Null, &unknown).await;
    assert_eq!(drawn(&plan.diagnostics), "");
    bench.model.take_calls();
    let request = crate::resource::ApplyRequest {
        prior: Dynamic::Null,
        planned: plan.planned,
        config,
        private: Vec::new(),
        stop: bench.stop.clone(),
        progress: Default::default(),
    };
    let response = T.apply(&bench.context(), request).await;
    assert!(drawn(&response.diagnostics).starts_with("error[TW1111]: test `fires not` expects the trigger to not fire, and it does"));
    assert!(response.state.is_null());
    assert_eq!(bench.model.take_calls(), [""; 0]);
}

#[test]
fn tests_that_the_table_would_not_take_are_refused() {
    let event = json!({ "eventName": "AuthorizeSecurityGroupIngress", "padding": "x".repeat(120_000) }).to_string();
    let test = json!({ "name": "a", "event": event, "expect": true });
    assert_eq!(check(json!({ "test": [test, test] }), &[]), "");
    let found = check(json!({ "test": [test, test, test] }), &[]);
    assert!(found.starts_with("error[TW1113]: the trigger takes 3") && found.contains("(in test)"), "{found}");
}
