//! Tags of what a hub owns. AWS takes them when a thing is made and ignores them afterwards, so that a change of them is calls of its own.

use std::collections::BTreeMap;

/// Tags, key to value.
pub type Tags = BTreeMap<String, String>;

/// What brings tags from what they were to what they shall be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Keys that go.
    pub remove: Vec<String>,
    /// Tags that come or get another value.
    pub set: Tags,
}

/// The changes from the tags that we gave before to the wanted ones. Tags of somebody else are in neither, and are left alone.
///
/// ```
/// use trailwire_engine::fanout::tags::{Tags, changes};
/// let tags = |pairs: &[(&str, &str)]| pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect::<Tags>();
/// let changes = changes(&tags(&[("a", "1"), ("b", "2")]), &tags(&[("b", "3")]));
/// assert_eq!((changes.remove, changes.set), (vec!["a".to_owned()], tags(&[("b", "3")])));
/// ```
#[must_use]
pub fn changes(before: &Tags, wanted: &Tags) -> Changes {
    let new = wanted.iter().filter(|(key, value)| before.get(*key) != Some(*value));
    Changes {
        remove: before.keys().filter(|key| !wanted.contains_key(*key)).cloned().collect(),
        set: new.map(|(key, value)| (key.clone(), value.clone())).collect(),
    }
}
