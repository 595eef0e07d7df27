//! What is known while planning is checked in the plan; what another resource decides is checked in apply, before anything is asked of AWS.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use trailwire_tests::control::Matcher;
use trailwire_tests::process::Finished;

use crate::world::{PROVIDER, World};

/// A name, the lines of a trigger with `VALUE` in place of the value, the wrong value in HCL, and the code of what is wrong with it.
const CASES: [(&str, &str, &str, &str); 27] = [
    ("expression_syntax", "match_expression = VALUE", "\"detail.a = 'b'\"", "TW2000"),
    ("expression_function", "match_expression = VALUE", "\"start_with(detail.a, 'b')\"", "TW2101"),
    ("expression_trap", "match_expression = VALUE", "\"!detail.errorCode\"", "TW2110"),
    ("expression_never", "match_expression = VALUE", "\"detail.eventName == 'DeleteUser'\"", "TW1112"),
    ("expression_type", "match_expression = VALUE", "\"detail.readOnly == 'true'\"", "TW2111"),
    ("expression_array", "match_expression = VALUE", "\"detail.resources[?type == 'AWS::IAM::User']\"", "TW2120"),
    ("expression_empty", "match_expression = VALUE", "\"\"", "TW1101"),
    ("filter_syntax", "filter_pattern = VALUE", "\"{ $.a == b }\"", "TW2201"),
    ("filter_regex", "filter_pattern = VALUE", "\"{ $.a = %(% }\"", "TW2207"),
    ("filter_field", "filter_pattern = VALUE", "\"{ $.userIdentity.typ = Root }\"", "TW2132"),
    ("pattern_outside", "event_pattern = VALUE", "jsonencode({ eventName = [\"CreateUser\"] })", "TW2130"),
    ("pattern_shape", "event_pattern = VALUE", "jsonencode({ detail = { a = \"b\" } })", "TW2301"),
    ("pattern_syntax", "event_pattern = VALUE", "\"{\"", "TW2300"),
    ("names_empty", "event_names = VALUE", "[]", "TW1101"),
    ("names_read_only", "event_names = VALUE", "[\"DescribeInstances\"]", "TW2404"),
    ("names_long", "event_names = VALUE", "[format(\"%02100d\", 1)]", "TW1108"),
    ("names_other", "event_names = VALUE\n  match_expression = \"detail.eventName == 'CreateUser'\"", "[\"DeleteUser\"]", "TW1112"),
    ("sources_empty", "event_sources = VALUE", "[]", "TW1101"),
    ("sources_unknown", "event_sources = VALUE", "[\"aws.iam\"]", "TW2400"),
    ("sources_long", "event_sources = VALUE", "[format(\"%02100d\", 1)]", "TW1108"),
    ("severity", "severity = VALUE", "\"loud\"", "TW1102"),
    ("test_event", "test {\n    name   = \"a\"\n    event  = VALUE\n    expect = true\n  }", "\"{\"", "TW1110"),
    (
        "test_differs",
        "test {\n    name   = \"a\"\n    event  = VALUE\n    expect = true\n  }",
        "jsonencode({ eventName = \"DeleteUser\" })",
        "TW1111",
    ),
    ("test_expects", "test {\n    name   = \"a\"\n    event  = \"{}\"\n    expect = VALUE\n  }", "true", "TW1111"),
    (
        "test_of_match",
        "match_expression = VALUE\n  test {\n    name   = \"a\"\n    event  = jsonencode({ eventName = \"CreateUser\" })\n    expect = true\n  }",
        "\"detail.awsRegion == 'x'\"",
        "TW1111",
    ),
    (
        "template",
        "action {\n    notify {\n      destinations = [\"d\"]\n      title        = VALUE\n    }\n  }",
        "\"{{ event_nam }}\"",
        "TW1106",
    ),
    ("field", "action {\n    notify {\n      destinations = [\"d\"]\n      fields       = { A = VALUE }\n    }\n  }", "\"a b\"", "TW2002"),
];

/// A trigger for each case, at a hub that need not exist.
fn configuration(value: impl Fn(&str, &str) -> String) -> String {
    let mut text = PROVIDER.to_owned();
    for (name, lines, wrong, _) in CASES {
        let names = if lines.contains("event_names") { "" } else { "event_names = [\"CreateUser\"]" };
        let action = if lines.contains("action") { "" } else { "action {\n    wait {\n      duration = \"1m\"\n    }\n  }" };
        let lines = lines.replace("VALUE", &value(name, wrong));
        let label = name.replace('_', "-");
        text.push_str(&format!(
            "resource \"trailwire_trigger\" \"{name}\" {{\n  hub  = \"security\"\n  name = \"{label}\"\n  {names}\n  {lines}\n  {action}\n}}\n"
        ));
    }
    text
}

/// The codes of the errors, by the resource that they are told of.
fn codes(finished: &Finished) -> BTreeMap<String, BTreeSet<String>> {
    let mut codes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in finished.stdout.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let diagnostic = &line["diagnostic"];
        if diagnostic["severity"] != "error" {
            continue;
        }
        let code = diagnostic["detail"].as_str().and_then(|detail| detail.rsplit_once("[TW")).map(|(_, rest)| format!("TW{}", &rest[..4]));
        let name = diagnostic["address"].as_str().and_then(|address| address.strip_prefix("trailwire_trigger."));
        let (Some(code), Some(name)) = (code, name) else { panic!("{diagnostic:#}") };
        codes.entry(name.to_owned()).or_default().insert(code);
    }
    codes
}

#[tokio::test]
async fn what_is_known_fails_the_plan_and_what_is_not_fails_apply_before_any_call() {
    let world = World::new().await;
    let wanted: BTreeMap<String, BTreeSet<String>> =
        CASES.iter().map(|(name, _, _, code)| ((*name).to_owned(), BTreeSet::from([(*code).to_owned()]))).collect();

    world.terraform.configure(&configuration(|_, wrong| wrong.to_owned()));
    let plan = world.terraform.run(&["plan", "-json", "-input=false", "-detailed-exitcode"]).await;
    assert_eq!(plan.status.code(), Some(1), "{}", plan.said());
    assert_eq!(codes(&plan), wanted);

    let late: String =
        CASES.iter().map(|(name, _, wrong, _)| format!("resource \"terraform_data\" \"{name}\" {{\n  input = {wrong}\n}}\n")).collect();
    world.terraform.configure(&(configuration(|name, _| format!("terraform_data.{name}.output")) + &late));
    let plan = world.terraform.run(&["plan", "-json", "-input=false", "-detailed-exitcode"]).await;
    assert_eq!(plan.status.code(), Some(2), "{}", plan.said());
    let apply = world.terraform.run(&["apply", "-json", "-input=false", "-auto-approve"]).await;
    assert_eq!(apply.status.code(), Some(1), "{}", apply.said());
    assert_eq!(codes(&apply), wanted);
    let triggers = world.terraform.state().await.into_iter().filter(|address| address.starts_with("trailwire_trigger")).count();
    assert_eq!(triggers, 0);

    assert_eq!(world.control().call_count(&Matcher::default().by(&world.account)).await, 0, "AWS was asked");
}
