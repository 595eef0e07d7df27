//! The alarms of a hub, made, told, changed by others, and removed.

use serde_json::{Value, json};
use trailwire_tests::json::call;

use crate::world::{Configuration, HOME, World};

const CLOUDWATCH: (&str, &str) = ("monitoring", "GraniteServiceVersion20100801");

async fn alarms(world: &World) -> Vec<Value> {
    let answer = call(world.stand, &world.account, HOME, CLOUDWATCH, "DescribeAlarms", &json!({ "AlarmNamePrefix": "tw-" })).await;
    answer["MetricAlarms"].as_array().unwrap().clone()
}

#[tokio::test]
async fn alarms_come_and_go_with_what_they_tell() {
    let world = World::new().await;
    let (_, url) = world.webhook();
    let plain = Configuration::new(&url).text();
    let topic = format!("arn:aws:sns:{HOME}:{}:pager", world.account);
    let with = plain.replace("  name    = \"security\"\n", &format!("  name    = \"security\"\n  alarm_actions = [{topic:?}]\n"));
    world.terraform.configure(&with.replace(&format!("sns:{HOME}"), "sns:eu-west-1"));
    let refused = world.terraform.plan().await;
    assert!(refused.stderr.contains("alarms only tell what is in their own"), "{}", refused.said());

    world.terraform.configure(&with);
    world.terraform.apply().await.success();
    let made = alarms(&world).await;
    assert_eq!(made.len(), 3, "{made:?}");
    assert!(made.iter().all(|alarm| alarm["AlarmActions"] == json!([topic])), "{made:?}");
    world.terraform.assert_empty_plan().await;

    let name = made[0]["AlarmName"].clone();
    call(world.stand, &world.account, HOME, CLOUDWATCH, "DisableAlarmActions", &json!({ "AlarmNames": [name] })).await;
    let told = world.terraform.plan().await;
    assert!(told.stdout.contains("differs in ActionsEnabled"), "{}", told.said());
    world.terraform.apply().await.success();
    assert!(alarms(&world).await.iter().all(|alarm| alarm["ActionsEnabled"] == true));
    world.terraform.assert_empty_plan().await;

    world.terraform.configure(&plain);
    world.terraform.apply().await.success();
    assert_eq!(alarms(&world).await, [] as [Value; 0]);
    world.terraform.configure(&with);
    world.terraform.apply().await.success();
    world.destroy().await;
    assert_eq!(alarms(&world).await, [] as [Value; 0]);
}
