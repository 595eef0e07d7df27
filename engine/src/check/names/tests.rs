use super::super::{check_known, check_trigger};
use super::*;
use serde_json::{Value, json};

fn trigger(more: &Value) -> Trigger {
    let mut document = json!({"name": "t", "action": [{"send": [{"destination": "d"}]}]});
    if more["event_names"].is_null() {
        document["any_event"] = json!(true);
    }
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Trigger::from_value(&document).unwrap()
}

fn drawn(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(Diagnostic::draw).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn told(more: &Value, expected: &str) {
    assert_eq!(drawn(&check_trigger(&trigger(more))), expected, "{more}");
}

fn of(source: &str, name: &str) -> Value {
    json!({"event_sources": [format!("{source}.amazonaws.com")], "event_names": [name]})
}

#[test]
fn sources() {
    for (source, expected) in [
        ("iam.amazonaws.com", ""),
        (
            "iam",
            "error[TW2400]: `iam` is no event source: CloudTrail writes `iam.amazonaws.com` (in event_sources[0])\n  = help: write `iam.amazonaws.com`",
        ),
        (
            "aws.iam",
            "error[TW2400]: `aws.iam` is no event source: CloudTrail writes `iam.amazonaws.com` (in event_sources[0])\n  = help: write `iam.amazonaws.com`",
        ),
        (
            "cloudwatch.amazonaws.com",
            "warning[TW2400]: no event source `cloudwatch.amazonaws.com` is known (in event_sources[0])\n  = help: did you mean `monitoring.amazonaws.com`?",
        ),
        (
            "secretmanager.amazonaws.com",
            "warning[TW2400]: no event source `secretmanager.amazonaws.com` is known (in event_sources[0])\n  = help: did you mean `secretsmanager.amazonaws.com`?",
        ),
        (
            "nothing-like-it.amazonaws.com",
            "warning[TW2400]: no event source `nothing-like-it.amazonaws.com` is known (in event_sources[0])\n  = help: `trailwire events` lists those that are known",
        ),
    ] {
        told(&json!({"event_sources": [source]}), expected);
    }
}

#[test]
fn names() {
    for (trigger, expected) in [
        (of("iam", "CreateUser"), ""),
        (json!({"event_names": ["CreateUser", "TagResource", "ConsoleLogin"]}), ""),
        (
            of("cloudtrail", "StopLoging"),
            "warning[TW2401]: no event `StopLoging` of `cloudtrail.amazonaws.com` is known (in event_names[0])\n  = help: did you mean `StopLogging`?",
        ),
        (
            json!({"event_names": ["StopLoging"]}),
            "warning[TW2401]: no event `StopLoging` is known (in event_names[0])\n  = help: did you mean `StopLogging` of `cloudtrail.amazonaws.com`?",
        ),
        (
            json!({"event_names": ["Frobnicate"]}),
            "warning[TW2401]: no event `Frobnicate` is known (in event_names[0])\n  = help: names are CloudTrail's, and case counts: `trailwire events` lists those that are known",
        ),
        (
            of("lambda", "CreateFunction"),
            "error[TW2402]: `CreateFunction` is what the API calls it: CloudTrail writes `CreateFunction20150331` (in event_names[0])\n  = help: write `CreateFunction20150331`",
        ),
        (
            json!({"event_names": ["UpdateFunctionCode"]}),
            "error[TW2402]: `UpdateFunctionCode` is what the API calls it: CloudTrail writes `UpdateFunctionCode20150331v2` (in event_names[0])\n  = help: write `UpdateFunctionCode20150331v2`",
        ),
        (
            json!({"event_names": ["CreateFunction"]}),
            "warning[TW2402]: `CreateFunction` is an event of `appsync.amazonaws.com`, `cloudfront.amazonaws.com` and `elemental-inference.amazonaws.com`; for `lambda.amazonaws.com`, CloudTrail writes `CreateFunction20150331` (in event_names[0])\n  = help: write `CreateFunction20150331`, or name the source in `event_sources`",
        ),
        (
            of("ec2", "PutBucketVersioning"),
            "warning[TW2403]: no event `PutBucketVersioning` of `ec2.amazonaws.com` is known (in event_names[0])\n  = help: `s3.amazonaws.com` and `s3-outposts.amazonaws.com` have it",
        ),
        // A source that nobody knows may have any name.
        (
            json!({"event_names": ["Frobnicate", "ListUsers"], "event_sources": ["iam.amazonaws.com", "new-service.amazonaws.com"]}),
            "warning[TW2400]: no event source `new-service.amazonaws.com` is known (in event_sources[1])\n  = help: `trailwire events` lists those that are known",
        ),
    ] {
        told(&trigger, expected);
    }
}

#[test]
fn events_that_do_not_come() {
    let reads = "error[TW2404]: `ListUsers` is a read-only event, and this trigger leaves those out (in event_names[0])\n  = help: set `include_read_only = true`; rules then carry every read-only event of these names";
    told(&of("iam", "ListUsers"), reads);
    told(&json!({"event_names": ["ListUsers"], "include_read_only": true}), "");
    // These count as changes, and so do reads of another name.
    told(&of("sts", "GetFederationToken"), "");
    told(&of("sts", "GetSessionToken"), "");
    told(&of("sts", "AssumeRole"), "");
    told(
        &of("s3", "PutObject"),
        "warning[TW2405]: `PutObject` is a data event, which is recorded only where a trail's selectors ask for it (in event_names[0])\n  = help: where a trail selects it, say so: `allow = { TW2405 = \"the trail selects it\" }`",
    );
    told(
        &of("iotdata", "Publish"),
        "error[TW2406]: `Publish` of `iotdata.amazonaws.com` never reaches EventBridge (in event_names[0])\n  = help: no trigger can see it: take it out",
    );
}

#[test]
fn home_regions() {
    let with = |attribute: &str, regions: Value| {
        let mut more = json!({"event_names": ["CreateUser", "DeleteUser", "RunInstances"]});
        more[attribute] = regions;
        more
    };
    let only = |attribute: &str| {
        let help = if attribute == "regions" { "add `us-east-1` to `regions`" } else { "take `us-east-1` out of `exclude_regions`" };
        format!(
            "error[TW2407]: `CreateUser` and `DeleteUser` are recorded only in `us-east-1`, which this trigger's regions leave out (in {attribute})\n  = help: {help}"
        )
    };
    for (more, expected) in [
        (with("regions", json!(["eu-west-1"])), only("regions")),
        (with("exclude_regions", json!(["us-east-1", "eu-west-1"])), only("exclude_regions")),
        (with("regions", json!(["us-east-1"])), String::new()),
        (with("exclude_regions", json!(["us-east-2"])), String::new()),
        (with("regions", json!(["cn-north-1"])), String::new()),
        (with("regions", json!(["cn-northwest-1"])), only("regions").replace("us-east-1", "cn-north-1")),
    ] {
        // `CreateUser` is an event of other services, too.
        let mut more = more;
        more["match_expression"] = json!("contains(`[\"iam.amazonaws.com\", \"ec2.amazonaws.com\"]`, detail.eventSource)");
        let found = check_trigger(&trigger(&more));
        let told: Vec<Diagnostic> = found.into_iter().filter(|diagnostic| diagnostic.code == Code::HOME_REGION).collect();
        assert_eq!(drawn(&told), expected, "{more}");
    }
    let mut sign_in = of("signin", "ConsoleLogin");
    sign_in["regions"] = json!(["eu-west-1"]);
    assert!(drawn(&check_trigger(&trigger(&sign_in))).starts_with(
        "warning[TW2407]: `ConsoleLogin` is recorded mostly in `ap-southeast-2`, `eu-north-1`, `us-east-1` and `us-east-2`, which this trigger's regions leave out"
    ));
}

#[test]
fn names_in_the_match() {
    for (more, expected) in [
        (
            json!({"match_expression": "detail.eventSource == 'iam.amazonaws.com' && detail.eventName == 'ListUsers'"}),
            "\
error[TW2404]: `ListUsers` is a read-only event, and this trigger leaves those out (in match_expression)
  |
1 | detail.eventSource == 'iam.amazonaws.com' && detail.eventName == 'ListUsers'
  |                                                                  ^^^^^^^^^^^
  = help: set `include_read_only = true`; rules then carry every read-only event of these names",
        ),
        // The source of an alternative is its own.
        (
            json!({"match_expression": "(detail.eventSource == 's3.amazonaws.com' && detail.eventName == 'CreateBucket') || (detail.eventSource == 'ec2.amazonaws.com' && contains(`[\"RunInstances\", \"CreateBucket\"]`, detail.eventName))"}),
            "\
warning[TW2403]: no event `CreateBucket` of `ec2.amazonaws.com` is known (in match_expression)
  |
1 | …ntSource == 'ec2.amazonaws.com' && contains(`[\"RunInstances\", \"CreateBucket\"]`, detail.eventName))
  |                                                                ^^^^^^^^^^^^^^
  = help: `lightsail.amazonaws.com`, `s3.amazonaws.com`, `s3-outposts.amazonaws.com` and `s3express.amazonaws.com` have it",
        ),
        (
            json!({"filter_pattern": "{ ($.eventSource = iam) && ($.eventName != CreateUsr) }"}),
            "\
error[TW2400]: `iam` is no event source: CloudTrail writes `iam.amazonaws.com` (in filter_pattern)
  |
1 | { ($.eventSource = iam) && ($.eventName != CreateUsr) }
  |                    ^^^
  = help: write `iam.amazonaws.com`",
        ),
        (
            json!({"event_pattern": "{\"detail\": {\"eventSource\": [\"lambda.amazonaws.com\"], \"eventName\": [\"CreateFunction\", \"Invoke\"]}}"}),
            "\
error[TW2402]: `CreateFunction` is what the API calls it: CloudTrail writes `CreateFunction20150331` (in event_pattern)
  |
1 | {\"detail\": {\"eventSource\": [\"lambda.amazonaws.com\"], \"eventName\": [\"CreateFunction\", \"Invoke\"]}}
  |                                                                    ^^^^^^^^^^^^^^^^
  = help: write `CreateFunction20150331`
warning[TW2405]: `Invoke` is a data event, which is recorded only where a trail's selectors ask for it (in event_pattern)
  |
1 | {\"detail\": {\"eventSource\": [\"lambda.amazonaws.com\"], \"eventName\": [\"CreateFunction\", \"Invoke\"]}}
  |                                                                                      ^^^^^^^^
  = help: where a trail selects it, say so: `allow = { TW2405 = \"the trail selects it\" }`",
        ),
        // What is left out is only asked for whether there is such an event.
        (json!({"match_expression": "detail.eventName != 'ListUsers' && !(detail.eventName == 'PutObject')"}), ""),
        (
            json!({"match_expression": "detail.eventName != 'UpdateFunctionCode'"}),
            "\
warning[TW2402]: `UpdateFunctionCode` is what the API calls it: CloudTrail writes `UpdateFunctionCode20150331v2` (in match_expression)
  |
1 | detail.eventName != 'UpdateFunctionCode'
  |                     ^^^^^^^^^^^^^^^^^^^^
  = help: write `UpdateFunctionCode20150331v2`",
        ),
    ] {
        told(&more, expected);
    }
}

/// What the match says of the source holds for the names of the attribute, and a name is told once.
#[test]
fn attributes_and_match_together() {
    let more = json!({"event_names": ["CreateFunction"],
        "match_expression": "detail.eventSource == 'lambda.amazonaws.com' && detail.eventName == 'CreateFunction'"});
    let found = check_trigger(&trigger(&more));
    assert_eq!(found.iter().map(|told| format!("{} {}", told.code, told.path)).collect::<Vec<_>>(), ["TW2402 event_names[0]"]);
    told(&json!({"event_names": ["CreateFunction"], "match_expression": "detail.eventSource == 'appsync.amazonaws.com'"}), "");
}

/// Nothing is told that a value which is still unknown could refute.
#[test]
fn unknown_values() {
    let unknown = |more: Value, names: &'static [&'static str]| {
        let found = check_known(&trigger(&more), &|name| !names.contains(&name));
        found.iter().map(|told| told.code.to_string()).collect::<Vec<_>>().join(" ")
    };
    // Sources that are not known yet may be of any kind.
    assert_eq!(unknown(of("unknown", "CreateFunction"), &["event_sources"]), "TW2400");
    assert_eq!(unknown(of("unknown", "UpdateFunctionCode"), &["event_sources"]), "TW2402 TW2400");
    assert_eq!(unknown(json!({"event_names": ["CreateFunction"]}), &["match_expression"]), "");
    assert_eq!(unknown(of("iam", "ListUsers"), &["include_read_only"]), "");
    let mut abroad = of("iam", "CreateUser");
    abroad["regions"] = json!(["unknown-unknown-1"]);
    assert_eq!(unknown(abroad.clone(), &["regions"]), "");
    assert_eq!(unknown(abroad, &["exclude_regions"]), "");
}

/// A trigger may have hundreds of names that nobody knows. What was meant is searched for the first of them.
#[test]
fn many_unknown_names() {
    let names: Vec<String> = (0..12).map(|number| format!("StopLogging{number}")).collect();
    let found = check_trigger(&trigger(&json!({"event_sources": ["cloudtrail.amazonaws.com"], "event_names": names})));
    let with_suggestion = found.iter().filter(|told| told.help.as_deref().is_some_and(|help| help.contains("`StopLogging`"))).count();
    assert_eq!((found.len(), with_suggestion), (12, SEARCHES));
}
