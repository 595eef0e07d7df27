//! An apply that is interrupted or killed loses nothing: what exists is in the state, or the next apply finds it.

use trailwire_tests::control::{ArmedFault, Effect, Fault, Matcher};
use trailwire_tests::process::{self, Finished, Program};
use trailwire_tests::terraform::provider_of;

use crate::world::{Configuration, World};

/// Starts an apply and waits until its first call that fits is held, carried out already or not.
async fn held_apply(world: &World, matcher: Matcher, is_carried_out: bool) -> (Program, ArmedFault) {
    let hold = Fault::new(matcher, Effect::Hold);
    let held = world.control().fault(if is_carried_out { hold.after() } else { hold }).await;
    let apply = world.terraform.start_apply();
    tokio::select! {
        () = held.struck(1) => {}
        said = apply.says("Apply complete") => panic!("the apply made no such call: {said}"),
    }
    (apply, held)
}

/// A terminal sends the interrupt to both; Terraform asks the provider to stop and waits for it.
async fn interrupt(apply: Program, held: ArmedFault) -> Finished {
    process::signal("INT", provider_of(&apply));
    apply.interrupt();
    apply.says("Interrupt received").await;
    held.remove().await;
    let interrupted = apply.finish().await;
    assert!(interrupted.status.code().is_some(), "terraform was killed: {}", interrupted.said());
    interrupted
}

/// Makes the hub and the destinations, so that what an apply does next is the trigger's. A hub puts rules of its own into its cells.
async fn make_all_but_triggers(world: &World) {
    let mut hub = Configuration::new("http://127.0.0.1:9/unused");
    hub.triggers.clear();
    world.terraform.configure(&hub.text());
    world.terraform.apply().await.success();
}

/// Whatever a create was doing when it was interrupted: a destroy finds all of it.
async fn a_destroy_finds_everything_after_an_interrupt_in(service: &str, operation: &str, region: &str) {
    everything_is_found(World::new().await, service, operation, region).await;
}

async fn everything_is_found(world: World, service: &str, operation: &str, region: &str) {
    world.terraform.configure(&with_secret("http://127.0.0.1:9/unused"));
    let (apply, held) = held_apply(&world, world.calls(service, operation).within(region), true).await;
    let interrupted = interrupt(apply, held).await;
    let destroyed = world.terraform.destroy().await.success();
    let left = trailwire_tests::leftovers::of(world.stand, &world.account, &crate::world::REGIONS).await;
    let said = format!("{}\n{}", interrupted.said(), destroyed.said());
    assert_eq!(left, [] as [String; 0], "after an interrupt in {operation}:\n{said}");
}

/// The usual configuration, with a destination more that has a secret.
fn with_secret(webhook: &str) -> String {
    let chat = r#"
resource "trailwire_destination" "chat" {
  hub  = trailwire_hub.security.id
  name = "chat"
  slack {
    webhook_url_wo         = "http://127.0.0.1:9/secret"
    webhook_url_wo_version = 1
  }
}
"#;
    Configuration::new(webhook).text() + chat
}

#[tokio::test]
async fn an_interrupted_create_of_a_hub_loses_no_state() {
    a_destroy_finds_everything_after_an_interrupt_in("events", "CreateEventBus", "us-east-1").await;
    a_destroy_finds_everything_after_an_interrupt_in("iam", "CreateRole", "us-east-1").await;
}

#[tokio::test]
async fn an_interrupted_create_of_a_table_loses_no_state() {
    a_destroy_finds_everything_after_an_interrupt_in("dynamodb", "CreateTable", "us-east-1").await;
    a_destroy_finds_everything_after_an_interrupt_in("dynamodb", "TransactWriteItems", "us-east-1").await;
}

#[tokio::test]
async fn an_interrupted_create_of_a_destination_loses_no_state() {
    a_destroy_finds_everything_after_an_interrupt_in("secretsmanager", "CreateSecret", "us-east-1").await;
}

#[tokio::test]
async fn an_interrupted_create_of_a_trigger_loses_no_state() {
    for (operation, region) in [("PutRule", "eu-west-1"), ("PutTargets", "us-east-1")] {
        let world = World::new().await;
        make_all_but_triggers(&world).await;
        everything_is_found(world, "events", operation, region).await;
    }
}

#[tokio::test]
async fn an_interrupted_destroy_can_be_finished() {
    let (done, not_done) = (true, false);
    for (service, operation, region, is_carried_out) in [
        ("events", "RemoveTargets", "eu-west-1", done),
        ("events", "DeleteEventBus", "us-east-1", done),
        ("secretsmanager", "DeleteSecret", "us-east-1", done),
        ("secretsmanager", "DeleteSecret", "us-east-1", not_done),
    ] {
        let world = World::new().await;
        world.terraform.configure(&with_secret("http://127.0.0.1:9/unused"));
        world.terraform.apply().await.success();
        let hold = Fault::new(world.calls(service, operation).within(region), Effect::Hold);
        let held = world.control().fault(if is_carried_out { hold.after() } else { hold }).await;
        let destroy = world.terraform.start(&["destroy", "-auto-approve", "-input=false", "-no-color"]);
        held.struck(1).await;
        interrupt(destroy, held).await;
        world.destroy().await;
    }
}

/// A region leaves the hub; its removal is interrupted, or the provider is killed in it, or AWS refuses it. It is not forgotten.
#[tokio::test]
async fn a_region_whose_removal_did_not_end_is_not_forgotten() {
    for how in ["interrupt", "kill", "refusal"] {
        let mut world = World::new().await;
        world.terraform.set("TRAILWIRE_LEASE_SECONDS", "4");
        let mut wanted = Configuration::new("http://127.0.0.1:9/unused");
        world.terraform.configure(&wanted.text());
        world.terraform.apply().await.success();
        wanted.regions = vec!["us-east-1"];
        world.terraform.configure(&wanted.text());
        let calls = world.calls("events", "RemoveTargets").within("eu-west-1");
        match how {
            "refusal" => {
                let refusing = world.control().fault(Fault::fail(calls, 400, "AccessDeniedException")).await;
                world.terraform.apply().await.failure();
                refusing.remove().await;
            }
            _ => {
                let (apply, held) = held_apply(&world, calls, false).await;
                if how == "interrupt" {
                    interrupt(apply, held).await;
                } else {
                    assert!(process::signal("KILL", provider_of(&apply)));
                    apply.finish().await.failure();
                    held.remove().await;
                }
            }
        }
        let is_there = !world.rules("eu-west-1").await.is_empty();
        let plan = world.terraform.plan().await;
        assert!(!is_there || plan.status.code() == Some(2), "after a {how} a rule is left and the plan does not say so:\n{}", plan.said());
        world.terraform.apply().await.success();
        assert!(world.rules("eu-west-1").await.is_empty(), "after a {how} the next apply leaves a rule");
        world.terraform.assert_empty_plan().await;
        world.destroy().await;
    }
}

/// The provider dies while it creates a trigger; then everything is destroyed, without another apply.
#[tokio::test]
async fn a_destroy_after_a_killed_create_leaves_nothing() {
    let mut world = World::new().await;
    world.terraform.set("TRAILWIRE_LEASE_SECONDS", "4");
    make_all_but_triggers(&world).await;
    world.terraform.configure(&with_secret("http://127.0.0.1:9/unused"));
    let (apply, held) = held_apply(&world, world.calls("events", "PutTargets").within("eu-west-1"), true).await;
    assert!(process::signal("KILL", provider_of(&apply)));
    apply.finish().await.failure();
    held.remove().await;
    world.destroy().await;
}

#[tokio::test]
async fn an_interrupted_apply_can_be_finished() {
    let world = World::new().await;
    make_all_but_triggers(&world).await;
    world.terraform.configure(&Configuration::new("http://127.0.0.1:9/unused").text());
    let (apply, held) = held_apply(&world, world.calls("events", "PutRule").within("eu-west-1"), false).await;
    apply.interrupt();
    apply.says("Interrupt received").await;
    held.remove().await;
    apply.finish().await;
    world.terraform.apply().await.success();
    world.terraform.assert_empty_plan().await;
    world.destroy().await;
}

/// The provider dies in the middle of a create: Terraform has no state of it, AWS has some of it. The next apply waits for the claim of the
/// dead one to end, takes it over and finishes.
async fn apply_converges_after_a_kill_in(service: &str, operation: &str, region: &str) {
    let mut world = World::new().await;
    world.terraform.set("TRAILWIRE_LEASE_SECONDS", "4");
    world.terraform.configure(&Configuration::new("http://127.0.0.1:9/unused").text());
    let (apply, held) = held_apply(&world, world.calls(service, operation).within(region), true).await;
    assert!(process::signal("KILL", provider_of(&apply)));
    let killed = apply.finish().await.failure();
    held.remove().await;
    let again = world.terraform.apply().await;
    assert!(again.status.success(), "after a kill in {operation}:\n{}\nand then:\n{}", killed.said(), again.said());
    world.terraform.assert_empty_plan().await;
    world.destroy().await;
}

#[tokio::test]
async fn an_apply_converges_after_a_kill_with_a_bus_and_nothing_else() {
    apply_converges_after_a_kill_in("events", "CreateEventBus", "us-east-1").await;
}

#[tokio::test]
async fn an_apply_converges_after_a_kill_with_a_role_half_made() {
    apply_converges_after_a_kill_in("iam", "PutRolePolicy", "us-east-1").await;
}

#[tokio::test]
async fn an_apply_converges_after_a_kill_with_a_queue_in_a_region() {
    apply_converges_after_a_kill_in("sqs", "CreateQueue", "eu-west-1").await;
}

#[tokio::test]
async fn an_apply_converges_after_a_kill_with_rules_half_made() {
    apply_converges_after_a_kill_in("events", "PutTargets", "eu-west-1").await;
}
