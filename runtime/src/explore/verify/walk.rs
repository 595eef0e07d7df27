//! A chain of digests, walked from the newest backwards: each names the one before it. Where one does not, or can not be trusted, the walk goes on with the next older one
//! that lies there. The order of things is that of `aws cloudtrail validate-logs`.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use super::digest::{self, Digest, MOVED};
use super::keys::Keys;
use super::store::Store;
use super::trail::{Chain, Trail, time_of};
use crate::explore::s3::Fault;

/// A digest lists the logs of an hour: those of the last hour asked for are in one that ends later.
const SPILL: SignedDuration = SignedDuration::from_hours(1);
/// The most bytes of a digest file.
const LARGEST: usize = 64 << 20;

/// What a step back finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Valid(String, String, Digest),
    /// Bucket, key and what is wrong with it.
    Invalid(String, String, String),
    /// Nothing was delivered from one time to another.
    Gap(Timestamp, Timestamp),
}

/// A walk along one chain.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    trail: &'a Trail,
    store: &'a Store,
    chain: Chain,
    from: Timestamp,
    /// Where the chain is; `None` until the first digest of a copy tells.
    bucket: Option<String>,
    /// Keys that are there, the oldest first, as far as the walk has not come by them.
    listed: Vec<(Timestamp, String)>,
    key: Option<String>,
    /// Where the digest before began.
    last_start: Timestamp,
    waiting: VecDeque<Step>,
}

impl<'a> Walk<'a> {
    /// # Errors
    ///
    /// [`Fault`]: the bucket can not be listed.
    pub(super) fn new(
        trail: &'a Trail,
        store: &'a Store,
        chain: Chain,
        bucket: Option<&str>,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Self, Fault> {
        let bucket = bucket.map(str::to_owned);
        let mut walk = Self { trail, store, chain, from, bucket, listed: Vec::new(), key: None, last_start: to, waiting: VecDeque::new() };
        walk.list(to)?;
        let newest = walk.listed.pop();
        walk.last_start = newest.as_ref().map_or(to, |(time, _)| *time);
        walk.key = newest.map(|(_, key)| key);
        Ok(walk)
    }

    fn list(&mut self, to: Timestamp) -> Result<(), Fault> {
        let (from, to) = (self.from, to.checked_add(SPILL).unwrap_or(to));
        let (trail, chain) = (self.trail, self.chain);
        let (mut listed, mut misplaced) = (Vec::new(), Vec::new());
        let bucket = self.bucket.as_deref().unwrap_or_default();
        // A name is anybody's text: where the list ends is told by the order of the keys alone.
        let last = Trail::last_of_day(&trail.digests(), to);
        self.store.list(bucket, &trail.digests(), &trail.digest_before(from), |key| {
            match trail.digest(key) {
                Some((_, of, false)) if of == chain => misplaced.push(key.to_owned()),
                Some((time, of, true)) if of == chain && time >= from && time <= to => listed.push((time, key.to_owned())),
                _ => {}
            }
            key <= last.as_str()
        })?;
        listed.sort_unstable();
        self.listed = listed;
        let moved = |key| Step::Invalid(bucket.to_owned(), key, MOVED.to_owned());
        self.waiting.extend(misplaced.into_iter().map(moved));
        Ok(())
    }

    /// The next step; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`Fault`]: another bucket, to which the chain leads, can not be listed.
    pub(super) fn next(&mut self, keys: &mut Keys<'_>) -> Result<Option<Step>, Fault> {
        if let Some(step) = self.waiting.pop_front() {
            return Ok(Some(step));
        }
        let Some(key) = self.key.take().filter(|_| self.from <= self.last_start) else { return Ok(None) };
        let bucket = self.bucket.clone();
        let object = self.store.get(bucket.as_deref().unwrap_or_default(), &key, LARGEST);
        let checked = match object {
            Ok(object) => {
                let checked = digest::check(self.trail, self.chain, (bucket.as_deref(), &key), &object, keys);
                checked.map_err(|wrong| if self.store.is_copy() && object.metadata.is_empty() { no_metadata(&wrong) } else { wrong })
            }
            Err(fault) => Err(super::unread(fault)),
        };
        match checked {
            Ok(digest) => self.valid(key, digest).map(Some),
            Err(wrong) => {
                self.key = self.older(&key).map(|(_, key)| key);
                Ok(Some(Step::Invalid(bucket.unwrap_or_default(), key, wrong)))
            }
        }
    }

    fn valid(&mut self, key: String, digest: Digest) -> Result<Step, Fault> {
        let bucket = self.bucket.get_or_insert_with(|| digest.bucket.clone()).clone();
        self.last_start = digest.start;
        match &digest.previous {
            None => {
                let older = self.older(&key);
                self.waiting.extend(older.as_ref().map(|(time, _)| Step::Gap(*time, digest.start)));
                self.key = older.map(|(_, key)| key);
            }
            Some((previous, key)) => {
                self.key = Some(key.clone());
                if *previous != bucket {
                    self.bucket = Some(previous.clone());
                    self.list(digest.end)?;
                }
            }
        }
        Ok(Step::Valid(bucket, key, digest))
    }

    /// The newest of those that are there and older than this one.
    fn older(&mut self, key: &str) -> Option<(Timestamp, String)> {
        let (before, _) = time_of(key)?;
        while let Some((time, key)) = self.listed.pop() {
            if time < before {
                return Some((time, key));
            }
        }
        None
    }
}

fn no_metadata(wrong: &str) -> String {
    format!("{wrong}: there is no file beside it with its metadata")
}
