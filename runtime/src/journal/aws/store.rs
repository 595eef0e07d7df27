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

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Write {
    Put(Item, Expect),
    Delete(String, String),
}

impl Write {
    /// About how many bytes it sends.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Put(item, _) => item.pk.len() + item.sk.len() + item.data.len(),
            Self::Delete(pk, sk) => pk.len() + sk.len(),
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
}

/// The table.
pub(super) trait Store: Send + Sync + 'static {
    /// One item, as it is now.
    fn get(&self, pk: String, sk: String) -> BoxFuture<'_, Result<Option<Item>, StoreError>>;

    /// The items of a hash key in the order of their range keys, those alone whose range key is before `below`, and no more than `most`.
    fn query(&self, pk: String, below: Option<String>, most: usize) -> BoxFuture<'_, Result<Vec<Item>, StoreError>>;

    /// Makes all writes or none. The same token says that it is the same call once more: what it did is not done twice.
    fn transact(&self, writes: Vec<Write>, token: String) -> BoxFuture<'_, Result<(), StoreError>>;
}

#[cfg(test)]
pub(in crate::journal) mod memory {
    //! A table in memory, which now and then fails.

    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Debug, Clone, Default)]
    pub(crate) struct Memory(Arc<Mutex<World>>);

    #[derive(Debug, Default)]
    struct World {
        items: BTreeMap<(String, String), Item>,
        tokens: BTreeSet<String>,
        /// Calls that still fail: before they do anything, or after.
        failures: Vec<bool>,
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
    }

    impl Store for Memory {
        fn get(&self, pk: String, sk: String) -> BoxFuture<'_, Result<Option<Item>, StoreError>> {
            let found = self.0.lock().unwrap().items.get(&(pk, sk)).cloned();
            Box::pin(async { Ok(found) })
        }

        fn query(&self, pk: String, below: Option<String>, most: usize) -> BoxFuture<'_, Result<Vec<Item>, StoreError>> {
            let world = self.0.lock().unwrap();
            let items = world.items.values().filter(|item| item.pk == pk && below.as_ref().is_none_or(|below| item.sk < *below));
            let items: Vec<Item> = items.take(most).cloned().collect();
            Box::pin(async { Ok(items) })
        }

        fn transact(&self, writes: Vec<Write>, token: String) -> BoxFuture<'_, Result<(), StoreError>> {
            let mut world = self.0.lock().unwrap();
            let failure = if world.failures.is_empty() { None } else { Some(world.failures.remove(0)) };
            let done = if failure == Some(false) || !world.tokens.insert(token) { Ok(()) } else { world.write(writes) };
            let done = if failure.is_some() { Err(StoreError::Unavailable("throttled".to_owned())) } else { done };
            Box::pin(async { done })
        }
    }

    impl World {
        fn write(&mut self, writes: Vec<Write>) -> Result<(), StoreError> {
            let touched: BTreeSet<(String, String)> = writes
                .iter()
                .map(|write| match write {
                    Write::Put(item, _) => (item.pk.clone(), item.sk.clone()),
                    Write::Delete(pk, sk) => (pk.clone(), sk.clone()),
                })
                .collect();
            assert!(touched.len() == writes.len() && writes.len() <= 100, "DynamoDB refuses {} writes", writes.len());
            for write in &writes {
                let Write::Put(item, expect) = write else { continue };
                let found = self.items.get(&(item.pk.clone(), item.sk.clone()));
                let holds = match expect {
                    Expect::Anything => true,
                    Expect::Absent => found.is_none(),
                    Expect::Version(version) => found.is_some_and(|found| found.version == *version),
                };
                if !holds {
                    return Err(StoreError::Conflict);
                }
            }
            for write in writes {
                match write {
                    Write::Put(item, _) => drop(self.items.insert((item.pk.clone(), item.sk.clone()), item)),
                    Write::Delete(pk, sk) => drop(self.items.remove(&(pk, sk))),
                }
            }
            Ok(())
        }
    }
}
