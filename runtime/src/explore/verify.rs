//! Whether the log files of a trail are those that CloudTrail delivered: the digests that it writes every hour are signed, each names the one before it, and they list the
//! logs with their hashes.
//!
//! [`trail`] says where they lie and [`store`] in what; [`walk`] goes from digest to digest, [`digest`] and [`log`] check one file each, by [`keys`] that [`calls`] asks
//! for; [`unlisted`] finds logs that no digest lists. What is found, and in what words, is what `aws cloudtrail validate-logs` finds
//! (`awscli/customizations/cloudtrail/validation.py`), but that it does not look for unlisted logs, and takes a digest with something behind its end for valid.

pub(crate) mod calls;
mod digest;
mod inflate;
pub(crate) mod keys;
mod log;
pub(crate) mod store;
pub(crate) mod trail;
mod unlisted;
mod walk;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::reading::{side_by_side, threads};
use super::s3::Fault;
use digest::Listed as Log;
use keys::{Keys, display};
use store::Store;
use trail::{Chain, Trail};
use unlisted::Listed;
use walk::{Step, Walk};

/// Steps and logs that are looked at side by side, and wait to be told in order.
const BATCH: usize = 512;

/// What is to be looked at.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) trail: &'a Trail,
    pub(crate) store: &'a Store,
    /// Where the newest digest lies; `None` of a copy of whichever bucket.
    pub(crate) bucket: Option<&'a str>,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    /// The present: the digests of the last two hours may be to come.
    pub(crate) now: Timestamp,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// A digest, and what is wrong with it.
    Digest { chain: Chain, place: String, wrong: Option<String> },
    /// A log file, and what is wrong with it.
    Log { place: String, wrong: Option<String> },
    /// No logs were delivered from one time to another, or validation was off.
    Gap { chain: Chain, from: Timestamp, to: Timestamp },
    /// No digest is about this time, at the beginning or the end of what was asked for: there was no validation, or digests were removed.
    Uncovered { from: Timestamp, to: Timestamp },
    /// A log file that no digest lists.
    Unlisted { place: String },
}

impl Told {
    /// Whether it is a file that is as CloudTrail delivered it. A gap is no file, and nothing wrong by itself: a trail may be stopped.
    pub(crate) fn is_valid(&self) -> bool {
        matches!(self, Self::Digest { wrong: None, .. } | Self::Log { wrong: None, .. })
    }

    /// The line of `aws cloudtrail validate-logs`.
    pub(crate) fn line(&self) -> String {
        let verdict = |wrong: &Option<String>| wrong.as_ref().map_or_else(|| "valid".to_owned(), |wrong| format!("INVALID: {wrong}"));
        match self {
            Self::Digest { chain, place, wrong } => format!("{}Digest file\t{place}\t{}", mark(*chain), verdict(wrong)),
            Self::Log { place, wrong } => format!("Log file\t{place}\t{}", verdict(wrong)),
            Self::Gap { chain, from, to } => {
                format!("{}No log files were delivered by CloudTrail between {} and {}", mark(*chain), display(*from), display(*to))
            }
            Self::Uncovered { from, to } => format!("No digest file is there for the time between {} and {}", display(*from), display(*to)),
            Self::Unlisted { place } => format!("Log file\t{place}\tUNLISTED: it is in no digest file"),
        }
    }

    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Digest { chain, place, wrong } => {
                json!({"type": "digest", "backfill": *chain == Chain::Backfill, "place": place, "valid": wrong.is_none(), "reason": wrong})
            }
            Self::Log { place, wrong } => json!({"type": "log", "place": place, "valid": wrong.is_none(), "reason": wrong}),
            Self::Gap { chain, from, to } => {
                json!({"type": "gap", "backfill": *chain == Chain::Backfill, "from": display(*from), "to": display(*to)})
            }
            Self::Uncovered { from, to } => json!({"type": "uncovered", "from": display(*from), "to": display(*to)}),
            Self::Unlisted { place } => json!({"type": "unlisted", "place": place}),
        }
    }
}

fn mark(chain: Chain) -> &'static str {
    match chain {
        Chain::Standard => "",
        Chain::Backfill => "(backfill) ",
    }
}

/// How many of a kind are valid, and how many are not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) valid: u64,
    pub(crate) invalid: u64,
}

impl Count {
    fn add(&mut self, is_valid: bool) {
        *(if is_valid { &mut self.valid } else { &mut self.invalid }) += 1;
    }

    /// The line of `aws cloudtrail validate-logs`; `None` where there are none.
    fn line(self, name: &str) -> Option<String> {
        let all = self.valid + self.invalid;
        let invalid = (self.invalid > 0).then(|| format!(", {}/{all} {name} files INVALID", self.invalid));
        (all > 0).then(|| format!("{}/{all} {name} files valid{}", self.valid, invalid.unwrap_or_default()))
    }
}

/// What was found in all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) digests: Count,
    pub(crate) backfill_digests: Count,
    pub(crate) logs: Count,
    pub(crate) unlisted: u64,
    /// The times that valid digests are about, within those that were asked for.
    pub(crate) found: Option<(Timestamp, Timestamp)>,
    /// From the oldest valid digest of every hour to the newest.
    covered: Option<(Timestamp, Timestamp)>,
}

impl Totals {
    fn add(&mut self, told: &Told) {
        match told {
            Told::Digest { chain: Chain::Standard, .. } => self.digests.add(told.is_valid()),
            Told::Digest { chain: Chain::Backfill, .. } => self.backfill_digests.add(told.is_valid()),
            Told::Log { .. } => self.logs.add(told.is_valid()),
            Told::Unlisted { .. } => self.unlisted += 1,
            Told::Gap { .. } | Told::Uncovered { .. } => {}
        }
    }

    /// Files that are not as CloudTrail delivered them.
    pub(crate) fn wrong(&self) -> u64 {
        self.digests.invalid + self.backfill_digests.invalid + self.logs.invalid + self.unlisted
    }

    /// Whether a valid digest is about the time that was asked for. Where there is none, nothing is known.
    pub(crate) fn is_known(&self) -> bool {
        self.digests.valid > 0
    }

    /// The last words, as `aws cloudtrail validate-logs` has them.
    pub(crate) fn lines(&self, from: Timestamp, to: Timestamp) -> Vec<String> {
        let mut lines = vec![format!("Results requested for {} to {}", display(from), display(to))];
        if self.digests == Count::default() && self.backfill_digests == Count::default() {
            lines.push("No digests found".to_owned());
            return lines;
        }
        lines.push(match self.found {
            Some((from, to)) => format!("Results found for {} to {}:", display(from), display(to)),
            None => "No valid digests found in range".to_owned(),
        });
        lines.push(String::new());
        lines.extend(self.digests.line("digest"));
        lines.extend(self.backfill_digests.line("backfill digest"));
        lines.extend(self.logs.line("log"));
        lines.extend((self.unlisted > 0).then(|| format!("{} log files UNLISTED", self.unlisted)));
        lines
    }

    pub(crate) fn json(&self, from: Timestamp, to: Timestamp) -> Value {
        let count = |count: Count| json!({"valid": count.valid, "invalid": count.invalid});
        json!({
            "type": "summary", "from": display(from), "to": display(to), "found_from": self.found.map(|(from, _)| display(from)),
            "found_to": self.found.map(|(_, to)| display(to)), "digests": count(self.digests), "backfill_digests": count(self.backfill_digests),
            "logs": count(self.logs), "unlisted": self.unlisted,
        })
    }
}

/// Looks at both chains and the logs that they list, and tells each thing in its order: a digest, its logs, the digest before it.
///
/// # Errors
///
/// In words: a bucket can not be listed.
pub(crate) fn verify(asked: &Asked<'_>, keys: &mut Keys<'_>, mut tell: impl FnMut(&Told)) -> Result<Totals, String> {
    let (mut totals, mut listed, mut bucket) = (Totals::default(), Listed::default(), asked.bucket.map(str::to_owned));
    let mut tell = |totals: &mut Totals, told: &Told| {
        totals.add(told);
        tell(told);
    };
    let range = (asked.from, asked.to);
    for chain in [Chain::Standard, Chain::Backfill] {
        let unlistable = |fault: Fault| format!("the digests of {} can not be listed: {}", asked.trail.arn, fault.words());
        let mut walk = Walk::new(asked.trail, asked.store, chain, asked.bucket, range).map_err(unlistable)?;
        loop {
            let mut items = Vec::new();
            while items.len() < BATCH {
                let Some(step) = walk.next(keys).map_err(unlistable)? else { break };
                if let Step::Valid(of, _, digest) = &step {
                    bucket.get_or_insert_with(|| of.clone());
                    let found = totals.found.get_or_insert((asked.to, asked.from));
                    *found = (found.0.min(digest.start.max(asked.from)), found.1.max(digest.end.min(asked.to)));
                    if chain == Chain::Standard {
                        let covered = totals.covered.get_or_insert((digest.start, digest.end));
                        *covered = (covered.0.min(digest.start), covered.1.max(digest.end));
                        listed.span(digest.start, digest.end);
                    }
                    digest.logs.iter().for_each(|log| listed.log(&log.key));
                }
                items.extend(told(chain, step));
            }
            if items.is_empty() {
                break;
            }
            let threads = threads(!asked.store.is_copy());
            side_by_side(
                &items,
                threads,
                || (),
                |item, ()| look(asked.store, item),
                |item, told| {
                    let told = told.unwrap_or_else(|| item.broken());
                    tell(&mut totals, &told);
                    true
                },
            );
        }
    }
    for (start, end) in uncovered(asked, totals.covered) {
        tell(&mut totals, &Told::Uncovered { from: start, to: end });
        listed.span(start, end);
    }
    let bucket = bucket.unwrap_or_default();
    let others = listed.others(asked.store, &bucket, asked.trail, range, |key| {
        tell(&mut totals, &Told::Unlisted { place: place(&bucket, key) });
    });
    others.map_err(|fault| format!("the logs of {} can not be listed: {}", asked.trail.arn, fault.words()))?;
    Ok(totals)
}

/// What was asked for before the oldest digest and behind the newest, as far as digests could be there.
fn uncovered(asked: &Asked<'_>, covered: Option<(Timestamp, Timestamp)>) -> Vec<(Timestamp, Timestamp)> {
    let due = asked.now.checked_sub(SignedDuration::from_hours(2)).map_or(asked.to, |due| due.min(asked.to));
    let ends = match covered {
        Some((start, end)) => vec![(asked.from, start.min(due)), (end.max(asked.from), due)],
        None => vec![(asked.from, due)],
    };
    ends.into_iter().filter(|(start, end)| start < end).collect()
}

/// What is told, or found out and told.
#[derive(Debug)]
enum Item {
    Told(Told),
    Log(Log),
}

impl Item {
    fn broken(&self) -> Told {
        match self {
            Self::Told(told) => told.clone(),
            Self::Log(log) => {
                Told::Log { place: place(&log.bucket, &log.key), wrong: Some("a bug stopped the reading of this file".to_owned()) }
            }
        }
    }
}

fn told(chain: Chain, step: Step) -> Vec<Item> {
    match step {
        Step::Gap(from, to) => vec![Item::Told(Told::Gap { chain, from, to })],
        Step::Invalid(bucket, key, wrong) => vec![Item::Told(Told::Digest { chain, place: place(&bucket, &key), wrong: Some(wrong) })],
        Step::Valid(bucket, key, digest) => {
            let valid = Item::Told(Told::Digest { chain, place: place(&bucket, &key), wrong: None });
            std::iter::once(valid).chain(digest.logs.into_iter().map(Item::Log)).collect()
        }
    }
}

fn look(store: &Store, item: &Item) -> Told {
    match item {
        Item::Told(told) => told.clone(),
        Item::Log(log) => Told::Log { place: place(&log.bucket, &log.key), wrong: log::check(store, log).err() },
    }
}

fn place(bucket: &str, key: &str) -> String {
    format!("s3://{bucket}/{key}")
}

/// What is said of a file that can not be read.
fn unread(fault: Fault) -> String {
    match fault {
        Fault::NotFound(_) => "not found".to_owned(),
        Fault::Other(reason) => format!("it can not be read: {reason}"),
    }
}

#[cfg(test)]
mod tests;
