//! Policy documents and queue attributes of a hub's objects, and when two documents say the same.

mod destination;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::function::Function;
use super::names::{Cell, Hub};
use super::table::{CANARY_PK, HubRecord, JOURNAL_PK, RUNTIME_PK};
use crate::operations;

pub use destination::{destination_policy, destination_policy_name};

/// The service that forwards events and fills queues.
const EVENTS: &str = "events.amazonaws.com";
const VERSION: &str = "2012-10-17";
/// Fourteen days, the longest that a queue keeps a message.
const RETENTION_SECONDS: u32 = 1_209_600;
/// How long a received message stays hidden: judging and committing a batch takes far less.
const VISIBILITY_SECONDS: u32 = 60;
/// AWS's most. The runtime moves what it cannot judge itself and says why; this only bounds what even that cannot handle, and an outage
/// in which messages are received again and again must not use it up.
const RECEIVES_MAX: u32 = 1_000;
/// The name of the reading role's only inline policy.
pub const READ_POLICY_NAME: &str = "read";
/// The name of the forwarding role's only inline policy.
pub const FORWARD_POLICY_NAME: &str = "forward";

/// How many accounts a bus policy can name and stay within its 10,240 characters; more must be let in by their organisation.
pub const ACCOUNTS_BY_NAME_MAX: usize = 250;

/// Whom a hub's bus takes events from, beside the hub's own account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Senders<'a> {
    /// These accounts.
    Accounts(&'a [String]),
    /// Every account of this organisation.
    Organization(&'a str),
}

/// Who may put events on the hub's bus: its own account and those of `senders`, and nobody else.
#[must_use]
pub fn bus_policy(hub: &Hub, senders: Senders<'_>) -> String {
    let named = match senders {
        Senders::Accounts(accounts) => accounts,
        Senders::Organization(_) => &[],
    };
    let own = &hub.home().account;
    let accounts = std::iter::once(own).chain(named.iter().filter(|account| *account != own));
    let principals: Vec<String> = accounts.map(|account| format!("arn:{}:iam::{account}:root", hub.partition())).collect();
    let allow = |sid: &str, principal: Value| json!({ "Sid": sid, "Effect": "Allow", "Principal": principal, "Action": "events:PutEvents", "Resource": hub.arn() });
    let mut statements = vec![allow("Trailwire", json!({ "AWS": principals }))];
    if let Senders::Organization(id) = senders {
        let mut all = allow("TrailwireOrganization", json!("*"));
        if let Some(statement) = all.as_object_mut() {
            statement.insert("Condition".to_owned(), json!({ "StringEquals": { "aws:PrincipalOrgID": id } }));
        }
        statements.push(all);
    }
    json!({ "Version": VERSION, "Statement": statements }).to_string()
}

/// The same by what the hub's item tells: its record, and the provider's settings, where an organisation is named.
#[must_use]
pub fn stored_bus_policy(hub: &Hub, record: &HubRecord, settings: Option<&str>) -> String {
    let settings = settings.and_then(|settings| serde_json::from_str::<Value>(settings).ok()).unwrap_or_default();
    let organization = settings.pointer("/organization/id").and_then(Value::as_str);
    bus_policy(hub, organization.map_or(Senders::Accounts(&record.accounts), Senders::Organization))
}

/// Who may take the forwarding role of an account: EventBridge, on behalf of this hub's rules in that account.
#[must_use]
pub fn forward_trust_policy(hub: &Hub, account: &str) -> String {
    let rules = format!("arn:{}:events:*:{account}:rule/{}*", hub.partition(), hub.own_prefix());
    json!({
        "Version": VERSION,
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": EVENTS },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "aws:SourceAccount": account }, "ArnLike": { "aws:SourceArn": rules } },
        }],
    })
    .to_string()
}

/// What the forwarding role may do: put events on the hub's bus.
#[must_use]
pub fn forward_policy(hub: &Hub) -> String {
    json!({
        "Version": VERSION,
        "Statement": [{ "Effect": "Allow", "Action": "events:PutEvents", "Resource": hub.arn() }],
    })
    .to_string()
}

/// Who may take the reading role of an account: whom the hub's own account lets take it, and only in the name of this hub.
#[must_use]
pub fn read_trust_policy(hub: &Hub) -> String {
    json!({
        "Version": VERSION,
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:{}:iam::{}:root", hub.partition(), hub.home().account) },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "sts:ExternalId": hub.arn() } },
        }],
    })
    .to_string()
}

/// What the reading role may do: what these operations need. One that is not known needs nothing.
#[must_use]
pub fn read_policy(query_operations: &[String]) -> String {
    let actions = query_operations.iter().filter_map(|name| Some(operations::named(name)?.1.action.as_str()));
    let actions: std::collections::BTreeSet<&str> = actions.collect();
    json!({ "Version": VERSION, "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }] }).to_string()
}

/// What the runtime of a hub must be allowed to do: read the queue, put dead letters aside, read and write the table, read the secrets
/// that the provider made, and, where the hub allows `queries`, take the reading role of each account. Secrets that are only named by ARN are not in it.
#[must_use]
pub fn runtime_policy(hub: &Hub, queries: bool) -> String {
    json!({ "Version": VERSION, "Statement": runtime_statements(hub, queries) }).to_string()
}

/// The same for the hub's Lambda function, which writes its log, too.
#[must_use]
pub fn function_policy(hub: &Hub, queries: bool) -> String {
    let group = hub.log_group_arn();
    let log = json!({ "Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": format!("{group}:*") });
    json!({ "Version": VERSION, "Statement": runtime_statements(hub, queries).into_iter().chain([log]).collect::<Vec<_>>() }).to_string()
}

/// Who may take the role of the hub's Lambda function: Lambda.
#[must_use]
pub fn function_trust_policy() -> String {
    let statement = json!({ "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole" });
    json!({ "Version": VERSION, "Statement": [statement] }).to_string()
}

fn runtime_statements(hub: &Hub, queries: bool) -> Vec<Value> {
    let (partition, home) = (hub.partition(), hub.home());
    let queue = hub.queue_arn(home, &hub.queue_name());
    let dead_letters = hub.queue_arn(home, &hub.dead_letter_queue_name());
    let table = format!("arn:{partition}:dynamodb:{}:{}:table/{}", home.region, home.account, hub.table_name());
    let secrets = format!("arn:{partition}:secretsmanager:{}:{}:secret:{}", home.region, home.account, hub.secret_name("*", "*"));
    let allow = |actions: &[&str], resource: &str| json!({ "Effect": "Allow", "Action": actions, "Resource": resource });
    // The runtime reads definitions and never writes one: whoever gets hold of its role cannot send notifications elsewhere.
    let own_rows = json!({ "ForAllValues:StringLike": { "dynamodb:LeadingKeys": [RUNTIME_PK, CANARY_PK, &format!("{JOURNAL_PK}*")] } });
    let writes = json!(["dynamodb:PutItem", "dynamodb:DeleteItem"]);
    let heartbeat = json!({ "Effect": "Allow", "Action": writes, "Resource": table, "Condition": own_rows });
    let read = queries.then(|| allow(&["sts:AssumeRole"], &hub.read_role_arn("*")));
    let mut statements = vec![
        // What it sends to its own queue are alarm clocks: delayed messages.
        allow(
            &[
                "sqs:ReceiveMessage",
                "sqs:SendMessage",
                "sqs:DeleteMessage",
                "sqs:ChangeMessageVisibility",
                "sqs:GetQueueAttributes",
                "sqs:GetQueueUrl",
            ],
            &queue,
        ),
        allow(&["sqs:SendMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"], &dead_letters),
        allow(&["dynamodb:GetItem", "dynamodb:Query"], &table),
        heartbeat,
        allow(&["secretsmanager:GetSecretValue"], &secrets),
    ];
    statements.extend(read);
    statements
}

/// Every attribute of the hub's queue that matters: filled by the hub's rule only, and patient with the hub's Lambda function where it has one.
#[must_use]
pub fn queue_attributes(hub: &Hub, function: Option<&Function>) -> BTreeMap<String, String> {
    let queue = hub.queue_arn(hub.home(), &hub.queue_name());
    let dead_letters = hub.queue_arn(hub.home(), &hub.dead_letter_queue_name());
    let redrive = json!({ "deadLetterTargetArn": dead_letters, "maxReceiveCount": RECEIVES_MAX });
    let condition = json!({ "ArnEquals": { "aws:SourceArn": hub.hub_rule_arn() } });
    common([
        ("VisibilityTimeout", function.map_or(VISIBILITY_SECONDS, Function::visibility_seconds).to_string()),
        ("ReceiveMessageWaitTimeSeconds", "20".to_owned()),
        ("RedrivePolicy", redrive.to_string()),
        ("Policy", events_may_send(&queue, condition)),
    ])
}

/// Every attribute of the hub's dead-letter queue that matters: dead letters of the hub's queue, and what the hub's rule could not put there.
#[must_use]
pub fn dead_letter_queue_attributes(hub: &Hub) -> BTreeMap<String, String> {
    let queue = hub.queue_arn(hub.home(), &hub.queue_name());
    let allow = json!({ "redrivePermission": "byQueue", "sourceQueueArns": [queue] });
    let dead_letters = hub.queue_arn(hub.home(), &hub.dead_letter_queue_name());
    let condition = json!({ "ArnEquals": { "aws:SourceArn": hub.hub_rule_arn() } });
    common([("RedriveAllowPolicy", allow.to_string()), ("Policy", events_may_send(&dead_letters, condition))])
}

/// Every attribute of a cell's forward dead-letter queue that matters: filled by this hub's rules of that cell only.
#[must_use]
pub fn forward_dead_letter_queue_attributes(hub: &Hub, cell: &Cell) -> BTreeMap<String, String> {
    let queue = hub.queue_arn(cell, &hub.forward_dead_letter_queue_name());
    let rules = format!("arn:{}:events:{}:{}:rule/{}*", hub.partition(), cell.region, cell.account, hub.own_prefix());
    common([("Policy", events_may_send(&queue, json!({ "ArnLike": { "aws:SourceArn": rules } })))])
}

fn events_may_send(queue_arn: &str, condition: Value) -> String {
    json!({
        "Version": VERSION,
        "Statement": [{
            "Sid": "TrailwireRules",
            "Effect": "Allow",
            "Principal": { "Service": EVENTS },
            "Action": "sqs:SendMessage",
            "Resource": queue_arn,
            "Condition": condition,
        }],
    })
    .to_string()
}

fn common<const N: usize>(others: [(&str, String); N]) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::from([
        ("MessageRetentionPeriod".to_owned(), RETENTION_SECONDS.to_string()),
        ("SqsManagedSseEnabled".to_owned(), "true".to_owned()),
    ]);
    attributes.extend(others.map(|(name, value)| (name.to_owned(), value)));
    attributes
}

/// The names of the wanted attributes that a queue does not have, in order. JSON attributes are compared by what they say.
#[must_use]
pub fn differing_attributes(wanted: &BTreeMap<String, String>, found: &BTreeMap<String, String>) -> Vec<String> {
    wanted
        .iter()
        .filter(|(name, value)| !found.get(*name).is_some_and(|found| same_document(value, found)))
        .map(|(name, _)| name.clone())
        .collect()
}

/// Whether two documents say the same: equal JSON once a list of one stands for its only member and numbers for their text (AWS
/// changes both), or equal text where it is not JSON.
#[must_use]
pub fn same_document(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    match (serde_json::from_str(one), serde_json::from_str(other)) {
        (Ok(one), Ok(other)) => normal(one) == normal(other),
        _ => false,
    }
}

fn normal(value: Value) -> Value {
    match value {
        Value::Array(values) if values.len() == 1 => values.into_iter().next().map_or(Value::Null, normal),
        Value::Array(values) => Value::Array(values.into_iter().map(normal).collect()),
        Value::Object(members) => Value::Object(members.into_iter().map(|(name, value)| (name, normal(value))).collect()),
        Value::Number(number) => Value::String(number.to_string()),
        other => other,
    }
}

/// A document as IAM returns it, percent-encoded (RFC 3986), decoded. What is not valid stays as it is.
#[must_use]
pub fn from_percent(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, byte) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub() -> Hub {
        Hub::new("security", Cell::new("111122223333", "eu-west-1"))
    }

    #[test]
    fn documents_say_the_same() {
        for (one, other, same) in [
            (r#"{"a":["x"],"b":1}"#, r#"{"b":"1","a":"x"}"#, true),
            (r#"{"a":["x","y"]}"#, r#"{"a":["x"]}"#, false),
            ("60", "60", true),
            ("true", "false", false),
            ("not json", "not json", true),
            ("not json", "{}", false),
        ] {
            assert_eq!(same_document(one, other), same, "{one} {other}");
        }
    }

    #[test]
    fn only_the_hub_rule_fills_the_queue() {
        let attributes = queue_attributes(&hub(), None);
        let policy: Value = serde_json::from_str(&attributes["Policy"]).unwrap();
        let statements = policy["Statement"].as_array().unwrap();
        assert_eq!(statements.len(), 1);
        assert_eq!(statements[0]["Principal"], json!({ "Service": "events.amazonaws.com" }));
        assert_eq!(statements[0]["Condition"], json!({ "ArnEquals": { "aws:SourceArn": hub().hub_rule_arn() } }));
        assert_eq!(statements[0]["Resource"], "arn:aws:sqs:eu-west-1:111122223333:trailwire-security");
        assert_eq!(attributes["SqsManagedSseEnabled"], "true");
    }

    #[test]
    fn forward_dead_letters_come_from_rules_of_the_same_cell() {
        let cell = Cell::new("111122223333", "us-east-1");
        let attributes = forward_dead_letter_queue_attributes(&hub(), &cell);
        let policy: Value = serde_json::from_str(&attributes["Policy"]).unwrap();
        let expected = format!("arn:aws:events:us-east-1:111122223333:rule/{}*", hub().own_prefix());
        assert_eq!(policy["Statement"][0]["Condition"]["ArnLike"]["aws:SourceArn"], expected);
    }

    #[test]
    fn a_bus_trusts_its_own_account_and_the_senders_only() {
        let root = |account: &str| format!("arn:aws:iam::{account}:root");
        let own = json!({
            "Sid": "Trailwire", "Effect": "Allow", "Principal": { "AWS": [root("111122223333")] }, "Action": "events:PutEvents",
            "Resource": "arn:aws:events:eu-west-1:111122223333:event-bus/trailwire-security",
        });
        let mut two = own.clone();
        two["Principal"] = json!({ "AWS": [root("111122223333"), root("444455556666")] });
        let mut all = own.clone();
        all["Sid"] = json!("TrailwireOrganization");
        all["Principal"] = json!("*");
        all["Condition"] = json!({ "StringEquals": { "aws:PrincipalOrgID": "o-abc1234567" } });
        let accounts = ["111122223333".to_owned(), "444455556666".to_owned()];
        for (senders, statements) in [
            (Senders::Accounts(&[]), json!([own])),
            (Senders::Accounts(&accounts), json!([two])),
            (Senders::Organization("o-abc1234567"), json!([own, all])),
        ] {
            let policy: Value = serde_json::from_str(&bus_policy(&hub(), senders)).unwrap();
            assert_eq!(policy["Statement"], statements);
        }
    }

    #[test]
    fn as_many_accounts_as_a_bus_policy_takes_fit_into_it() {
        let hub = Hub::new("h".repeat(32), Cell::new("111122223333", "us-gov-west-1"));
        let accounts: Vec<String> = (1..ACCOUNTS_BY_NAME_MAX).map(|account| format!("{account:012}")).collect();
        let length = bus_policy(&hub, Senders::Accounts(&accounts)).len();
        assert!(length <= 10_240, "{length}");
    }

    #[test]
    fn a_forwarding_role_is_taken_for_the_rules_of_its_hub_and_account_only() {
        let policy: Value = serde_json::from_str(&forward_trust_policy(&hub(), "444455556666")).unwrap();
        assert_eq!(
            policy["Statement"][0]["Condition"],
            json!({
                "StringEquals": { "aws:SourceAccount": "444455556666" },
                "ArnLike": { "aws:SourceArn": "arn:aws:events:*:444455556666:rule/tw-755b7686-*" },
            })
        );
    }

    #[test]
    fn attributes_that_differ_are_named() {
        let wanted = queue_attributes(&hub(), None);
        let mut found = wanted.clone();
        assert!(differing_attributes(&wanted, &found).is_empty());
        found.remove("Policy");
        found.insert("VisibilityTimeout".to_owned(), "1".to_owned());
        found.insert("Foreign".to_owned(), "1".to_owned());
        assert_eq!(differing_attributes(&wanted, &found), ["Policy", "VisibilityTimeout"]);
    }

    #[test]
    fn documents_of_iam_are_decoded() {
        for (encoded, decoded) in [("%7B%22a%22%3A1%7D", r#"{"a":1}"#), ("{}", "{}"), ("100%", "100%"), ("%zz", "%zz"), ("%C3%A9", "é")] {
            assert_eq!(from_percent(encoded), decoded);
        }
    }
}
