//! A hub whose runtime is a Lambda function, all the way: declared, applied, executed by the local AWS, changed, destroyed.

use std::time::{Duration, Instant};

use serde_json::Value;
use trailwire_tests::cloudtrail::Event;
use trailwire_tests::function;
use trailwire_tests::leftovers;

use crate::doctor::doctor;
use crate::world::{HOME, PROVIDER, World};

fn configuration(package: &str, queue: &str, more: &str, wait: &str) -> String {
    format!(
        r#"{PROVIDER}
resource "trailwire_hub" "security" {{
  name    = "security"
  regions = ["us-east-1", "eu-west-1"]
  lambda {{
    filename = "{package}"
    {more}
  }}
}}
resource "trailwire_destination" "evidence" {{
  hub  = trailwire_hub.security.id
  name = "evidence"
  sqs {{
    queue_url = "{queue}"
    region    = "{HOME}"
  }}
}}
resource "trailwire_trigger" "instances" {{
  hub         = trailwire_hub.security.id
  name        = "instances"
  event_names = ["RunInstances"]
  action {{
    notify {{
      destinations = [trailwire_destination.evidence.name]
      title        = "first"
    }}
  }}
  action {{
    wait {{
      duration = "{wait}"
    }}
  }}
  action {{
    notify {{
      destinations = [trailwire_destination.evidence.name]
      title        = "after"
    }}
  }}
}}
output "function" {{
  value = trailwire_hub.security.lambda_arn
}}
"#
    )
}

/// The next message that is received, which is deleted.
async fn received(sqs: &aws_sdk_sqs::Client, url: &str) -> Value {
    let begun = Instant::now();
    loop {
        let answer = sqs.receive_message().queue_url(url).wait_time_seconds(20).max_number_of_messages(1).send().await.unwrap();
        if let Some(message) = answer.messages().first() {
            sqs.delete_message().queue_url(url).receipt_handle(message.receipt_handle().unwrap()).send().await.unwrap();
            return serde_json::from_str(message.body().unwrap()).unwrap_or_else(|_| message.body().unwrap().into());
        }
        assert!(begun.elapsed() < Duration::from_secs(240), "nothing comes to {url}");
    }
}

/// All is well, until somebody switches the sweeps off.
async fn the_doctor_looks_at_what_runs_the_function(world: &World) {
    let sound = doctor(world, &[]).await.success();
    assert!(sound.stdout.starts_with(&format!("ok      hub security at {}/{HOME}, 0 waiting", world.account)), "{}", sound.said());
    let events = world.events(HOME).await;
    let rules = events.list_rules().send().await.unwrap().rules.unwrap_or_default();
    let [rule] = rules.iter().filter_map(|rule| rule.schedule_expression.as_ref().and(rule.name())).collect::<Vec<_>>()[..] else {
        panic!("one rule has a schedule: {rules:?}")
    };
    events.disable_rule().name(rule).send().await.unwrap();
    let broken = doctor(world, &[]).await;
    assert_eq!(broken.status.code(), Some(1), "{}", broken.said());
    let told = format!("rule {rule} has the schedule `rate(1 minute)` and is DISABLED, not `rate(1 minute)` and ENABLED");
    assert!(broken.stdout.contains(&told), "{}", broken.said());
}

#[tokio::test]
async fn a_hub_with_a_function_acts_without_a_daemon() {
    let world = World::new().await;
    let sqs = world.sqs(HOME).await;
    let url = sqs.create_queue().queue_name("evidence").send().await.unwrap().queue_url.unwrap();
    let package = function::package(world.stand);
    let package = package.to_str().unwrap();
    world.terraform.configure(&configuration(package, &url, "", "2s"));
    world.terraform.apply().await.success();
    world.terraform.assert_empty_plan().await;
    let told = world.terraform.run(&["output", "-raw", "function"]).await.success().stdout;
    assert_eq!(told.trim(), format!("arn:aws:lambda:{HOME}:{}:function:trailwire-security", world.account));

    // An event of another region, and a message that is none.
    let hub_queue = sqs.get_queue_url().queue_name("trailwire-security").send().await.unwrap().queue_url.unwrap();
    let dead_letters = sqs.get_queue_url().queue_name("trailwire-security-dlq").send().await.unwrap().queue_url.unwrap();
    let event = Event::new(&world.account, "eu-west-1", "ec2", "RunInstances");
    world.control().put_events(&[Value::from(event.clone())]).await;
    sqs.send_message().queue_url(&hub_queue).message_body("{oops").send().await.unwrap();
    for title in ["first", "after"] {
        let told = received(&sqs, &url).await;
        assert_eq!((&told["data"]["title"], &told["data"]["event"]["detail"]["eventID"]), (&title.into(), &event.id().into()));
    }
    assert_eq!(received(&sqs, &dead_letters).await, "{oops");

    the_doctor_looks_at_what_runs_the_function(&world).await;

    // Settings change in place, and the definitions with the next apply, which also puts right what somebody switched off.
    world.terraform.configure(&configuration(package, &url, "memory_size = 512\n    timeout = 30", "3s"));
    world.terraform.apply().await.success();
    world.terraform.assert_empty_plan().await;
    doctor(&world, &[]).await.success();
    world.control().put_events(&[Value::from(Event::new(&world.account, "us-east-1", "ec2", "RunInstances"))]).await;
    assert_eq!(received(&sqs, &url).await["data"]["title"], "first");
    assert_eq!(received(&sqs, &url).await["data"]["title"], "after");

    sqs.delete_queue().queue_url(&url).send().await.unwrap();
    let made = leftovers::of(world.stand, &world.account, &[HOME]).await;
    for (kind, count) in
        [("function trailwire-security ", 1), ("event source mapping ", 1), ("log group /aws/lambda/trailwire-security ", 1)]
    {
        assert_eq!(made.iter().filter(|one| one.starts_with(kind)).count(), count, "{made:?}");
    }
    world.destroy().await;
}
