//! What is looked up and kept, by key: whoever asks for one waits for those who look up the same, and for nobody else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as Held, OwnedMutexGuard};

/// Places for what was found, one for each key. Clones share them.
#[derive(Debug)]
pub(crate) struct Lookups<K, V> {
    places: Arc<Mutex<BTreeMap<K, Place<V>>>>,
}

type Place<V> = Arc<Held<Option<V>>>;

impl<K, V> Clone for Lookups<K, V> {
    fn clone(&self) -> Self {
        Self { places: Arc::clone(&self.places) }
    }
}

impl<K, V> Default for Lookups<K, V> {
    fn default() -> Self {
        Self { places: Arc::default() }
    }
}

impl<K: Ord, V> Lookups<K, V> {
    /// What was found under a key. It is nobody else's while this is held, so that a burst of questions is one look-up.
    pub(crate) async fn place(&self, key: K) -> OwnedMutexGuard<Option<V>> {
        let place = Arc::clone(self.places.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        place.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_that_takes_long_holds_up_no_other() {
        let lookups: Lookups<&str, u8> = Lookups::default();
        let slow = lookups.place("slow").await;
        *lookups.clone().place("fast").await = Some(1);
        assert_eq!(*lookups.place("fast").await, Some(1));
        let same = lookups.place("slow");
        tokio::pin!(same);
        assert!(futures::poll!(same.as_mut()).is_pending());
        drop(slow);
        assert_eq!(*same.await, None);
    }
}
