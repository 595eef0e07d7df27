//! The language in which logs are searched: `event:Create* -event:CreateLogStream error:*`.
//!
//! - `field:term` holds where the field is the term, letter by letter. `*` in a term stands for any characters; `field:*` holds where the field is
//!   there; `a,b` and `(a OR b)` are either. `>`, `>=`, `<`, `<=` and `[a TO b]` (`{…}` without the ends) are ranges: of numbers where the bounds are
//!   numbers, else of texts, in which a time may be cut short (`time:>=2026-03`). A network such as `10.0.0.0/8` holds every address in it.
//! - A term without a field is looked for in the whole record, ASCII letters of either case alike: it stands in the compact JSON of the record,
//!   and not within a longer word. `*` at an end lets the word go on; inside it stands for any characters but quotes.
//! - A field is a path from the record down (`userIdentity.arn`) or one of the short names of [`SHORT_NAMES`]. Arrays on the way are passed through: any
//!   element will do. A field that CloudTrail itself has as an object or array
//!   (`requestParameters`, `resources`) is searched as the record is; of what a service puts into these, texts, numbers and flags are compared.
//! - Terms side by side must all hold. `OR` binds looser; `NOT`, `-` and `!` negate; parentheses group.
//!
//! A search is read into a tree of its own, with spans, and that becomes the engine's one tree ([`Query::expr`]): so a search is a trigger's match
//! ([`Query::parts`]), and nothing of it errs on any record. [`Query::need`] tells which bytes a record must have, so that most are never read.

mod field;
mod lower;
mod need;
mod parser;
mod parts;
mod plan;
mod tree;

use crate::diagnostic::{Code, Diagnostic, any_error};
use crate::expr::Expr;

pub use field::{ENVELOPE_FIELD, SHORT_NAMES, ShortName, paths_of};
pub use need::Need;
pub use parts::Parts;
pub use plan::{Plan, Test};

/// The longest search, in bytes.
pub const LONGEST: usize = 16_384;

/// A search that was read.
///
/// ```
/// use trailwire_engine::{eval, search::Query};
/// let query = Query::parse("event:Create* -event:CreateLogStream").0.unwrap();
/// let event = |name: &str| serde_json::json!({"detail": {"eventName": name}});
/// let expr = query.expr().unwrap();
/// assert_eq!(eval::search(&expr, &event("CreateUser")), Ok(true.into()));
/// assert_eq!(eval::search(&expr, &event("CreateLogStream")), Ok(false.into()));
/// assert_eq!(
///     expr.to_string(),
///     "type(detail.eventName) == 'string' && starts_with(detail.eventName, 'Create') && !(detail.eventName == 'CreateLogStream')"
/// );
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    text: String,
    root: Option<tree::Node>,
}

impl Query {
    /// Reads a search. Nothing in it, or `*` alone, finds every record. Gives none if a diagnostic is an error.
    #[must_use]
    pub fn parse(text: &str) -> (Option<Self>, Vec<Diagnostic>) {
        if text.len() > LONGEST {
            let message = format!("the search is {} bytes long, {LONGEST} are allowed", text.len());
            return (None, vec![Diagnostic::error(Code::SEARCH_TOO_COMPLEX, message)]);
        }
        let (root, diagnostics) = parser::parse(text);
        let query = (!any_error(&diagnostics)).then(|| Self { text: text.to_owned(), root });
        (query, diagnostics)
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The tree that means the same on the envelope; `None` where every record is found. It is true or not for any event, and never errs, save
    /// where the work would go beyond [`crate::eval::MOST_STEPS`].
    #[must_use]
    pub fn expr(&self) -> Option<Expr> {
        self.root.as_ref().map(lower::lower)
    }

    /// What the bytes of a record must have so that it can be found.
    #[must_use]
    pub fn need(&self) -> Need {
        self.root.as_ref().map_or(Need::Nothing, need::need)
    }

    /// The search in the parts that a trigger has.
    #[must_use]
    pub fn parts(&self) -> Parts {
        parts::parts(self.root.as_ref())
    }

    /// What answers the search from the texts of these columns alone, each a path from the record down; `None` where it asks about anything else, and
    /// an empty [`Plan::All`] where every record is found.
    ///
    /// ```
    /// use trailwire_engine::search::{Plan, Query};
    /// let query = Query::parse("event:Create*").0.unwrap();
    /// let Some(Plan::Any(tests)) = query.plan(&["eventName"]) else { panic!() };
    /// let [Plan::Test(test)] = tests.as_slice() else { panic!() };
    /// assert!(test.holds(Some("CreateUser")) && !test.holds(Some("DeleteUser")) && !test.holds(None));
    /// assert!(query.plan(&["eventSource"]).is_none());
    /// ```
    #[must_use]
    pub fn plan(&self, columns: &[&str]) -> Option<Plan> {
        self.root.as_ref().map_or(Some(Plan::All(Vec::new())), |root| plan::plan(root, columns))
    }

    /// The paths from the record down that are asked about, each once, as they are written in a search: `userIdentity.arn`.
    #[must_use]
    pub fn fields(&self) -> Vec<String> {
        let mut fields = Vec::new();
        if let Some(root) = &self.root {
            root.fields(&mut |field| fields.extend(field.places.iter().map(tree::Place::to_string)));
        }
        fields.sort();
        fields.dedup();
        fields
    }
}

/// A text in quotes: looked for as it is, whatever stands in it.
///
/// ```
/// use trailwire_engine::search::quoted;
/// assert_eq!(quoted(r#"say "hi" \o/"#), r#""say \"hi\" \\o/""#);
/// assert_eq!(quoted("two\nlines"), r#""two\nlines""#);
/// ```
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// A member's name as it is written in a path: a backslash before each character that is none of a name, a dot among them.
///
/// ```
/// use trailwire_engine::search::{Query, member, quoted};
/// let search = format!("requestParameters.{}:{}", member("aws:s3:arn"), quoted("a b"));
/// assert_eq!(search, r#"requestParameters.aws\:s3\:arn:"a b""#);
/// assert!(Query::parse(&search).0.is_some());
/// ```
#[must_use]
pub fn member(name: &str) -> String {
    name.chars()
        .flat_map(|letter| (!(letter.is_alphanumeric() || matches!(letter, '_' | '-'))).then_some('\\').into_iter().chain([letter]))
        .collect()
}

#[cfg(test)]
mod tests;
