//! One column of the matrix: what a hub, its triggers and its forwarders have in one cell.

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;

use futures::future::join_all;
use trailwire_engine::fanout::names::{Carrier, Cell, Hub, Owner};
use trailwire_engine::fanout::objects::Queue;
use trailwire_engine::fanout::pattern::PatternTooLong;
use trailwire_engine::fanout::table::{Definition, HubRecord};

use super::Settings;
use super::home::{Mode, Reasons, queue};
use super::made::Made;
use crate::apply::Shared;
use crate::apply::cells::{Outcome, in_each};
use crate::apply::rules::Row;
use crate::cloud::Session;
use crate::cloud::call::{Tagged, Tags};
use crate::cloud::error::{CloudError, CloudResult, Kind};
use crate::resource::rows::carried::stored;

/// What may have rules.
type Declared = BTreeSet<(Carrier, String)>;

/// What works on columns needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns<'a> {
    pub(super) session: &'a Session,
    pub(super) shared: &'a Shared,
    pub(super) hub: &'a Hub,
    pub(super) settings: &'a Settings,
    /// Whether queues go with what they hold.
    pub(super) force: bool,
    /// What is made is noted here.
    pub(super) made: &'a Made,
}

impl Columns<'_> {
    /// The forward dead-letter queue of a cell.
    pub(super) async fn dead_letters(&self, cell: &Cell, mode: Mode) -> CloudResult<Reasons> {
        if !self.settings.forward_dead_letter {
            return Ok(Reasons::new());
        }
        let wanted = Queue::of_forward_dead_letters(self.hub, cell);
        queue((self.session, self.made, cell), &wanted, &self.settings.tags_all, mode).await.map(|(reasons, _)| reasons)
    }

    /// Makes the forward dead-letter queues, and brings their tags up to date.
    pub(super) async fn make_dead_letters(&self, cells: &[Cell], tags_before: Option<&Tags>) -> Outcome {
        in_each(cells.iter().cloned(), |cell| async move {
            self.dead_letters(&cell, Mode::Repair).await?;
            match tags_before.filter(|before| self.settings.forward_dead_letter && *before != &self.settings.tags_all) {
                Some(before) => {
                    let url = self.session.get_queue_url(&cell, &self.hub.forward_dead_letter_queue_name()).await?;
                    let queue = Tagged::Queue(url.unwrap_or_default());
                    self.session.change_tags(&cell, &queue, before, &self.settings.tags_all).await
                }
                None => Ok(()),
            }
        })
        .await
    }

    /// Removes the forward dead-letter queues; without `force` only those that hold nothing.
    pub(super) async fn remove_dead_letters(&self, cells: impl IntoIterator<Item = Cell>) -> Outcome {
        in_each(cells, |cell| async move {
            let name = self.hub.forward_dead_letter_queue_name();
            let gone = async {
                let Some(url) = self.session.get_queue_url(&cell, &name).await? else { return Ok(()) };
                match held(self.session, &cell, &url).await? {
                    0 => self.session.delete_queue(&cell, &url).await,
                    _ if self.force => self.session.delete_queue(&cell, &url).await,
                    count => {
                        Err(CloudError::ours(Kind::InUse, &cell, format!("queue {name} holds {count} events that could not be forwarded")))
                    }
                }
            };
            unless_disabled(gone.await)
        })
        .await
    }

    /// The rules of every definition in these cells of the scope. In those of `anew` rules and targets are put even where they seem to be as wanted: a
    /// listing does not tell a target's dead-letter queue.
    /// Definitions that cannot be read are returned by name: their rules stay as they are.
    pub(super) async fn rules(
        &self,
        record: &HubRecord,
        definitions: &[Definition],
        cells: &[Cell],
        anew: &BTreeSet<Cell>,
    ) -> (Outcome, Vec<(Carrier, String)>) {
        let mut unreadable = Vec::new();
        let mut readable = Vec::new();
        for definition in definitions {
            match stored(definition) {
                Some(stored) => readable.push(stored),
                None => unreadable.extend(Carrier::of(definition.kind).map(|carrier| (carrier, definition.name.clone()))),
            }
        }
        let jobs = readable.into_iter();
        let jobs = jobs.map(|stored| async move {
            let (rules, settings) = match stored {
                Ok(stored) => stored,
                Err(error) => return in_each(cells.iter().cloned(), |cell| ready(Err(too_long(&cell, &error)))).await,
            };
            let row = Row { session: self.session, shared: self.shared, hub: self.hub, owner: rules.owner(), tags: &settings.tags_all };
            let scope: BTreeSet<Cell> = rules.cells(record).into_iter().collect();
            in_each(cells.iter().cloned(), |cell| {
                let (rules, scope) = (&rules, &scope);
                async move {
                    if !scope.contains(&cell) {
                        return row.remove(&cell).await;
                    }
                    let wanted = rules.wanted(self.hub, record, &cell);
                    if anew.contains(&cell) {
                        row.create(&cell, &wanted).await?;
                    }
                    row.reconcile(&cell, &wanted, None).await
                }
            })
            .await
        });
        (join_all(jobs).await.into_iter().fold(Outcome::default(), Outcome::and), unreadable)
    }

    /// Removes the rules of everything from cells, whether or not anything declares it.
    pub(super) async fn remove_rules(&self, cells: impl IntoIterator<Item = Cell>) -> Outcome {
        in_each(cells, |cell| async move {
            let found = match self.shared.rules_in(self.session, self.hub, &cell).await {
                Err(error) if error.kind == Kind::RegionDisabled => return Ok(()),
                other => other?,
            };
            self.remove_canary(&cell, &found).await?;
            let owners: BTreeSet<Owner<'_>> =
                found.keys().filter_map(|rule| self.hub.owner_of_rule(rule)).map(|(owner, _)| owner).collect();
            let none = Tags::new();
            for owner in owners {
                let row = Row { session: self.session, shared: self.shared, hub: self.hub, owner, tags: &none };
                row.remove(&cell).await?;
            }
            Ok(())
        })
        .await
    }

    /// Removes the rules of what nobody declares.
    pub(super) async fn remove_orphans(&self, cells: &[Cell], declared: &Declared) -> Outcome {
        in_each(cells.iter().cloned(), |cell| async move {
            let none = Tags::new();
            for (carrier, name) in self.orphans(&cell, declared).await? {
                let owner = Owner { carrier, name: &name };
                let row = Row { session: self.session, shared: self.shared, hub: self.hub, owner, tags: &none };
                row.remove(&cell).await?;
            }
            Ok(())
        })
        .await
    }

    /// What has rules in a cell and is not declared.
    async fn orphans(&self, cell: &Cell, declared: &Declared) -> CloudResult<Declared> {
        let found = self.shared.rules_in(self.session, self.hub, cell).await?;
        let owners = found.keys().filter_map(|rule| self.hub.owner_of_rule(rule)).map(|(owner, _)| (owner.carrier, owner.name.to_owned()));
        Ok(owners.filter(|owner| !declared.contains(owner)).collect())
    }

    /// What differs in the cells of the scope.
    pub(super) async fn look(&self, cells: &[Cell], declared: &Declared) -> Looked {
        let unfinished = &self.settings.retarget_cells();
        let looks = cells.iter().map(|cell| async move {
            let looks = futures::try_join!(self.dead_letters(cell, Mode::Look), self.look_at_canary(cell), self.orphans(cell, declared));
            let (mut reasons, canary, orphans) = looks?;
            reasons.extend(canary);
            reasons.extend(unfinished.contains(cell).then(|| "a change of `forward_dead_letter` is not finished".to_owned()));
            reasons.extend(orphans.iter().map(|orphan| format!("there are rules of {}, which nobody declares", owner(orphan))));
            Ok(reasons)
        });
        let mut looked = Looked::default();
        for (cell, found) in cells.iter().zip(join_all(looks).await) {
            looked.add(cell, found, Place::Inside);
        }
        looked
    }

    /// What is left in cells outside the scope.
    pub(super) async fn look_outside(&self, cells: &BTreeSet<Cell>) -> Looked {
        let nobody = Declared::new();
        let looks = cells.iter().map(|cell| {
            let nobody = &nobody;
            async move {
                let name = self.hub.forward_dead_letter_queue_name();
                let canary = self.hub.canary_rule_name();
                let looks = futures::try_join!(
                    self.session.get_queue_url(cell, &name),
                    self.shared.rule(self.session, self.hub, cell, &canary),
                    self.orphans(cell, nobody)
                );
                let (queue, found, rules) = looks?;
                let canary = found.map(|_| format!("rule {canary} is not wanted here any more"));
                let queue = queue.map(|_| format!("queue {name} is not wanted here any more"));
                let rules = rules.iter().map(|orphan| format!("the rules of {} are not wanted here any more", owner(orphan)));
                Ok(rules.chain(canary).chain(queue).collect())
            }
        });
        let mut looked = Looked::default();
        for (cell, found) in cells.iter().zip(join_all(looks).await) {
            looked.add(cell, found, Place::Outside);
        }
        looked
    }
}

fn owner((carrier, name): &(Carrier, String)) -> Owner<'_> {
    Owner { carrier: *carrier, name }
}

fn too_long(cell: &Cell, error: &PatternTooLong) -> CloudError {
    CloudError::ours(Kind::Configuration, cell, error.to_string())
}

/// Whether a cell is in the hub's scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It is.
    Inside,
    /// It was.
    Outside,
}

/// What a look at cells found.
#[derive(Debug, Default)]
pub(super) struct Looked {
    drifted: BTreeMap<Cell, Reasons>,
    /// Cells that could not be read.
    pub(super) unread: BTreeMap<Cell, CloudError>,
}

impl Looked {
    /// Adds what a look at a cell found.
    pub(super) fn add(&mut self, cell: &Cell, found: CloudResult<Reasons>, place: Place) {
        match found {
            Ok(reasons) if reasons.is_empty() => {}
            Ok(reasons) => self.drifted.entry(cell.clone()).or_default().extend(reasons),
            Err(error) if error.kind == Kind::RegionDisabled => {
                if place == Place::Inside {
                    let told = "the region is not enabled in the account any more".to_owned();
                    self.drifted.entry(cell.clone()).or_default().push(told);
                }
            }
            Err(error) => {
                self.unread.insert(cell.clone(), error);
            }
        }
    }

    /// Both together.
    pub(super) fn and(mut self, other: Self) -> Self {
        for (cell, reasons) in other.drifted {
            self.drifted.entry(cell).or_default().extend(reasons);
        }
        self.unread.extend(other.unread);
        self
    }

    /// Whether something is to be said of a cell.
    pub(super) fn tells_of(&self, cell: &Cell) -> bool {
        self.drifted.contains_key(cell) || self.unread.contains_key(cell)
    }

    /// Cell to reason. Where a cell could not be read, what was said of it before.
    pub(super) fn reasons(&self, before: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let kept = self.unread.keys().filter_map(|cell| before.get_key_value(&cell.to_string()));
        let kept = kept.map(|(cell, reason)| (cell.clone(), reason.clone()));
        kept.chain(self.drifted.iter().map(|(cell, reasons)| (cell.to_string(), reasons.join("; ")))).collect()
    }
}

/// How many messages a queue holds: waiting, taken or delayed. As good as SQS counts.
pub(super) async fn held(session: &Session, cell: &Cell, url: &str) -> CloudResult<u64> {
    let attributes = session.get_queue_attributes(cell, url).await?.unwrap_or_default();
    let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"];
    Ok(names.iter().filter_map(|name| attributes.get(*name)?.parse::<u64>().ok()).sum())
}

/// A region that is not enabled any more holds nothing.
fn unless_disabled(result: CloudResult<()>) -> CloudResult<()> {
    match result {
        Err(error) if error.kind == Kind::RegionDisabled => Ok(()),
        other => other,
    }
}
