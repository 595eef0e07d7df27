//! The calls of one request from Terraform, typed. All end when the user interrupts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::{CancellationToken, DropGuard};
use trailwire_engine::fanout::alarms::Alarm;
use trailwire_engine::fanout::names::Cell;
use trailwire_engine::fanout::rules::{Rule, Target};
use trailwire_engine::fanout::table::Item;
use trailwire_engine::fanout::tags::{Changes, changes};
use trailwire_engine::fanout::trails::Trail;

use super::call::{Bus, Call, FunctionOperation, ListedRule, Reply, Role, SecretInfo, Table, Tagged, Tags, Write};
use super::error::{CloudError, CloudResult, Kind};
use super::random_id;
use super::retry::{LAST_CALLS, Timing};
use super::{Cloud, Home, Organization, Regions};
use crate::config::{ProviderConfig, Secret};

/// A handle for one request.
#[derive(Clone, Debug)]
pub struct Session {
    cloud: Arc<Cloud>,
    /// Ends the calls.
    stop: CancellationToken,
    /// Cancelled when the user interrupts.
    user: CancellationToken,
    limit: Option<Duration>,
    /// Of work that goes on after an interrupt: ends the watch for it.
    last: Option<Arc<DropGuard>>,
}

/// The reply of the expected kind; anything else is a bug of the door.
macro_rules! expect {
    ($self:expr, $cell:expr, $call:expr, $variant:ident) => {{
        let call = $call;
        let operation = call.operation();
        match $self.cloud.call($cell, call, &$self.stop).await? {
            Reply::$variant(value) => Ok(value),
            _ => Err(unexpected($cell, operation)),
        }
    }};
}

fn unexpected(cell: &Cell, operation: &'static str) -> CloudError {
    CloudError { operation, ..CloudError::ours(Kind::Other, cell, "the reply is of another kind; this is a bug in the provider") }
}

impl Session {
    pub(super) fn new(cloud: Arc<Cloud>, stop: CancellationToken) -> Self {
        Self { cloud, user: stop.clone(), stop, limit: None, last: None }
    }

    /// The provider block.
    pub fn config(&self) -> &ProviderConfig {
        self.cloud.config()
    }

    /// Cancelled when the user interrupts.
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// The same handle for work that must be done even after an interrupt, such as giving back a lease. When the user interrupts, or has done so, it gets
    /// three seconds more; `timeouts` do not end it.
    #[must_use]
    pub fn unstoppable(&self) -> Self {
        let (user, stop) = (self.user.clone(), CancellationToken::new());
        let (interrupt, ended) = (user.clone(), stop.clone());
        tokio::spawn(async move {
            let too_late = async {
                interrupt.cancelled().await;
                tokio::time::sleep(LAST_CALLS).await;
                ended.cancel();
            };
            tokio::select! {
                () = too_late => {}
                () = ended.cancelled() => {}
            }
        });
        Self { cloud: Arc::clone(&self.cloud), last: Some(Arc::new(stop.clone().drop_guard())), user, stop, limit: None }
    }

    /// The same handle whose calls also end after `limit`, a `timeouts` argument. Ends earlier when the user interrupts.
    #[must_use]
    pub fn within(&self, limit: Duration) -> Self {
        let stop = self.stop.child_token();
        let ended = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(limit) => ended.cancel(),
                () = ended.cancelled() => {}
            }
        });
        Self { cloud: Arc::clone(&self.cloud), user: self.user.clone(), stop, limit: Some(limit), last: self.last.clone() }
    }

    /// The limit of [`Session::within`], when it was what ended the work, and not the user.
    pub fn timed_out(&self) -> Option<Duration> {
        self.limit.filter(|_| self.stop.is_cancelled() && !self.user.is_cancelled())
    }

    /// How long things take that are waited for.
    pub(crate) fn timing(&self) -> &Timing {
        &self.cloud.timing
    }

    /// Waits, unless the user interrupts.
    ///
    /// # Errors
    /// When the user interrupted; `what` says what was waited for.
    pub async fn wait(&self, cell: &Cell, duration: Duration, what: &str) -> CloudResult<()> {
        let interrupted = |()| CloudError::ours(Kind::Interrupted, cell, format!("while waiting for {what}"));
        super::retry::sleep(duration, &self.stop).await.map_err(interrupted)
    }

    /// Who we are and where home is.
    pub async fn home(&self) -> CloudResult<Home> {
        self.cloud.home(&self.stop).await.cloned()
    }

    /// The regions that are enabled in an account: ours, or a member.
    pub async fn enabled_regions(&self, account: &str) -> CloudResult<Regions> {
        self.cloud.enabled_regions(account, &self.stop).await
    }

    /// The organisation of our account, with its active accounts: all of them, or those of these units and of the units in them.
    ///
    /// # Errors
    /// When our account is neither its management account nor a delegated administrator.
    pub async fn organization(&self, units: &[String]) -> CloudResult<Arc<Organization>> {
        self.cloud.organization(units, &self.stop).await
    }

    async fn done(&self, cell: &Cell, call: Call) -> CloudResult<()> {
        self.cloud.call(cell, call, &self.stop).await.map(|_| ())
    }
}

/// EventBridge.
impl Session {
    /// Makes a bus.
    pub async fn create_bus(&self, cell: &Cell, name: &str, description: &str, tags: &Tags) -> CloudResult<()> {
        self.done(cell, Call::CreateBus { name: name.to_owned(), description: description.to_owned(), tags: tags.clone() }).await
    }

    /// Something about a hub's function, or what invokes it; null where what is asked for is not there.
    pub async fn function(&self, cell: &Cell, operation: FunctionOperation, subject: &str, input: Value) -> CloudResult<Value> {
        let call = Call::Function { operation, subject: subject.to_owned(), input };
        let name = call.operation();
        match self.cloud.call(cell, call, &self.stop).await? {
            Reply::Json(answer) => Ok(answer),
            // It was made by an attempt whose answer was lost.
            Reply::Done => Ok(Value::Null),
            _ => Err(unexpected(cell, name)),
        }
    }

    /// A bus, if it is there.
    pub async fn describe_bus(&self, cell: &Cell, name: &str) -> CloudResult<Option<Bus>> {
        expect!(self, cell, Call::DescribeBus { name: name.to_owned() }, Bus)
    }

    /// Removes a bus.
    pub async fn delete_bus(&self, cell: &Cell, name: &str) -> CloudResult<()> {
        self.done(cell, Call::DeleteBus { name: name.to_owned() }).await
    }

    /// Replaces the policy of a bus.
    pub async fn put_bus_policy(&self, cell: &Cell, bus: &str, policy: String) -> CloudResult<()> {
        self.done(cell, Call::PutBusPolicy { bus: bus.to_owned(), policy }).await
    }

    /// The rules whose names begin so.
    pub async fn list_rules(&self, cell: &Cell, bus: &str, prefix: &str) -> CloudResult<Vec<ListedRule>> {
        expect!(self, cell, Call::ListRules { bus: bus.to_owned(), prefix: prefix.to_owned() }, Rules)
    }

    /// The names of the rules that send to this ARN.
    pub async fn list_rule_names_by_target(&self, cell: &Cell, bus: &str, arn: &str) -> CloudResult<Vec<String>> {
        expect!(self, cell, Call::ListRuleNamesByTarget { bus: bus.to_owned(), target_arn: arn.to_owned() }, Names)
    }

    /// The targets of a rule.
    pub async fn list_targets(&self, cell: &Cell, bus: &str, rule: &str) -> CloudResult<Vec<Target>> {
        expect!(self, cell, Call::ListTargets { bus: bus.to_owned(), rule: rule.to_owned() }, Targets)
    }

    /// Makes a rule or replaces it.
    pub async fn put_rule(&self, cell: &Cell, bus: &str, rule: &Rule, tags: &Tags) -> CloudResult<()> {
        self.done(cell, Call::PutRule { bus: bus.to_owned(), rule: Box::new(rule.clone()), tags: tags.clone() }).await
    }

    /// Makes a target or replaces it.
    pub async fn put_target(&self, cell: &Cell, bus: &str, rule: &str, target: &Target) -> CloudResult<()> {
        self.done(cell, Call::PutTarget { bus: bus.to_owned(), rule: rule.to_owned(), target: target.clone() }).await
    }

    /// Removes targets.
    pub async fn remove_targets(&self, cell: &Cell, bus: &str, rule: &str, ids: Vec<String>) -> CloudResult<()> {
        self.done(cell, Call::RemoveTargets { bus: bus.to_owned(), rule: rule.to_owned(), ids }).await
    }

    /// Removes a rule without targets.
    pub async fn delete_rule(&self, cell: &Cell, bus: &str, rule: &str) -> CloudResult<()> {
        self.done(cell, Call::DeleteRule { bus: bus.to_owned(), rule: rule.to_owned() }).await
    }
}

/// CloudTrail.
impl Session {
    /// The trails that log in a region, or that were made there.
    pub async fn describe_trails(&self, cell: &Cell) -> CloudResult<Vec<Trail>> {
        expect!(self, cell, Call::DescribeTrails, Trails)
    }

    /// Whether a trail logs now.
    pub async fn is_logging(&self, cell: &Cell, trail: &str) -> CloudResult<bool> {
        expect!(self, cell, Call::GetTrailStatus { trail: trail.to_owned() }, Is)
    }

    /// Whether a trail with selectors of its own keeps management events that write.
    pub async fn keeps_writes(&self, cell: &Cell, trail: &str) -> CloudResult<bool> {
        expect!(self, cell, Call::GetEventSelectors { trail: trail.to_owned() }, Is)
    }
}

/// IAM.
impl Session {
    /// A role, if it is there.
    pub async fn get_role(&self, cell: &Cell, name: &str) -> CloudResult<Option<Role>> {
        expect!(self, cell, Call::GetRole { name: name.to_owned() }, Role)
    }

    /// Any call of IAM whose answer does not matter.
    pub async fn iam(&self, cell: &Cell, call: Call) -> CloudResult<()> {
        self.done(cell, call).await
    }

    /// An inline policy, if it is there.
    pub async fn get_role_policy(&self, cell: &Cell, role: &str, name: &str) -> CloudResult<Option<String>> {
        expect!(self, cell, Call::GetRolePolicy { role: role.to_owned(), name: name.to_owned() }, Document)
    }

    /// The names of a role's inline policies.
    pub async fn list_role_policies(&self, cell: &Cell, role: &str) -> CloudResult<Vec<String>> {
        expect!(self, cell, Call::ListRolePolicies { role: role.to_owned() }, Names)
    }
}

/// SQS.
impl Session {
    /// Makes a queue and returns its URL.
    pub async fn create_queue(&self, cell: &Cell, name: &str, attributes: BTreeMap<String, String>, tags: &Tags) -> CloudResult<String> {
        expect!(self, cell, Call::CreateQueue { name: name.to_owned(), attributes, tags: tags.clone() }, Text)
    }

    /// The URL of a queue, if it is there.
    pub async fn get_queue_url(&self, cell: &Cell, name: &str) -> CloudResult<Option<String>> {
        expect!(self, cell, Call::GetQueueUrl { name: name.to_owned() }, Document)
    }

    /// The attributes of a queue, if it is there.
    pub async fn get_queue_attributes(&self, cell: &Cell, url: &str) -> CloudResult<Option<BTreeMap<String, String>>> {
        expect!(self, cell, Call::GetQueueAttributes { url: url.to_owned() }, Attributes)
    }

    /// Changes attributes of a queue.
    pub async fn set_queue_attributes(&self, cell: &Cell, url: &str, attributes: BTreeMap<String, String>) -> CloudResult<()> {
        self.done(cell, Call::SetQueueAttributes { url: url.to_owned(), attributes }).await
    }

    /// Removes a queue.
    pub async fn delete_queue(&self, cell: &Cell, url: &str) -> CloudResult<()> {
        self.done(cell, Call::DeleteQueue { url: url.to_owned() }).await
    }
}

/// DynamoDB.
impl Session {
    /// Makes a table; it is not ready yet when this returns.
    pub async fn create_table(&self, cell: &Cell, name: &str, tags: &Tags) -> CloudResult<()> {
        self.done(cell, Call::CreateTable { name: name.to_owned(), tags: tags.clone() }).await
    }

    /// A table, if it is there.
    pub async fn describe_table(&self, cell: &Cell, name: &str) -> CloudResult<Option<Table>> {
        expect!(self, cell, Call::DescribeTable { name: name.to_owned() }, Table)
    }

    /// Removes a table; it may still be there for a while when this returns.
    pub async fn delete_table(&self, cell: &Cell, name: &str) -> CloudResult<()> {
        self.done(cell, Call::DeleteTable { name: name.to_owned() }).await
    }

    /// One item, if it is there.
    ///
    /// # Errors
    /// `NotFound` when there is no such table.
    pub async fn get_item(&self, cell: &Cell, table: &str, pk: &str, sk: &str) -> CloudResult<Option<Item>> {
        expect!(self, cell, Call::GetItem { table: table.to_owned(), pk: pk.to_owned(), sk: sk.to_owned() }, Item)
    }

    /// Every item of a hash key.
    ///
    /// # Errors
    /// `NotFound` when there is no such table.
    pub async fn query(&self, cell: &Cell, table: &str, pk: &str) -> CloudResult<Vec<Item>> {
        expect!(self, cell, Call::Query { table: table.to_owned(), pk: pk.to_owned() }, Items)
    }

    /// Writes all or nothing.
    ///
    /// # Errors
    /// `ConditionFailed` when a condition does not hold, `NotFound` when there is no such table.
    pub async fn transact(&self, cell: &Cell, table: &str, writes: Vec<Write>) -> CloudResult<()> {
        // Transactions on the hub's item conflict; those of one process need not.
        let _one_at_a_time = self.cloud.writes.lock().await;
        self.done(cell, Call::Transact { table: table.to_owned(), writes, token: random_id() }).await
    }
}

/// CloudWatch.
impl Session {
    /// The alarms whose names begin so, by name.
    pub async fn describe_alarms(&self, cell: &Cell, prefix: String) -> CloudResult<BTreeMap<String, Value>> {
        expect!(self, cell, Call::DescribeAlarms { prefix }, Alarms)
    }

    /// Makes an alarm or replaces it.
    pub async fn put_alarm(&self, cell: &Cell, alarm: Alarm, tags: &Tags) -> CloudResult<()> {
        self.done(cell, Call::PutAlarm { alarm: Box::new(alarm), tags: tags.clone() }).await
    }

    /// Removes alarms, whether or not they are there.
    pub async fn delete_alarms(&self, cell: &Cell, names: Vec<String>) -> CloudResult<()> {
        self.done(cell, Call::DeleteAlarms { names }).await
    }
}

/// Secrets Manager.
impl Session {
    /// Makes a secret and returns its ARN.
    pub async fn create_secret(&self, cell: &Cell, name: &str, description: &str, value: Secret, tags: &Tags) -> CloudResult<String> {
        let call = Call::CreateSecret { name: name.to_owned(), description: description.to_owned(), value, tags: tags.clone() };
        expect!(self, cell, call, Text)
    }

    /// A secret, if it is there.
    pub async fn describe_secret(&self, cell: &Cell, id: &str) -> CloudResult<Option<SecretInfo>> {
        expect!(self, cell, Call::DescribeSecret { id: id.to_owned() }, Secret)
    }

    /// Gives a secret a new value.
    pub async fn put_secret_value(&self, cell: &Cell, id: &str, value: Secret) -> CloudResult<()> {
        self.done(cell, Call::PutSecretValue { id: id.to_owned(), value }).await
    }

    /// Removes a secret at once.
    pub async fn delete_secret(&self, cell: &Cell, id: &str) -> CloudResult<()> {
        self.done(cell, Call::DeleteSecret { id: id.to_owned() }).await
    }
}

/// Tags.
impl Session {
    /// The tags of something.
    pub async fn list_tags(&self, cell: &Cell, of: &Tagged) -> CloudResult<Tags> {
        expect!(self, cell, Call::ListTags { of: of.clone() }, Tags)
    }

    /// Brings the tags of something from what they were to what they shall be; tags that are in neither are left alone.
    pub async fn change_tags(&self, cell: &Cell, of: &Tagged, before: &Tags, wanted: &Tags) -> CloudResult<()> {
        let Changes { mut remove, set } = changes(before, wanted);
        // Since they were given they have become somebody else's.
        remove.retain(|key| !self.config().ignore_tags.covers(key));
        if !remove.is_empty() {
            self.done(cell, Call::Untag { of: of.clone(), keys: remove }).await?;
        }
        if !set.is_empty() {
            self.done(cell, Call::Tag { of: of.clone(), tags: set }).await?;
        }
        Ok(())
    }
}
