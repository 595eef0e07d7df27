//! What is to be said of a hub, place by place: the look of a refresh, without Terraform.

mod age;
mod canary;
mod function;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sqs::types::QueueAttributeName;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use trailwire_engine::fanout::alarms::WAIT_SECONDS;
use trailwire_engine::fanout::canary::rule as canary_rule;
use trailwire_engine::fanout::function::Function;
use trailwire_engine::fanout::names::{self, Carrier, Cell};
use trailwire_engine::fanout::objects::{FoundRole, Queue, Role};
use trailwire_engine::fanout::policy::{from_percent, same_document, stored_bus_policy};
use trailwire_engine::fanout::rules::{Found, FoundRule, FoundTargets, Rule, drift, hub_rule};
use trailwire_engine::fanout::table::{Attribute, Definition, HubRecord, RUNTIME_PK, SEEN};
use trailwire_engine::fanout::wanted::Rules;

use super::HubError;
use super::aws::describe;
use super::items::Table;

/// How many places are looked at side by side.
const AT_ONCE: usize = 32;
/// A runtime leaves a sign of life twice a minute.
const SILENT_SECONDS: u64 = 120;
/// The bus that AWS's own events come to.
const DEFAULT_BUS: &str = "default";

/// How the accounts of members are entered.
#[derive(Debug, Clone)]
pub(crate) struct MemberRole {
    pub(crate) name: String,
    pub(crate) external_id: Option<String>,
}

/// What was found, and what is wrong. Nothing is wrong where a list is empty.
#[derive(Debug, Default)]
pub(crate) struct Health {
    /// In the home region.
    pub(crate) home: Vec<String>,
    /// In each cell.
    pub(crate) cells: BTreeMap<Cell, Vec<String>>,
    /// Events that wait on the hub's queue, or are being handled. As good as SQS counts.
    pub(crate) waiting: u64,
    /// How long the oldest of them has waited, as CloudWatch knew it a minute or two ago; `None` where it knows nothing.
    pub(crate) oldest: Option<Duration>,
    /// Seconds since each runtime was seen last, the latest first.
    pub(crate) seen: Vec<u64>,
    /// How long the canary of a cell took to arrive, where one was sent and did.
    pub(crate) arrived: BTreeMap<Cell, Duration>,
}

impl Health {
    pub(crate) fn is_sound(&self) -> bool {
        self.home.is_empty() && self.cells.values().all(Vec::is_empty)
    }
}

/// A hub to look at.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) record: HubRecord,
    settings: Option<String>,
    pub(super) hub: names::Hub,
    table: Table,
    pub(super) config: SdkConfig,
    member_role: MemberRole,
}

/// Why a place could not be looked at, in words.
type Unread = String;

fn unread<E, R>(what: &str) -> impl Fn(SdkError<E, R>) -> Unread
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug,
{
    move |error| format!("{what} can not be read: {}", describe(&error))
}

impl Look {
    /// Finds the hub of this name in the region and account of the environment.
    ///
    /// # Errors
    ///
    /// [`HubError`], within seconds.
    pub(crate) async fn at(name: &str, member_role: MemberRole) -> Result<Self, HubError> {
        let super::Found { config, table, record, settings } = super::find(name).await?;
        let hub = names::Hub::from_arn(&record.bus_arn).ok_or_else(|| HubError::Unfinished(name.to_owned()))?;
        Ok(Self { record, settings, hub, table, config, member_role })
    }

    /// The queue of the hub of this name, and its address.
    ///
    /// # Errors
    ///
    /// [`HubError`], within seconds.
    pub(crate) async fn queue_of(name: &str) -> Result<(aws_sdk_sqs::Client, String), HubError> {
        let super::Found { config, record, .. } = super::find(name).await?;
        Ok((super::aws::queue_client(&config), record.queue_url))
    }

    /// Looks at everything. What can not be read is told as wrong: nobody knows that it is right.
    pub(crate) async fn health(&self) -> Health {
        let mut health = Health::default();
        let wanted = match self.wanted(&mut health).await {
            Ok(wanted) => wanted,
            Err(unread) => {
                health.home.push(unread);
                return health;
            }
        };
        self.home(&mut health).await;
        let accounts = stream::iter(&self.record.accounts).map(|account| async move { (account, self.enter(account).await) });
        let accounts: BTreeMap<&String, Result<SdkConfig, Unread>> = accounts.buffer_unordered(AT_ONCE).collect().await;
        let roles = stream::iter(&accounts).map(|(account, config)| async move { (*account, self.role(account, config).await) });
        let roles: BTreeMap<&String, Vec<String>> = roles.buffer_unordered(AT_ONCE).collect().await;
        let cells = stream::iter(self.record.cells()).map(|cell| {
            let (accounts, roles, wanted) = (&accounts, &roles, &wanted);
            async move {
                let mut problems = roles.get(&cell.account).cloned().unwrap_or_default();
                if let Some(Ok(config)) = accounts.get(&cell.account) {
                    let found = self.cell(&cell, config, wanted).await;
                    problems.extend(found.unwrap_or_else(|unread| vec![unread]));
                }
                (cell, problems)
            }
        });
        health.cells = cells.buffer_unordered(AT_ONCE).collect().await;
        health
    }

    /// The rules that the hub's definitions want.
    async fn wanted(&self, health: &mut Health) -> Result<Vec<Rules>, Unread> {
        let mut wanted = Vec::new();
        for carrier in Carrier::ALL {
            let kind = carrier.kind().as_str();
            let items = self.table.query(kind).await.map_err(unread("the hub's table"))?;
            for definition in items.iter().filter_map(|item| Definition::read(item).ok()) {
                match Rules::of(&definition) {
                    Some(Ok(rules)) => wanted.push(rules),
                    _ => health.home.push(format!("the definition of {kind} {} can not be read", definition.name)),
                }
            }
        }
        Ok(wanted)
    }

    /// The bus, its rule, the queues and the runtimes.
    async fn home(&self, health: &mut Health) {
        let events = self.events(self.hub.home(), &self.config);
        health.home.extend(self.bus(&events).await);
        let rule = hub_rule(&self.hub);
        match self.rules(&events, &self.hub.bus_name(), &rule.target.arn).await {
            Ok(found) => health.home.extend(drift(&[rule], &found, |_| false)),
            Err(unread) => health.home.push(unread),
        }
        for queue in [Queue::of_hub(&self.hub, Function::stored(self.settings.as_deref()).as_ref()), Queue::of_dead_letters(&self.hub)] {
            match self.queue(self.hub.home(), &self.config, &queue).await {
                Ok((problems, held)) if queue.name == self.hub.queue_name() => {
                    health.home.extend(problems);
                    health.waiting = held;
                }
                Ok((problems, held)) => {
                    health.home.extend(problems);
                    health.home.extend((held > 0).then(|| format!("queue {} holds {held} dead letters", queue.name)));
                }
                Err(unread) => health.home.push(unread),
            }
        }
        health.home.extend(self.function().await);
        match age::of_oldest(&self.config, &self.hub.queue_name()).await {
            Ok(oldest) => {
                health.oldest = oldest;
                let seconds =
                    oldest.map(|oldest| oldest.as_secs()).filter(|seconds| health.waiting > 0 && *seconds > u64::from(WAIT_SECONDS));
                health.home.extend(seconds.map(|seconds| format!("the oldest event has waited for {seconds} s: no runtime keeps up")));
            }
            Err(reason) => health.home.push(format!("the age of the oldest event can not be read: {reason}")),
        }
        match self.table.query(RUNTIME_PK).await.map_err(unread("the hub's table")) {
            Ok(runtimes) => {
                let now = u64::try_from(Timestamp::now().as_second()).unwrap_or_default();
                let seen = runtimes.iter().filter_map(|item| match item.get(SEEN) {
                    Some(Attribute::Number(seen)) => Some(now.saturating_sub(*seen)),
                    _ => None,
                });
                health.seen = seen.collect();
                health.seen.sort_unstable();
                health.home.extend(match health.seen.first() {
                    None => Some("no runtime was ever seen: start `trailwire run`".to_owned()),
                    Some(seconds) if *seconds > SILENT_SECONDS => Some(format!("no runtime was seen for {seconds} seconds")),
                    Some(_) => None,
                });
            }
            Err(unread) => health.home.push(unread),
        }
    }

    /// What is wrong with who may send to the bus.
    async fn bus(&self, events: &aws_sdk_eventbridge::Client) -> Option<String> {
        let name = self.hub.bus_name();
        match events.describe_event_bus().name(&name).send().await {
            Err(error) if error.code() == Some("ResourceNotFoundException") => Some(format!("bus {name} is missing")),
            Err(error) => Some(unread(&format!("bus {name}"))(error)),
            Ok(bus) => {
                let wanted = stored_bus_policy(&self.hub, &self.record, self.settings.as_deref());
                let same = bus.policy.is_some_and(|found| same_document(&found, &wanted));
                (!same).then(|| format!("bus {name} has another policy: accounts of the hub may not send to it, or others may"))
            }
        }
    }

    /// What may be done in an account.
    pub(super) async fn enter(&self, account: &str) -> Result<SdkConfig, Unread> {
        if account == self.hub.home().account {
            return Ok(self.config.clone());
        }
        let MemberRole { name, external_id } = &self.member_role;
        let role = format!("arn:{}:iam::{account}:role/{name}", self.hub.partition());
        let sts = aws_sdk_sts::Client::new(&self.config);
        let assume = sts.assume_role().role_arn(&role).role_session_name("trailwire-doctor").set_external_id(external_id.clone());
        let answer = assume.send().await.map_err(unread(&format!("account {account}, by the role {role},")))?;
        let given = answer.credentials.ok_or_else(|| format!("the role {role} gives no credentials"))?;
        let given = Credentials::new(given.access_key_id, given.secret_access_key, Some(given.session_token), None, "doctor");
        Ok(self.config.clone().into_builder().credentials_provider(SharedCredentialsProvider::new(given)).build())
    }

    /// The roles of an account. That the account can not be entered is told here, for each of its cells.
    async fn role(&self, account: &str, config: &Result<SdkConfig, Unread>) -> Vec<String> {
        let config = match config {
            Ok(config) => config,
            Err(unread) => return vec![unread.clone()],
        };
        let operations = &self.record.query_operations;
        let reading = (!operations.is_empty()).then(|| Role::read(&self.hub, account, operations, None));
        let mut problems = Vec::new();
        for role in std::iter::once(Role::forward(&self.hub, account, None)).chain(reading) {
            match found_role(config, &role).await {
                Ok(found) => {
                    // What bounds the role is the provider's to know.
                    let boundary = found.as_ref().and_then(|found| found.boundary.clone());
                    let faults = Role { boundary, ..role }.faults(found.as_ref());
                    problems.extend(faults.into_iter().map(|fault| fault.reason));
                }
                Err(unread) => problems.push(unread),
            }
        }
        problems
    }

    /// The rules and the dead letters of a cell.
    async fn cell(&self, cell: &Cell, config: &SdkConfig, wanted: &[Rules]) -> Result<Vec<String>, Unread> {
        let found = self.rules(&self.events(cell, config), DEFAULT_BUS, &self.hub.arn()).await?;
        let canary = canary_rule(&self.hub, cell, self.record.forward_dead_letter);
        let wanted: Vec<Rule> = wanted.iter().flat_map(|rules| rules.wanted(&self.hub, &self.record, cell)).chain([canary]).collect();
        let mut problems = drift(&wanted, &found, |name| self.hub.owner_of_rule(name).is_some());
        if self.record.forward_dead_letter {
            let queue = Queue::of_forward_dead_letters(&self.hub, cell);
            let (faults, held) = self.queue(cell, config, &queue).await?;
            problems.extend(faults);
            problems.extend((held > 0).then(|| format!("queue {} holds {held} events that could not be sent to the hub", queue.name)));
        }
        Ok(problems)
    }

    fn events(&self, cell: &Cell, config: &SdkConfig) -> aws_sdk_eventbridge::Client {
        let region = Region::new(cell.region.clone());
        aws_sdk_eventbridge::Client::from_conf(aws_sdk_eventbridge::config::Builder::from(config).region(region).build())
    }

    /// The rules of the hub on a bus, and which of them send to the target.
    async fn rules(&self, events: &aws_sdk_eventbridge::Client, bus: &str, target: &str) -> Result<Found, Unread> {
        let (mut rules, mut token) = (Vec::new(), None);
        loop {
            let page = events.list_rules().event_bus_name(bus).name_prefix(self.hub.own_prefix()).set_next_token(token).send().await;
            let page = page.map_err(unread(&format!("the rules of bus {bus}")))?;
            rules.extend(page.rules.unwrap_or_default());
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        let (mut pointing, mut token) = (Vec::new(), None);
        loop {
            let page = events.list_rule_names_by_target().event_bus_name(bus).target_arn(target).set_next_token(token).send().await;
            let page = page.map_err(unread(&format!("the targets of bus {bus}")))?;
            pointing.extend(page.rule_names.unwrap_or_default());
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        let found = rules.into_iter().filter_map(|rule| {
            let name = rule.name?;
            let targets = FoundTargets::Points(pointing.contains(&name));
            let state = rule.state.map(|state| state.as_str().to_owned());
            Some((name, FoundRule { description: rule.description, pattern: rule.event_pattern, state, targets }))
        });
        Ok(found.collect())
    }

    /// What is wrong with a queue, and how much it holds.
    async fn queue(&self, cell: &Cell, config: &SdkConfig, wanted: &Queue) -> Result<(Vec<String>, u64), Unread> {
        let region = Region::new(cell.region.clone());
        let sqs = aws_sdk_sqs::Client::from_conf(aws_sdk_sqs::config::Builder::from(config).region(region).build());
        let what = format!("queue {}", wanted.name);
        let missing = |code: Option<&str>| matches!(code, Some("AWS.SimpleQueueService.NonExistentQueue" | "QueueDoesNotExist"));
        let found = match sqs.get_queue_url().queue_name(&wanted.name).send().await {
            Err(error) if missing(error.code()) => None,
            other => {
                let url = other.map_err(unread(&what))?.queue_url;
                let attributes = sqs.get_queue_attributes().set_queue_url(url).attribute_names(QueueAttributeName::All).send().await;
                attributes.map_err(unread(&what))?.attributes
            }
        };
        let found = found.map(|found| found.into_iter().map(|(name, value)| (name.as_str().to_owned(), value)).collect::<BTreeMap<_, _>>());
        let counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"];
        let held = counts.iter().filter_map(|name| found.as_ref()?.get(*name)?.parse::<u64>().ok()).sum();
        Ok((wanted.fault(found.as_ref()).map(|fault| fault.reason).into_iter().collect(), held))
    }
}

/// A role as it is, with the policy that it should have.
async fn found_role(config: &SdkConfig, wanted: &Role) -> Result<Option<FoundRole>, Unread> {
    let (iam, name) = (aws_sdk_iam::Client::new(config), &wanted.name);
    let role = match iam.get_role().role_name(name).send().await {
        Err(error) if error.code() == Some("NoSuchEntity") => return Ok(None),
        other => other.map_err(unread(&format!("role {name}")))?.role,
    };
    let policy = match iam.get_role_policy().role_name(name).policy_name(wanted.policy_name).send().await {
        Err(error) if error.code() == Some("NoSuchEntity") => None,
        other => Some(from_percent(&other.map_err(unread(&format!("the policy of role {name}")))?.policy_document)),
    };
    Ok(role.map(|role| FoundRole {
        trust: role.assume_role_policy_document.map(|document| from_percent(&document)),
        boundary: role.permissions_boundary.and_then(|boundary| boundary.permissions_boundary_arn),
        policy,
    }))
}
