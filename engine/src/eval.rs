//! The evaluator: slow, obvious, and the oracle for everything faster.
//!
//! Left to right with JMESPath's short circuit. The first error reached ends the evaluation: there are three outcomes, a value
//! that is true, a value that is not, and an error. Depth is bounded by the parser, work by [`MOST_STEPS`].

mod call;
pub mod functions;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use crate::expr::{Comparator, Expr, Kind, Over, Slice};
use crate::text::Span;
use crate::value::{self, Map, Value, is_true_inside};

/// The most work that one evaluation may do: a step is a node evaluated or a value copied.
pub const MOST_STEPS: u64 = 1_000_000;

/// Why an expression has no value for an event, and where in the expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvalError {
    /// The place in the expression's text.
    pub span: Span,
    /// One sentence, without a value of the event in it.
    pub message: String,
}

impl fmt::Display for EvalError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for EvalError {}

/// The value of an expression, where `@` is `current`: the envelope.
///
/// # Errors
/// [`EvalError`]: a function was given a type that it does not take (`starts_with` of a missing field, say), `parse_json` was
/// given no JSON, or the work went beyond [`MOST_STEPS`].
///
/// ```
/// use trailwire_engine::{eval::search, lang::jmespath::parse};
/// let event = serde_json::json!({"detail": {"eventName": "CreateUser"}});
/// let expression = parse("starts_with(detail.eventName, 'Create')").0.unwrap();
/// assert_eq!(search(&expression, &event), Ok(serde_json::json!(true)));
/// let expression = parse("starts_with(detail.errorCode, 'Access')").0.unwrap();
/// assert_eq!(search(&expression, &event).unwrap_err().message, "`starts_with` wants a string as first argument, this is null");
/// ```
pub fn search(expr: &Expr, current: &Value) -> Result<Value, EvalError> {
    Evaluator { steps: 0, observer: None }.eval(expr, current).map(Cow::into_owned)
}

/// Told of each node and what came of it.
pub type Observer<'o> = dyn FnMut(&Expr, Result<&Value, &EvalError>) + 'o;

/// As [`search`], and tells how many steps it took.
pub(crate) fn search_counted(expr: &Expr, current: &Value) -> (Result<Value, EvalError>, u64) {
    let mut evaluator = Evaluator { steps: 0, observer: None };
    let value = evaluator.eval(expr, current).map(Cow::into_owned);
    (value, evaluator.steps)
}

/// As [`search`], and tells `observer` the outcome of every node as it is reached: inner ones first, those in projections once
/// for each element, those that a short circuit skips never.
///
/// # Errors
/// As [`search`].
pub fn search_observed(expr: &Expr, current: &Value, observer: &mut Observer<'_>) -> Result<Value, EvalError> {
    Evaluator { steps: 0, observer: Some(observer) }.eval(expr, current).map(Cow::into_owned)
}

/// The truth of a verdict: JavaScript's, as [`value::is_true_verdict`] tells.
#[must_use]
pub fn truthy(value: &Value) -> bool {
    value::is_true_verdict(value)
}

type Evaluated<'v> = Result<Cow<'v, Value>, EvalError>;

struct Evaluator<'o> {
    steps: u64,
    observer: Option<&'o mut Observer<'o>>,
}

const NULL: Cow<'static, Value> = Cow::Owned(Value::Null);

fn boolean(truth: bool) -> Cow<'static, Value> {
    Cow::Owned(Value::Bool(truth))
}

impl Evaluator<'_> {
    fn eval<'v>(&mut self, expr: &'v Expr, current: &'v Value) -> Evaluated<'v> {
        self.step(1, expr.span)?;
        let evaluated = self.eval_kind(expr, current);
        if let Some(observer) = &mut self.observer {
            observer(expr, evaluated.as_ref().map(AsRef::as_ref));
        }
        evaluated
    }

    fn eval_kind<'v>(&mut self, expr: &'v Expr, current: &'v Value) -> Evaluated<'v> {
        match &expr.kind {
            Kind::Current => Ok(Cow::Borrowed(current)),
            Kind::Literal(value) => Ok(Cow::Borrowed(value)),
            Kind::Field { name, .. } => Ok(current.get(name).map_or(NULL, Cow::Borrowed)),
            Kind::Index(index) => Ok(element(current, *index).map_or(NULL, Cow::Borrowed)),
            Kind::Slice(slice) => self.slice(*slice, current, expr.span),
            Kind::Sub(left, right) | Kind::Pipe(left, right) => match self.eval(left, current)? {
                Cow::Borrowed(left) => self.eval(right, left),
                Cow::Owned(left) => self.owned(right, &left),
            },
            Kind::Projection { over, source, each } => self.projection(over, source, each, current),
            Kind::Flatten(source) => self.flatten(source, current, expr.span),
            Kind::MultiSelectList(elements) => self.multi_select_list(elements, current),
            Kind::MultiSelectHash(members) => self.multi_select_hash(members, current),
            Kind::Not(operand) => Ok(boolean(!is_true_inside(self.eval(operand, current)?.as_ref()))),
            Kind::And(operands) => self.first_that(operands, current, |truth| !truth),
            Kind::Or(operands) => self.first_that(operands, current, |truth| truth),
            Kind::Comparison(comparator, left, right) => {
                let left = self.eval(left, current)?;
                let right = self.eval(right, current)?;
                Ok(compare(*comparator, &left, &right))
            }
            Kind::Call(call) => self.call(call, expr.span, current),
            Kind::Pattern(pattern) => {
                let mut steps = MOST_STEPS.saturating_sub(self.steps);
                let fits = pattern.matches_within(current, &mut steps);
                self.steps = MOST_STEPS.saturating_sub(steps);
                fits.map(boolean).map_err(|error| EvalError { span: expr.span, message: error.to_string() })
            }
            Kind::Reference(_) => Err(EvalError { span: expr.span, message: "an expression reference has no value of its own".to_owned() }),
        }
    }

    /// Counts work.
    fn step(&mut self, count: u64, span: Span) -> Result<(), EvalError> {
        self.steps = self.steps.saturating_add(count);
        if self.steps > MOST_STEPS {
            let message = format!("the expression takes more than {MOST_STEPS} steps on this event");
            return Err(EvalError { span, message });
        }
        Ok(())
    }

    /// The value as an owned one; copying it is work.
    fn own(&mut self, value: Cow<'_, Value>, span: Span) -> Result<Value, EvalError> {
        match value {
            Cow::Owned(value) => Ok(value),
            Cow::Borrowed(value) => {
                self.step(weight(value), span)?;
                Ok(value.clone())
            }
        }
    }

    /// Evaluates on a value that does not live as long as the result must.
    fn owned(&mut self, expr: &Expr, current: &Value) -> Result<Cow<'static, Value>, EvalError> {
        let value = self.eval(expr, current)?;
        self.own(value, expr.span).map(Cow::Owned)
    }

    /// The first operand whose truth is the wanted one, else the last.
    fn first_that<'v>(&mut self, operands: &'v [Expr], current: &'v Value, wanted: impl Fn(bool) -> bool) -> Evaluated<'v> {
        let mut last = NULL;
        for operand in operands {
            last = self.eval(operand, current)?;
            if wanted(is_true_inside(&last)) {
                break;
            }
        }
        Ok(last)
    }

    fn slice<'v>(&mut self, slice: Slice, current: &Value, span: Span) -> Evaluated<'v> {
        let Value::Array(elements) = current else { return Ok(NULL) };
        let mut taken = Vec::new();
        for index in indices(slice, elements.len()) {
            if let Some(element) = elements.get(index) {
                taken.push(self.own(Cow::Borrowed(element), span)?);
            }
        }
        Ok(Cow::Owned(Value::Array(taken)))
    }

    fn projection<'v>(&mut self, over: &Over, source: &Expr, each: &Expr, current: &Value) -> Evaluated<'v> {
        let source = self.eval(source, current)?;
        let elements: Vec<&Value> = match (over, source.as_ref()) {
            (Over::Elements | Over::Filter(_), Value::Array(elements)) => elements.iter().collect(),
            (Over::Members, Value::Object(members)) => members.values().collect(),
            _ => return Ok(NULL),
        };
        let mut projected = Vec::new();
        for element in elements {
            if let Over::Filter(condition) = over
                && !is_true_inside(self.eval(condition, element)?.as_ref())
            {
                continue;
            }
            let value = self.eval(each, element)?;
            if !value.is_null() {
                projected.push(self.own(value, each.span)?);
            }
        }
        Ok(Cow::Owned(Value::Array(projected)))
    }

    fn flatten<'v>(&mut self, source: &Expr, current: &Value, span: Span) -> Evaluated<'v> {
        let source = self.eval(source, current)?;
        let Value::Array(elements) = self.own(source, span)? else { return Ok(NULL) };
        let mut flat = Vec::with_capacity(elements.len());
        for element in elements {
            match element {
                Value::Array(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        Ok(Cow::Owned(Value::Array(flat)))
    }

    fn multi_select_list<'v>(&mut self, elements: &[Expr], current: &Value) -> Evaluated<'v> {
        if current.is_null() {
            return Ok(NULL);
        }
        let mut selected = Vec::with_capacity(elements.len());
        for element in elements {
            selected.push(self.owned(element, current)?.into_owned());
        }
        Ok(Cow::Owned(Value::Array(selected)))
    }

    fn multi_select_hash<'v>(&mut self, members: &[(String, Expr)], current: &Value) -> Evaluated<'v> {
        if current.is_null() {
            return Ok(NULL);
        }
        let mut selected = Map::new();
        for (name, member) in members {
            selected.insert(name.clone(), self.owned(member, current)?.into_owned());
        }
        Ok(Cow::Owned(Value::Object(selected)))
    }
}

fn compare(comparator: Comparator, left: &Value, right: &Value) -> Cow<'static, Value> {
    let ordered = |accepted: fn(Ordering) -> bool| value::compare(left, right).map_or(NULL, |order| boolean(accepted(order)));
    match comparator {
        Comparator::Equal => boolean(value::equal(left, right)),
        Comparator::NotEqual => boolean(!value::equal(left, right)),
        Comparator::Less => ordered(Ordering::is_lt),
        Comparator::LessOrEqual => ordered(Ordering::is_le),
        Comparator::Greater => ordered(Ordering::is_gt),
        Comparator::GreaterOrEqual => ordered(Ordering::is_ge),
    }
}

fn element(current: &Value, index: i64) -> Option<&Value> {
    let elements = current.as_array()?;
    let from_start = usize::try_from(index.unsigned_abs()).ok()?;
    let index = if index >= 0 { from_start } else { elements.len().checked_sub(from_start)? };
    elements.get(index)
}

/// The indices that a slice takes from an array of a length, in order: Python's rules.
fn indices(slice: Slice, length: usize) -> Vec<usize> {
    let length = i128::try_from(length).unwrap_or(i128::MAX);
    let step = i128::from(slice.step);
    let (lowest, highest) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let place = |part: Option<i64>, default: i128| {
        part.map_or(default, |part| {
            let part = i128::from(part);
            if part < 0 { part + length } else { part }.clamp(lowest, highest)
        })
    };
    let (first, last) = if step > 0 { (lowest, highest) } else { (highest, lowest) };
    let mut at = place(slice.start, first);
    let stop = place(slice.stop, last);
    let mut taken = Vec::new();
    while if step > 0 { at < stop } else { step < 0 && at > stop } {
        taken.extend(usize::try_from(at));
        at += step;
    }
    taken
}

/// The number of values in a value, itself included, and a step for each 64 bytes of text.
fn weight(value: &Value) -> u64 {
    let text = |text: &str| u64::try_from(text.len() / 64).unwrap_or(u64::MAX);
    1 + match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(string) => text(string),
        Value::Array(elements) => elements.iter().map(weight).sum(),
        Value::Object(members) => members.iter().map(|(name, member)| text(name) + weight(member)).sum(),
    }
}

#[cfg(test)]
mod tests;
