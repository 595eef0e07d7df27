//! What was meant by a name or a source that nobody knows.

use super::format::{DATA, renames};
use super::{DOMAIN, Origin, has_source, lookup, search, source_number, sources, sources_of};
use crate::text::{distance_within, nearest_within};

/// An event that may have been meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Closest {
    /// Its source.
    pub source: String,
    /// Its name.
    pub name: String,
}

/// The source that was meant: another name of it (`cloudwatch`, `elb`, `aws.iam`), one without its ending or in another case,
/// or one at most two letters away.
#[must_use]
pub fn closest_source(written: &str) -> Option<String> {
    let lower = written.trim().to_lowercase();
    let bare = lower.strip_suffix(DOMAIN).unwrap_or(&lower);
    let bare = bare.strip_prefix("aws.").unwrap_or(bare);
    let alias = |text: &str| DATA.aliases.find(text).and_then(|number| DATA.alias(number));
    let known = DATA.sources.find(bare).and_then(|number| DATA.sources.get(number)).or_else(|| alias(bare)).or_else(|| {
        // A region: `ec2.us-east-1.amazonaws.com`.
        let (service, _) = bare.rsplit_once('.')?;
        DATA.sources.find(service).and_then(|number| DATA.sources.get(number)).or_else(|| alias(service))
    });
    let all = || {
        let sources = (0..DATA.sources.len()).filter_map(|number| DATA.sources.get(number));
        sources.chain((0..DATA.aliases.len()).filter_map(|number| DATA.aliases.get(number)))
    };
    // Nearly everything is near a text of two letters.
    let allowed = [0, 0, 0, 1].get(bare.len()).copied().unwrap_or(2);
    let near = || nearest_within(bare, all(), allowed).map(|found| alias(found).unwrap_or(found));
    known.or_else(near).map(|source| format!("{source}{DOMAIN}")).filter(|source| source != written)
}

/// The events that were meant by a name, the likeliest first and at most `most` of them: what CloudTrail writes instead, if it
/// does; else the same name of other sources, then names at most a fifth of its length away, case ignored. Searched are the sources
/// that were `asked` for, or all where none of them is known.
#[must_use]
pub fn closest_events(asked: &[String], name: &str, most: usize) -> Vec<Closest> {
    let wanted: Vec<&str> = asked.iter().map(String::as_str).filter(|source| has_source(source)).collect();
    let is_wanted = |source: &str| wanted.is_empty() || wanted.contains(&source);
    let mut found: Vec<Closest> = renames()
        .filter(|rename| rename.api == name)
        .map(|rename| (format!("{}{DOMAIN}", rename.source), rename.event))
        .filter(|(source, _)| is_wanted(source) && lookup(source, name).is_some_and(|entry| entry.origin == Origin::Renamed))
        .map(|(source, event)| Closest { source, name: event.to_owned() })
        .collect();
    if found.is_empty() {
        if !wanted.is_empty() {
            found.extend(sources_of(name).into_iter().map(|source| Closest { source, name: name.to_owned() }));
        }
        found.extend(near(name, sources().filter(|source| is_wanted(source))));
    }
    found.truncate(most);
    found
}

/// The events of these sources that differ from a name by a few letters, the nearest first.
fn near(name: &str, sources: impl Iterator<Item = String>) -> impl Iterator<Item = Closest> {
    let allowed = (name.chars().count() / 5).clamp(1, 4);
    let mut near = Vec::new();
    for source in sources {
        let Some(number) = source_number(&source) else { continue };
        search::each(number, |known, entry| {
            let distance = distance_within(name, known, allowed).filter(|_| entry.origin != Origin::Renamed);
            near.extend(distance.map(|distance| (distance, Closest { source: source.clone(), name: known.to_owned() })));
        });
    }
    near.sort();
    near.into_iter().map(|(_, closest)| closest)
}
