//! A hub made by hand: its queue, dead-letter queue and table, in an account of its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::cloudtrail::Event;
use crate::process::{Finished, Program};
use crate::runtime;
use crate::stand::Stand;
use aws_sdk_dynamodb::types::{AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use aws_sdk_sqs::types::{Message, QueueAttributeName, SendMessageBatchRequestEntry};
use serde_json::{Value, json};
use tempfile::TempDir;
use trailwire_engine::fanout::names;
use trailwire_engine::fanout::table::{self, Attribute, Claim, Definition, HubItem, HubRecord, Item, Kind};

/// How long a slow and busy machine may take for what a test waits for.
const PATIENCE: Duration = Duration::from_secs(120);

/// The home region of these hubs.
pub const REGION: &str = "eu-central-1";

/// A hub that nobody applied: what a runtime needs of one, and no bus.
pub struct Hub {
    /// Where it lives.
    pub stand: &'static Stand,
    /// Its account.
    pub account: String,
    /// Its name.
    pub name: String,
    /// The state directory of its runtime.
    pub state: TempDir,
    /// A client for its queues.
    pub sqs: aws_sdk_sqs::Client,
    /// A client for its table.
    pub table: aws_sdk_dynamodb::Client,
    /// Its queue.
    pub queue_url: String,
    /// Its dead-letter queue.
    pub dead_letter_queue_url: String,
    table_name: String,
}

impl Hub {
    /// A hub without definitions, at revision 1.
    pub async fn new(name: &str) -> Self {
        let stand = Stand::shared();
        let account = stand.new_account();
        let config = stand.sdk(&account, REGION).await;
        let (sqs, table) = (aws_sdk_sqs::Client::new(&config), aws_sdk_dynamodb::Client::new(&config));
        let hub = names::Hub::new(name, names::Cell::new(&account, REGION));
        let queue = async |name: String| sqs.create_queue().queue_name(name).send().await.unwrap().queue_url.unwrap();
        let (queue_url, dead_letter_queue_url) = (queue(hub.queue_name()).await, queue(hub.dead_letter_queue_name()).await);
        let made = Self {
            stand,
            account,
            name: name.to_owned(),
            state: tempfile::tempdir().unwrap(),
            sqs,
            table,
            queue_url,
            dead_letter_queue_url,
            table_name: hub.table_name(),
        };
        made.make_table().await;
        let record = HubRecord {
            format_version: table::FORMAT_VERSION,
            name: name.to_owned(),
            region: REGION.to_owned(),
            account_id: made.account.clone(),
            bus_arn: hub.arn(),
            queue_url: made.queue_url.clone(),
            queue_arn: format!("arn:aws:sqs:{REGION}:{}:{}", made.account, hub.queue_name()),
            dead_letter_queue_url: made.dead_letter_queue_url.clone(),
            forward_role_arn: hub.forward_role_arn(&made.account),
            regions: vec![REGION.to_owned(), "us-east-1".to_owned()],
            accounts: vec![made.account.clone()],
            without: BTreeMap::new(),
            abandoned: vec![],
            own_role_arns: vec![],
            query_operations: vec![],
            forward_dead_letter: true,
        };
        made.put(HubItem { record: Some(record), settings: None, revision: 1, claim: Claim::live() }.write()).await;
        made
    }

    async fn make_table(&self) {
        let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
        let text = |name: &str| AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build().unwrap();
        let create = self.table.create_table().table_name(&self.table_name).billing_mode(BillingMode::PayPerRequest);
        let create = create.key_schema(key(table::PK, KeyType::Hash)).key_schema(key(table::SK, KeyType::Range));
        create.attribute_definitions(text(table::PK)).attribute_definitions(text(table::SK)).send().await.unwrap();
    }

    async fn put(&self, item: Item) {
        let item = item.into_iter().map(|(name, value)| {
            let value = match value {
                Attribute::Text(text) => AttributeValue::S(text),
                Attribute::Number(number) => AttributeValue::N(number.to_string()),
            };
            (name, value)
        });
        self.table.put_item().table_name(&self.table_name).set_item(Some(item.collect())).send().await.unwrap();
    }

    /// Raises the revision, as every change of a definition does.
    pub async fn revise(&self) -> u64 {
        let update = self.table.update_item().table_name(&self.table_name);
        let update = update.key(table::PK, AttributeValue::S("hub".to_owned())).key(table::SK, AttributeValue::S("hub".to_owned()));
        let update = update
            .update_expression("SET revision = revision + :one")
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()));
        let answer = update.return_values(aws_sdk_dynamodb::types::ReturnValue::AllNew).send().await.unwrap();
        answer.attributes.unwrap()["revision"].as_n().unwrap().parse().unwrap()
    }

    /// Puts a definition and raises the revision.
    pub async fn define(&self, kind: Kind, name: &str, document: &str) -> u64 {
        let definition = Definition {
            kind,
            name: name.to_owned(),
            document: Some(document.to_owned()),
            settings: None,
            claim: Claim::live(),
            revision: 0,
        };
        self.put(definition.write()).await;
        self.revise().await
    }

    /// A webhook to the sink's path of this hub, under the name `hook`.
    pub async fn hook(&self) {
        let hook = json!({"name": "hook", "webhook": [{"url": self.stand.sink().at(&self.path())}]});
        self.define(Kind::Destination, "hook", &hook.to_string()).await;
    }

    /// A trigger on one event name that notifies `hook`.
    pub async fn trigger(&self, name: &str, event_name: &str) -> u64 {
        let trigger = json!({"name": name, "event_names": [event_name], "action": [{"notify": [{"destinations": ["hook"]}]}]});
        self.define(Kind::Trigger, name, &trigger.to_string()).await
    }

    /// The sink's path for this hub.
    pub fn path(&self) -> String {
        format!("/runtime/{}", self.account)
    }

    /// An event of IAM in its account.
    pub fn event(&self, name: &str) -> Event {
        Event::new(&self.account, "us-east-1", "iam", name)
    }

    /// Makes the queue give a message up when it is received a second time.
    pub async fn give_up_after_one_receive(&self) {
        let hub = names::Hub::new(&self.name, names::Cell::new(&self.account, REGION));
        let target = hub.queue_arn(hub.home(), &hub.dead_letter_queue_name());
        let policy = json!({"deadLetterTargetArn": target, "maxReceiveCount": 1}).to_string();
        let set = self.sqs.set_queue_attributes().queue_url(&self.queue_url);
        set.attributes(QueueAttributeName::RedrivePolicy, policy).send().await.unwrap();
    }

    /// Puts a message into its queue.
    pub async fn send(&self, body: &str) {
        self.sqs.send_message().queue_url(&self.queue_url).message_body(body).send().await.unwrap();
    }

    /// The state directory of its runtime.
    pub fn state(&self) -> &Path {
        self.state.path()
    }

    /// Starts a runtime.
    pub fn start(&self) -> Program {
        runtime::start(self.stand, &self.account, REGION, &self.name, self.state())
    }

    /// A runtime with a state directory and arguments of its own.
    pub fn start_with(&self, state: &Path, arguments: &[&str]) -> Program {
        let arguments = [&["run", "--hub", &self.name], arguments].concat();
        let mut command = runtime::command(self.stand, &self.account, REGION, &arguments);
        command.env("TRAILWIRE_STATE_DIR", state);
        Program::start(command)
    }

    /// Sends many messages, ten at a time.
    pub async fn send_all(&self, bodies: &[String]) {
        for some in bodies.chunks(10) {
            let entry = |(index, body): (usize, &String)| {
                SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(body).build().unwrap()
            };
            let entries = some.iter().enumerate().map(entry).collect();
            let sent = self.sqs.send_message_batch().queue_url(&self.queue_url).set_entries(Some(entries)).send().await.unwrap();
            assert!(sent.failed.is_empty(), "{sent:?}");
        }
    }

    /// Waits until the queue is empty.
    ///
    /// # Panics
    /// When it is not within two minutes.
    pub async fn emptied(&self) {
        let begun = Instant::now();
        loop {
            let left = self.queued().await;
            if left == 0 {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{left} messages are left in the queue");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Waits until the journal in its table holds runs that are not over, and nobody works on any of them.
    ///
    /// # Panics
    /// When that is not so within two minutes.
    pub async fn released(&self) {
        let begun = Instant::now();
        loop {
            let owners = self.owners().await;
            if !owners.is_empty() && owners.iter().all(String::is_empty) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "the runs that are not over are those of {owners:?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Who works on each run that is not over; an empty name is nobody's. The journal spreads them over four hash keys.
    async fn owners(&self) -> Vec<String> {
        let mut owners = Vec::new();
        for shard in 0..4 {
            let query = self.table.query().table_name(&self.table_name).key_condition_expression("pk = :pk");
            let query = query.expression_attribute_values(":pk", AttributeValue::S(format!("journal/due/{shard}"))).consistent_read(true);
            let items = query.send().await.unwrap().items.unwrap_or_default();
            owners.extend(items.iter().map(|item| String::from_utf8_lossy(item["data"].as_b().unwrap().as_ref()).into_owned()));
        }
        owners
    }

    /// Runs until there is nothing left to do.
    pub async fn run(&self) -> Finished {
        let mut command = runtime::command(self.stand, &self.account, REGION, &["run", "--hub", &self.name, "--until-idle", "3s"]);
        command.env("TRAILWIRE_STATE_DIR", self.state());
        Program::start(command).finish().await
    }

    /// Everything in the dead-letter queue: reason and body.
    pub async fn dead_letters(&self) -> Vec<(String, String)> {
        let reason =
            |message: &Message| message.message_attributes.as_ref().and_then(|all| all["reason"].string_value.clone()).unwrap_or_default();
        let mut found = Vec::new();
        loop {
            let receive = self.sqs.receive_message().queue_url(&self.dead_letter_queue_url).max_number_of_messages(10);
            let messages = receive.message_attribute_names("All").wait_time_seconds(1).send().await.unwrap().messages.unwrap_or_default();
            if messages.is_empty() {
                found.sort();
                return found;
            }
            found.extend(messages.iter().map(|message| (reason(message), message.body.clone().unwrap())));
        }
    }

    /// Messages in the queue, seen and unseen.
    pub async fn queued(&self) -> u64 {
        let wanted = [QueueAttributeName::ApproximateNumberOfMessages, QueueAttributeName::ApproximateNumberOfMessagesNotVisible];
        let get = self.sqs.get_queue_attributes().queue_url(&self.queue_url).set_attribute_names(Some(wanted.to_vec()));
        let attributes = get.send().await.unwrap().attributes.unwrap();
        wanted.iter().map(|name| attributes[name].parse::<u64>().unwrap()).sum()
    }

    /// The items that runtimes left as a sign of life: revision, and what they refuse.
    pub async fn signs_of_life(&self) -> Vec<(u64, Value)> {
        let query = self.table.query().table_name(&self.table_name).key_condition_expression("pk = :pk");
        let query = query.expression_attribute_values(":pk", AttributeValue::S(table::RUNTIME_PK.to_owned())).consistent_read(true);
        let items = query.send().await.unwrap().items.unwrap_or_default();
        items
            .iter()
            .map(|item| (item["revision"].as_n().unwrap().parse().unwrap(), serde_json::from_str(item["refused"].as_s().unwrap()).unwrap()))
            .collect()
    }
}
