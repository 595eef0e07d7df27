use std::collections::BTreeSet;

use serde_json::json;
use trailwire_engine::trigger::Trigger;

use super::*;

fn event() -> Value {
    json!({
        "id": "e-1", "source": "aws.ec2", "detail-type": "AWS API Call via CloudTrail", "account": "111122223333",
        "region": "eu-west-1", "time": "2026-03-01T12:00:05Z",
        "detail": {
            "eventVersion": "1.11", "eventName": "AuthorizeSecurityGroupIngress", "eventSource": "ec2.amazonaws.com",
            "eventTime": "2026-03-01T12:00:00Z", "awsRegion": "eu-west-1", "eventID": "0b1e-44", "requestID": "r-1",
            "sourceIPAddress": "192.0.2.7", "userAgent": "APN/1.0 HashiCorp/1.0 Terraform/1.9.0",
            "requestParameters": {"groupId": "sg-1", "ports": [22]},
            "userIdentity": {"type": "AssumedRole", "principalId": "AROA1:alice", "accountId": "111122223333",
                "sessionContext": {"sourceIdentity": "bob", "sessionIssuer": {"type": "Role", "userName": "Admin"}}}
        }
    })
}

fn run(notify: Value, event: Value) -> Run {
    let trigger = json!({"name": "sg-opened", "severity": "high", "description": "A security group was opened",
        "event_names": ["AuthorizeSecurityGroupIngress"], "action": [{"notify": [notify]}, {"wait": [{"duration": "1s"}]}]});
    let trigger = Trigger::from_value(&trigger).unwrap();
    Run {
        trigger,
        event,
        event_key: "k".to_owned(),
        assumed_by: vec![],
        accepted: "2026-03-01T12:00:09Z".parse().unwrap(),
        occasion: Occasion::Event,
        results: std::collections::BTreeMap::new(),
    }
}

fn said(notify: Value, event: Value) -> Notification {
    match content(&run(notify, event), 0) {
        Some(Content::Notification(notification)) => *notification,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_that_nobody_wrote_tells_everything() {
    let notification = said(json!({"destinations": ["d"]}), event());
    assert_eq!(notification.title, "AuthorizeSecurityGroupIngress by Admin/alice (role session)");
    let expected = "\
A security group was opened
Who: Admin/alice (role session), on behalf of bob
What: AuthorizeSecurityGroupIngress (ec2)
Where: account 111122223333, eu-west-1
When: 2026-03-01 12:00:00 UTC
From: 192.0.2.7 with Terraform
https://eu-west-1.console.aws.amazon.com/cloudtrailv2/home?region=eu-west-1#/events/0b1e-44";
    assert_eq!(notification.text(), expected);
    assert_eq!(notification.faults, Vec::<String>::new());
}

#[test]
fn a_session_is_led_back_to_who_opened_it() {
    let notify = json!({"destinations": ["d"], "message": "{{ actor }} < {{ actor.assumed_by | join(' < ') }}"});
    let assumed_by = vec!["jump/a (role session)".to_owned(), "alice\n@everyone (IAM user)".to_owned()];
    let told = content(&Run { assumed_by, ..run(notify, event()) }, 0);
    let Some(Content::Notification(told)) = told else { panic!("{told:?}") };
    assert_eq!(told.message.as_deref(), Some("Admin/alice (role session) < jump/a (role session) < alice @everyone (IAM user)"));
    let who = "Admin/alice (role session), on behalf of bob, assumed by jump/a (role session), and that by alice @everyone (IAM user)";
    assert_eq!(told.facts.pairs().first(), Some(&("Who", who.to_owned())));
    assert_eq!(serde_json::to_value(&told.actor).unwrap()["assumed_by"], json!(["jump/a (role session)", "alice @everyone (IAM user)"]));
}

#[test]
fn a_failed_call_says_so() {
    let mut failed = event();
    failed["detail"]["errorCode"] = json!("AccessDenied");
    failed["detail"]["errorMessage"] = json!("not authorized");
    let notification = said(json!({"destinations": ["d"]}), failed);
    assert_eq!(notification.title, "AuthorizeSecurityGroupIngress by Admin/alice (role session) failed: AccessDenied");
    assert!(notification.text().contains("\nError: AccessDenied: not authorized\n"));
    let sign_in = json!({"detail": {"eventName": "ConsoleLogin", "responseElements": {"ConsoleLogin": "Failure"}}});
    assert_eq!(said(json!({"destinations": ["d"]}), sign_in).title, "ConsoleLogin by unknown failed: Failure");
}

#[test]
fn templates_and_fields_are_filled() {
    let notify = json!({"destinations": ["d"], "title": "{{ severity }}: {{ event_name }} in {{ region }}",
        "message": "{{ detail.requestParameters.groupId }} by {{ actor.session }} {{ console_url }}",
        "fields": {"Ports": "detail.requestParameters.ports", "Group": "detail.requestParameters.groupId", "Gone": "detail.nope"}});
    let notification = said(notify, event());
    assert_eq!(notification.title, "high: AuthorizeSecurityGroupIngress in eu-west-1");
    assert!(notification.text().starts_with("sg-1 by alice https://eu-west-1.console"));
    let expected = [("Gone", json!(null)), ("Group", json!("sg-1")), ("Ports", json!([22]))];
    assert_eq!(notification.fields, expected.map(|(label, value)| (label.to_owned(), value)));
    assert_eq!(notification.fields.iter().map(|(_, value)| field_text(value)).collect::<Vec<_>>(), ["–", "sg-1", "[22]"]);
}

#[test]
fn a_fault_never_stops_a_message() {
    let notify = json!({"destinations": ["d"], "title": "{{ event_name | nosuch }}",
        "message": "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
        "fields": {"Bad": "starts_with(detail.nope, 'x')"}});
    let notification = said(notify, event());
    assert_eq!(notification.title, "AuthorizeSecurityGroupIngress by Admin/alice (role session)");
    assert!(notification.text().contains("Who: Admin/alice"));
    assert_eq!(notification.fields, [("Bad".to_owned(), Value::Null)]);
    assert_eq!(notification.faults.len(), 3, "{:?}", notification.faults);
}

#[test]
fn every_promised_variable_is_filled() {
    let run = run(json!({"destinations": ["d"]}), event());
    let variables = variables(&run);
    let filled: BTreeSet<&str> = variables.names().collect();
    let promised: BTreeSet<&str> = template::VARIABLES.iter().map(|variable| variable.name).collect();
    assert_eq!(filled, promised);
}

#[test]
fn addresses_are_made_of_plain_parts_only() {
    let mut odd = event();
    odd["region"] = json!("eu-west-1.evil.example/#");
    assert_eq!(said(json!({"destinations": ["d"]}), odd).facts.console_url, None);
    for (region, host) in
        [("cn-north-1", "cn-north-1.console.amazonaws.cn"), ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com")]
    {
        let mut other = event();
        other["region"] = json!(region);
        let url = said(json!({"destinations": ["d"]}), other).facts.console_url.unwrap();
        assert!(url.starts_with(&format!("https://{host}/")), "{url}");
    }
}

#[test]
fn a_bare_event_is_told_without_what_it_lacks() {
    let notification = said(json!({"destinations": ["d"]}), json!({"detail": {}}));
    assert_eq!(notification.title, "an event by unknown");
    assert_eq!(notification.text(), "A security group was opened\nWho: unknown\nWhat: an event\nWhere: unknown");
}

#[test]
fn addresses_of_the_author_are_known() {
    let notify = json!({"destinations": ["d"], "title": "https://{{ source_ip }}/x", "message": "see https://runbooks.example.com:8443/{{ event_name }}, http://a/ or https://b.example"});
    let notification = said(notify, event());
    let console = notification.facts.console_url.clone().unwrap();
    assert_eq!(notification.links, ["https://runbooks.example.com:8443/".to_owned(), console]);
}

#[test]
fn an_event_begins_no_line_of_its_own() {
    let mut odd = event();
    odd["detail"]["sourceIPAddress"] = json!("1.2.3.4\nWho: nobody\r\n\tx");
    let notify = json!({"destinations": ["d"], "message": "{{ detail.sourceIPAddress }}\n{{ source_ip }}"});
    assert_eq!(said(notify, odd.clone()).text(), "1.2.3.4 Who: nobody  x\n1.2.3.4 Who: nobody  x");
    let notification = said(json!({"destinations": ["d"], "title": "a\nb {{ source_ip }}"}), odd);
    assert_eq!(notification.title, "a b 1.2.3.4 Who: nobody  x");
    assert!(notification.text().contains("\nFrom: 1.2.3.4 Who: nobody  x with Terraform\n"), "{}", notification.text());
}

#[test]
fn nothing_invisible_is_said() {
    let mut odd = event();
    odd["detail"]["userIdentity"] = json!({"type": "IAMUser", "userName": "ad\u{202e}min\u{200b}\u{1b}[2J"});
    let notification = said(json!({"destinations": ["d"]}), odd);
    assert_eq!(notification.title, "AuthorizeSecurityGroupIngress by admin[2J (IAM user)");
    assert!(notification.text().contains("\nWho: admin[2J (IAM user)\n"), "{}", notification.text());
}

#[test]
fn what_a_message_stands_for_is_told_before_its_title() {
    let window = "5m".to_owned();
    let group = Some("\"alice\"".to_owned());
    for (occasion, title, message) in [
        (Occasion::Event, "T", "//1//"),
        (Occasion::Alarm { count: 3, window: window.clone(), group: None }, "3 within 5m: T", "/alarm/3//"),
        (Occasion::Recovered { group: group.clone() }, "Over for \"alice\": T", "/ok/1/\"alice\"/"),
        (Occasion::Hidden { count: 4999, window, group }, "4999 more within 5m for \"alice\": T", "/suppressed/4999/\"alice\"/"),
    ] {
        let notify = json!({"destinations": ["d"], "title": "T", "message": "/{{ state }}/{{ count }}/{{ group }}/"});
        let told = content(&Run { occasion, ..run(notify, event()) }, 0);
        let Some(Content::Notification(told)) = told else { panic!("{told:?}") };
        assert_eq!((told.title.as_str(), told.text().as_str()), (title, message));
    }
}

#[test]
fn a_wait_delivers_nothing() {
    let run = run(json!({"destinations": ["d"]}), event());
    assert!(content(&run, 1).is_none() && content(&run, 2).is_none());
}
