//! A destination in AWS all the way: declared, applied, given leave, delivered to, destroyed.

use serde_json::{Value, json};
use trailwire_tests::cloudtrail::Event;

use crate::world::{Configuration, World};

#[tokio::test]
async fn a_queue_that_is_declared_gets_the_notification_and_the_event() {
    let world = World::new().await;
    let sqs = world.sqs("eu-west-1").await;
    let url = sqs.create_queue().queue_name("evidence").send().await.unwrap().queue_url.unwrap();
    let mut wanted = Configuration::new("http://127.0.0.1:9/");
    wanted.triggers.clear();
    let declared = format!(
        r#"{}
resource "trailwire_destination" "evidence" {{
  hub  = trailwire_hub.security.id
  name = "evidence"
  sqs {{
    queue_url = "{url}"
    region    = "eu-west-1"
  }}
}}
resource "trailwire_trigger" "instances" {{
  hub         = trailwire_hub.security.id
  name        = "instances"
  event_names = ["RunInstances"]
  action {{
    notify {{
      destinations = [trailwire_destination.evidence.name]
    }}
  }}
  action {{
    send {{
      destination = trailwire_destination.evidence.name
    }}
  }}
}}
output "leave" {{
  value = trailwire_destination.evidence.runtime_policy_json
}}
"#,
        wanted.text()
    );
    world.terraform.configure(&declared);
    world.terraform.apply().await.success();
    world.terraform.assert_empty_plan().await;
    let leave = world.terraform.run(&["output", "-raw", "leave"]).await.success();
    let leave: Value = serde_json::from_str(leave.stdout.trim()).unwrap();
    let queue = format!("arn:aws:sqs:eu-west-1:{}:evidence", world.account);
    assert_eq!(leave["Statement"], json!([{"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": queue}]));

    let event = Event::new(&world.account, "eu-west-1", "ec2", "RunInstances");
    world.control().put_events(&[Value::from(event.clone())]).await;
    let journal = tempfile::tempdir().unwrap();
    let run = world.run_until_idle(journal.path()).await;
    let mut kinds = Vec::new();
    while kinds.len() < 2 {
        let received = sqs.receive_message().queue_url(&url).wait_time_seconds(5).send().await.unwrap();
        let message = received.messages().first().unwrap_or_else(|| panic!("{kinds:?} came: {}", run.said())).clone();
        sqs.delete_message().queue_url(&url).receipt_handle(message.receipt_handle().unwrap()).send().await.unwrap();
        let body: Value = serde_json::from_str(message.body().unwrap()).unwrap();
        assert_eq!(body["data"]["event"]["detail"]["eventID"], event.id());
        kinds.push(body["type"].as_str().unwrap().to_owned());
    }
    kinds.sort();
    assert_eq!(kinds, ["trailwire.event", "trailwire.notification"]);
    sqs.delete_queue().queue_url(&url).send().await.unwrap();
    world.destroy().await;
}
