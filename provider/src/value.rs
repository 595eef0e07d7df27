//! Terraform values without their types: what a configuration, a plan or a state holds.
//!
//! A value is read against a [`crate::schema::Schema`]; alone it does not tell a set from a list or an object from a map. Sets arrive
//! in Terraform's own canonical order without duplicates, so two equal sets are equal lists.

mod number;

use std::collections::BTreeMap;

pub use number::{InvalidNumber, Number};

/// One Terraform value.
///
/// Two values are equal when Terraform would call them equal: numbers by their exact value, everything else by structure. `Unknown` equals `Unknown`,
/// which says nothing about the values they will have; code that must not confuse the two asks [`Dynamic::is_wholly_known`] first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Dynamic {
    /// Null: not given. Also what a missing attribute reads as.
    #[default]
    Null,
    /// Not known before apply.
    Unknown,
    /// A boolean.
    Bool(bool),
    /// A number, exact.
    Number(Number),
    /// A string; Terraform keeps it in Unicode NFC.
    String(String),
    /// A list, a set or a tuple.
    List(Vec<Dynamic>),
    /// An object or a map.
    Map(BTreeMap<String, Dynamic>),
}

/// What a missing member reads as.
static NULL: Dynamic = Dynamic::Null;

impl Dynamic {
    /// An object from its members.
    pub fn object<K: Into<String>>(members: impl IntoIterator<Item = (K, Dynamic)>) -> Dynamic {
        Dynamic::Map(members.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    /// A list or set of strings.
    pub fn strings<S: Into<String>>(items: impl IntoIterator<Item = S>) -> Dynamic {
        Dynamic::List(items.into_iter().map(|item| Dynamic::String(item.into())).collect())
    }

    /// The member `name` of an object or map; null when it is missing or when this is no object.
    ///
    /// A member of an unknown object is unknown, not null.
    pub fn get(&self, name: &str) -> &Dynamic {
        match self {
            Dynamic::Map(members) => members.get(name).unwrap_or(&NULL),
            Dynamic::Unknown => self,
            _ => &NULL,
        }
    }

    /// Sets the member `name`. Does nothing when this is not an object.
    pub fn set(&mut self, name: &str, value: impl Into<Dynamic>) {
        if let Dynamic::Map(members) = self {
            members.insert(name.to_owned(), value.into());
        }
    }

    /// The string member `name`; `None` when it is missing, null, unknown or no string.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name).as_str()
    }

    /// The boolean member `name`; `None` when it is missing, null, unknown or no boolean.
    pub fn get_bool(&self, name: &str) -> Option<bool> {
        self.get(name).as_bool()
    }

    /// The whole-number member `name`; `None` when it is missing, null, unknown, has a fraction or does not fit.
    pub fn get_i64(&self, name: &str) -> Option<i64> {
        self.get(name).as_i64()
    }

    /// The elements of the member `name`; empty when it is missing, null, unknown or no list.
    pub fn get_list(&self, name: &str) -> &[Dynamic] {
        self.get(name).as_list().unwrap_or_default()
    }

    /// The known strings in the member `name`, in their order; unknown and null elements are left out.
    pub fn get_strings(&self, name: &str) -> Vec<String> {
        self.get(name).as_strings()
    }

    /// The known string members of the map `name`; unknown and null values are left out.
    pub fn get_string_map(&self, name: &str) -> BTreeMap<String, String> {
        let members = self.get(name).as_map().into_iter().flatten();
        members.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
    }

    /// The one block in the member `name`, for nested blocks that may appear at most once.
    pub fn get_block(&self, name: &str) -> Option<&Dynamic> {
        match self.get(name) {
            Dynamic::List(items) => items.first(),
            block @ Dynamic::Map(_) => Some(block),
            _ => None,
        }
    }

    /// The text of a known string.
    pub fn as_str(&self) -> Option<&str> {
        if let Dynamic::String(text) = self { Some(text) } else { None }
    }

    /// The value of a known boolean.
    pub fn as_bool(&self) -> Option<bool> {
        if let Dynamic::Bool(value) = self { Some(*value) } else { None }
    }

    /// A known number.
    pub fn as_number(&self) -> Option<&Number> {
        if let Dynamic::Number(number) = self { Some(number) } else { None }
    }

    /// A known whole number that fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number().and_then(Number::as_i64)
    }

    /// The elements of a known list or set.
    pub fn as_list(&self) -> Option<&[Dynamic]> {
        if let Dynamic::List(items) = self { Some(items) } else { None }
    }

    /// The members of a known object or map.
    pub fn as_map(&self) -> Option<&BTreeMap<String, Dynamic>> {
        if let Dynamic::Map(members) = self { Some(members) } else { None }
    }

    /// The known strings of a known list or set, in their order.
    pub fn as_strings(&self) -> Vec<String> {
        let items = self.as_list().unwrap_or_default();
        items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Dynamic::Null)
    }

    /// Whether this is unknown itself; what it contains is not looked at.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Dynamic::Unknown)
    }

    /// Whether neither this nor anything in it is unknown.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Dynamic::Unknown => false,
            Dynamic::List(items) => items.iter().all(Dynamic::is_wholly_known),
            Dynamic::Map(members) => members.values().all(Dynamic::is_wholly_known),
            Dynamic::Null | Dynamic::Bool(_) | Dynamic::Number(_) | Dynamic::String(_) => true,
        }
    }

    /// What kind of value this is, in Terraform's words, for messages. Never the value itself.
    pub fn kind(&self) -> &'static str {
        match self {
            Dynamic::Null => "null",
            Dynamic::Unknown => "an unknown value",
            Dynamic::Bool(_) => "a bool",
            Dynamic::Number(_) => "a number",
            Dynamic::String(_) => "a string",
            Dynamic::List(_) => "a list",
            Dynamic::Map(_) => "an object",
        }
    }
}

impl From<&str> for Dynamic {
    fn from(text: &str) -> Dynamic {
        Dynamic::String(text.to_owned())
    }
}

impl From<String> for Dynamic {
    fn from(text: String) -> Dynamic {
        Dynamic::String(text)
    }
}

impl From<bool> for Dynamic {
    fn from(value: bool) -> Dynamic {
        Dynamic::Bool(value)
    }
}

impl From<i64> for Dynamic {
    fn from(value: i64) -> Dynamic {
        Dynamic::Number(Number::from(value))
    }
}

impl From<Number> for Dynamic {
    fn from(value: Number) -> Dynamic {
        Dynamic::Number(value)
    }
}

impl From<Vec<Dynamic>> for Dynamic {
    fn from(items: Vec<Dynamic>) -> Dynamic {
        Dynamic::List(items)
    }
}

impl From<BTreeMap<String, String>> for Dynamic {
    fn from(members: BTreeMap<String, String>) -> Dynamic {
        Dynamic::object(members.into_iter().map(|(key, value)| (key, Dynamic::String(value))))
    }
}

/// `None` is null.
impl<T: Into<Dynamic>> From<Option<T>> for Dynamic {
    fn from(value: Option<T>) -> Dynamic {
        value.map_or(Dynamic::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_members_read_as_null_and_members_of_unknown_as_unknown() {
        let value = Dynamic::object([("name", Dynamic::from("a")), ("list", Dynamic::strings(["x", "y"]))]);
        assert_eq!(value.get_str("name"), Some("a"));
        assert_eq!(value.get("absent"), &Dynamic::Null);
        assert_eq!(Dynamic::Null.get("name"), &Dynamic::Null);
        assert_eq!(Dynamic::Unknown.get("name"), &Dynamic::Unknown);
        assert_eq!(value.get_strings("list"), ["x", "y"]);
        assert!(value.get_strings("name").is_empty());
    }

    #[test]
    fn unknown_is_found_at_any_depth() {
        let deep = Dynamic::object([("a", Dynamic::List(vec![Dynamic::object([("b", Dynamic::Unknown)])]))]);
        assert!(!deep.is_wholly_known());
        assert!(!deep.is_unknown());
        assert!(Dynamic::object([("a", Dynamic::Null)]).is_wholly_known());
    }
}
