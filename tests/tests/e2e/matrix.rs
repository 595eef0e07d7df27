//! The matrix of faults, with a real Terraform: faults of many kinds strike one apply in several regions at once. They are overcome, or the error names the
//! regions, nothing is orphaned, and the next apply converges.

use trailwire_tests::control::Matcher;
use trailwire_tests::ill::Ill::{self, Cut, Denied, Disabled, Failing, NotPropagated, Silent, Throttled};
use trailwire_tests::process::Finished;

use crate::failures::flat;
use crate::world::{Configuration, HOME, REGIONS, Trigger, World};

const TRIGGER: &str = "trailwire_trigger.instances";
const IRELAND: &str = "eu-west-1";
const STOCKHOLM: &str = "eu-north-1";
const SYDNEY: &str = "ap-southeast-2";

/// A fault: what goes wrong, in which operation, where.
type Case = (Ill, &'static str, &'static str);

/// Applies while these faults strike. Each does.
async fn suffer(world: &World, cases: &[Case]) -> Finished {
    let disabled: Vec<&str> = cases.iter().filter(|(ill, ..)| *ill == Disabled).map(|(.., region)| *region).collect();
    world.terraform.run(&["plan", "-out=planned", "-input=false", "-no-color"]).await.success();
    world.control().disable_regions(&world.account, &disabled).await;
    let mut armed = Vec::new();
    for (ill, operation, region) in cases {
        let service = if operation.ends_with("Role") || operation.ends_with("RolePolicy") { "iam" } else { "events" };
        let calls = Matcher::operation(service, operation).by(&world.account).within(region);
        armed.push(world.control().fault(ill.fault(calls)).await);
    }
    let applied = world.terraform.run(&["apply", "-input=false", "-no-color", "planned"]).await;
    for (fault, case) in armed.into_iter().zip(cases) {
        assert!(fault.times_struck().await > 0, "{case:?} did not strike:\n{}", applied.said());
        fault.remove().await;
    }
    world.control().disable_regions(&world.account, &[]).await;
    let overcome = cases.iter().all(|(ill, ..)| ill.ends_by_itself());
    assert_eq!(applied.status.success(), overcome, "{cases:?}:\n{}", applied.said());
    applied
}

/// The error names the account, and each of these regions.
fn assert_named(world: &World, failed: &Finished, cases: &[Case]) {
    let said = flat(&failed.said());
    for (_, _, region) in cases {
        let cell = format!("{}/{region}", world.account);
        assert!(said.contains(&cell), "{cell} is not named:\n{}", failed.said());
    }
}

/// In how many regions the rules, one in each, carry this event name.
async fn carrying(world: &World, event: &str) -> Vec<&'static str> {
    let mut carrying = Vec::new();
    for region in REGIONS {
        let rules = world.rules(region).await;
        assert!(rules.len() <= 1, "{region}: {rules:?}");
        if rules.values().any(|(_, pattern)| pattern.contains(event)) {
            carrying.push(region);
        }
    }
    carrying
}

#[tokio::test]
async fn faults_are_overcome_or_named_and_the_next_apply_converges() {
    let world = World::new().await;
    let mut wanted = Configuration::new("http://127.0.0.1:9/unused");
    wanted.regions = REGIONS.to_vec();
    let triggers = std::mem::take(&mut wanted.triggers);

    // A hub, by its role.
    world.terraform.configure(&wanted.text());
    let refused: [Case; 1] = [(Denied, "CreateRole", HOME)];
    assert_named(&world, &suffer(&world, &refused).await, &refused);
    world.assert_nothing_left().await;
    suffer(&world, &[(Throttled, "GetRole", HOME), (Failing, "CreateRole", HOME), (Cut, "PutRolePolicy", HOME)]).await;

    // A trigger is made: everywhere or nowhere.
    wanted.triggers = triggers;
    world.terraform.configure(&wanted.text());
    let refused: [Case; 2] = [(Denied, "PutTargets", IRELAND), (Disabled, "PutRule", SYDNEY)];
    assert_named(&world, &suffer(&world, &refused).await, &refused);
    assert_eq!(carrying(&world, "RunInstances").await, [""; 0]);
    assert!(!world.terraform.state().await.contains(&TRIGGER.to_owned()));
    suffer(
        &world,
        &[
            (Throttled, "PutRule", HOME),
            (Failing, "PutTargets", HOME),
            (Cut, "PutRule", IRELAND),
            (NotPropagated, "PutTargets", IRELAND),
            (Silent, "PutTargets", STOCKHOLM),
            (Failing, "PutRule", SYDNEY),
            (Cut, "PutTargets", SYDNEY),
        ],
    )
    .await;
    assert_eq!(carrying(&world, "RunInstances").await, REGIONS);
    world.terraform.assert_empty_plan().await;

    // It is changed: wherever that is possible.
    wanted.triggers = vec![Trigger::new("instances", "StopInstances")];
    world.terraform.configure(&wanted.text());
    let refused: [Case; 2] = [(Denied, "PutRule", HOME), (Disabled, "ListRules", STOCKHOLM)];
    assert_named(&world, &suffer(&world, &refused).await, &refused);
    assert_eq!(carrying(&world, "StopInstances").await, [IRELAND, SYDNEY]);
    suffer(
        &world,
        &[
            (Throttled, "PutRule", HOME),
            (Cut, "PutRule", STOCKHOLM),
            (Failing, "ListRules", IRELAND),
            (Throttled, "ListRuleNamesByTarget", SYDNEY),
        ],
    )
    .await;
    assert_eq!(carrying(&world, "StopInstances").await, REGIONS);
    world.terraform.assert_empty_plan().await;

    // It goes; where it cannot, it is not forgotten.
    wanted.triggers.clear();
    world.terraform.configure(&wanted.text());
    let refused: [Case; 2] = [(Denied, "RemoveTargets", IRELAND), (Denied, "DeleteRule", SYDNEY)];
    assert_named(&world, &suffer(&world, &refused).await, &refused);
    assert_eq!(carrying(&world, "StopInstances").await, [IRELAND, SYDNEY]);
    assert!(world.terraform.state().await.contains(&TRIGGER.to_owned()));
    suffer(&world, &[(Throttled, "RemoveTargets", IRELAND), (Cut, "DeleteRule", IRELAND), (Failing, "DeleteRule", SYDNEY)]).await;
    assert_eq!(carrying(&world, "StopInstances").await, [""; 0]);
    world.terraform.assert_empty_plan().await;
    world.destroy().await;
}
