//! The predicates that triggers are made of, each evaluated at most once an event.

use std::cmp::Ordering;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use memchr::memmem::Finder;

use super::extract::{Extract, Faulty, Raw, Source};
use super::fields::{FieldId, ROOT};
use super::numbers::small_integer;
use super::sequence::Sequence;
use crate::eval::search_counted;
use crate::expr::{Comparator, Expr, Network};
use crate::value::{self, Map, Number, Value, is_true_inside, is_true_verdict};

/// A sub-expression that took more steps than this is left to the oracle with all that stands around it, because the oracle
/// bounds the steps of the whole.
pub(super) const MOST_STEPS_APART: u64 = 10_000;

/// The truth of a value in both places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Truth {
    /// JMESPath's, inside an expression.
    pub(super) inside: bool,
    /// JavaScript's, of a verdict.
    pub(super) verdict: bool,
}

impl Truth {
    pub(super) const FALSE: Self = Self::of(false);

    /// Of a boolean; null counts as false in both places.
    pub(super) const fn of(truth: bool) -> Self {
        Self { inside: truth, verdict: truth }
    }

    pub(super) fn of_value(value: &Value) -> Self {
        Self { inside: is_true_inside(value), verdict: is_true_verdict(value) }
    }
}

/// Why there is no truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The expression errs.
    Error,
    /// It is so much work that the oracle must count it.
    Heavy,
    /// The event is not JSON.
    Faulty,
}

impl From<Faulty> for Failure {
    fn from(_: Faulty) -> Self {
        Self::Faulty
    }
}

pub(super) type Evaluated = Result<Truth, Failure>;

/// A predicate.
#[derive(Debug)]
pub(super) enum Atom {
    /// A test of one field.
    Test(FieldId, Test),
    /// Two fields compared.
    Pair(FieldId, bool, FieldId),
    /// A sub-expression that is left to the oracle, which is shown only the fields that it reads.
    Oracle(Sub),
}

/// A sub-expression and the fields that it reads, none of which leads through another.
#[derive(Debug)]
pub(super) struct Sub {
    pub(super) expr: Box<Expr>,
    reads: Box<[(FieldId, Box<[String]>)]>,
    /// What it gives where all the fields are missing, which is frequent.
    of_nothing: Evaluated,
    /// How it is told without the oracle, where that can be.
    sequence: Option<Box<Sequence>>,
}

impl Sub {
    pub(super) fn new(expr: Expr, reads: Box<[(FieldId, Box<[String]>)]>, sequence: Option<Sequence>) -> Self {
        let of_nothing = search(&expr, &Value::Object(Map::new()));
        Self { expr: Box::new(expr), reads, of_nothing, sequence: sequence.map(Box::new) }
    }

    /// The fields of which one must be there for the sub-expression to be true; `None` where none need be.
    pub(super) fn needs_any(&self) -> Option<impl Iterator<Item = FieldId>> {
        // The whole event is always there.
        let is_false = self.of_nothing == Ok(Truth::FALSE) && self.reads.iter().all(|(field, _)| *field != ROOT);
        is_false.then(|| self.reads.iter().map(|(field, _)| *field))
    }

    fn run(&self, source: Source<'_>, extract: &mut Extract) -> Evaluated {
        if let Some(sequence) = &self.sequence
            && let Ok(truth) = sequence.run(source, extract)
        {
            return Ok(truth);
        }
        self.ask(source, extract)
    }

    /// Asks the oracle.
    #[cold]
    #[inline(never)]
    fn ask(&self, source: Source<'_>, extract: &mut Extract) -> Evaluated {
        let mut shown = Value::Null;
        for (field, path) in &self.reads {
            let raw = extract.get(source, *field)?;
            if raw != Raw::Null {
                put(&mut shown, path, whole(raw)?);
            }
        }
        if shown.is_null() { self.of_nothing } else { search(&self.expr, &shown) }
    }
}

/// The truth of an expression's value.
fn search(expr: &Expr, shown: &Value) -> Evaluated {
    match search_counted(expr, shown) {
        (_, steps) if steps > MOST_STEPS_APART => Err(Failure::Heavy),
        (Ok(value), _) => Ok(Truth::of_value(&value)),
        (Err(_), _) => Err(Failure::Error),
    }
}

/// A test of one field's value.
#[derive(Debug)]
pub(super) enum Test {
    /// The value itself, as a truth.
    Truth,
    /// `==` (or `!=`, if false) a literal.
    Equal(bool, Value),
    /// `<` and the like.
    Order(Comparator, Value),
    /// `starts_with` a literal.
    StartsWith(Box<[u8]>),
    /// `ends_with` a literal.
    EndsWith(Box<[u8]>),
    /// `contains` a literal; the finder is there if that is a string.
    Contains(Value, Option<Box<Finder<'static>>>),
    /// `contains` of a literal array.
    Within(Box<[Value]>),
    /// `cidr_contains`.
    Network(Network),
    /// `matches`.
    Regex(Arc<regex::Regex>),
}

impl Test {
    /// Whether it errs on what is no string (and, [`Test::Contains`], no array either).
    pub(super) fn wants_text(&self) -> bool {
        matches!(self, Self::StartsWith(_) | Self::EndsWith(_) | Self::Contains(..) | Self::Network(_) | Self::Regex(_))
    }

    /// The text that the field is compared with, or that it must begin or end with; else none.
    pub(super) fn literal_text(&self) -> &[u8] {
        match self {
            Self::Equal(_, Value::String(text)) => text.as_bytes(),
            Self::StartsWith(text) | Self::EndsWith(text) => text,
            _ => &[],
        }
    }

    pub(super) fn run(&self, raw: Raw<'_>) -> Evaluated {
        match raw {
            Raw::Text(text) => Ok(self.on_text(text)),
            // It need not be read for what no array or object is.
            Raw::Container(_) if self.wants_scalar() => Ok(Truth::of(matches!(self, Self::Equal(false, _)))),
            Raw::Container(text) => self.on_container(&parse(text)?),
            Raw::Number(text) => self.on_number(text),
            Raw::Null => self.on_plain(&Value::Null),
            Raw::Bool(truth) => self.on_plain(&Value::Bool(truth)),
        }
    }

    /// Whether it compares with a literal that is neither an array nor an object, nor null.
    fn wants_scalar(&self) -> bool {
        matches!(self, Self::Equal(_, Value::String(_) | Value::Number(_) | Value::Bool(_)) | Self::Order(..))
    }

    fn on_text(&self, text: &[u8]) -> Truth {
        Truth::of(match self {
            Self::Truth => !text.is_empty(),
            Self::Equal(wanted, literal) => is_text(literal, text) == *wanted,
            Self::Order(comparator, Value::String(literal)) => holds(*comparator, text.cmp(literal.as_bytes())),
            Self::Order(..) => false,
            Self::StartsWith(literal) => text.starts_with(literal),
            Self::EndsWith(literal) => text.ends_with(literal),
            Self::Contains(_, finder) => finder.as_ref().is_some_and(|finder| finder.find(text).is_some()),
            Self::Within(literals) => literals.iter().any(|literal| is_text(literal, text)),
            Self::Network(network) => address(text).is_some_and(|address| network.contains(address)),
            Self::Regex(regex) => std::str::from_utf8(text).is_ok_and(|text| regex.is_match(text)),
        })
    }

    fn on_number(&self, text: &[u8]) -> Evaluated {
        let order = |literal: &Number| match (small_integer(text), literal.as_i64()) {
            (Some(number), Some(literal)) => Ok(number.cmp(&literal)),
            _ => number(text).map(|number| value::compare_numbers(&number, literal)),
        };
        Ok(Truth::of(match self {
            Self::Truth => {
                let zero = order(&Number::from(0))? == Ordering::Equal;
                return Ok(Truth { inside: true, verdict: !zero });
            }
            Self::Equal(wanted, Value::Number(literal)) => (order(literal)? == Ordering::Equal) == *wanted,
            Self::Equal(wanted, _) => !wanted,
            Self::Order(comparator, Value::Number(literal)) => holds(*comparator, order(literal)?),
            Self::Order(..) => false,
            Self::Within(literals) => {
                let number = Value::Number(number(text)?);
                literals.iter().any(|literal| value::equal(literal, &number))
            }
            _ => return Err(Failure::Error),
        }))
    }

    /// On null or a boolean.
    fn on_plain(&self, plain: &Value) -> Evaluated {
        match self {
            Self::Truth => Ok(Truth::of_value(plain)),
            Self::Equal(wanted, literal) => Ok(Truth::of((literal == plain) == *wanted)),
            Self::Order(..) => Ok(Truth::FALSE),
            Self::Within(literals) => Ok(Truth::of(literals.contains(plain))),
            _ => Err(Failure::Error),
        }
    }

    fn on_container(&self, container: &Value) -> Evaluated {
        match (self, container) {
            (Self::Truth, _) => Ok(Truth::of_value(container)),
            (Self::Equal(wanted, literal), _) => Ok(Truth::of(value::equal(literal, container) == *wanted)),
            (Self::Order(..), _) => Ok(Truth::FALSE),
            (Self::Within(literals), _) => Ok(Truth::of(literals.iter().any(|literal| value::equal(literal, container)))),
            (Self::Contains(literal, _), Value::Array(elements)) => {
                Ok(Truth::of(elements.iter().any(|element| value::equal(element, literal))))
            }
            _ => Err(Failure::Error),
        }
    }
}

impl Atom {
    /// Evaluates the predicate.
    pub(super) fn run(&self, source: Source<'_>, extract: &mut Extract) -> Evaluated {
        match self {
            Self::Test(field, test) => test.run(extract.get(source, *field)?),
            Self::Pair(left, wanted, right) => {
                let (left, right) = extract.pair(source, *left, *right)?;
                let equal = match (left, right) {
                    (Raw::Text(left), Raw::Text(right)) => left == right,
                    (left, right) => value::equal(&whole(left)?, &whole(right)?),
                };
                Ok(Truth::of(equal == *wanted))
            }
            Self::Oracle(sub) => sub.run(source, extract),
        }
    }

    /// What a test gives where its field is missing.
    pub(super) fn of_nothing(&self) -> Evaluated {
        match self {
            Self::Test(_, test) => test.on_plain(&Value::Null),
            Self::Pair(..) | Self::Oracle(_) => Err(Failure::Error),
        }
    }

    /// Whether looking it up costs less than doing it again.
    pub(super) fn is_costly(&self) -> bool {
        !matches!(self, Self::Test(_, Test::Truth | Test::Equal(..) | Test::Order(..) | Test::StartsWith(_) | Test::EndsWith(_)))
    }
}

fn is_text(literal: &Value, text: &[u8]) -> bool {
    matches!(literal, Value::String(literal) if literal.as_bytes() == text)
}

pub(super) fn holds(comparator: Comparator, order: Ordering) -> bool {
    match comparator {
        Comparator::Less => order.is_lt(),
        Comparator::LessOrEqual => order.is_le(),
        Comparator::Greater => order.is_gt(),
        Comparator::GreaterOrEqual => order.is_ge(),
        Comparator::Equal => order.is_eq(),
        Comparator::NotEqual => order.is_ne(),
    }
}

fn parse(text: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(text).map_err(|_| Failure::Faulty)
}

fn number(text: &[u8]) -> Result<Number, Failure> {
    serde_json::from_slice(text).map_err(|_| Failure::Faulty)
}

pub(super) fn address(text: &[u8]) -> Option<IpAddr> {
    if let Some(address) = usual_address(text) {
        return Some(IpAddr::V4(address));
    }
    // The longest spelling of an address has 45 characters; a scope id, which std takes for none, would be longer.
    if text.len() > 64 {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// An address of version 4 as it is usually spelt, without a zero ahead of other digits.
fn usual_address(text: &[u8]) -> Option<Ipv4Addr> {
    let mut parts = [0_u8; 4];
    let mut texts = text.split(|byte| *byte == b'.');
    for part in &mut parts {
        *part = match *texts.next()? {
            [a @ b'0'..=b'9'] => a - b'0',
            [a @ b'1'..=b'9', b @ b'0'..=b'9'] => (a - b'0') * 10 + (b - b'0'),
            [b'1', b @ b'0'..=b'9', c @ b'0'..=b'9'] => 100 + (b - b'0') * 10 + (c - b'0'),
            [b'2', b @ b'0'..=b'4', c @ b'0'..=b'9'] => 200 + (b - b'0') * 10 + (c - b'0'),
            [b'2', b'5', c @ b'0'..=b'5'] => 250 + (c - b'0'),
            _ => return None,
        };
    }
    texts.next().is_none().then(|| Ipv4Addr::from(parts))
}

fn whole(raw: Raw<'_>) -> Result<Value, Failure> {
    Ok(match raw {
        Raw::Null => Value::Null,
        Raw::Bool(truth) => Value::Bool(truth),
        Raw::Number(text) => Value::Number(number(text)?),
        Raw::Text(text) => Value::String(std::str::from_utf8(text).map_err(|_| Failure::Faulty)?.to_owned()),
        Raw::Container(text) => parse(text)?,
    })
}

/// Puts a value at a path, making the objects on the way.
fn put(shown: &mut Value, path: &[String], value: Value) {
    let mut place = shown;
    for name in path {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        let Value::Object(members) = place else { return };
        place = members.entry(name.as_str()).or_insert(Value::Null);
    }
    *place = value;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_the_standard_library() {
        let octets =
            ["0", "9", "10", "99", "100", "199", "200", "249", "255", "256", "260", "300", "00", "01", "1000", "", "a", "-1", " 1"];
        for octet in octets {
            for text in [
                format!("{octet}.2.3.4"),
                format!("1.2.3.{octet}"),
                format!("1.{octet}.3"),
                format!("1.2.3.4.{octet}"),
                format!("::{octet}"),
            ] {
                assert_eq!(address(text.as_bytes()), text.parse().ok(), "{text:?}");
            }
        }
    }
}
