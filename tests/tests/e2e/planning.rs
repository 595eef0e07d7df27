//! What is wrong with a trigger is said while planning, under the text that is wrong.

use crate::world::{PROVIDER, World};

/// A trigger with these lines, at a hub that need not exist: nothing here reaches AWS.
fn trigger(lines: &str) -> String {
    format!(
        r#"{PROVIDER}
resource "trailwire_trigger" "t" {{
  hub  = "security"
  name = "t"
  {lines}
  action {{
    notify {{
      destinations = ["team"]
    }}
  }}
}}
"#
    )
}

#[tokio::test]
async fn mistakes_are_shown_while_planning() {
    let world = World::new().await;
    let names = "event_names = [\"RunInstances\"]\n";
    let expression = |text: &str| format!("{names}  match_expression = \"{text}\"");
    // What is written, the attribute that is blamed, and the text under the caret (none where a whole attribute is).
    let cases = [
        (expression("detail.userIdentity.type = 'Root'"), "match_expression", "="),
        (expression("detail.userIdentity.type == 'Root"), "match_expression", "'Root"),
        (expression("startswith(detail.eventName, 'Run')"), "match_expression", "startswith"),
        (expression("starts_with(detail.eventName)"), "match_expression", "starts_with(detail.eventName)"),
        (expression("detail.requestParameters.a && !detail.requestParameters.b == 'c'"), "match_expression", "!detail.requestParameters.b"),
        (format!("{names}  filter_pattern = \"{{ $.errorCode == x }}\""), "filter_pattern", "="),
        (format!("{names}  event_pattern = \"{{\\\"detail\\\": {{\\\"a\\\": \\\"b\\\"}}}}\""), "event_pattern", "\"b\""),
        (format!("{names}  push_down = \"all\""), "push_down", ""),
        ("event_names = []".to_owned(), "event_names", ""),
        (format!("{names}  event_sources = []"), "event_sources", ""),
        (format!("{names}  regions = []"), "regions", ""),
        (format!("{names}  severity = \"loud\""), "severity", ""),
    ];
    for (lines, attribute, underlined) in cases {
        world.terraform.configure(&trigger(&lines));
        let plan = world.terraform.plan().await;
        assert_eq!(plan.status.code(), Some(1), "{lines} is accepted:\n{}", plan.said());
        assert!(plan.said().contains(attribute), "{lines}: `{attribute}` is not blamed:\n{}", plan.said());
        if !underlined.is_empty() {
            assert_eq!(text_over_caret(&plan.said()).as_deref(), Some(underlined), "{lines}:\n{}", plan.said());
        }
    }
    let calls = world.control().call_count(&trailwire_tests::control::Matcher::default().by(&world.account)).await;
    assert_eq!(calls, 0, "a configuration with mistakes reached AWS");
}

/// The text that a line of carets underlines.
pub(crate) fn text_over_caret(output: &str) -> Option<String> {
    let lines: Vec<&str> = output.lines().collect();
    let (index, carets) = lines.iter().enumerate().find(|(_, line)| line.contains('^'))?;
    let start = carets.chars().position(|letter| letter == '^')?;
    let length = carets.chars().skip(start).take_while(|letter| *letter == '^').count();
    Some(lines.get(index.checked_sub(1)?)?.chars().skip(start).take(length).collect())
}

/// A destination takes whole events or not; who declares both hears of it before anything is made.
#[tokio::test]
async fn whole_events_for_people_are_refused_while_planning() {
    let world = World::new().await;
    world.terraform.configure(&format!(
        r#"{PROVIDER}
resource "trailwire_hub" "security" {{
  name    = "security"
  regions = ["us-east-1"]
}}
resource "trailwire_destination" "chat" {{
  hub  = trailwire_hub.security.id
  name = "chat"
  slack {{
    secret_arn = "arn:aws:secretsmanager:us-east-1:{}:secret:chat"
  }}
}}
resource "trailwire_trigger" "t" {{
  hub         = trailwire_hub.security.id
  name        = "t"
  event_names = ["RunInstances"]
  action {{
    send {{
      destination = trailwire_destination.chat.name
    }}
  }}
}}
"#,
        world.account
    ));
    let plan = world.terraform.plan().await;
    assert_eq!(plan.status.code(), Some(1), "{}", plan.said());
    assert!(plan.said().contains("`chat` is a slack destination, which takes notifications only"), "{}", plan.said());
}
