//! Brings the rules of one trigger or forwarder in one cell from what is there to what is wanted.

use trailwire_engine::fanout::names::{Cell, Hub, Owner};
use trailwire_engine::fanout::rules::{Found, Rule, Step, difference};

use super::Shared;
use crate::cloud::Session;
use crate::cloud::call::{DEFAULT_BUS, Tagged, Tags};
use crate::cloud::error::{CloudResult, Kind};

/// The rules of one trigger or forwarder.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The handle of the request.
    pub session: &'a Session,
    /// What the process knows.
    pub shared: &'a Shared,
    /// The hub.
    pub hub: &'a Hub,
    /// Whose they are.
    pub owner: Owner<'a>,
    /// The tags of its rules.
    pub tags: &'a Tags,
}

impl Row<'_> {
    /// Makes the rules where none are: nothing is read first.
    pub async fn create(&self, cell: &Cell, wanted: &[Rule]) -> CloudResult<()> {
        self.take(cell, difference(wanted, &Found::new(), |_| false)).await
    }

    /// Reads what is there and takes the steps that are missing. `tags_before` are the tags that rules which are there have; without them
    /// tags are not looked at.
    pub async fn reconcile(&self, cell: &Cell, wanted: &[Rule], tags_before: Option<&Tags>) -> CloudResult<()> {
        let found = self.shared.rules_of(self.session, self.hub, cell, self.owner).await?;
        self.take(cell, difference(wanted, &found, |_| true)).await?;
        let Some(before) = tags_before.filter(|before| *before != self.tags) else { return Ok(()) };
        for rule in wanted.iter().filter(|rule| found.contains_key(&rule.name)) {
            let rule = Tagged::Events(self.hub.rule_arn(cell, &rule.name));
            self.session.change_tags(cell, &rule, before, self.tags).await?;
        }
        Ok(())
    }

    /// Removes every rule of the owner. A region that is not enabled any more holds nothing that could carry events.
    pub async fn remove(&self, cell: &Cell) -> CloudResult<()> {
        match self.reconcile(cell, &[], None).await {
            Err(error) if error.kind == Kind::RegionDisabled => Ok(()),
            other => other,
        }
    }

    async fn take(&self, cell: &Cell, steps: Vec<Step>) -> CloudResult<()> {
        Hand { session: self.session, shared: self.shared, hub: self.hub, tags: self.tags }.take(cell, steps).await
    }
}

/// Takes steps about rules on the default bus of cells.
#[derive(Clone, Copy, Debug)]
pub struct Hand<'a> {
    /// The handle of the request.
    pub session: &'a Session,
    /// What the process knows.
    pub shared: &'a Shared,
    /// The hub.
    pub hub: &'a Hub,
    /// The tags of rules that are made.
    pub tags: &'a Tags,
}

impl Hand<'_> {
    /// Takes the steps, one after another, until one fails.
    pub async fn take(&self, cell: &Cell, steps: Vec<Step>) -> CloudResult<()> {
        for step in steps {
            if let Err(error) = self.step(cell, &step).await {
                self.shared.forget(self.hub, cell).await;
                return Err(error);
            }
            self.shared.note(self.hub, cell, &step).await;
        }
        Ok(())
    }

    async fn step(&self, cell: &Cell, step: &Step) -> CloudResult<()> {
        let session = self.session;
        match step {
            Step::PutRule(rule) => session.put_rule(cell, DEFAULT_BUS, rule, self.tags).await,
            Step::PutTarget { rule, target } => session.put_target(cell, DEFAULT_BUS, rule, target).await,
            Step::RemoveTargets { rule, ids } => session.remove_targets(cell, DEFAULT_BUS, rule, ids.clone()).await,
            Step::DeleteRule { rule } => delete_rule(session, cell, DEFAULT_BUS, rule).await,
        }
    }
}

/// Removes a rule of ours, with whatever targets somebody may have added to it.
pub async fn delete_rule(session: &Session, cell: &Cell, bus: &str, rule: &str) -> CloudResult<()> {
    match session.delete_rule(cell, bus, rule).await {
        Err(error) if error.kind == Kind::InUse => {
            let ids = session.list_targets(cell, bus, rule).await?.into_iter().map(|target| target.id).collect::<Vec<_>>();
            if !ids.is_empty() {
                session.remove_targets(cell, bus, rule, ids).await?;
            }
            session.delete_rule(cell, bus, rule).await
        }
        other => other,
    }
}
