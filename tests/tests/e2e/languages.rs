//! A match in each of the three languages: narrowed in AWS, proven by its tests while planning, judged by the runtime.

use serde_json::{Value, json};
use trailwire_tests::cloudtrail::Event;
use trailwire_tests::control::Matcher;

use crate::world::{Configuration, HOME, Told, Trigger, World, told};

/// The same question in three languages; each leaves another part to the runtime.
const MATCHES: [(&str, &str, &str); 3] = [
    ("expression", "match_expression", "detail.userIdentity.type == 'Root' && detail.requestParameters.a != detail.requestParameters.b"),
    ("filter", "filter_pattern", "{ $.userIdentity.type = \\\"Root\\\" && $.requestParameters.a = %^x% }"),
    (
        "pattern",
        "event_pattern",
        "{\\\"detail\\\":{\\\"userIdentity\\\":{\\\"type\\\":[\\\"Root\\\"]},\\\"requestParameters\\\":{\\\"a\\\":[{\\\"wildcard\\\":\\\"x*z\\\"}]}}}",
    ),
];

#[tokio::test]
async fn each_language_is_pushed_down_and_judged() {
    let world = World::new().await;
    let (path, url) = world.webhook();
    let mut wanted = Configuration::new(&url);
    wanted.triggers = MATCHES
        .iter()
        .map(|(name, attribute, text)| Trigger::new(name, "RunInstances").with(&format!("{attribute} = \"{text}\"")))
        .collect();
    world.terraform.configure(&wanted.text());
    let plan = world.terraform.assert_changes().await;
    assert_eq!(plan.matches("+ pushed_pattern ").count(), 3, "{plan}");
    assert!(plan.matches("+ \"Root\",").count() >= 3, "{plan}");
    world.terraform.apply().await.success();
    world.terraform.assert_empty_plan().await;
    for (name, _, _) in MATCHES {
        let attributes = world.terraform.attributes(&format!("trailwire_trigger.{name}")).await;
        for region in ["us-east-1", "eu-west-1"] {
            let rules = world.rules(region).await;
            let (_, pattern) = rules.iter().find(|(rule, _)| rule.ends_with(&format!("-{name}-0"))).unwrap().1;
            assert_eq!(attributes["pushed_pattern"].as_str(), Some(pattern.as_str()), "{name} in {region}");
            let pattern: Value = serde_json::from_str(pattern).unwrap();
            assert_eq!(pattern["detail"]["userIdentity"]["type"], json!(["Root"]), "{name} in {region}");
        }
    }

    let by = |kind: &str, parameters: Value| {
        let event = Event::new(&world.account, "eu-west-1", "ec2", "RunInstances");
        event.with("/detail/userIdentity", json!({ "type": kind })).with("/detail/requestParameters", parameters)
    };
    // What nobody's pattern keeps never travels.
    let dropped = [by("IAMUser", json!({ "a": "xyz", "b": 1 })).envelope(), by("AssumedRole", json!({ "a": "xyz" })).envelope()];
    assert_eq!(world.control().put_events(&dropped).await, [0, 0]);
    assert_eq!(waiting(&world).await, "0");
    let root = by("Root", json!({ "a": "xyz", "b": 1 }));
    let other = by("Root", json!({ "a": "q", "b": "q" }));
    assert_eq!(world.control().put_events(&[root.envelope()]).await, [3]);
    assert!(world.control().put_events(&[other.envelope()]).await[0] > 0, "what AWS cannot decide travels");
    let journal = tempfile::tempdir().unwrap();
    let run = world.run_until_idle(journal.path()).await;
    let expected: Vec<Told> = MATCHES.iter().map(|(name, _, _)| Told::new(name, &root)).collect();
    assert_eq!(told(&world.stand.sink().received(&path)), expected, "{}", run.said());
    world.destroy().await;
}

/// How many messages the hub's queue holds.
async fn waiting(world: &World) -> String {
    let sqs = world.sqs(HOME).await;
    let url = sqs.get_queue_url().queue_name("trailwire-security").send().await.unwrap().queue_url.unwrap();
    let name = aws_sdk_sqs::types::QueueAttributeName::ApproximateNumberOfMessages;
    let attributes = sqs.get_queue_attributes().queue_url(url).attribute_names(name.clone()).send().await.unwrap();
    attributes.attributes.unwrap().remove(&name).unwrap()
}

#[tokio::test]
async fn a_failing_test_fails_the_plan_and_says_why() {
    let world = World::new().await;
    let record = |kind: &str| json!({ "eventName": "ConsoleLogin", "userIdentity": { "type": kind } }).to_string();
    let test = |name: &str, kind: &str, expect: bool| {
        std::fs::write(world.terraform.path().join(format!("{kind}.json")), record(kind)).unwrap();
        format!("test {{\n  name = \"{name}\"\n  event = file(\"${{path.module}}/{kind}.json\")\n  expect = {expect}\n}}")
    };
    let trigger = |tests: &[String]| {
        let mut wanted = Configuration::new("http://127.0.0.1:9/unused");
        let root = Trigger::new("root", "ConsoleLogin").with("match_expression = \"detail.userIdentity.type == 'Root'\"");
        wanted.triggers = vec![root.with(&tests.join("\n"))];
        wanted.text()
    };
    world.terraform.configure(&trigger(&[test("root signs in", "Root", true), test("a user signs in", "IAMUser", true)]));
    let plan = world.terraform.plan().await;
    assert_eq!(plan.status.code(), Some(1), "{}", plan.said());
    let said: String = plan.said().split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    for part in [
        "TW1111",
        "Test `a user signs in` expects the trigger to fire, and it does not",
        "`detail.userIdentity.type == 'Root'` is false: `detail.userIdentity.type` is \"IAMUser\"",
    ] {
        assert!(said.contains(part), "{part}\n{}", plan.said());
    }
    assert!(!said.contains("root signs in"), "{}", plan.said());
    assert_eq!(world.control().call_count(&Matcher::default().by(&world.account)).await, 0);

    world.terraform.configure(&trigger(&[test("root signs in", "Root", true), test("a user signs in", "IAMUser", false)]));
    world.terraform.apply().await.success();
    world.terraform.assert_empty_plan().await;
    world.destroy().await;
}

/// Nothing is claimed of what only apply knows, and apply says it before it does anything.
#[tokio::test]
async fn what_the_plan_cannot_know_is_checked_before_anything_is_done() {
    let world = World::new().await;
    let mut wanted = Configuration::new("http://127.0.0.1:9/unused");
    wanted.triggers = vec![];
    world.terraform.configure(&wanted.text());
    world.terraform.apply().await.success();
    let later = |kind: &str| {
        let event = json!({ "eventName": "ConsoleLogin", "userIdentity": { "type": kind } }).to_string();
        format!(
            r#"{}
resource "terraform_data" "later" {{
  input = {{ teams = ["team"], event = {event:?} }}
  triggers_replace = "{kind}"
}}
resource "trailwire_trigger" "root" {{
  hub = trailwire_hub.security.id
  name = "root"
  event_names = ["ConsoleLogin"]
  filter_pattern = "{{ $.userIdentity.type = Root }}"
  dynamic "action" {{
    for_each = terraform_data.later.output.teams
    content {{
      notify {{
        destinations = [action.value]
      }}
    }}
  }}
  test {{
    name = "root signs in"
    event = terraform_data.later.output.event
    expect = true
  }}
}}
"#,
            wanted.text()
        )
    };
    world.terraform.configure(&later("IAMUser"));
    world.terraform.assert_changes().await;
    let failed = world.terraform.apply().await.failure();
    assert!(failed.said().contains("TW1111"), "{}", failed.said());
    assert_eq!(world.rules(HOME).await.len(), 0);
    world.terraform.configure(&later("Root"));
    world.terraform.apply().await.success();
    world.terraform.assert_empty_plan().await;
    assert_eq!(world.rules(HOME).await.len(), 1);
    world.destroy().await;
}

#[tokio::test]
async fn a_trigger_that_can_never_fire_is_refused_with_the_part_that_shows_it() {
    let world = World::new().await;
    let mut wanted = Configuration::new("http://127.0.0.1:9/unused");
    wanted.triggers =
        vec![Trigger::new("t", "RunInstances").with("match_expression = \"detail.errorCode && detail.eventName == 'StopInstances'\"")];
    world.terraform.configure(&wanted.text());
    let plan = world.terraform.plan().await;
    assert_eq!(plan.status.code(), Some(1), "{}", plan.said());
    assert!(plan.said().contains("This trigger can never fire"), "{}", plan.said());
    let under = crate::planning::text_over_caret(&plan.said());
    assert_eq!(under.as_deref(), Some("detail.eventName == 'StopInstances'"), "{}", plan.said());
}
