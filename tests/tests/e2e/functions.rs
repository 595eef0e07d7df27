//! The functions, called by the real Terraform, and `terraform test` with them.

use std::fs;

use serde_json::Value;
use trailwire_tests::stand::repository;

use crate::planning::text_over_caret;
use crate::world::{PROVIDER, World};

/// The example runs as its reader would run it, and asks nothing of AWS.
#[tokio::test]
async fn triggers_are_proven_by_terraform_test() {
    let world = World::new().await;
    let example = repository().join("examples/terraform-test");
    fs::create_dir(world.terraform.path().join("events")).unwrap();
    for file in ["main.tf", "triggers.tftest.hcl", "events/developer.json", "events/network-admin.json"] {
        fs::copy(example.join(file), world.terraform.path().join(file)).unwrap();
    }
    let tested = world.terraform.run(&["test", "-no-color"]).await.success();
    assert!(tested.stdout.contains("Success! 4 passed, 0 failed."), "{}", tested.said());

    // A trigger that does something else fails, and says why.
    let text = fs::read_to_string(example.join("main.tf")).unwrap();
    world.terraform.configure(&text.replace("userName !=", "userName =="));
    let tested = world.terraform.run(&["test", "-no-color"]).await;
    assert_eq!(tested.status.code(), Some(1), "{}", tested.said());
    let because = "because `detail.userIdentity.sessionContext.sessionIssuer.userName == 'network-admin'` is false";
    assert!(tested.said().contains(because), "{}", tested.said());

    // So does one that cannot be read.
    world.terraform.configure(&text.replace("detail.userIdentity", "!detail.userIdentity"));
    let tested = world.terraform.run(&["test", "-no-color"]).await;
    assert_eq!(tested.status.code(), Some(1), "{}", tested.said());
    assert!(tested.said().contains("[TW2110]"), "{}", tested.said());

    assert_eq!(world.control().call_count(&trailwire_tests::control::Matcher::default().by(&world.account)).await, 0);
}

/// An error names the argument and stands under the text.
#[tokio::test]
async fn a_wrong_argument_is_named_and_underlined() {
    let world = World::new().await;
    for (call, parameter, underlined) in [
        ("match(\"start_with(detail.a, 'b')\", \"{}\")", "expression", "start_with"),
        ("explain(\"detail.a == 'b\", \"{}\")", "expression", "'b"),
        ("event_pattern(\"length()\")", "expression", "length()"),
        ("from_filter_pattern(\"{ $.a == b }\")", "pattern", "="),
        ("match(\"detail.a\", \"[]\")", "event_json", ""),
        ("explain(\"detail.a\", \"{\")", "event_json", ""),
        ("event_names(\"cloudwatch.amazonaws.com\")", "event_source", ""),
    ] {
        world.terraform.configure(&format!("{PROVIDER}\noutput \"told\" {{\n  value = provider::trailwire::{call}\n}}\n"));
        let plan = world.terraform.plan().await;
        assert_eq!(plan.status.code(), Some(1), "{call}:\n{}", plan.said());
        assert!(plan.said().contains(&format!("Invalid value for \"{parameter}\" parameter:")), "{call}:\n{}", plan.said());
        if !underlined.is_empty() {
            assert_eq!(text_over_caret(&plan.said()).as_deref(), Some(underlined), "{call}:\n{}", plan.said());
        }
    }
}

/// The plan that the tests of the GitHub workflow run on is the one of the configuration beside it. `UPDATE_CORPUS=1` writes it.
#[tokio::test]
async fn the_committed_plan_is_what_terraform_prints() {
    let world = World::new().await;
    let example = repository().join("examples/github-actions");
    fs::create_dir(world.terraform.path().join("events")).unwrap();
    for file in ["main.tf", "events/open-to-the-world.json", "events/open-to-the-office.json"] {
        fs::copy(example.join(file), world.terraform.path().join(file)).unwrap();
    }
    world.terraform.run(&["plan", "-input=false", "-no-color", "-out=plan.tfplan"]).await.success();
    let shown = world.terraform.run(&["show", "-json", "plan.tfplan"]).await.success();
    let mut plan: Value = serde_json::from_str(&shown.stdout).unwrap();
    plan.as_object_mut().unwrap().retain(|name, _| name != "timestamp");
    let committed = repository().join("tests/corpus/plans/github-actions.json");
    if std::env::var_os("UPDATE_CORPUS").is_some() {
        fs::write(&committed, format!("{plan:#}\n")).unwrap();
    }
    let mut known: Value = serde_json::from_str(&fs::read_to_string(&committed).unwrap()).unwrap();
    // Another Terraform may be at hand.
    known["terraform_version"] = plan["terraform_version"].clone();
    assert_eq!(plan, known);
}
