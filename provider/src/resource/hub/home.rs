//! The hub's objects in its home region: looked at, and repaired where that is asked for.

use std::time::Duration;

use trailwire_engine::fanout::names::{Cell, Hub, ROLE_PATH};
use trailwire_engine::fanout::objects::{FoundRole, Queue, QueueStep, Role, RoleStep};
use trailwire_engine::fanout::policy::{FORWARD_POLICY_NAME, bus_policy, same_document};
use trailwire_engine::fanout::rules::{Found, FoundRule, FoundTargets, Step, difference, drift, hub_rule};

use super::Settings;
use crate::apply::rules::delete_rule;
use crate::cloud::Session;
use crate::cloud::call::{Call, Tagged, Tags};
use crate::cloud::error::{CloudResult, Kind};

/// Whether what differs is repaired, or only told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Nothing is changed.
    Look,
    /// Everything that differs is made as wanted.
    Repair,
}

/// The objects of one hub in its home region.
#[derive(Clone, Copy, Debug)]
pub(super) struct Home<'a> {
    pub(super) session: &'a Session,
    pub(super) hub: &'a Hub,
    pub(super) settings: &'a Settings,
    pub(super) mode: Mode,
}

/// Why something is not as wanted; nothing when it is.
pub(super) type Reasons = Vec<String>;

impl Home<'_> {
    fn repairs(&self) -> bool {
        self.mode == Mode::Repair
    }

    fn all_tags(&self) -> &Tags {
        &self.settings.tags_all
    }

    fn accounts(&self) -> Vec<String> {
        vec![self.hub.home().account.clone()]
    }

    /// Makes the table and waits until it can be used; `made` tells whether this made it, also when it fails afterwards.
    pub(super) async fn make_table(&self, made: &mut bool) -> CloudResult<()> {
        let (cell, name) = (self.hub.home(), self.hub.table_name());
        loop {
            match self.session.describe_table(cell, &name).await? {
                Some(table) if table.status == "ACTIVE" => return Ok(()),
                Some(_) => {}
                None => match self.session.create_table(cell, &name, self.all_tags()).await {
                    Err(error) if error.kind == Kind::Exists => {}
                    Err(error) => {
                        // An answer that was lost or not waited for may have been a yes.
                        *made |= matches!(error.kind, Kind::Interrupted | Kind::Unreachable | Kind::Transient);
                        return Err(error);
                    }
                    Ok(()) => *made = true,
                },
            }
            self.session.wait(cell, self.session.timing().poll, &format!("table {name} to be ready")).await?;
        }
    }

    /// The bus and who may put events on it.
    pub(super) async fn bus(&self) -> CloudResult<Reasons> {
        let (cell, name) = (self.hub.home(), self.hub.bus_name());
        let mut reasons = Reasons::new();
        let there = self.session.describe_bus(cell, &name).await?;
        if there.is_none() {
            reasons.push(format!("bus {name} is missing"));
            if self.repairs() {
                self.session.create_bus(cell, &name, &format!("Trailwire: hub {}", self.hub.name()), self.all_tags()).await?;
            }
        }
        let policy = bus_policy(self.hub, &self.accounts());
        if !there.and_then(|bus| bus.policy).is_some_and(|found| same_document(&found, &policy)) {
            if reasons.is_empty() {
                reasons.push(format!("bus {name} has another policy"));
            }
            if self.repairs() {
                self.session.put_bus_policy(cell, &name, policy).await?;
            }
        }
        Ok(reasons)
    }

    /// The role by which events are forwarded. Whether it was made now is told by [`Home::role_is_missing`] before.
    pub(super) async fn role(&self) -> CloudResult<Reasons> {
        let cell = self.hub.home();
        let role = Role::forward(self.hub, &cell.account, self.settings.permissions_boundary.clone());
        let found = match self.session.get_role(cell, &role.name).await? {
            Some(there) => {
                let policy = self.session.get_role_policy(cell, &role.name, FORWARD_POLICY_NAME).await?;
                Some(FoundRole { trust: there.trust, boundary: there.boundary, policy })
            }
            None => None,
        };
        let mut reasons = Reasons::new();
        for fault in role.faults(found.as_ref()) {
            reasons.push(fault.reason);
            for step in fault.steps.into_iter().filter(|_| self.repairs()) {
                self.session.iam(cell, role_call(&role.name, step, self.all_tags())).await?;
            }
        }
        Ok(reasons)
    }

    /// The queue and its dead-letter queue, with their URLs; empty where they are missing and not made.
    pub(super) async fn queues(&self) -> CloudResult<(Reasons, [String; 2])> {
        let (cell, tags) = (self.hub.home(), self.all_tags());
        let (mut reasons, dead_letter_url) = queue(self.session, cell, &Queue::of_dead_letters(self.hub), tags, self.mode).await?;
        let (more, url) = queue(self.session, cell, &Queue::of_hub(self.hub), tags, self.mode).await?;
        reasons.extend(more);
        Ok((reasons, [url, dead_letter_url]))
    }

    /// The rule on the hub's bus that fills the queue. The bus must be there.
    pub(super) async fn rule(&self) -> CloudResult<Reasons> {
        let (cell, bus, wanted) = (self.hub.home(), self.hub.bus_name(), hub_rule(self.hub));
        let found = match self.found_rule(&bus, &wanted.name).await {
            Err(error) if error.kind == Kind::NotFound => Found::new(),
            other => other?,
        };
        let wanted = [wanted];
        let reasons = drift(&wanted, &found, |_| false);
        if self.repairs() {
            for step in difference(&wanted, &found, |_| false) {
                match step {
                    Step::PutRule(rule) => self.session.put_rule(cell, &bus, &rule, self.all_tags()).await?,
                    Step::PutTarget { rule, target } => self.session.put_target(cell, &bus, &rule, &target).await?,
                    Step::RemoveTargets { rule, ids } => self.session.remove_targets(cell, &bus, &rule, ids).await?,
                    Step::DeleteRule { rule } => delete_rule(self.session, cell, &bus, &rule).await?,
                }
            }
        }
        Ok(reasons)
    }

    async fn found_rule(&self, bus: &str, name: &str) -> CloudResult<Found> {
        let cell = self.hub.home();
        let listed = self.session.list_rules(cell, bus, name).await?;
        let Some(rule) = listed.into_iter().find(|rule| rule.name == name) else { return Ok(Found::new()) };
        let targets = FoundTargets::Read(self.session.list_targets(cell, bus, name).await?);
        let there = FoundRule { description: rule.description, pattern: rule.pattern, state: rule.state, targets };
        Ok(Found::from([(rule.name, there)]))
    }

    /// Everything but the table. In the order in which it must be made; role, bus and queues side by side.
    pub(super) async fn all(&self) -> CloudResult<(Reasons, [String; 2])> {
        let (role, bus, (queues, urls)) = futures::try_join!(self.role(), self.bus(), self.queues())?;
        let rule = self.rule().await?;
        Ok(([bus, queues, role, rule].concat(), urls))
    }

    /// Whether there is no forwarding role yet: events can be forwarded only some seconds after it is made.
    pub(super) async fn role_is_missing(&self) -> CloudResult<bool> {
        Ok(self.session.get_role(self.hub.home(), &self.hub.forward_role_name()).await?.is_none())
    }

    /// Waits until a role that was made is known in every region.
    pub(super) async fn wait_for_role(&self, since: Duration) -> CloudResult<()> {
        let left = self.session.timing().role.saturating_sub(since);
        self.session.wait(self.hub.home(), left, "the new role to be known in every region").await
    }

    /// Brings the tags of everything here from what they were to what they shall be.
    pub(super) async fn change_tags(&self, before: &Tags, urls: &[String; 2]) -> CloudResult<()> {
        let cell = self.hub.home();
        if before == self.all_tags() {
            return Ok(());
        }
        let table = self.session.describe_table(cell, &self.hub.table_name()).await?.map(|table| Tagged::Table(table.arn));
        let queues = urls.iter().map(|url| Tagged::Queue(url.clone()));
        let rest = [Tagged::Events(self.hub.arn()), Tagged::Events(self.hub.hub_rule_arn()), Tagged::Role(self.hub.forward_role_name())];
        for tagged in rest.into_iter().chain(queues).chain(table) {
            self.session.change_tags(cell, &tagged, before, self.all_tags()).await?;
        }
        Ok(())
    }

    /// Removes everything but the table: the rule, then what it joins.
    pub(super) async fn remove(&self) -> CloudResult<()> {
        let (cell, bus) = (self.hub.home(), self.hub.bus_name());
        match delete_rule(self.session, cell, &bus, &self.hub.hub_rule_name()).await {
            Err(error) if error.kind == Kind::NotFound => {}
            other => other?,
        }
        self.session.delete_bus(cell, &bus).await?;
        for name in [self.hub.queue_name(), self.hub.dead_letter_queue_name()] {
            if let Some(url) = self.session.get_queue_url(cell, &name).await? {
                self.session.delete_queue(cell, &url).await?;
            }
        }
        let role = self.hub.forward_role_name();
        for step in Role::REMOVAL {
            self.session.iam(cell, role_call(&role, step, self.all_tags())).await?;
        }
        Ok(())
    }

    /// Removes the table and waits until it is gone.
    pub(super) async fn remove_table(&self) -> CloudResult<()> {
        let (cell, name) = (self.hub.home(), self.hub.table_name());
        self.session.delete_table(cell, &name).await?;
        while self.session.describe_table(cell, &name).await?.is_some() {
            self.session.wait(cell, self.session.timing().poll, &format!("table {name} to be gone")).await?;
        }
        Ok(())
    }
}

/// The call that takes a step about a role.
fn role_call(name: &str, step: RoleStep, tags: &Tags) -> Call {
    let name = name.to_owned();
    match step {
        RoleStep::Create(Role { description, trust, boundary, .. }) => {
            Call::CreateRole { name, path: ROLE_PATH.to_owned(), description, trust, boundary, tags: tags.clone() }
        }
        RoleStep::ChangeTrust(trust) => Call::UpdateTrust { role: name, trust },
        RoleStep::ChangeBoundary(boundary) => Call::PutBoundary { role: name, boundary },
        RoleStep::PutPolicy(policy) => Call::PutRolePolicy { role: name, name: FORWARD_POLICY_NAME.to_owned(), policy },
        RoleStep::RemovePolicy => Call::DeleteRolePolicy { role: name, name: FORWARD_POLICY_NAME.to_owned() },
        RoleStep::Remove => Call::DeleteRole { name },
    }
}

/// One queue, with its URL; an empty one when it is missing and not made. A queue that was removed a moment ago may still have a URL and then not be there.
pub(super) async fn queue(session: &Session, cell: &Cell, wanted: &Queue, tags: &Tags, mode: Mode) -> CloudResult<(Reasons, String)> {
    let mut url = session.get_queue_url(cell, &wanted.name).await?;
    let found = match &url {
        Some(url) => session.get_queue_attributes(cell, url).await?,
        None => None,
    };
    let Some(fault) = wanted.fault(found.as_ref()) else { return Ok((Reasons::new(), url.unwrap_or_default())) };
    for step in fault.steps.into_iter().filter(|_| mode == Mode::Repair) {
        match step {
            QueueStep::Create(queue) => url = Some(session.create_queue(cell, &queue.name, queue.attributes, tags).await?),
            QueueStep::SetAttributes(attributes) => {
                session.set_queue_attributes(cell, url.as_deref().unwrap_or_default(), attributes).await?;
            }
        }
    }
    Ok((vec![fault.reason], url.filter(|_| found.is_some() || mode == Mode::Repair).unwrap_or_default()))
}
