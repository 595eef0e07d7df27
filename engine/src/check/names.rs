//! Event names and sources held against the catalogue: what CloudTrail never writes, what a plain rule never carries, what is recorded
//! elsewhere.
//!
//! Everything that is told holds for each source that the trigger may mean: those of `event_sources`, narrowed by what the match says of
//! the source. So it holds as well once a value that is still unknown narrows them further. It is an error where no event can have the
//! name, and a warning where the catalogue may not know.

mod judge;
mod regions;
mod said;

use std::collections::BTreeSet;

use super::Known;
use crate::catalogue;
use crate::diagnostic::{Code, Diagnostic, Path};
use crate::trigger::Trigger;
use judge::{Asked, Sources};
use said::{Said, Word, said};

/// For how many unknown names of a trigger it is searched what was meant: a search goes through the whole catalogue.
const SEARCHES: usize = 5;

/// Every diagnostic of the names and sources in the attributes and in the match. A name is told once of each fault.
pub(super) fn check(trigger: &Trigger, is_known: Known<'_>) -> Vec<Diagnostic> {
    let mut check = Check::of(trigger, is_known);
    if is_known("regions") && is_known("exclude_regions") {
        check.diagnostics.extend(regions::check(trigger, &check.names));
    }
    check.diagnostics
}

/// Every name that is recorded where the trigger's regions reach and those of its hub do not.
pub(super) fn check_hub(trigger: &Trigger, is_known: Known<'_>, hub: &[String]) -> Vec<Diagnostic> {
    if is_known("regions") && is_known("exclude_regions") {
        regions::check_hub(trigger, &Check::of(trigger, is_known).names, hub)
    } else {
        Vec::new()
    }
}

/// The sources that are left where all of this holds.
fn narrowed<'t>(sources: Sources<'t>, said: &'t Said) -> Sources<'t> {
    match said {
        Said::Sources(words) => sources.within(words.iter().map(|word| word.text.as_str())),
        Said::All(parts) => parts.iter().fold(sources, narrowed),
        _ => sources,
    }
}

/// What was found so far.
struct Check {
    asked: Asked,
    told: BTreeSet<(Code, String)>,
    /// The names that the trigger waits for, with where they are recorded.
    names: Vec<regions::Recorded>,
    diagnostics: Vec<Diagnostic>,
}

type Place<'a> = &'a dyn Fn(Diagnostic) -> Diagnostic;

impl Check {
    /// What the attributes and the match tell of names and sources.
    fn of(trigger: &Trigger, is_known: Known<'_>) -> Self {
        let matching = trigger.matching();
        let said = matching.map_or(Said::Other, |(language, text)| said(language, text));
        let listed: &[String] = if is_known("event_sources") { &trigger.event_sources } else { &[] };
        let is_settled = ["event_sources", "match_expression", "filter_pattern", "event_pattern"].iter().all(|name| is_known(name));
        let leaves_out_reads = is_known("include_read_only") && !trigger.include_read_only;
        let asked = Asked { searches: true, leaves_out_reads, is_settled };
        let mut check = Self { asked, told: BTreeSet::new(), names: Vec::new(), diagnostics: Vec::new() };

        let sources = narrowed(Sources::of(listed), &said);
        for (index, name) in trigger.event_names.iter().enumerate() {
            let path = Path::root("event_names").index(index);
            check.name(name, &sources, true, &|diagnostic| diagnostic.at(path.clone()));
        }
        for (index, source) in trigger.event_sources.iter().enumerate() {
            let path = Path::root("event_sources").index(index);
            check.source(source, &|diagnostic| diagnostic.at(path.clone()));
        }
        if let Some((language, text)) = matching {
            let place = |word: &Word, diagnostic: Diagnostic| diagnostic.under(text, word.span).at(Path::root(language.attribute()));
            check.said(&said, &Sources::of(listed), true, &place);
        }
        check
    }

    fn said(&mut self, said: &Said, sources: &Sources<'_>, is_wanted: bool, place: &dyn Fn(&Word, Diagnostic) -> Diagnostic) {
        match said {
            Said::All(parts) | Said::Any(parts) => {
                // What is excluded by both of two need not have both.
                let inner = if is_wanted { narrowed(sources.clone(), said) } else { sources.clone() };
                parts.iter().for_each(|part| self.said(part, &inner, is_wanted, place));
            }
            Said::Not(part) => self.said(part, sources, !is_wanted, place),
            Said::Names(words) => {
                words.iter().for_each(|word| self.name(&word.text, sources, is_wanted, &|diagnostic| place(word, diagnostic)));
            }
            Said::Sources(words) => words.iter().for_each(|word| self.source(&word.text, &|diagnostic| place(word, diagnostic))),
            Said::Other => {}
        }
    }

    fn name(&mut self, name: &str, sources: &Sources<'_>, is_wanted: bool, place: Place<'_>) {
        let candidates = sources.candidates(name);
        let unknown = self.told.iter().filter(|(code, _)| *code == Code::UNKNOWN_EVENT_NAME).count();
        let asked = Asked { searches: unknown < SEARCHES, ..self.asked };
        if is_wanted {
            self.names.extend(regions::Recorded::of(name, sources, &candidates));
            self.tell(name, judge::wanted(name, sources, &candidates, asked), place);
        } else {
            self.tell(name, judge::unwanted(name, sources, &candidates, asked), place);
        }
    }

    fn source(&mut self, source: &str, place: Place<'_>) {
        if !catalogue::has_source(source) {
            self.tell(source, vec![judge::unknown_source(source)], place);
        }
    }

    fn tell(&mut self, about: &str, found: Vec<Diagnostic>, place: Place<'_>) {
        for diagnostic in found {
            if self.told.insert((diagnostic.code, about.to_owned())) {
                self.diagnostics.push(place(diagnostic));
            }
        }
    }
}

#[cfg(test)]
mod tests;
