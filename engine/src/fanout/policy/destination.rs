//! What a runtime must be allowed to do for one destination, beside what its hub needs.

use serde_json::{Value, json};

use super::VERSION;
use crate::fanout::names::Hub;
use crate::trigger::{Aws, Destination, DestinationKind, Secret, Target};

/// The policy of one destination: to use it, or to assume its role, and to read the secrets that were there before it. `None` where the hub's policy
/// is enough.
#[must_use]
pub fn destination_policy(hub: &Hub, destination: &Destination) -> Option<String> {
    let home = hub.home();
    let (place, name) = (format!("{}:{}", home.region, home.account), hub.secret_name(&destination.name, ""));
    let own = format!("arn:{}:secretsmanager:{place}:secret:{name}", hub.partition());
    let foreign = destination.kind.secrets().into_iter().filter_map(|secret| match secret {
        Secret::Arn(arn) if !arn.starts_with(&own) => Some(arn.as_str()),
        _ => None,
    });
    let mut statements: Vec<Value> = foreign.map(|arn| allow(&["secretsmanager:GetSecretValue"], arn)).collect();
    if let DestinationKind::Aws(aws) = &destination.kind {
        statements.push(match &aws.role_arn {
            Some(role) => allow(&["sts:AssumeRole"], role),
            None => use_of(hub, aws),
        });
    }
    (!statements.is_empty()).then(|| json!({ "Version": VERSION, "Statement": statements }).to_string())
}

/// The name of that policy among those of the role of the hub's function.
#[must_use]
pub fn destination_policy_name(destination: &str) -> String {
    format!("destination-{destination}")
}

fn allow(actions: &[&str], resource: &str) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": resource })
}

fn use_of(hub: &Hub, aws: &Aws) -> Value {
    let home = hub.home();
    let region = aws.region().unwrap_or(&home.region);
    let arn = |service: &str, resource: &str| format!("arn:{}:{service}:{region}:{}:{resource}", hub.partition(), home.account);
    match &aws.target {
        Target::Sns { topic_arn } => allow(&["sns:Publish"], topic_arn),
        Target::Email { from, .. } => {
            let mut statement = allow(&["ses:SendEmail"], &arn("ses", "*"));
            if let Some(members) = statement.as_object_mut() {
                members.insert("Condition".to_owned(), json!({ "StringEquals": { "ses:FromAddress": from } }));
            }
            statement
        }
        Target::Sqs { queue_url } => allow(&["sqs:SendMessage"], &queue_arn(hub, region, queue_url)),
        Target::Kinesis { stream_arn, .. } => allow(&["kinesis:PutRecord"], stream_arn),
        Target::Firehose { stream_name } => allow(&["firehose:PutRecord"], &arn("firehose", &format!("deliverystream/{stream_name}"))),
        Target::EventBus { bus_arn } => allow(&["events:PutEvents"], bus_arn),
        Target::Lambda { function_arn } => allow(&["lambda:InvokeFunction"], function_arn),
        Target::StepFunctions { state_machine_arn } => allow(&["states:StartExecution"], state_machine_arn),
        Target::LogGroup { name } => {
            let stream = arn("logs", &format!("log-group:{name}:log-stream:trailwire"));
            allow(&["logs:CreateLogStream", "logs:PutLogEvents"], &stream)
        }
        Target::Opensearch { endpoint, .. } if endpoint.contains(".aoss.") => allow(&["aoss:APIAccessAll"], &arn("aoss", "collection/*")),
        Target::Opensearch { endpoint, .. } => {
            let domain = domain(endpoint).unwrap_or("*");
            allow(&["es:ESHttpPost", "es:ESHttpPut"], &arn("es", &format!("domain/{domain}/*")))
        }
    }
}

/// `https://sqs.eu-west-1.amazonaws.com/111122223333/alerts`, in whichever form of it.
fn queue_arn(hub: &Hub, region: &str, url: &str) -> String {
    let mut parts = url.trim_end_matches('/').rsplit('/');
    let name = parts.next().unwrap_or_default();
    let account = parts.next().filter(|account| account.len() == 12).unwrap_or(&hub.home().account);
    format!("arn:{}:sqs:{region}:{account}:{name}", hub.partition())
}

/// The domain's name in an address that AWS gave: `https://search-NAME-HASH.REGION.es.amazonaws.com`.
fn domain(endpoint: &str) -> Option<&str> {
    let host = endpoint.split("://").nth(1)?.split(['/', ':']).next()?;
    let label = host.contains(".es.amazonaws.").then(|| host.split('.').next())??;
    let name = label.strip_prefix("search-").or_else(|| label.strip_prefix("vpc-"))?;
    name.rsplit_once('-').map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use crate::fanout::names::Cell;

    use super::*;

    #[test]
    fn a_destination_asks_for_itself_alone() {
        let hub = Hub::new("security", Cell::new("111122223333", "eu-west-1"));
        let secret = |name: &str| format!("arn:aws:secretsmanager:eu-west-1:111122223333:secret:{name}");
        let foreign = |arn: &str| ("slack", json!({ "secret_arn": arn }), Some(("secretsmanager:GetSecretValue", arn.to_owned())));
        for (kind, body, expected) in [
            ("webhook", json!({"url": "https://h/"}), None),
            ("slack", json!({"secret_arn": secret("trailwire/security/d/slack-webhook-url-AbCdEf")}), None),
            ("slack", json!({"secret_arn": secret("mine-AbCdEf")}), Some(("secretsmanager:GetSecretValue", secret("mine-AbCdEf")))),
            (
                "slack",
                json!({"secret_arn": secret("trailwire/security/other/slack-webhook-url-AbCdEf")}),
                Some(("secretsmanager:GetSecretValue", secret("trailwire/security/other/slack-webhook-url-AbCdEf"))),
            ),
            foreign("arn:aws:secretsmanager:us-east-1:111122223333:secret:trailwire/security/d/slack-webhook-url-AbCdEf"),
            foreign("arn:aws:secretsmanager:eu-west-1:444455556666:secret:trailwire/security/d/slack-webhook-url-AbCdEf"),
            (
                "sns",
                json!({"topic_arn": "arn:aws:sns:us-east-1:444455556666:t"}),
                Some(("sns:Publish", "arn:aws:sns:us-east-1:444455556666:t".to_owned())),
            ),
            (
                "sns",
                json!({"topic_arn": "arn:aws:sns:us-east-1:444455556666:t", "role_arn": "arn:aws:iam::444455556666:role/r"}),
                Some(("sts:AssumeRole", "arn:aws:iam::444455556666:role/r".to_owned())),
            ),
            (
                "sqs",
                json!({"queue_url": "https://sqs.us-east-1.amazonaws.com/444455556666/q"}),
                Some(("sqs:SendMessage", "arn:aws:sqs:us-east-1:444455556666:q".to_owned())),
            ),
            (
                "firehose",
                json!({"stream_name": "s"}),
                Some(("firehose:PutRecord", "arn:aws:firehose:eu-west-1:111122223333:deliverystream/s".to_owned())),
            ),
            (
                "log_group",
                json!({"name": "/a/b"}),
                Some(("logs:CreateLogStream", "arn:aws:logs:eu-west-1:111122223333:log-group:/a/b:log-stream:trailwire".to_owned())),
            ),
            (
                "opensearch",
                json!({"endpoint": "https://search-my-logs-abc123.us-east-1.es.amazonaws.com", "index": "i"}),
                Some(("es:ESHttpPost", "arn:aws:es:us-east-1:111122223333:domain/my-logs/*".to_owned())),
            ),
            (
                "opensearch",
                json!({"endpoint": "https://logs.example.com", "index": "i"}),
                Some(("es:ESHttpPost", "arn:aws:es:eu-west-1:111122223333:domain/*/*".to_owned())),
            ),
        ] {
            let destination = Destination::from_value(&json!({"name": "d", kind: [body]})).unwrap();
            let policy = destination_policy(&hub, &destination).map(|policy| serde_json::from_str::<Value>(&policy).unwrap());
            let told = policy.map(|policy| {
                assert_eq!(policy["Statement"].as_array().map(Vec::len), Some(1));
                let text = |pointer: &str| policy.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
                (text("/Statement/0/Action/0"), text("/Statement/0/Resource"))
            });
            assert_eq!(told, expected.map(|(action, resource)| (action.to_owned(), resource)), "{kind}");
        }
    }

    #[test]
    fn mail_is_sent_from_its_sender_only() {
        let hub = Hub::new("security", Cell::new("111122223333", "eu-west-1"));
        let destination = Destination::from_value(&json!({"name": "d", "email": [{"from": "a@b.c", "to": ["d@e.f"]}]})).unwrap();
        let policy: Value = serde_json::from_str(&destination_policy(&hub, &destination).unwrap()).unwrap();
        assert_eq!(policy["Statement"][0]["Condition"], json!({"StringEquals": {"ses:FromAddress": "a@b.c"}}));
    }
}
