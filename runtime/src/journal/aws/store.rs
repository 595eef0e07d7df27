//! What the journal in AWS asks of a table: items with a version, read one by one or in order, and written many at once where all of them are as
//! they were read.

use futures::future::BoxFuture;
use thiserror::Error;

/// An item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) pk: String,
    pub(super) sk: String,
    /// Another one with every change.
    pub(super) version: u64,
    pub(super) data: Vec<u8>,
}

/// What must be true of an item for a write to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    /// It is not there.
    Absent,
    /// It is there with this version.
    Version(u64),
    /// Nothing.
    Anything,
}

/// Which items of a hash key: those whose range key is between these, neither included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Between {
    pub(super) after: Option<String>,
    pub(super) before: Option<String>,
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Write {
    Put(Item, Expect),
    /// Of the item with these keys.
    Delete(String, String, Expect),
}

impl Write {
    /// About how many bytes it sends.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Put(item, _) => item.pk.len() + item.sk.len() + item.data.len(),
            Self::Delete(pk, sk, _) => pk.len() + sk.len(),
        }
    }
}

/// Why a call did not do its work.
#[derive(Debug, Clone, Error)]
pub(super) enum StoreError {
    /// An item is not as it was read: somebody else has changed it.
    #[error("an item was changed meanwhile")]
    Conflict,
    /// It may work later: throttling, access, the network.
    #[error("{0}")]
    Unavailable(String),
    /// It will never work: too many items, too many bytes, an item that is too large.
    #[error("{0}")]
    Refused(String),
}

/// The table.
pub(super) trait Store: Send + Sync + 'static {
    /// One item, as it is now.
    fn get(&self, pk: String, sk: String) -> BoxFuture<'_, Result<Option<Item>, StoreError>>;

    /// The items of a hash key in the order of their range keys, and no more than `most`.
    fn query(&self, pk: String, between: Between, most: usize) -> BoxFuture<'_, Result<Vec<Item>, StoreError>>;

    /// Makes all writes or none. The same token says that it is the same call once more: what it did is not done twice.
    fn transact(&self, writes: Vec<Write>, token: String) -> BoxFuture<'_, Result<(), StoreError>>;
}

#[cfg(test)]
pub(in crate::journal) mod memory {
    //! A table in memory, which refuses what DynamoDB refuses, and now and then fails.

    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Debug, Clone, Default)]
    pub(crate) struct Memory(Arc<Mutex<World>>);

    type Items = BTreeMap<(String, String), Item>;

    #[derive(Debug, Default)]
    struct World {
        items: Items,
        tokens: BTreeSet<String>,
        /// Calls that still fail: before they do anything, or after.
        failures: Vec<bool>,
        /// What somebody else makes of the items before the next write.
        overtaken: Option<Items>,
        refusals: Vec<String>,
        /// Items that queries gave.
        read: usize,
    }

    impl Memory {
        /// The next writes fail: after they were made where `true`, before where `false`.
        pub(crate) fn fail(&self, failures: &[bool]) {
            self.0.lock().unwrap().failures.extend(failures);
        }

        /// How many items begin with this hash key.
        pub(crate) fn count(&self, pk: &str) -> usize {
            self.0.lock().unwrap().items.keys().filter(|(key, _)| key.starts_with(pk)).count()
        }

        /// Another table that holds the same.
        pub(crate) fn fork(&self) -> Self {
            let items = self.0.lock().unwrap().items.clone();
            Self(Arc::new(Mutex::new(World { items, ..World::default() })))
        }

        /// Before the next write the table holds what the other one does: somebody else was faster.
        pub(crate) fn overtake(&self, other: &Self) {
            let items = other.0.lock().unwrap().items.clone();
            self.0.lock().unwrap().overtaken = Some(items);
        }

        /// How many items queries gave so far.
        pub(crate) fn read(&self) -> usize {
            self.0.lock().unwrap().read
        }

        /// Writes an item beside everybody.
        pub(crate) fn put(&self, item: Item) {
            self.0.lock().unwrap().items.insert((item.pk.clone(), item.sk.clone()), item);
        }

        /// The writes that were refused for good.
        pub(crate) fn refusals(&self) -> Vec<String> {
            self.0.lock().unwrap().refusals.clone()
        }
    }

    impl Store for Memory {
        fn get(&self, pk: String, sk: String) -> BoxFuture<'_, Result<Option<Item>, StoreError>> {
            let found = self.0.lock().unwrap().items.get(&(pk, sk)).cloned();
            Box::pin(async { Ok(found) })
        }

        fn query(&self, pk: String, between: Between, most: usize) -> BoxFuture<'_, Result<Vec<Item>, StoreError>> {
            let mut world = self.0.lock().unwrap();
            let Between { after, before } = between;
            assert!(after.is_none() || before.is_none() || after < before, "DynamoDB refuses to begin at {after:?} below {before:?}");
            let first = (pk.clone(), after.clone().unwrap_or_default());
            let items = world.items.range(first..).map(|(_, item)| item).take_while(|item| item.pk == pk);
            let items = items.filter(|item| after.as_ref().is_none_or(|after| item.sk > *after));
            let items = items.take_while(|item| before.as_ref().is_none_or(|before| item.sk < *before));
            let items: Vec<Item> = items.take(most).cloned().collect();
            world.read += items.len();
            Box::pin(async { Ok(items) })
        }

        fn transact(&self, writes: Vec<Write>, token: String) -> BoxFuture<'_, Result<(), StoreError>> {
            let mut world = self.0.lock().unwrap();
            if let Some(items) = world.overtaken.take() {
                world.items = items;
            }
            let failure = if world.failures.is_empty() { None } else { Some(world.failures.remove(0)) };
            let done = if failure == Some(false) || !world.tokens.insert(token) { Ok(()) } else { world.write(writes) };
            let done = if failure.is_some() { Err(StoreError::Unavailable("throttled".to_owned())) } else { done };
            Box::pin(async { done })
        }
    }

    impl World {
        fn write(&mut self, writes: Vec<Write>) -> Result<(), StoreError> {
            if let Some(refusal) = refusal(&writes) {
                self.refusals.push(refusal.clone());
                return Err(StoreError::Refused(refusal));
            }
            for write in &writes {
                let (key, expect) = target(write);
                let found = self.items.get(&key);
                let holds = match expect {
                    Expect::Anything => true,
                    Expect::Absent => found.is_none(),
                    Expect::Version(version) => found.is_some_and(|found| found.version == version),
                };
                if !holds {
                    return Err(StoreError::Conflict);
                }
            }
            for write in writes {
                match write {
                    Write::Put(item, _) => drop(self.items.insert((item.pk.clone(), item.sk.clone()), item)),
                    Write::Delete(pk, sk, _) => drop(self.items.remove(&(pk, sk))),
                }
            }
            Ok(())
        }
    }

    fn target(write: &Write) -> ((String, String), Expect) {
        match write {
            Write::Put(item, expect) => ((item.pk.clone(), item.sk.clone()), *expect),
            Write::Delete(pk, sk, expect) => ((pk.clone(), sk.clone()), *expect),
        }
    }

    /// Why DynamoDB takes this in no transaction.
    fn refusal(writes: &[Write]) -> Option<String> {
        let touched: BTreeSet<(String, String)> = writes.iter().map(|write| target(write).0).collect();
        let bytes: usize = writes.iter().map(Write::size).sum();
        let checks = [
            (writes.len() > 100, format!("{} items", writes.len())),
            (touched.len() < writes.len(), "two writes of one item".to_owned()),
            (bytes > 4 * 1024 * 1024, format!("{bytes} bytes")),
            (writes.iter().any(|write| write.size() > 400 * 1024), "an item of more than 400 KB".to_owned()),
        ];
        checks.into_iter().find(|(refused, _)| *refused).map(|(_, reason)| reason)
    }
}
