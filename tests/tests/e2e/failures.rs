//! AWS refuses, throttles and loses answers; applies end well or say what went wrong and where.

use trailwire_tests::cloudtrail::Event;
use trailwire_tests::control::{Effect, Fault, Matcher};

use crate::world::{Configuration, PROVIDER, REGIONS, Trigger, World};

pub(crate) fn flat(text: &str) -> String {
    text.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

/// A trigger is in every region or in none.
#[tokio::test]
async fn a_create_that_one_region_refuses_is_rolled_back_and_names_the_region() {
    let world = World::new().await;
    let mut wanted = Configuration::new("http://127.0.0.1:9/unused");
    wanted.triggers.clear();
    world.terraform.configure(&wanted.text());
    world.terraform.apply().await.success();

    wanted.triggers.push(Trigger::new("instances", "RunInstances"));
    world.terraform.configure(&wanted.text());
    for operation in ["PutRule", "PutTargets"] {
        let calls = world.calls("events", operation).within("eu-west-1");
        let refusing = world.control().fault(Fault::fail(calls, 400, "AccessDeniedException")).await;
        let failed = world.terraform.apply().await.failure();
        let said = flat(&failed.said());
        assert!(said.contains("eu-west-1") && said.contains("AccessDenied") && said.contains(&world.account), "{}", failed.said());
        for region in REGIONS {
            assert!(world.rules(region).await.is_empty(), "{region} has a rule after {operation} was refused");
        }
        assert!(!world.terraform.state().await.contains(&"trailwire_trigger.instances".to_owned()));
        refusing.remove().await;
    }
    world.terraform.apply().await.success();
    world.terraform.assert_empty_plan().await;
    world.destroy().await;
}

/// Other regions get an edit that one refuses; the next apply brings it there.
#[tokio::test]
async fn an_edit_that_one_region_refuses_goes_on_elsewhere_and_is_finished_later() {
    let world = World::new().await;
    let mut wanted = Configuration::new("http://127.0.0.1:9/unused");
    world.terraform.configure(&wanted.text());
    world.terraform.apply().await.success();
    wanted.triggers[0].event_names = vec!["StopInstances"];
    world.terraform.configure(&wanted.text());
    let calls = world.calls("events", "PutRule").within("us-east-1");
    let refusing = world.control().fault(Fault::fail(calls, 400, "AccessDeniedException")).await;
    let failed = world.terraform.apply().await.failure();
    assert!(flat(&failed.said()).contains("us-east-1"), "{}", failed.said());
    let has_edit = async |region: &str| world.rules(region).await.values().all(|(_, pattern)| pattern.contains("StopInstances"));
    assert!(has_edit("eu-west-1").await && !has_edit("us-east-1").await);
    refusing.remove().await;
    world.terraform.assert_changes().await;
    world.terraform.apply().await.success();
    assert!(has_edit("eu-west-1").await && has_edit("us-east-1").await);
    world.terraform.assert_empty_plan().await;
    world.destroy().await;
}

#[tokio::test]
async fn throttling_is_overcome() {
    let world = World::new().await;
    for service in ["events", "iam", "sqs", "dynamodb", "secretsmanager"] {
        let calls = Matcher::service(service).by(&world.account);
        world.control().fault(Fault::new(calls, Effect::Throttle).percent(20)).await;
    }
    world.terraform.configure(&Configuration::new("http://127.0.0.1:9/unused").text());
    world.terraform.apply().await.success();
    world.terraform.assert_empty_plan().await;
    world.destroy().await;
}

/// The service fails now and then, and a role that was made a moment ago is not known everywhere yet.
#[tokio::test]
async fn failures_of_the_service_and_roles_that_are_not_known_yet_are_overcome() {
    let world = World::new().await;
    for service in ["events", "iam", "sqs", "dynamodb", "secretsmanager"] {
        let calls = Matcher::service(service).by(&world.account);
        let effect = Effect::Fail { status: 500, code: "InternalFailure".to_owned(), message: "injected by the stand".to_owned() };
        world.control().fault(Fault::new(calls, effect).percent(20)).await;
    }
    let message = "Provided role 'x' cannot be assumed by principal 'events.amazonaws.com'.".to_owned();
    let unknown = Effect::Fail { status: 400, code: "ValidationException".to_owned(), message };
    world.control().fault(Fault::new(world.calls("events", "PutTargets").within("eu-west-1"), unknown).times(2)).await;
    world.terraform.configure(&Configuration::new("http://127.0.0.1:9/unused").text());
    world.terraform.apply().await.success();
    world.terraform.assert_empty_plan().await;
    world.destroy().await;
}

/// AWS did the work and the answer was lost: the call is made again and finds its own work done.
#[tokio::test]
async fn lost_answers_are_overcome() {
    let world = World::new().await;
    let operations = [
        ("events", "CreateEventBus"),
        ("events", "PutPermission"),
        ("events", "PutRule"),
        ("events", "PutTargets"),
        ("events", "RemoveTargets"),
        ("events", "DeleteRule"),
        ("events", "DeleteEventBus"),
        ("iam", "CreateRole"),
        ("iam", "PutRolePolicy"),
        ("iam", "DeleteRolePolicy"),
        ("iam", "DeleteRole"),
        ("sqs", "CreateQueue"),
        ("sqs", "DeleteQueue"),
        ("dynamodb", "CreateTable"),
        ("dynamodb", "PutItem"),
        ("dynamodb", "UpdateItem"),
        ("dynamodb", "TransactWriteItems"),
        ("dynamodb", "DeleteItem"),
        ("dynamodb", "DeleteTable"),
    ];
    for (service, operation) in operations {
        world.control().fault(Fault::new(world.calls(service, operation), Effect::Cut).after().times(1)).await;
    }
    world.terraform.configure(&Configuration::new("http://127.0.0.1:9/unused").text());
    world.terraform.apply().await.success();
    world.terraform.assert_empty_plan().await;
    world.destroy().await;
}

#[tokio::test]
async fn a_region_that_is_not_enabled_is_named() {
    let world = World::new().await;
    world.control().disable_regions(&world.account, &["eu-south-1"]).await;
    let mut wanted = Configuration::new("http://127.0.0.1:9/unused");
    wanted.regions.push("eu-south-1");
    world.terraform.configure(&wanted.text());
    let failed = world.terraform.apply().await.failure();
    let said = flat(&failed.said());
    assert!(said.contains("eu-south-1") && said.contains("not enabled"), "{}", failed.said());
    world.assert_nothing_left().await;
}

/// Another state's triggers keep the hub; a trigger of another state finds the hub by its data source.
#[tokio::test]
async fn a_hub_is_not_destroyed_under_the_triggers_of_another_state() {
    let world = World::new().await;
    let mut wanted = Configuration::new("http://127.0.0.1:9/unused");
    wanted.triggers.clear();
    world.terraform.configure(&wanted.text());
    world.terraform.apply().await.success();
    let other = world.other_state();
    let trigger = Trigger::new("theirs", "StopLogging").block("data.trailwire_hub.security.id", "\"team\"");
    other.configure(&format!("{PROVIDER}data \"trailwire_hub\" \"security\" {{\n  name = \"security\"\n}}\n{trigger}"));
    other.apply().await.success();
    other.assert_empty_plan().await;
    assert_eq!(world.rules("eu-west-1").await.len(), 1);

    let refused = world.terraform.run(&["destroy", "-auto-approve", "-input=false", "-no-color", "-target=trailwire_hub.security"]).await;
    let said = flat(&refused.failure().said());
    assert!(said.contains("theirs"), "{said}");
    assert_eq!(world.rules("eu-west-1").await.len(), 1);
    other.destroy().await.success();
    world.terraform.apply().await.success();
    world.destroy().await;
}

/// Two hubs of one account, over the same regions and with triggers of the same name, keep apart.
#[tokio::test]
async fn two_hubs_never_touch_each_other() {
    let world = World::new().await;
    let text = Configuration::new("http://127.0.0.1:9/unused").text();
    world.terraform.configure(&text);
    world.terraform.apply().await.success();
    let before = world.rules("eu-west-1").await;
    let other = world.other_state();
    other.configure(&text.replace("name    = \"security\"", "name    = \"other\""));
    other.apply().await.success();
    assert_eq!(world.rules("eu-west-1").await.len(), 2);
    world.terraform.assert_empty_plan().await;
    other.destroy().await.success();
    assert_eq!(world.rules("eu-west-1").await, before);
    world.terraform.assert_empty_plan().await;
    world.destroy().await;
}

/// AWS says that the session is not valid in a region: that does not mean that there is nothing in it.
#[tokio::test]
async fn a_region_that_does_not_know_the_session_is_not_taken_for_empty() {
    let world = World::new().await;
    world.terraform.configure(&Configuration::new("http://127.0.0.1:9/unused").text());
    world.terraform.apply().await.success();
    let calls = Matcher::service("events").by(&world.account).within("eu-west-1");
    let refusing = world.control().fault(Fault::fail(calls, 400, "UnrecognizedClientException")).await;
    let failed =
        world.terraform.run(&["destroy", "-auto-approve", "-input=false", "-no-color", "-target=trailwire_trigger.instances"]).await;
    assert!(flat(&failed.failure().said()).contains("eu-west-1"));
    refusing.remove().await;
    assert!(world.terraform.state().await.contains(&"trailwire_trigger.instances".to_owned()));
    world.destroy().await;
}

/// A hub under another name or in another region is another hub: its definitions go with it.
#[tokio::test]
async fn a_hub_that_is_replaced_takes_its_definitions_along() {
    let world = World::new().await;
    let text = Configuration::new("http://127.0.0.1:9/unused").text();
    world.terraform.configure(&text);
    world.terraform.apply().await.success();
    let name = "name    = \"security\"";
    for changed in ["name    = \"renamed\"", "name    = \"renamed\"\n  region  = \"eu-west-1\""] {
        let before = world.rule("us-east-1").await;
        world.terraform.configure(&text.replace(name, changed));
        world.terraform.apply().await.success();
        assert_ne!(world.rule("us-east-1").await, before, "{changed}");
        world.terraform.assert_empty_plan().await;
    }
    world.destroy().await;
}

/// Events that nobody has judged yet are work.
#[tokio::test]
async fn a_hub_that_holds_events_is_destroyed_by_force_alone() {
    let world = World::new().await;
    let text = Configuration::new("http://127.0.0.1:9/unused").text();
    world.terraform.configure(&text);
    world.terraform.apply().await.success();
    world.control().put_events(&[Event::new(&world.account, "eu-west-1", "ec2", "RunInstances").envelope()]).await;
    let refused = world.terraform.destroy().await.failure();
    assert!(flat(&refused.said()).contains("force_destroy"), "{}", refused.said());
    world.terraform.configure(&text.replace("name    = \"security\"", "name    = \"security\"\n  force_destroy = true"));
    world.terraform.apply().await.success();
    world.terraform.destroy().await.success();
    world.assert_nothing_left().await;
}

/// `{ owner = var.owner }` with a null default is usual.
#[tokio::test]
async fn nulls_in_maps_and_sets_are_refused_or_kept_but_never_planned_for_ever() {
    let world = World::new().await;
    let text = Configuration::new("http://127.0.0.1:9/unused").text();
    world.terraform.configure(&text.replacen("regions = [", "regions = [null, ", 1));
    let refused = world.terraform.plan().await;
    assert!(refused.status.code() == Some(1) && refused.said().contains("`regions` holds null"), "{}", refused.said());
    let with_null = text.replacen(
        "resource \"trailwire_hub\" \"security\" {",
        "resource \"trailwire_hub\" \"security\" {\n  tags = { owner = null }",
        1,
    );
    assert_ne!(text, with_null);
    world.terraform.configure(&with_null);
    let plan = world.terraform.plan().await;
    if plan.status.code() == Some(1) {
        assert!(plan.said().contains("tags"), "{}", plan.said());
    } else {
        world.terraform.apply().await.success();
        world.terraform.assert_empty_plan().await;
        world.destroy().await;
    }
}
