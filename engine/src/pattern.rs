//! EventBridge event patterns: read, checked, printed and matched.
//!
//! A pattern is a JSON object. Its leaves are arrays of tests, any of which must hold for the field of that path; all paths must
//! hold. An event is flattened to its leaves before it is matched: the names on the way are joined by dots (so `{"a.b": …}`
//! and `{"a": {"b": …}}` are the same path), arrays are walked through, and leaves that stand in different elements of one array
//! cannot hold together. What has no leaf (a missing field, `{}`, `[]`) satisfies nothing but `{"exists": false}`.
//!
//! Here is what EventBridge does, written to be read: the judge of everything faster. Its rules are those of the open-source
//! Event Ruler (<https://github.com/aws/event-ruler>, 2.x), which is EventBridge's matcher, and were measured there.

mod implies;
pub(crate) mod json;
mod matches;
mod numeral;
mod places;
mod print;
mod read;
mod tested;
mod tests_of_values;
mod validate;

pub use matches::TooMuchWork;
pub use numeral::is_comparable;
pub use places::{Written, written};
pub use read::can_be_pushed_as_name;
pub use tested::{Asks, FieldTest, TestedField, tested};
pub use tests_of_values::{address_of, network_of};
pub use validate::{Limits, length};

use crate::diagnostic::Diagnostic;
use crate::value::{Number, Value};

/// The most characters that EventBridge takes where the quota was not raised.
pub const MOST_CHARACTERS: usize = 2048;

/// The most combinations of `$or` alternatives. EventBridge makes a rule of each.
pub const MOST_COMBINATIONS: usize = 1000;

/// A pattern that EventBridge would take.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    root: Group,
}

/// An object of a pattern: all of its entries must hold. Never empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// In the order of the text.
    pub entries: Vec<Entry>,
}

/// One member of an object of a pattern.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A member whose value must satisfy any of the tests. Never none.
    Field(String, Vec<Test>),
    /// A member under which more paths begin.
    Object(String, Group),
    /// `$or`: any of the groups must hold. Two or more.
    Or(Vec<Group>),
}

/// A test of one leaf.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// `null`, `true`, `5` or `"text"`: the leaf is it. A text that is an IP address equals every spelling of the address.
    Equals(Scalar),
    /// `{"prefix": "a"}`: a string that begins so. The empty prefix fits every string.
    Prefix(String),
    /// `{"prefix": {"equals-ignore-case": "a"}}`.
    PrefixIgnoringCase(String),
    /// `{"suffix": "a"}`: a string that ends so.
    Suffix(String),
    /// `{"suffix": {"equals-ignore-case": "a"}}`.
    SuffixIgnoringCase(String),
    /// `{"equals-ignore-case": "a"}`: a string that is it but for upper and lower case.
    EqualsIgnoringCase(String),
    /// `{"wildcard": "a*b"}`: a string of that form; `*` stands for any text, `\*` and `\\` for the character.
    Wildcard(String),
    /// `{"anything-but": …}`: a leaf, of any type, that none of these fits.
    AnythingBut(Excluded),
    /// `{"numeric": [">", 0, "<=", 5]}`: a number in the range.
    Numeric(Range),
    /// `{"cidr": "10.0.0.0/8"}`: a string that is an IP address in the network.
    Cidr(String),
    /// `{"exists": true}`: there is a leaf, null included. `{"exists": false}`: there is none.
    Exists(bool),
}

/// A value that a leaf can be equal to.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// `null`, which is not the same as missing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number; `300`, `300.0` and `3e2` are the same one.
    Number(Number),
    /// A string.
    String(String),
}

/// What `anything-but` leaves out. No list is empty.
#[derive(Debug, Clone, PartialEq)]
pub enum Excluded {
    /// These strings.
    Strings(Vec<String>),
    /// These numbers.
    Numbers(Vec<Number>),
    /// Strings that begin so.
    Prefixes(Vec<String>),
    /// Strings that end so.
    Suffixes(Vec<String>),
    /// These strings in upper or lower case.
    IgnoringCase(Vec<String>),
    /// Strings of these forms.
    Wildcards(Vec<String>),
}

/// A range of numbers; at least one end is given, or both are the same for `["=", 5]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Range {
    /// `["=", 5]`
    Equal(Number),
    /// One or two ends.
    Between {
        /// The lower end and whether it belongs to the range.
        bottom: Option<(Number, Bound)>,
        /// The upper end and whether it belongs to the range.
        top: Option<(Number, Bound)>,
    },
}

/// Whether an end belongs to its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// `>=` or `<=`
    Included,
    /// `>` or `<`
    Excluded,
}

impl Pattern {
    /// Reads a pattern and holds it against EventBridge's own rules: what is accepted here is accepted there.
    ///
    /// Gives no pattern if a diagnostic is an error. A text that is not JSON has one diagnostic, anything else has all.
    ///
    /// ```
    /// use trailwire_engine::pattern::Pattern;
    /// let (pattern, _) = Pattern::parse(r#"{"detail": {"eventName": [{"prefix": "Create"}]}}"#);
    /// let event = serde_json::json!({"detail": {"eventName": "CreateUser"}});
    /// assert!(pattern.unwrap().matches(&event));
    /// let (pattern, diagnostics) = Pattern::parse(r#"{"detail": {"eventName": "CreateUser"}}"#);
    /// assert!(pattern.is_none());
    /// assert_eq!(diagnostics[0].message, "`detail.eventName` is a string where EventBridge wants an array of tests or an object");
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> (Option<Self>, Vec<Diagnostic>) {
        let (pattern, mut diagnostics) = read::read(text);
        if let Some(pattern) = &pattern {
            diagnostics.extend(pattern.validate(text, Limits::default()));
        }
        let accepted = !crate::diagnostic::any_error(&diagnostics);
        (pattern.filter(|_| accepted), diagnostics)
    }

    /// Whether an event satisfies the pattern. An event that is no object satisfies none.
    ///
    /// False, too, where the work goes beyond every sane event: use [`Pattern::matches_within`] to tell the two apart.
    #[must_use]
    pub fn matches(&self, event: &Value) -> bool {
        self.matches_within(event, &mut u64::from(u32::MAX)).unwrap_or(false)
    }

    /// A pattern of its entries. It is for the caller to see that EventBridge would take it.
    pub(crate) fn from_root(root: Group) -> Self {
        Self { root }
    }

    /// The entries of the whole pattern.
    #[must_use]
    pub fn root(&self) -> &Group {
        &self.root
    }
}

impl Test {
    /// Whether a leaf satisfies the test. `{"exists": false}` is satisfied by no leaf.
    #[must_use]
    pub fn fits(&self, leaf: &Value) -> bool {
        tests_of_values::satisfies(leaf, self)
    }
}

#[cfg(test)]
mod tests;
