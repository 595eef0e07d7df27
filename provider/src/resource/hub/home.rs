//! The hub's objects in its home region: looked at, and repaired where that is asked for.

use trailwire_engine::fanout::alarms::{self, AlarmStep};
use trailwire_engine::fanout::names::{Cell, Hub};
use trailwire_engine::fanout::objects::{Queue, QueueStep};
use trailwire_engine::fanout::policy::{Senders, bus_policy, same_document};
use trailwire_engine::fanout::rules::{Found, FoundRule, FoundTargets, Step, difference, drift, hub_rule};

use super::Settings;
use super::made::{Made, Thing};
use crate::apply::rules::delete_rule;
use crate::cloud::Session;
use crate::cloud::call::{Tagged, Tags};
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
    /// Whom the bus takes events from.
    pub(super) senders: Senders<'a>,
    pub(super) mode: Mode,
    /// What is made is noted here.
    pub(super) made: &'a Made,
}

/// Why something is not as wanted; nothing when it is.
pub(super) type Reasons = Vec<String>;

impl Home<'_> {
    pub(super) fn repairs(&self) -> bool {
        self.mode == Mode::Repair
    }

    pub(super) fn all_tags(&self) -> &Tags {
        &self.settings.tags_all
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

    /// The tags that the table has, of those that it shall have: whose the others are is not known.
    pub(super) async fn table_tags(&self) -> CloudResult<Tags> {
        let Some(table) = self.session.describe_table(self.hub.home(), &self.hub.table_name()).await? else { return Ok(Tags::new()) };
        let mut tags = self.session.list_tags(self.hub.home(), &Tagged::Table(table.arn)).await?;
        tags.retain(|key, _| self.all_tags().contains_key(key));
        Ok(tags)
    }

    /// The bus and who may put events on it.
    pub(super) async fn bus(&self) -> CloudResult<Reasons> {
        let (cell, name) = (self.hub.home(), self.hub.bus_name());
        let mut reasons = Reasons::new();
        let there = self.session.describe_bus(cell, &name).await?;
        if there.is_none() {
            reasons.push(format!("bus {name} is missing"));
            if self.repairs() {
                self.made.note(Thing::Bus);
                self.session.create_bus(cell, &name, &format!("Trailwire: hub {}", self.hub.name()), self.all_tags()).await?;
            }
        }
        let policy = bus_policy(self.hub, self.senders);
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

    /// The queue and its dead-letter queue, with their URLs; empty where they are missing and not made.
    pub(super) async fn queues(&self) -> CloudResult<(Reasons, [String; 2])> {
        let (cell, tags) = (self.hub.home(), self.all_tags());
        let place = (self.session, self.made, cell);
        let (mut reasons, dead_letter_url) = queue(place, &Queue::of_dead_letters(self.hub), tags, self.mode).await?;
        let wanted = Queue::of_hub(self.hub, self.settings.lambda.as_ref().map(|lambda| &lambda.function));
        let (more, url) = queue(place, &wanted, tags, self.mode).await?;
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
            if found.is_empty() {
                self.made.note(Thing::Rule);
            }
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

    /// The alarms; those that are not wanted any more go. Where none are wanted and none were, CloudWatch is not asked.
    pub(super) async fn alarms(&self) -> CloudResult<Reasons> {
        let cell = self.hub.home();
        let found = self.session.describe_alarms(cell, self.hub.own_prefix()).await?;
        let mut reasons = Reasons::new();
        if self.repairs() && found.is_empty() {
            self.made.note(Thing::Alarms);
        }
        for fault in alarms::faults(self.hub, &alarms::wanted(self.hub, &self.settings.alarm_actions), &found) {
            reasons.push(fault.reason);
            for step in fault.steps.into_iter().filter(|_| self.repairs()) {
                match step {
                    AlarmStep::Put(alarm) => self.session.put_alarm(cell, alarm, self.all_tags()).await?,
                    AlarmStep::Remove(names) => self.session.delete_alarms(cell, names).await?,
                }
            }
        }
        Ok(reasons)
    }

    /// Everything but the table and the roles. In the order in which it must be made; bus and queues side by side.
    pub(super) async fn all(&self) -> CloudResult<(Reasons, [String; 2])> {
        let (bus, (queues, urls)) = futures::try_join!(self.bus(), self.queues())?;
        let rule = self.rule().await?;
        let alarms = if self.settings.alarm_actions.is_empty() { Reasons::new() } else { self.alarms().await? };
        let function = match &self.settings.lambda {
            Some(lambda) => self.function(lambda).await?,
            None => Reasons::new(),
        };
        Ok(([bus, queues, rule, alarms, function].concat(), urls))
    }

    /// Brings the tags of everything here, save the role, from what they were to what they shall be.
    pub(super) async fn change_tags(&self, before: &Tags, urls: &[String; 2]) -> CloudResult<()> {
        let cell = self.hub.home();
        if before == self.all_tags() {
            return Ok(());
        }
        let table = self.session.describe_table(cell, &self.hub.table_name()).await?.map(|table| Tagged::Table(table.arn));
        let queues = urls.iter().map(|url| Tagged::Queue(url.clone()));
        let rest = [Tagged::Events(self.hub.arn()), Tagged::Events(self.hub.hub_rule_arn())];
        let alarms = alarms::wanted(self.hub, &self.settings.alarm_actions);
        let alarms = alarms.iter().map(|alarm| Tagged::Alarm(alarms::arn(self.hub, &alarm.name)));
        let function = self.settings.lambda.iter().flat_map(|_| self.tagged_function());
        for tagged in rest.into_iter().chain(queues).chain(table).chain(alarms).chain(function) {
            self.session.change_tags(cell, &tagged, before, self.all_tags()).await?;
        }
        Ok(())
    }

    /// Removes what `goes` of everything but the table and the roles: the rule, then what it joins.
    pub(super) async fn remove(&self, goes: impl Fn(&Thing) -> bool) -> CloudResult<()> {
        let (cell, bus) = (self.hub.home(), self.hub.bus_name());
        if !self.settings.alarm_actions.is_empty() && goes(&Thing::Alarms) {
            self.session.delete_alarms(cell, alarms::names(self.hub)).await?;
        }
        if self.settings.lambda.is_some() {
            self.remove_function(|part| goes(&Thing::Function(part))).await?;
        }
        if goes(&Thing::Rule) {
            match delete_rule(self.session, cell, &bus, &self.hub.hub_rule_name()).await {
                Err(error) if error.kind == Kind::NotFound => {}
                other => other?,
            }
        }
        if goes(&Thing::Bus) {
            self.session.delete_bus(cell, &bus).await?;
        }
        for name in [self.hub.queue_name(), self.hub.dead_letter_queue_name()] {
            if goes(&Thing::Queue(cell.clone(), name.clone()))
                && let Some(url) = self.session.get_queue_url(cell, &name).await?
            {
                self.session.delete_queue(cell, &url).await?;
            }
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

/// One queue, with its URL; an empty one when it is missing and not made. A queue that was removed a moment ago may still have a URL and then not be there.
pub(super) async fn queue(
    (session, made, cell): (&Session, &Made, &Cell),
    wanted: &Queue,
    tags: &Tags,
    mode: Mode,
) -> CloudResult<(Reasons, String)> {
    let mut url = session.get_queue_url(cell, &wanted.name).await?;
    let found = match &url {
        Some(url) => session.get_queue_attributes(cell, url).await?,
        None => None,
    };
    let Some(fault) = wanted.fault(found.as_ref()) else { return Ok((Reasons::new(), url.unwrap_or_default())) };
    for step in fault.steps.into_iter().filter(|_| mode == Mode::Repair) {
        match step {
            QueueStep::Create(queue) => {
                made.note(Thing::Queue(cell.clone(), queue.name.clone()));
                url = Some(session.create_queue(cell, &queue.name, queue.attributes, tags).await?);
            }
            QueueStep::SetAttributes(attributes) => {
                session.set_queue_attributes(cell, url.as_deref().unwrap_or_default(), attributes).await?;
            }
        }
    }
    Ok((vec![fault.reason], url.filter(|_| found.is_some() || mode == Mode::Repair).unwrap_or_default()))
}
