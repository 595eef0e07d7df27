//! Queries against a server that answers as AWS's documentation has it.

mod cases;
mod hostile;
mod server;

use std::collections::BTreeMap;

use serde_json::json;
use trailwire_engine::trigger::{Action, Trigger};

use super::*;
use crate::core::run::Occasion;
use crate::secrets::Secrets;
use server::Server;

pub(super) const ACCOUNT: &str = "444455556666";

fn hub(allowed: &[&str]) -> HubRecord {
    let record = json!({"format_version": 1, "name": "security", "region": "eu-west-1", "account_id": "111122223333", "bus_arn": "b", "queue_url": "u",
        "queue_arn": "q", "dead_letter_queue_url": "d", "forward_role_arn": "f", "regions": ["us-east-1"], "accounts": ["111122223333", ACCOUNT],
        "own_role_arns": [], "forward_dead_letter": true, "query_operations": allowed});
    serde_json::from_value(record).unwrap()
}

fn run(query: &Value) -> Run {
    let trigger = json!({"name": "t", "event_names": ["E"], "action": [{"query": [query]}]});
    let event =
        json!({"account": ACCOUNT, "region": "us-east-1", "detail": {"requestParameters": {"bucketName": "b", "empty": "", "up": ".."}}});
    Run {
        trigger: Trigger::from_value(&trigger).unwrap(),
        event,
        event_key: "k".to_owned(),
        assumed_by: vec![],
        accepted: jiff::Timestamp::UNIX_EPOCH,
        occasion: Occasion::Event,
        results: BTreeMap::from([("before".to_owned(), json!("asg-1"))]),
    }
}

fn query(called: &str, parameters: &Value, result: Option<&str>) -> Value {
    let (service, operation) = called.split_once(':').unwrap();
    json!({"service": service, "operation": operation, "parameters": parameters.to_string(), "result": result, "as": "found"})
}

/// Asks a server, of a hub that allows just that.
async fn asked(server: &Server, query: &Value) -> Result<Value, Attempt> {
    let run = run(query);
    let Action::Query(query) = &run.trigger.actions[0] else { panic!("a query") };
    let sender = Sender::new(Secrets::with(&server.config().await)).unwrap();
    ask(&sender, Some(&hub(&[&query.called()])), &run, query).await
}

fn reason(attempt: Attempt) -> (&'static str, String) {
    match attempt {
        Attempt::Delivered => panic!("delivered"),
        Attempt::Failed { reason, .. } => ("failed", reason),
        Attempt::Final { reason } => ("final", reason),
    }
}

#[tokio::test]
async fn what_may_not_be_asked_is_not() {
    let server = Server::start(vec![]).await;
    let sender = Sender::new(Secrets::with(&server.config().await)).unwrap();
    let allowed = hub(&["ec2:DescribeInstances"]);
    let of = |name: &str, value: Value| {
        let mut run = run(&query("ec2:DescribeInstances", &json!({}), None));
        run.event[name] = value;
        run
    };
    let plain = of("region", json!("us-east-1"));
    let cases = [
        (None, plain.clone(), "a query needs a hub"),
        (Some(hub(&["ec2:DescribeVolumes"])), plain, "hub `security` does not allow it; add it to its `query_operations`, and redrive"),
        (Some(allowed.clone()), of("account", json!("999999999999")), "the event's account `999999999999` is not one of hub `security`"),
        (Some(allowed.clone()), of("account", json!("role/x")), "the event's account `role/x` is not one of hub `security`"),
        (Some(allowed), of("region", json!("evil.example.com/")), "the event's region `evil.example.com/` is no region"),
    ];
    for (hub, run, expected) in cases {
        let Action::Query(query) = &run.trigger.actions[0] else { panic!("a query") };
        let (kind, reason) = reason(ask(&sender, hub.as_ref(), &run, query).await.unwrap_err());
        assert!(kind == "final" && reason.contains(expected), "{reason}");
    }
    assert_eq!(server.seen(), [""; 0]);
}

#[tokio::test]
async fn templates_say_what_is_asked_for() {
    let groups = r#"<DescribeAutoScalingGroupsResponse><DescribeAutoScalingGroupsResult><AutoScalingGroups/></DescribeAutoScalingGroupsResult></DescribeAutoScalingGroupsResponse>"#;
    let server = Server::start(vec![(200, groups.to_owned())]).await;
    let names = |text: &str| query("autoscaling:DescribeAutoScalingGroups", &json!({"AutoScalingGroupNames": [text]}), None);
    assert_eq!(asked(&server, &names("{{ before }}&Action=DeleteAutoScalingGroup")).await, Ok(json!({"AutoScalingGroups": []})));
    assert_eq!(
        server.seen(),
        [
            "POST / Action=DescribeAutoScalingGroups&Version=2011-01-01&AutoScalingGroupNames.member.1=asg-1%26Action%3DDeleteAutoScalingGroup"
        ]
    );
    for (text, expected) in [
        ("{{ detail.requestParameters.nope }}", "the template `{{ detail.requestParameters.nope }}` gives nothing on this event"),
        ("{{ detail.requestParameters.empty }}", "the template `{{ detail.requestParameters.empty }}` gives nothing on this event"),
    ] {
        let (kind, reason) = reason(asked(&server, &names(text)).await.unwrap_err());
        assert!(kind == "final" && reason.ends_with(expected), "{reason}");
    }
    let up = query("s3:GetPublicAccessBlock", &json!({"Bucket": "{{ detail.requestParameters.up }}"}), None);
    let (kind, reason) = reason(asked(&server, &up).await.unwrap_err());
    assert!(kind == "final" && reason.ends_with("`Bucket` is `..`, which names nothing"), "{reason}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn the_reading_role_of_the_events_account_is_taken_in_the_name_of_the_hub() {
    let server = Server::start(vec![(200, "<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>".to_owned())]).await;
    let answer = asked(&server, &query("ec2:DescribeInstances", &json!({}), Some("length(Reservations[].Instances[])"))).await;
    assert_eq!(answer, Ok(json!(0)));
    let hub = Hub::new("security", Cell::new("111122223333", "eu-west-1"));
    let taken = format!(
        "RoleArn={} ExternalId={}",
        crate::destination::percent(&hub.read_role_arn(ACCOUNT)),
        crate::destination::percent(&hub.arn())
    );
    assert_eq!(server.taken(), [taken]);
    // In the event's region, by what the role gave.
    assert!(server.signed()[0].contains("Credential=ASIAREADER/") && server.signed()[0].contains("/us-east-1/ec2/aws4_request"));
}

/// What is told where the event's account does not allow a query.
pub(crate) fn denied() -> String {
    let cell = trailwire_engine::fanout::names::Cell::new("111122223333", "eu-west-1");
    let body = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized to perform this operation.</Message></Error></Errors></Response>";
    let answer = crate::destination::Answer { status: 403, retry_after: None, request_id: Some("r-1".to_owned()), body: body.to_owned() };
    match (fault::Place { called: "ec2:DescribeSecurityGroups", cell: &cell }).said(&answer) {
        fault::Said::Fault(attempt) => reason(attempt).1,
        said => panic!("{said:?}"),
    }
}
