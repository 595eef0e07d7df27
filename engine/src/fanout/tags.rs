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

/// What no tag's value is.
const UNKNOWN: &str = "\u{0}";

/// The tags of something that has either these or those: a tag that not both have alike gets a value that is none, so that it is set or removed whatever
/// is wanted.
#[must_use]
pub fn either(one: &Tags, other: &Tags) -> Tags {
    let keys = one.keys().chain(other.keys());
    let value = |key: &String| one.get(key).filter(|value| other.get(key) == Some(value)).map_or_else(|| UNKNOWN.to_owned(), String::clone);
    keys.map(|key| (key.clone(), value(key))).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Every map of these two keys to these two values.
    fn all() -> Vec<Tags> {
        let values = [None, Some("1"), Some("2")];
        let pairs = values.iter().flat_map(|a| values.iter().map(move |b| [("a", *a), ("b", *b)]));
        pairs.map(|pair| pair.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned()))).collect()).collect()
    }

    #[test]
    fn whichever_it_had_it_comes_to_have_what_is_wanted() {
        for (one, other, third) in all()
            .iter()
            .flat_map(|one| all().into_iter().flat_map(move |other| all().into_iter().map(move |third| (one, other.clone(), third))))
        {
            for wanted in all() {
                let changes = changes(&either(&either(one, &other), &third), &wanted);
                for had in [one, &other, &third] {
                    let mut has = had.clone();
                    has.retain(|key, _| !changes.remove.contains(key));
                    has.extend(changes.set.clone());
                    assert_eq!(has, wanted, "{one:?} {other:?} {third:?} {had:?}");
                }
            }
            assert_eq!(either(one, one), *one);
        }
    }
}
