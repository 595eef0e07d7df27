//! A forwarder carries the events of triggers that make no rules.

use serde_json::{Value, json};
use trailwire_tests::cloudtrail::Event;

use crate::failures::flat;
use crate::world::{Configuration, HOME, REGIONS, Told, Trigger, World, told};

/// The configuration with a forwarder of these arguments.
fn with_forwarder(configuration: &Configuration, arguments: &str) -> String {
    let text = configuration.text();
    format!(
        "{text}\nresource \"trailwire_forwarder\" \"all\" {{\n  hub  = trailwire_hub.security.id\n  name = \"all\"\n  {arguments}\n}}\n"
    )
}

fn relying(name: &'static str, event_name: &'static str) -> Trigger {
    Trigger::new(name, event_name).with("forwarder = trailwire_forwarder.all.name")
}

#[tokio::test]
async fn what_only_the_forwarder_carries_is_told_by_the_triggers_that_name_it() {
    let world = World::new().await;
    let (path, url) = world.webhook();
    let mut wanted = Configuration::new(&url);
    wanted.triggers = vec![
        relying("instances", "RunInstances"),
        relying("trails", "StopLogging").with(r#"regions = ["eu-west-1"]"#),
        relying("root", "ConsoleLogin").with(r#"match_expression = "detail.userIdentity.type == 'Root'""#),
        relying("rotated", "RotateKey").with(r#"event_sources = ["kms.amazonaws.com"]"#),
        Trigger::new("own", "DeleteTrail"),
    ];
    world.terraform.configure(&with_forwarder(&wanted, "all = true"));
    world.terraform.apply().await.success();
    world.terraform.assert_empty_plan().await;
    for region in ["us-east-1", "eu-west-1"] {
        let rules = world.rules(region).await;
        let ends: Vec<&str> = rules.keys().map(|name| name.splitn(3, '-').nth(2).unwrap()).collect();
        assert_eq!(ends, ["fwd.all-0", "own-0"], "{region}");
    }

    let account = world.account.as_str();
    let mut events = Vec::new();
    let mut expected = Vec::new();
    let mut happens = |event: Event, fires: Option<&str>| {
        expected.extend(fires.map(|trigger| Told::new(trigger, &event)));
        events.push(Value::from(event));
    };
    for region in REGIONS {
        let in_scope = ["us-east-1", "eu-west-1"].contains(&region);
        happens(Event::new(account, region, "ec2", "RunInstances"), in_scope.then_some("instances"));
        happens(Event::new(account, region, "cloudtrail", "StopLogging"), (region == "eu-west-1").then_some("trails"));
        happens(Event::new(account, region, "cloudtrail", "DeleteTrail"), in_scope.then_some("own"));
        happens(Event::new(account, region, "ec2", "StopInstances"), None);
        for detail_type in ["AWS Console Signin via CloudTrail", "AWS Console Sign In via CloudTrail"] {
            happens(Event::console_login(account, region, detail_type), in_scope.then_some("root"));
        }
        let service_event = Event::new(account, region, "kms", "RotateKey")
            .with("/detail-type", json!("AWS Service Event via CloudTrail"))
            .with("/detail/eventType", json!("AwsServiceEvent"));
        happens(service_event, in_scope.then_some("rotated"));
    }
    world.control().put_events(&events).await;
    let journal = tempfile::tempdir().unwrap();
    let run = world.run_until_idle(journal.path()).await;
    expected.sort();
    assert_eq!(told(&world.stand.sink().received(&path)), expected, "{}", run.said());

    // It can not be taken from under them; what they do not need can.
    world.terraform.configure(&with_forwarder(&wanted, r#"event_sources = ["ec2.amazonaws.com"]"#));
    let refused = world.terraform.plan().await;
    assert!(!refused.status.success(), "{}", refused.said());
    for word in ["Forwarder `all` would lack events of `instances`", "[TW4007]"] {
        assert!(flat(&refused.said()).contains(word), "{}", refused.said());
    }
    world.terraform.configure(&with_forwarder(&wanted, r#"event_names = ["RunInstances", "StopLogging", "ConsoleLogin", "RotateKey"]"#));
    world.terraform.apply().await.success();
    let rules = world.rules(HOME).await;
    let (_, (_, pattern)) = rules.iter().find(|(name, _)| name.contains("fwd.all")).unwrap();
    assert!(pattern.contains("RotateKey"), "{pattern}");

    // An import needs no change, and a trigger that asks for more is told what is lacking.
    world.terraform.run(&["state", "rm", "trailwire_forwarder.all"]).await.success();
    world.terraform.import("trailwire_forwarder.all", "security/all").await.success();
    world.terraform.assert_empty_plan().await;
    wanted.triggers.push(relying("more", "DeleteBucket"));
    world.terraform.configure(&with_forwarder(&wanted, r#"event_names = ["RunInstances", "StopLogging", "ConsoleLogin", "RotateKey"]"#));
    let refused = world.terraform.plan().await;
    let lacking = "Forwarder `all` lacks events of this trigger: the event names `DeleteBucket`";
    assert!(flat(&refused.said()).contains(lacking), "{}", refused.said());
    wanted.triggers.pop();
    world.terraform.configure(&with_forwarder(&wanted, r#"event_names = ["RunInstances", "StopLogging", "ConsoleLogin", "RotateKey"]"#));
    world.destroy().await;
}
