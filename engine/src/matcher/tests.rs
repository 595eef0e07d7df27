use serde_json::json;

use super::*;
use crate::value::Value;

fn trigger(more: Value) -> CompiledTrigger {
    let mut document = json!({"name": "t", "event_names": ["CreateBucket"], "action": [{"send": [{"destination": "d"}]}]});
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    CompiledTrigger::new(Trigger::from_value(&document).unwrap()).unwrap()
}

/// An envelope as EventBridge delivers it, with `detail` laid over a plain one.
fn event(detail: Value) -> Event {
    let mut record = json!({"eventName": "CreateBucket", "eventSource": "s3.amazonaws.com", "eventID": "e", "readOnly": false});
    record.as_object_mut().unwrap().extend(detail.as_object().unwrap().clone());
    Event::from_value(json!({"source": "aws.s3", "detail-type": "AWS API Call via CloudTrail", "account": "111122223333",
        "region": "eu-west-1", "detail": record}))
    .unwrap()
}

#[track_caller]
fn check(more: Value, event: &Event, expected: Outcome) {
    assert_eq!(trigger(more.clone()).judge(event, &Scope::default()), expected, "{more}");
}

/// The six worked examples of GorillaStack's documentation: on an event that matches, one that does not, one without the field.
#[test]
fn the_six_examples() {
    let missing = |function: &str| Err(format!("`{function}` wants a string as first argument, this is null"));
    let contains_missing = Err("`contains` wants a string or an array as first argument, this is null".to_owned());
    let no = || Ok(false);
    for (expression, matching, other, without) in [
        (
            "!starts_with(detail.requestParameters.bucketName, 'gorillastack-')",
            json!({"requestParameters": {"bucketName": "mine"}}),
            json!({"requestParameters": {"bucketName": "gorillastack-logs"}}),
            missing("starts_with"),
        ),
        (
            "detail.userIdentity.sessionContext.attributes.mfaAuthenticated == 'false'",
            json!({"userIdentity": {"sessionContext": {"attributes": {"mfaAuthenticated": "false"}}}}),
            json!({"userIdentity": {"sessionContext": {"attributes": {"mfaAuthenticated": "true"}}}}),
            no(),
        ),
        (
            "detail.requestParameters.storageEncrypted == `false`",
            json!({"requestParameters": {"storageEncrypted": false}}),
            json!({"requestParameters": {"storageEncrypted": "false"}}),
            no(),
        ),
        (
            "contains(detail.userAgent, 'S3Console')",
            json!({"userAgent": "[S3Console/0.4, aws-internal/3]"}),
            json!({"userAgent": "aws-cli/2.0"}),
            contains_missing,
        ),
        ("detail.userIdentity.type == 'Root'", json!({"userIdentity": {"type": "Root"}}), json!({"userIdentity": {"type": "root"}}), no()),
        (
            "!starts_with(detail.sourceIPAddress, '55.10.15.')",
            json!({"sourceIPAddress": "55.10.16.1"}),
            json!({"sourceIPAddress": "55.10.15.99"}),
            missing("starts_with"),
        ),
    ] {
        let outcome = |detail: Value| match trigger(json!({"match_expression": expression})).judge(&event(detail), &Scope::default()) {
            Outcome::Match => Ok(true),
            Outcome::NoMatch(Reason::Expression) => Ok(false),
            Outcome::NoMatch(reason) => panic!("{reason}"),
            Outcome::Error(error) => Err(error.message),
        };
        assert_eq!(outcome(matching), Ok(true), "{expression}");
        assert_eq!(outcome(other), Ok(false), "{expression}");
        assert_eq!(outcome(json!({})), without, "{expression}");
    }
}

#[test]
fn the_verdict_is_javascripts() {
    for (value, fires) in [
        (json!(null), false),
        (json!(false), false),
        (json!(""), false),
        (json!(0), false),
        (json!(0.0), false),
        (json!([]), true),
        (json!({}), true),
        (json!(" "), true),
        (json!(-1), true),
    ] {
        let expected = if fires { Outcome::Match } else { Outcome::NoMatch(Reason::Expression) };
        check(json!({"match_expression": "detail.x"}), &event(json!({"x": value})), expected);
    }
    // Both an empty array and its negation fire: inside, truth is JMESPath's.
    check(json!({"match_expression": "!(detail.x)"}), &event(json!({"x": []})), Outcome::Match);
}

#[test]
fn the_first_rule_that_says_no_is_named() {
    let plain = event(json!({}));
    let no = Outcome::NoMatch;
    check(json!({}), &plain, Outcome::Match);
    check(json!({"enabled": false}), &plain, no(Reason::Disabled));
    check(json!({"regions": ["us-east-1"]}), &plain, no(Reason::Region));
    check(json!({"exclude_regions": ["eu-west-1"]}), &plain, no(Reason::Region));
    check(json!({"account_ids": ["444455556666"]}), &plain, no(Reason::Account));
    check(json!({"event_names": ["createbucket"]}), &plain, no(Reason::EventName));
    check(json!({"event_sources": ["ec2.amazonaws.com"]}), &plain, no(Reason::EventSource));
    check(json!({"event_sources": ["ec2.amazonaws.com", "s3.amazonaws.com"]}), &plain, Outcome::Match);
    check(json!({"event_names": null, "any_event": true}), &event(json!({"eventName": "X"})), Outcome::Match);

    let scope = Scope { regions: Some(["us-east-1".to_owned()].into()), ..Scope::default() };
    assert_eq!(trigger(json!({})).judge(&plain, &scope), no(Reason::Region));
    let scope = Scope { accounts: Some(["1".to_owned()].into()), ..Scope::default() };
    assert_eq!(trigger(json!({})).judge(&plain, &scope), no(Reason::Account));
}

#[test]
fn only_aws_services_via_cloudtrail() {
    for (source, detail_type, expected) in [
        ("aws.s3", "AWS API Call via CloudTrail", Outcome::Match),
        ("aws.signin", "AWS Console Signin via CloudTrail", Outcome::Match),
        ("aws.signin", "AWS Console Sign In via CloudTrail", Outcome::Match),
        ("my.app", "AWS API Call via CloudTrail", Outcome::NoMatch(Reason::NotCloudTrail)),
        ("aws.ec2", "EC2 Instance State-change Notification", Outcome::NoMatch(Reason::NotCloudTrail)),
    ] {
        let envelope =
            json!({"source": source, "detail-type": detail_type, "account": "1", "region": "r", "detail": {"eventName": "CreateBucket"}});
        check(json!({}), &Event::from_value(envelope).unwrap(), expected);
    }
    // An envelope without a source is not EventBridge's; a record without one is not tested for it.
    check(
        json!({}),
        &Event::from_value(json!({"detail": {"eventName": "CreateBucket"}})).unwrap(),
        Outcome::NoMatch(Reason::NotCloudTrail),
    );
    let record = Event::from_value(json!({"eventName": "CreateBucket"})).unwrap();
    check(json!({"regions": ["us-east-1"], "account_ids": ["111122223333"]}), &record, Outcome::Match);
}

#[test]
fn read_only_events_are_those_that_an_enabled_rule_drops() {
    for (name, source, read_only, dropped) in [
        ("DescribeInstances", "ec2.amazonaws.com", json!(true), true),
        ("ListBuckets", "s3.amazonaws.com", json!(true), true),
        ("GetUser", "iam.amazonaws.com", json!(true), true),
        ("GetSessionToken", "sts.amazonaws.com", json!(true), false),
        ("GetFederationToken", "sts.amazonaws.com", json!(true), false),
        ("AssumeRole", "sts.amazonaws.com", json!(true), false),
        ("GetUser", "iam.amazonaws.com", json!(false), false),
        ("GetUser", "iam.amazonaws.com", json!(null), false),
    ] {
        let event = event(json!({"eventName": name, "eventSource": source, "readOnly": read_only}));
        let expected = if dropped { Outcome::NoMatch(Reason::ReadOnly) } else { Outcome::Match };
        check(json!({"event_names": [name]}), &event, expected);
        check(json!({"event_names": [name], "include_read_only": true}), &event, Outcome::Match);
    }
}

#[test]
fn the_hubs_own_roles_do_not_count() {
    let role = "arn:aws:iam::111122223333:role/trailwire/tw-0a1b2c3d-forward";
    let scope = Scope { own_role_arns: vec![role.to_owned()], ..Scope::default() };
    let session = "arn:aws:sts::111122223333:assumed-role/tw-0a1b2c3d-forward/x";
    for (identity, own) in [
        (json!({"sessionContext": {"sessionIssuer": {"arn": role}}}), true),
        (json!({"arn": session}), true),
        (json!({"arn": session.replace("111122223333", "444455556666")}), false),
        (json!({"arn": "arn:aws:iam::111122223333:user/x"}), false),
        (json!({}), false),
    ] {
        let event = event(json!({"userIdentity": identity}));
        let expected = if own { Outcome::NoMatch(Reason::OwnRole) } else { Outcome::Match };
        assert_eq!(trigger(json!({})).judge(&event, &scope), expected);
        assert_eq!(trigger(json!({"include_self": true})).judge(&event, &scope), Outcome::Match);
    }
}

#[test]
fn on_error_decides() {
    let trigger = |on_error: &str| {
        let document = json!({"name": on_error.replace('_', "-"), "event_names": ["CreateBucket"], "on_error": on_error,
            "match_expression": "starts_with(detail.missing, 'x')", "action": [{"send": [{"destination": "d"}]}]});
        Trigger::from_value(&document).unwrap()
    };
    let (set, refused) = TriggerSet::new(vec![trigger("match"), trigger("no_match")]);
    assert_eq!(refused, []);
    let event = event(json!({}));
    let fired: Vec<(&str, bool)> = set.judge(&event, &Scope::default()).iter().map(|j| (j.trigger.name.as_str(), j.fires())).collect();
    assert_eq!(fired, [("match", true), ("no-match", false)]);
}

#[test]
fn a_set_leaves_out_what_cannot_be_compiled_and_says_so() {
    let good = trigger(json!({})).trigger().clone();
    let bad = Trigger { name: "bad".to_owned(), match_expression: Some("a ==".to_owned()), ..good.clone() };
    let (set, refused) = TriggerSet::new(vec![bad, good]);
    assert_eq!(set.triggers().len(), 1);
    assert_eq!(refused[0].name, "bad");
    assert_eq!(refused[0].diagnostics[0].path.to_string(), "match_expression");
}

/// A compiled set lets the trees of its triggers go; who asks for one gets it, and the oracle's outcomes are the same.
#[test]
fn a_tree_that_was_let_go_is_read_again() {
    let matches = [
        json!({"match_expression": "detail.a == 'x' && contains(detail.list[].b || `[]`, 'y')"}),
        json!({"match_expression": "matches(detail.a, '^x') || cidr_contains('10.0.0.0/8', detail.b)"}),
        json!({"filter_pattern": "{ $.a = \"x*\" }"}),
        json!({"event_pattern": "{\"detail\": {\"a\": [\"x\"]}}"}),
        json!({}),
    ];
    let ready: Vec<CompiledTrigger> = matches.into_iter().map(trigger).collect();
    let is_held = |compiled: &CompiledTrigger| matches!(&compiled.tree, Tree::Read { held, .. } if held.get().is_some());
    assert_eq!(ready.iter().filter(|compiled| is_held(compiled)).count(), 4);
    let (set, refused) = CompiledSet::new(ready.iter().map(|compiled| compiled.trigger().clone()).collect());
    assert_eq!(refused, []);
    let of_ready = CompiledSet::of(TriggerSet::of(ready.clone()));
    for (set, most) in [(&set, MOST_HELD), (&of_ready, 2)] {
        assert_eq!(set.triggers().iter().filter(|compiled| is_held(compiled)).count(), 0);
        for compiled in set.triggers() {
            if let Tree::Read { again: Some(again), .. } = &compiled.tree {
                again.store(MOST_HELD - most, Ordering::Relaxed);
            }
        }
        for event in [event(json!({"a": "x", "list": [{"b": "y"}]})), event(json!({"a": "y", "b": "10.1.1.1"})), event(json!({"a": 5}))] {
            for (let_go, ready) in set.triggers().iter().zip(&ready) {
                assert_eq!(let_go.judge(&event, &Scope::default()), ready.judge(&event, &Scope::default()));
            }
        }
        // So many were held as may be.
        assert_eq!(set.triggers().iter().filter(|compiled| is_held(compiled)).count(), most.min(4));
        for (let_go, ready) in set.triggers().iter().zip(&ready) {
            assert_eq!(let_go.expression(), ready.expression());
        }
    }
    // What is not the trigger's own text stays.
    let given = CompiledTrigger::with(ready[4].trigger().clone(), ready[0].expression().cloned());
    let set = CompiledSet::of(TriggerSet::of(vec![given.clone()]));
    assert_eq!(set.triggers()[0].expression(), given.expression());
    assert!(given.expression().is_some());
}
