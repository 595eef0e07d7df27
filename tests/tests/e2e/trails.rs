//! AWS sends events only from where a trail logs: a plan says where none does.

use trailwire_tests::control::{Fault, Matcher};
use trailwire_tests::trails;

use crate::world::{Configuration, World};

const WARNING: &str = "No trail logs what happens in";

#[tokio::test]
async fn a_plan_says_where_no_trail_logs_until_one_does() {
    let world = World::new().await;
    let (_, url) = world.webhook();
    world.terraform.configure(&Configuration::new(&url).text());
    let without = world.terraform.plan().await;
    let said = |text: &str| text.split_whitespace().filter(|word| !matches!(*word, "│" | "╷" | "╵")).collect::<Vec<_>>().join(" ");
    let told = said(&without.stdout);
    assert!(told.contains(&format!("{WARNING} 2 cells of the hub")), "{}", without.said());
    assert!(told.contains(&format!("{}: eu-west-1, us-east-1", world.account)), "{}", without.said());

    trails::log(world.stand, &world.account, "eu-west-1", false).await;
    let told = said(&world.terraform.plan().await.stdout);
    assert!(told.contains(&format!("{WARNING} 1 cell of the hub")) && told.contains(&format!("{}: us-east-1", world.account)), "{told}");

    trails::log(world.stand, &world.account, "us-west-2", true).await;
    let calls = Matcher::service("cloudtrail").by(&world.account);
    world.control().clear_calls(&calls).await;
    let apply = world.terraform.apply().await.success();
    assert!(!apply.stdout.contains("TW401"), "{}", apply.said());
    // Terraform plans in one process and, before it applies, again in another: two calls in each.
    assert_eq!(world.control().call_count(&calls).await, 4);
    world.terraform.assert_empty_plan().await;
    assert_eq!(world.control().call_count(&calls).await, 4, "a plan without changes asked again");

    // Who may not look is not told that there is none.
    let fault = world.control().fault(Fault::fail(calls, 400, "AccessDeniedException")).await;
    let mut wider = Configuration::new(&url);
    wider.regions.push("eu-north-1");
    world.terraform.configure(&wider.text());
    let told = said(&world.terraform.plan().await.stdout);
    assert!(told.contains("[TW4012]") && told.contains("cloudtrail:DescribeTrails") && !told.contains("TW4011"), "{told}");
    fault.remove().await;
    world.destroy().await;
}
