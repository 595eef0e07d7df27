//! What projections say of an event's arrays, found where these stand: ``contains(detail.a[].b || `[]`, 'x')``,
//! ``length(detail.a[?b == 'x'] || `[]`) > `0` `` and `detail.a[?b == 'x']` itself.
//!
//! The oracle makes a value of the array first, and copies of what it hands on; here the elements are visited one by one. Whatever is
//! not certain on the way (escapes, what is no JSON) is [`Unsure`], and then the oracle is asked. None of these expressions errs, and the
//! steps that the oracle takes for one are so few for each byte ([`safe_length`](super::lower::safe_length)) that nobody need count them.

mod visit;

use super::atom::{Test, Truth, holds};
use super::extract::{Extract, Faulty, Source};
use super::fields::{FieldId, Fields};
use super::lower::turned;
use super::reads::plain;
use crate::expr::{Comparator, Expr, Kind, Over};
use crate::value::{self, Value};
use visit::{Next, Visit};

/// A question about the elements of an array.
#[derive(Debug)]
pub(super) struct Sequence {
    values: Values,
    /// The field that holds the array at their beginning.
    field: FieldId,
    asked: Asked,
    /// What it comes to where there are none.
    of_none: Truth,
}

#[derive(Debug)]
enum Asked {
    /// Whether one of them is a literal.
    Contains(Test),
    /// How their number compares with a literal.
    Length(Comparator, Value),
    /// Whether there are any.
    Any,
}

/// The elements that an expression makes an array of. Where the field holds no array the expression is null.
#[derive(Debug)]
enum Values {
    /// Those of the field.
    Elements,
    /// `[]`: the elements of those that are arrays, and the others themselves.
    Flat(Box<Values>),
    /// Of each that fulfils a condition the member at a path, unless it is null.
    Each(Box<Values>, Option<Condition>, Path),
}

/// Names of members, each in the one before; none is the value itself.
type Path = Box<[String]>;

/// What a filter asks of an element.
#[derive(Debug)]
enum Condition {
    Test(Path, Test),
    Not(Box<Condition>),
    All(Box<[Condition]>),
    Any(Box<[Condition]>),
}

/// It takes the oracle to tell.
#[derive(Debug)]
pub(super) struct Unsure;

impl From<Faulty> for Unsure {
    fn from(_: Faulty) -> Self {
        Self
    }
}

/// A value as it stands in an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    pub(super) start: u32,
    pub(super) end: u32,
    /// The number of the structural character that it begins with, if it is an array or object.
    pub(super) token: u32,
}

impl Sequence {
    /// An expression as such a question, if it is one.
    pub(super) fn of(expr: &Expr, fields: &mut Fields) -> Option<Self> {
        let (made, asked, of_none) = match &expr.kind {
            Kind::Call(call) if call.name == "contains" => {
                let [array, Expr { kind: Kind::Literal(literal), .. }] = call.arguments.as_slice() else { return None };
                let (made, otherwise) = with_default(array)?;
                let of_none = Truth::of(otherwise.iter().any(|element| value::equal(element, literal)));
                (made, Asked::Contains(Test::Equal(true, literal.clone())), of_none)
            }
            Kind::Comparison(comparator, left, right) => {
                let (call, literal, comparator) = match (&left.kind, &right.kind) {
                    (Kind::Call(call), Kind::Literal(literal)) => (call, literal, *comparator),
                    (Kind::Literal(literal), Kind::Call(call)) => (call, literal, turned(*comparator)),
                    _ => return None,
                };
                let [array] = call.arguments.as_slice() else { return None };
                let (made, otherwise) = with_default(array).filter(|_| call.name == "length")?;
                let of_none = compares(otherwise.len(), comparator, literal);
                (made, Asked::Length(comparator, literal.clone()), of_none)
            }
            // An empty array is a verdict that fires.
            _ => (Made::of(expr).filter(Made::is_projection)?, Asked::Any, Truth { inside: false, verdict: true }),
        };
        Some(Self { field: fields.intern(&made.field), values: made.values, asked, of_none })
    }

    /// What it comes to.
    pub(super) fn run(&self, source: Source<'_>, extract: &mut Extract) -> Result<Truth, Unsure> {
        let array = match extract.stretch(source, self.field)? {
            Some(array) if Visit { source, array }.is_array()? => array,
            // Null is no array, and counts as none where there is a default.
            _ => return Ok(if matches!(self.asked, Asked::Any) { Truth::FALSE } else { self.of_none }),
        };
        let visit = Visit { source, array };
        let (mut count, mut is_in) = (0, false);
        visit.values(&self.values, &mut |element| {
            count += 1;
            match &self.asked {
                Asked::Contains(test) => is_in = visit.fulfils(test, Some(element))?,
                Asked::Length(..) => return Ok(Next::GoOn),
                Asked::Any => is_in = true,
            }
            Ok(if is_in { Next::Stop } else { Next::GoOn })
        })?;
        Ok(match &self.asked {
            _ if count == 0 => self.of_none,
            Asked::Length(comparator, literal) => compares(count, *comparator, literal),
            Asked::Contains(_) | Asked::Any => Truth::of(is_in),
        })
    }
}

/// How a number of elements compares.
fn compares(count: usize, comparator: Comparator, literal: &Value) -> Truth {
    let count = Value::from(count);
    Truth::of(match comparator {
        Comparator::Equal => value::equal(&count, literal),
        Comparator::NotEqual => !value::equal(&count, literal),
        _ => value::compare(&count, literal).is_some_and(|order| holds(comparator, order)),
    })
}

/// Elements, and the field that they come from.
struct Made {
    values: Values,
    field: Vec<String>,
}

impl Made {
    fn of(expr: &Expr) -> Option<Self> {
        if let Some(field) = plain(expr).filter(|path| !path.is_empty()) {
            return Some(Self { values: Values::Elements, field });
        }
        match &expr.kind {
            Kind::Projection { over, source, each } => {
                let condition = match over {
                    Over::Elements => None,
                    Over::Filter(condition) => Some(Condition::of(condition)?),
                    Over::Members => return None,
                };
                let path = plain(each)?.into();
                let Self { values, field } = Self::of(source)?;
                Some(Self { values: Values::Each(Box::new(values), condition, path), field })
            }
            Kind::Flatten(inner) => {
                let Self { values, field } = Self::of(inner)?;
                Some(Self { values: Values::Flat(Box::new(values)), field })
            }
            // `a.b[*]` is `b[*]` of `a`.
            Kind::Sub(left, right) | Kind::Pipe(left, right) => {
                let Self { values, field } = Self::of(right)?;
                Some(Self { values, field: [plain(left)?, field].concat() })
            }
            _ => None,
        }
    }

    fn is_projection(&self) -> bool {
        !matches!(self.values, Values::Elements)
    }
}

/// The operands of `projection || [literal, …]`, whose value is an array for every event.
fn with_default(expr: &Expr) -> Option<(Made, &[Value])> {
    let Kind::Or(operands) = &expr.kind else { return None };
    let [projection, Expr { kind: Kind::Literal(Value::Array(otherwise)), .. }] = operands.as_slice() else { return None };
    Some((Made::of(projection).filter(Made::is_projection)?, otherwise))
}

impl Condition {
    fn of(expr: &Expr) -> Option<Self> {
        let all = |operands: &[Expr]| operands.iter().map(Self::of).collect::<Option<Box<[Self]>>>();
        match &expr.kind {
            Kind::Not(operand) => Self::of(operand).map(|operand| Self::Not(Box::new(operand))),
            Kind::And(operands) => all(operands).map(Self::All),
            Kind::Or(operands) => all(operands).map(Self::Any),
            Kind::Comparison(comparator, left, right) => {
                let (path, literal, comparator) = match (&left.kind, &right.kind) {
                    (_, Kind::Literal(literal)) => (plain(left)?, literal, *comparator),
                    (Kind::Literal(literal), _) => (plain(right)?, literal, turned(*comparator)),
                    _ => return None,
                };
                let test = match comparator {
                    Comparator::Equal => Test::Equal(true, literal.clone()),
                    Comparator::NotEqual => Test::Equal(false, literal.clone()),
                    _ => Test::Order(comparator, literal.clone()),
                };
                Some(Self::Test(path.into(), test))
            }
            _ => plain(expr).map(|path| Self::Test(path.into(), Test::Truth)),
        }
    }
}

#[cfg(test)]
mod tests;
