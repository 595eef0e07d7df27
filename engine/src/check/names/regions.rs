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
    let mut found: Vec<(BTreeSet<&str>, bool, Vec<&str>)> = Vec::new();
    let attribute = if trigger.regions.is_empty() { "exclude_regions" } else { "regions" };
    for recorded in names {
        let Some(regions) = out_of_reach(trigger, recorded) else { continue };
        match found.iter_mut().find(|(others, is_certain, _)| *others == regions && *is_certain == recorded.is_certain) {
            Some((.., names)) if names.contains(&recorded.name.as_str()) => {}
            Some((.., names)) => names.push(&recorded.name),
            None => found.push((regions, recorded.is_certain, vec![&recorded.name])),
        }
    }
    found.into_iter().map(|(regions, is_certain, names)| diagnostic(&regions, is_certain, &names, attribute)).collect()
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

fn diagnostic(regions: &BTreeSet<&str>, is_certain: bool, names: &[&str], attribute: &str) -> Diagnostic {
    let verb = if names.len() == 1 { "is" } else { "are" };
    let how = if is_certain { "only" } else { "mostly" };
    let regions: Vec<&str> = regions.iter().copied().collect();
    let places = joined(&regions, "and");
    let message = format!("{} {verb} recorded {how} in {places}, which this trigger's regions leave out", some_of(names));
    let severity = if is_certain { Severity::Error } else { Severity::Warning };
    let which = joined(&regions, "or");
    let help = if attribute == "regions" { format!("add {which} to `regions`") } else { format!("take {which} out of `exclude_regions`") };
    Diagnostic { severity, ..Diagnostic::error(Code::HOME_REGION, message) }.at(Path::root(attribute)).help(help)
}
