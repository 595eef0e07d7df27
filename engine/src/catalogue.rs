//! Every event that CloudTrail records: (event source, event name) in CloudTrail's own spelling, and what is known of each.
//!
//! Some 24,000 pairs of 490 sources lie in `catalogue/events.bin`, which `tools/catalogue` makes from botocore, from the list of
//! IAM actions and from small reviewed tables (Lambda's dated names, S3's other names, events that no API call makes). The bytes
//! are searched where they lie: nothing is unpacked, and a look-up allocates nothing.
//!
//! What is not here may still be recorded: of the pairs found in real logs about one in a hundred is in no list that AWS publishes.
//! So an unknown name is a reason to warn. What *is* here under another name is a reason to refuse: a trigger on Lambda's
//! `CreateFunction` never fires, because CloudTrail writes `CreateFunction20150331`.
//!
//! ```
//! use trailwire_engine::catalogue::{self, Origin};
//! let entry = catalogue::lookup("lambda.amazonaws.com", "CreateFunction").unwrap();
//! assert_eq!(entry.origin, Origin::Renamed);
//! assert_eq!(catalogue::written_as("lambda.amazonaws.com", "CreateFunction"), ["CreateFunction20150331"]);
//! assert!(catalogue::lookup("iam.amazonaws.com", "ListUsers").unwrap().read_only);
//! assert!(catalogue::lookup("ec2.amazonaws.com", "PutBucketVersioning").is_none());
//! assert_eq!(catalogue::closest_source("cloudwatch").as_deref(), Some("monitoring.amazonaws.com"));
//! ```

mod closest;
mod dated;
mod entry;
mod format;
mod partition;
mod search;
#[cfg(test)]
mod tests;

pub use closest::{Closest, closest_events, closest_source};
pub use entry::{Entry, EventType, Origin, Regions};
pub use partition::partition;

use format::DATA;

/// What every event source ends with.
pub const DOMAIN: &str = ".amazonaws.com";

/// An event of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its name, as CloudTrail writes it (unless it is [`Origin::Renamed`]).
    pub name: String,
    /// What is known of it.
    pub entry: Entry,
}

/// What is known of an event. Case counts, as it does in EventBridge.
///
/// A known name with a date behind it is known, too ([`Origin::Dated`]): Lambda and CloudFront write such names, and their lists
/// are not complete.
#[must_use]
pub fn lookup(source: &str, name: &str) -> Option<Entry> {
    let number = source_number(source)?;
    search::lookup(number, name).or_else(|| {
        let entry = search::lookup(number, dated::without_date(name)?)?;
        Some(Entry { origin: Origin::Dated, ..entry })
    })
}

/// Whether there are events of this source. It is written whole: `iam.amazonaws.com`.
#[must_use]
pub fn has_source(source: &str) -> bool {
    source_number(source).is_some()
}

/// Every source, in alphabetical order.
pub fn sources() -> impl Iterator<Item = String> {
    (0..DATA.sources.len()).filter_map(|number| DATA.sources.get(number)).map(|source| format!("{source}{DOMAIN}"))
}

/// Every event of a source, in alphabetical order; `None` for a source that nobody knows.
///
/// Names of [`Origin::Renamed`] are left out: they are the API's, and no event has them.
#[must_use]
pub fn events(source: &str) -> Option<Vec<Event>> {
    let mut events = Vec::new();
    search::each(source_number(source)?, |name, entry| {
        if entry.origin != Origin::Renamed {
            events.push(Event { name: name.to_owned(), entry });
        }
    });
    events.sort_by(|a, b| a.name.cmp(&b.name));
    Some(events)
}

/// The sources that have an event of exactly this name, in alphabetical order.
#[must_use]
pub fn sources_of(name: &str) -> Vec<String> {
    let has = |source: &str| search::lookup(source_number(source)?, name).filter(|entry| entry.origin != Origin::Renamed);
    sources().filter(|source| has(source).is_some()).collect()
}

/// What CloudTrail writes where an API calls itself `name`; empty where it writes the same. Several for S3's public access block,
/// which buckets and accounts have.
#[must_use]
pub fn written_as(source: &str, name: &str) -> Vec<&'static str> {
    let Some(source) = source.strip_suffix(DOMAIN) else { return Vec::new() };
    format::renames().filter(|rename| rename.source == source && rename.api == name).map(|rename| rename.event).collect()
}

fn source_number(source: &str) -> Option<usize> {
    DATA.sources.find(source.strip_suffix(DOMAIN)?)
}
