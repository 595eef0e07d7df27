//! Destinations in AWS, reached for real: what `trailwire destination test` sends is found where it was sent to.

use aws_sdk_sqs::types::QueueAttributeName;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use trailwire_tests::runtime;
use trailwire_tests::stand::Stand;

const REGION: &str = "eu-west-1";

/// An account on the stand, and the plain way to its services: not every one has its SDK here.
struct Account {
    stand: &'static Stand,
    id: String,
    client: reqwest::Client,
    definitions: TempDir,
}

impl Account {
    fn new() -> Self {
        let stand = Stand::shared();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { stand, id: stand.new_account(), client, definitions: tempfile::tempdir().unwrap() }
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{REGION}:{}:{resource}", self.id)
    }

    async fn post(&self, service: &str, headers: &[(&str, &str)], body: String) -> String {
        let scope = format!("{}/20260101/{REGION}/{service}/aws4_request", self.id);
        let mut request = self.client.post(self.stand.endpoint()).body(body);
        request = request.header("authorization", format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{service} {headers:?}: {status} {text}");
        text
    }

    async fn json(&self, service: &str, target: &str, body: Value) -> Value {
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
        let text = self.post(service, &headers, body.to_string()).await;
        serde_json::from_str(&text).unwrap_or_default()
    }

    async fn form(&self, service: &str, form: &str) -> String {
        self.post(service, &[("content-type", "application/x-www-form-urlencoded")], form.to_owned()).await
    }

    /// Sends a sample, or a whole event, and gives what was sent as data, without what differs each time.
    async fn test(&self, kind: &str, block: Value, arguments: &[&str]) {
        let file = self.definitions.path().join("definitions.json");
        let document = json!({"format_version": 1, "destinations": [{"name": "there", kind: [block]}]});
        std::fs::write(&file, document.to_string()).unwrap();
        let mut command = runtime::command(self.stand, &self.id, REGION, &["destination", "test", "there", "--definitions"]);
        command.arg(&file).args(arguments);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "{kind}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("the destination `there` ({kind}) has taken a sample\n"));
    }

    async fn queue(&self, name: &str) -> (aws_sdk_sqs::Client, String) {
        let sqs = aws_sdk_sqs::Client::new(&self.stand.sdk(&self.id, REGION).await);
        let url = sqs.create_queue().queue_name(name).send().await.unwrap().queue_url.unwrap();
        (sqs, url)
    }
}

async fn next(sqs: &aws_sdk_sqs::Client, url: &str) -> String {
    let received = sqs.receive_message().queue_url(url).wait_time_seconds(20).message_attribute_names("All").send().await.unwrap();
    let message = received.messages().first().unwrap_or_else(|| panic!("nothing came to {url}")).clone();
    sqs.delete_message().queue_url(url).receipt_handle(message.receipt_handle().unwrap()).send().await.unwrap();
    message.body.unwrap()
}

#[track_caller]
fn is_sample(text: &str, kind: &str) {
    let data: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("no JSON ({error}): {text}"));
    assert_eq!((&data["type"], &data["data"]["trigger"]), (&json!(kind), &json!("destination-test")), "{text}");
    assert_eq!(data["data"]["event"]["detail"]["eventName"], "AuthorizeSecurityGroupIngress");
    assert!(data["id"].as_str().unwrap().starts_with("msg_"));
}

#[tokio::test]
async fn a_queue_gets_notifications_and_events_also_by_a_role_of_another_account() {
    let (own, other) = (Account::new(), Account::new());
    let (sqs, url) = own.queue("alerts").await;
    own.test("sqs", json!({"queue_url": url}), &[]).await;
    is_sample(&next(&sqs, &url).await, "trailwire.notification");
    own.test("sqs", json!({"queue_url": url}), &["--send"]).await;
    is_sample(&next(&sqs, &url).await, "trailwire.event");
    let (sqs, url) = other.queue("theirs").await;
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{}:root", own.id)}, "Action": "sts:AssumeRole"}]});
    let trust = trust.to_string().replace('{', "%7B").replace('}', "%7D").replace('"', "%22").replace(':', "%3A");
    other.form("iam", &format!("Action=CreateRole&Version=2010-05-08&RoleName=alerts&AssumeRolePolicyDocument={trust}")).await;
    own.test("sqs", json!({"queue_url": url, "role_arn": format!("arn:aws:iam::{}:role/alerts", other.id)}), &[]).await;
    is_sample(&next(&sqs, &url).await, "trailwire.notification");
}

#[tokio::test]
async fn a_topic_and_a_bus_hand_on_what_they_get() {
    let account = Account::new();
    let (sqs, url) = account.queue("subscriber").await;
    let queue = account.arn("sqs", "subscriber");
    account.form("sns", "Action=CreateTopic&Version=2010-03-31&Name=alerts").await;
    let topic = account.arn("sns", "alerts");
    let escaped = |text: &str| text.replace(':', "%3A");
    let subscribe = format!("Action=Subscribe&Version=2010-03-31&Protocol=sqs&TopicArn={}&Endpoint={}", escaped(&topic), escaped(&queue));
    account.form("sns", &subscribe).await;
    account.test("sns", json!({"topic_arn": topic}), &[]).await;
    let received: Value = serde_json::from_str(&next(&sqs, &url).await).unwrap();
    assert_eq!(received["Subject"], "AuthorizeSecurityGroupIngress by Admin/alice (role session) (a test of trailwire)");
    assert!(received["Message"].as_str().unwrap().contains("\nGroup: sg-0123456789abcdef0\n"), "{received}");
    assert_eq!(received["MessageAttributes"]["trigger"]["Value"], "destination-test");
    account.test("sns", json!({"topic_arn": topic}), &["--send"]).await;
    let received: Value = serde_json::from_str(&next(&sqs, &url).await).unwrap();
    is_sample(received["Message"].as_str().unwrap(), "trailwire.event");

    account.json("events", "AWSEvents.CreateEventBus", json!({"Name": "alerts"})).await;
    let pattern = json!({"source": ["trailwire"], "detail-type": ["Trailwire Event"]}).to_string();
    account.json("events", "AWSEvents.PutRule", json!({"Name": "all", "EventBusName": "alerts", "EventPattern": pattern})).await;
    let rule = account.arn("events", "rule/alerts/all");
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage", "Resource": queue, "Condition": {"ArnEquals": {"aws:SourceArn": rule}}}]});
    let set = sqs.set_queue_attributes().queue_url(&url).attributes(QueueAttributeName::Policy, policy.to_string());
    set.send().await.unwrap();
    let target = json!({"Rule": "all", "EventBusName": "alerts", "Targets": [{"Id": "1", "Arn": queue}]});
    account.json("events", "AWSEvents.PutTargets", target).await;
    account.test("event_bus", json!({"bus_arn": account.arn("events", "event-bus/alerts")}), &["--send"]).await;
    let received: Value = serde_json::from_str(&next(&sqs, &url).await).unwrap();
    is_sample(&received["detail"].to_string(), "trailwire.event");
}

#[tokio::test]
async fn a_log_group_and_a_stream_keep_what_they_get() {
    let account = Account::new();
    account.json("logs", "Logs_20140328.CreateLogGroup", json!({"logGroupName": "/trailwire/events"})).await;
    for arguments in [&[][..], &["--send"]] {
        account.test("log_group", json!({"name": "/trailwire/events"}), arguments).await;
    }
    let asked = json!({"logGroupName": "/trailwire/events", "logStreamName": "trailwire", "startFromHead": true});
    let found = account.json("logs", "Logs_20140328.GetLogEvents", asked).await;
    let messages: Vec<&str> = found["events"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap()).collect();
    assert_eq!(messages.len(), 2);
    is_sample(messages[0], "trailwire.notification");
    is_sample(messages[1], "trailwire.event");

    account.json("kinesis", "Kinesis_20131202.CreateStream", json!({"StreamName": "events", "ShardCount": 1})).await;
    let block = json!({"stream_arn": account.arn("kinesis", "stream/events"), "partition_key": "detail.eventName"});
    account.test("kinesis", block, &["--send"]).await;
    let shards = account.json("kinesis", "Kinesis_20131202.ListShards", json!({"StreamName": "events"})).await;
    let shard = shards["Shards"][0]["ShardId"].clone();
    let asked = json!({"StreamName": "events", "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"});
    let iterator = account.json("kinesis", "Kinesis_20131202.GetShardIterator", asked).await;
    let records = account.json("kinesis", "Kinesis_20131202.GetRecords", json!({"ShardIterator": iterator["ShardIterator"]})).await;
    let record = &records["Records"][0];
    assert_eq!(record["PartitionKey"], "AuthorizeSecurityGroupIngress");
    is_sample(&String::from_utf8(STANDARD.decode(record["Data"].as_str().unwrap()).unwrap()).unwrap(), "trailwire.event");
}

#[tokio::test]
async fn a_state_machine_is_started_and_mail_is_sent() {
    let account = Account::new();
    let definition = json!({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}).to_string();
    let machine = json!({"name": "alerts", "definition": definition, "roleArn": format!("arn:aws:iam::{}:role/x", account.id)});
    account.json("states", "AWSStepFunctions.CreateStateMachine", machine).await;
    let arn = account.arn("states", "stateMachine:alerts");
    account.test("step_functions", json!({"state_machine_arn": arn}), &["--send"]).await;
    let listed = account.json("states", "AWSStepFunctions.ListExecutions", json!({"stateMachineArn": arn})).await;
    let execution = listed["executions"][0]["executionArn"].clone();
    assert!(listed["executions"][0]["name"].as_str().unwrap().starts_with("msg_"), "{listed}");
    let described = account.json("states", "AWSStepFunctions.DescribeExecution", json!({"executionArn": execution})).await;
    is_sample(described["input"].as_str().unwrap(), "trailwire.event");

    account.form("ses", "Action=VerifyEmailIdentity&Version=2010-12-01&EmailAddress=trailwire%40example.com").await;
    account.test("email", json!({"from": "trailwire@example.com", "to": ["security@example.com"]}), &[]).await;
    let statistics = account.form("ses", "Action=GetSendStatistics&Version=2010-12-01").await;
    assert!(statistics.contains("<DeliveryAttempts>1</DeliveryAttempts>"), "{statistics}");
}
