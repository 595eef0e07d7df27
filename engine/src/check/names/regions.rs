//! Events that are recorded in one region, and a scope without it.

use std::collections::BTreeSet;

use super::judge::{Candidate, Sources, joined, some_of};
use crate::catalogue::{Origin, Regions, partition};
use crate::diagnostic::{Code, Diagnostic, Path, Severity};
use crate::trigger::Trigger;

/// A name that a trigger waits for, and the regions where it is recorded.
pub(super) struct Recorded {
    name: String,
    regions: BTreeSet<&'static str>,
    /// Whether it is recorded nowhere else.
    is_certain: bool,
}

impl Recorded {
    /// Nothing where the event may be recorded in any region.
    pub(super) fn of(name: &str, sources: &Sources<'_>, candidates: &[Candidate]) -> Option<Self> {
        let live: Vec<&Candidate> = candidates.iter().filter(|candidate| candidate.entry.origin != Origin::Renamed).collect();
        let is_bound = !live.is_empty() && live.iter().all(|candidate| candidate.entry.regions != Regions::Anywhere);
        (is_bound && !sources.has_unknown()).then(|| Self {
            name: name.to_owned(),
            regions: live.iter().flat_map(|candidate| candidate.entry.regions.names()).collect(),
            is_certain: live.iter().all(|candidate| matches!(candidate.entry.regions, Regions::Only(_))),
        })
    }

    /// Its regions in a partition.
    fn within(&self, wanted: &str) -> BTreeSet<&'static str> {
        self.regions.iter().copied().filter(|region| partition(region) == wanted).collect()
    }
}

/// Names that are recorded only where the trigger's own regions do not reach. One diagnostic for those of the same regions.
pub(super) fn check(trigger: &Trigger, names: &[Recorded]) -> Vec<Diagnostic> {
    let attribute = if trigger.regions.is_empty() { "exclude_regions" } else { "regions" };
    told_together(names, |recorded| out_of_reach(trigger, recorded), |found| diagnostic(found, attribute))
}

/// Names that the trigger's own regions would reach, and those of its hub do not. A warning: a hub may grow.
pub(super) fn check_hub(trigger: &Trigger, names: &[Recorded], hub: &[String]) -> Vec<Diagnostic> {
    let out_of_hub = |recorded: &Recorded| {
        let regions = recorded.within(partition(hub.first()?));
        let is_left_out = !regions.is_empty() && !regions.iter().any(|region| hub.iter().any(|own| own == region));
        (is_left_out && out_of_reach(trigger, recorded).is_none()).then_some(regions)
    };
    told_together(names, out_of_hub, |found| {
        let help = format!("add {} to the hub's `regions`", found.regions("or"));
        Diagnostic::warning(Code::HOME_REGION, found.message("the hub's regions")).at(Path::root("hub")).help(help)
    })
}

/// Names that are recorded in the same regions, out of reach.
struct Found<'n> {
    regions: BTreeSet<&'static str>,
    is_certain: bool,
    names: Vec<&'n str>,
}

impl Found<'_> {
    fn regions(&self, word: &str) -> String {
        joined(&self.regions.iter().copied().collect::<Vec<_>>(), word)
    }

    fn message(&self, whose: &str) -> String {
        let verb = if self.names.len() == 1 { "is" } else { "are" };
        let how = if self.is_certain { "only" } else { "mostly" };
        format!("{} {verb} recorded {how} in {}, which {whose} leave out", some_of(&self.names), self.regions("and"))
    }
}

fn told_together<'n>(
    names: &'n [Recorded],
    out_of_reach: impl Fn(&Recorded) -> Option<BTreeSet<&'static str>>,
    tell: impl Fn(&Found<'n>) -> Diagnostic,
) -> Vec<Diagnostic> {
    let mut found: Vec<Found<'n>> = Vec::new();
    for recorded in names {
        let Some(regions) = out_of_reach(recorded) else { continue };
        match found.iter_mut().find(|others| others.regions == regions && others.is_certain == recorded.is_certain) {
            Some(others) if others.names.contains(&recorded.name.as_str()) => {}
            Some(others) => others.names.push(&recorded.name),
            None => found.push(Found { regions, is_certain: recorded.is_certain, names: vec![&recorded.name] }),
        }
    }
    found.iter().map(tell).collect()
}

/// The regions in which a name is recorded, if the trigger's leave out all of them.
fn out_of_reach(trigger: &Trigger, recorded: &Recorded) -> Option<BTreeSet<&'static str>> {
    let is_excluded = |region: &str| trigger.exclude_regions.iter().any(|excluded| excluded == region);
    let is_reached = |region: &str| (trigger.regions.is_empty() || trigger.regions.iter().any(|own| own == region)) && !is_excluded(region);
    // A hub lies in one partition, and so do the regions that are listed.
    let listed = trigger.regions.iter().chain(&trigger.exclude_regions).next()?;
    let regions = recorded.within(partition(listed));
    let regions = if regions.is_empty() { recorded.regions.clone() } else { regions };
    (!regions.iter().any(|region| is_reached(region))).then_some(regions)
}

fn diagnostic(found: &Found<'_>, attribute: &str) -> Diagnostic {
    let severity = if found.is_certain { Severity::Error } else { Severity::Warning };
    let which = found.regions("or");
    let help = if attribute == "regions" { format!("add {which} to `regions`") } else { format!("take {which} out of `exclude_regions`") };
    let message = found.message("this trigger's regions");
    Diagnostic { severity, ..Diagnostic::error(Code::HOME_REGION, message) }.at(Path::root(attribute)).help(help)
}
