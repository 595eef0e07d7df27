//! An account of its own on the shared stand, with a Terraform working directory.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use trailwire_tests::cloudtrail::Event;
use trailwire_tests::control::{Control, Matcher};
use trailwire_tests::leftovers;
use trailwire_tests::process::{Finished, Program};
use trailwire_tests::runtime;
use trailwire_tests::sink::Notification;
use trailwire_tests::stand::Stand;
use trailwire_tests::terraform::Workspace;

/// The home region of every hub here.
pub(crate) const HOME: &str = "us-east-1";
/// Every region that these tests touch.
pub(crate) const REGIONS: [&str; 4] = ["us-east-1", "eu-west-1", "eu-north-1", "ap-southeast-2"];

pub(crate) struct World {
    pub(crate) stand: &'static Stand,
    pub(crate) account: String,
    pub(crate) terraform: Workspace,
}

impl World {
    /// A new account. Tests make the same names again at once: a deleted queue's name is free here.
    pub(crate) async fn new() -> Self {
        let stand = Stand::shared();
        stand.control().hold_queue_names(Duration::ZERO).await;
        let account = stand.new_account();
        let terraform = Workspace::new(stand, &account, HOME);
        Self { stand, account, terraform }
    }

    pub(crate) fn control(&self) -> &Control {
        self.stand.control()
    }

    /// Another state in the same account.
    pub(crate) fn other_state(&self) -> Workspace {
        Workspace::new(self.stand, &self.account, HOME)
    }

    /// The calls of this account.
    pub(crate) fn calls(&self, service: &str, operation: &str) -> Matcher {
        Matcher::operation(service, operation).by(&self.account)
    }

    pub(crate) async fn events(&self, region: &str) -> aws_sdk_eventbridge::Client {
        aws_sdk_eventbridge::Client::new(&self.stand.sdk(&self.account, region).await)
    }

    /// The trigger rules of a region: name to (state, pattern).
    pub(crate) async fn rules(&self, region: &str) -> BTreeMap<String, (String, String)> {
        let rules = leftovers::rules(self.stand, &self.account, region, "default").await;
        let rules = rules.iter().filter(|rule| !leftovers::is_canary(rule));
        let facts = rules.map(|rule| {
            let state = rule.state().map(|state| state.as_str().to_owned()).unwrap_or_default();
            (rule.name().unwrap_or_default().to_owned(), (state, rule.event_pattern().unwrap_or_default().to_owned()))
        });
        facts.collect()
    }

    /// The only trigger rule of a region.
    pub(crate) async fn rule(&self, region: &str) -> String {
        let rules = self.rules(region).await;
        let names: Vec<&String> = rules.keys().collect();
        let [name] = names.as_slice() else { panic!("{region} has the rules {names:?}") };
        (*name).clone()
    }

    /// A place for this world's notifications, and its URL.
    pub(crate) fn webhook(&self) -> (String, String) {
        let path = format!("/{}", self.account);
        let url = self.stand.sink().at(&path);
        (path, url)
    }

    /// Runs the hub's runtime until it has nothing left to do.
    pub(crate) async fn run_until_idle(&self, journal: &Path) -> Finished {
        let arguments = ["run", "--hub", "security", "--until-idle", "1s"];
        let mut command = runtime::command(self.stand, &self.account, HOME, &arguments);
        command.env("TRAILWIRE_STATE_DIR", journal);
        Program::start(command).finish().await.success()
    }

    /// Starts the hub's runtime.
    pub(crate) fn start_runtime(&self, journal: &Path) -> Program {
        runtime::start(self.stand, &self.account, HOME, "security", journal)
    }

    pub(crate) async fn sqs(&self, region: &str) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.stand.sdk(&self.account, region).await)
    }

    /// Throws away what is on the queues: a hub whose queues hold work refuses to go.
    pub(crate) async fn empty_queues(&self) {
        for region in REGIONS {
            let sqs = self.sqs(region).await;
            for url in sqs.list_queues().send().await.unwrap().queue_urls() {
                sqs.purge_queue().queue_url(url).send().await.unwrap();
            }
        }
    }

    /// Destroys everything and asserts that nothing is left.
    pub(crate) async fn destroy(&self) {
        self.empty_queues().await;
        self.terraform.destroy().await.success();
        self.assert_nothing_left().await;
    }

    pub(crate) async fn assert_nothing_left(&self) {
        assert_eq!(leftovers::of(self.stand, &self.account, &REGIONS).await, [] as [String; 0]);
    }
}

/// A configuration: hub `security`, destination `team`, and triggers.
#[derive(Clone)]
pub(crate) struct Configuration {
    pub(crate) regions: Vec<&'static str>,
    pub(crate) webhook: String,
    pub(crate) triggers: Vec<Trigger>,
}

/// A trigger that notifies `team`. `more` and `after` are put into its block as they are, before and after that action.
#[derive(Clone)]
pub(crate) struct Trigger {
    pub(crate) name: &'static str,
    pub(crate) event_names: Vec<&'static str>,
    pub(crate) more: String,
    pub(crate) after: String,
}

impl Trigger {
    pub(crate) fn new(name: &'static str, event_name: &'static str) -> Self {
        Self { name, event_names: vec![event_name], more: String::new(), after: String::new() }
    }

    pub(crate) fn with(mut self, line: &str) -> Self {
        self.more.push_str(line);
        self.more.push('\n');
        self
    }

    /// The trigger's block, for a hub of this expression.
    pub(crate) fn block(&self, hub: &str, destination: &str) -> String {
        let Self { name, event_names, more, after } = self;
        format!(
            r#"
resource "trailwire_trigger" "{name}" {{
  hub         = {hub}
  name        = "{name}"
  event_names = {event_names:?}
  {more}
  action {{
    notify {{
      destinations = [{destination}]
    }}
  }}
  {after}
}}
"#
        )
    }
}

/// What a notification tells: trigger, account and region of the event, and its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Told {
    pub(crate) trigger: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) event_id: String,
}

impl Told {
    pub(crate) fn new(trigger: &str, event: &Event) -> Self {
        let envelope = event.envelope();
        Self::read(trigger, &envelope)
    }

    pub(crate) fn of(notification: &Notification) -> Self {
        let body = notification.json();
        Self::read(text(&body, "/data/trigger"), &body["data"]["event"])
    }

    fn read(trigger: &str, envelope: &Value) -> Self {
        Self {
            trigger: trigger.to_owned(),
            account: text(envelope, "/account").to_owned(),
            region: text(envelope, "/region").to_owned(),
            event_id: text(envelope, "/detail/eventID").to_owned(),
        }
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no text at {pointer} of {value}"))
}

/// What arrived, in an order that does not depend on time.
pub(crate) fn told(notifications: &[Notification]) -> Vec<Told> {
    let mut told: Vec<Told> = notifications.iter().filter(|notification| notification.is_accepted()).map(Told::of).collect();
    told.sort();
    told
}

pub(crate) const PROVIDER: &str = r#"
terraform {
  required_providers {
    trailwire = { source = "trailwire/trailwire" }
  }
}
provider "trailwire" {
  region = "us-east-1"
}
"#;

impl Configuration {
    /// Two regions, one trigger on `RunInstances`.
    pub(crate) fn new(webhook: &str) -> Self {
        Self {
            regions: vec!["us-east-1", "eu-west-1"],
            webhook: webhook.to_owned(),
            triggers: vec![Trigger::new("instances", "RunInstances")],
        }
    }

    pub(crate) fn text(&self) -> String {
        let Self { regions, webhook, triggers } = self;
        let mut text = format!(
            r#"{PROVIDER}
resource "trailwire_hub" "security" {{
  name    = "security"
  regions = {regions:?}
}}
resource "trailwire_destination" "team" {{
  hub  = trailwire_hub.security.id
  name = "team"
  webhook {{
    url = "{webhook}"
  }}
}}
"#
        );
        for trigger in triggers {
            let _ = text.write_str(&trigger.block("trailwire_hub.security.id", "trailwire_destination.team.name"));
        }
        text
    }
}
