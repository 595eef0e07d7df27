//! An account on the shared stand, with the objects that the tests of the stand need.

use aws_sdk_eventbridge::types::{DeadLetterConfig, RuleState, Target};
use aws_sdk_sqs::types::{Message, QueueAttributeName};
use serde_json::{Value, json};
use trailwire_tests::control::Control;
use trailwire_tests::stand::Stand;

/// The pattern that fits every event from AWS.
pub(crate) const ANY: &str = r#"{"source":[{"prefix":"aws."}]}"#;

pub(crate) struct World {
    pub(crate) stand: &'static Stand,
    pub(crate) account: String,
}

impl World {
    pub(crate) fn new() -> Self {
        let stand = Stand::shared();
        Self { stand, account: stand.new_account() }
    }

    pub(crate) fn control(&self) -> &Control {
        self.stand.control()
    }

    pub(crate) async fn events(&self, region: &str) -> aws_sdk_eventbridge::Client {
        aws_sdk_eventbridge::Client::new(&self.stand.sdk(&self.account, region).await)
    }

    pub(crate) async fn sqs(&self, region: &str) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.stand.sdk(&self.account, region).await)
    }

    pub(crate) async fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.stand.sdk(&self.account, "us-east-1").await)
    }

    /// A queue that EventBridge may send to on behalf of any rule of this account; its URL and ARN.
    pub(crate) async fn queue(&self, region: &str, name: &str) -> (String, String) {
        let arn = format!("arn:aws:sqs:{region}:{}:{name}", self.account);
        let policy = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "events.amazonaws.com" },
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": { "ArnLike": { "aws:SourceArn": format!("arn:aws:events:*:{}:rule/*", self.account) } },
        }]});
        let create = self.sqs(region).await.create_queue().queue_name(name).attributes(QueueAttributeName::Policy, policy.to_string());
        (create.send().await.unwrap().queue_url.unwrap(), arn)
    }

    /// A rule on a bus with one target.
    pub(crate) async fn rule(&self, region: &str, bus: &str, name: &str, state: RuleState, target: Target) {
        let events = self.events(region).await;
        events.put_rule().event_bus_name(bus).name(name).event_pattern(ANY).state(state).send().await.unwrap();
        let put = events.put_targets().event_bus_name(bus).rule(name).targets(target).send().await.unwrap();
        assert_eq!(put.failed_entry_count, 0);
    }

    /// A role with this trust and permission; its ARN.
    pub(crate) async fn role(&self, name: &str, trusted: &str, action: &str) -> String {
        let iam = self.iam().await;
        let trust = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "Service": trusted }, "Action": "sts:AssumeRole",
        }]});
        let role = iam.create_role().path("/trailwire/").role_name(name).assume_role_policy_document(trust.to_string());
        let arn = role.send().await.unwrap().role.unwrap().arn;
        let policy = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": action, "Resource": "*" }] });
        iam.put_role_policy().role_name(name).policy_name("p").policy_document(policy.to_string()).send().await.unwrap();
        arn
    }

    /// A bus, with a rule that sends all it gets to a queue; the bus's ARN and the queue's URL.
    pub(crate) async fn hub(&self, region: &str) -> (String, String) {
        let bus = self.events(region).await.create_event_bus().name("hub").send().await.unwrap().event_bus_arn.unwrap();
        let (url, arn) = self.queue(region, "hub").await;
        self.rule(region, "hub", "to-queue", RuleState::EnabledWithAllCloudtrailManagementEvents, target(&arn)).await;
        (bus, url)
    }

    /// What is on the queue now, at most ten messages.
    pub(crate) async fn messages(&self, region: &str, url: &str) -> Vec<Message> {
        let receive = self.sqs(region).await.receive_message().queue_url(url).max_number_of_messages(10).message_attribute_names("All");
        receive.send().await.unwrap().messages.unwrap_or_default()
    }

    /// The events on the queue now.
    pub(crate) async fn received(&self, region: &str, url: &str) -> Vec<Value> {
        let messages = self.messages(region, url).await;
        messages.iter().map(|message| serde_json::from_str(message.body().unwrap()).unwrap()).collect()
    }
}

pub(crate) fn target(arn: &str) -> Target {
    Target::builder().id("t").arn(arn).build().unwrap()
}

pub(crate) fn forwarding(bus: &str, role: &str, dead_letters: Option<&str>) -> Target {
    let dead_letters = dead_letters.map(|arn| DeadLetterConfig::builder().arn(arn).build());
    Target::builder().id("t").arn(bus).role_arn(role).set_dead_letter_config(dead_letters).build().unwrap()
}
