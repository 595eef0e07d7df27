//! The types that an expression can have, and whether it can err.

use super::{Schema, Walk, atom, path};
use crate::eval::functions::{self, Takes};
use crate::expr::{Call, Comparator, Expr, Kind};
use crate::value::Value;

/// A set of types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    /// No type: an expression that always errs.
    pub const NOTHING: Self = Self(0);
    /// Null, which a missing field is.
    pub const NULL: Self = Self(1);
    /// `true` and `false`.
    pub const BOOLEAN: Self = Self(2);
    /// Numbers.
    pub const NUMBER: Self = Self(4);
    /// Strings.
    pub const STRING: Self = Self(8);
    /// Arrays.
    pub const ARRAY: Self = Self(16);
    /// Objects.
    pub const OBJECT: Self = Self(32);
    /// Every type.
    pub const ANY: Self = Self(63);

    /// Both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This without the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The types in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether a type of the other is in this.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether every type of this is in the other.
    #[must_use]
    pub const fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// The type of a value.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Number(_) => Self::NUMBER,
            Value::String(_) => Self::STRING,
            Value::Array(_) => Self::ARRAY,
            Value::Object(_) => Self::OBJECT,
        }
    }
}

/// What is known where an expression stands: the schema, and the types of fields that what was evaluated before leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known<'e> {
    schema: Schema,
    fields: Vec<(Vec<&'e str>, Kinds)>,
}

impl<'e> Known<'e> {
    /// At the top of an expression.
    #[must_use]
    pub fn new(schema: Schema) -> Self {
        Self { schema, fields: Vec::new() }
    }

    /// Adds what is known once an expression was true inside.
    pub fn learn(&mut self, expr: &'e Expr) {
        if let Kind::And(operands) = &expr.kind {
            operands.iter().for_each(|operand| self.learn(operand));
        } else if let Some(learnt) = truth(expr) {
            self.fields.push(learnt);
        }
    }

    /// What is supposed of the events.
    #[must_use]
    pub fn schema(&self) -> Schema {
        self.schema
    }

    /// The types that the value at a path can have.
    #[must_use]
    pub fn kinds_at(&self, path: &[&str]) -> Kinds {
        let learnt = self.fields.iter().filter(|(other, _)| other.as_slice() == path);
        learnt.fold(self.schema.kinds_at(path), |kinds, (_, other)| kinds.and(*other))
    }

    /// The types that the value of an expression can have where `@` is the envelope.
    #[must_use]
    pub fn kinds(&self, expr: &Expr) -> Kinds {
        if let Some(path) = path(expr) {
            return self.kinds_at(&path);
        }
        match &expr.kind {
            Kind::Current => Kinds::OBJECT,
            Kind::Literal(value) => Kinds::of(value),
            Kind::Not(_) | Kind::Pattern(_) => Kinds::BOOLEAN,
            Kind::Comparison(Comparator::Equal | Comparator::NotEqual, ..) => Kinds::BOOLEAN,
            Kind::Comparison(..) => Kinds::BOOLEAN.with(Kinds::NULL),
            Kind::And(operands) => operands.iter().fold(Kinds::NOTHING, |all, operand| all.with(self.kinds(operand))),
            Kind::Or(operands) => self.first_that_is(operands),
            Kind::Slice(_) | Kind::Flatten(_) | Kind::Projection { .. } | Kind::MultiSelectList(_) => Kinds::ARRAY.with(Kinds::NULL),
            Kind::MultiSelectHash(_) => Kinds::OBJECT.with(Kinds::NULL),
            Kind::Call(call) => self.result_of(call),
            Kind::Field { .. } | Kind::Index(_) | Kind::Sub(..) | Kind::Pipe(..) | Kind::Reference(_) => Kinds::ANY,
        }
    }

    /// Of `a || b` and `not_null(a, b)`: null comes only from the last.
    fn first_that_is(&self, operands: &[Expr]) -> Kinds {
        let Some((last, before)) = operands.split_last() else { return Kinds::NULL };
        before.iter().fold(self.kinds(last), |all, operand| all.with(self.kinds(operand).without(Kinds::NULL)))
    }

    fn result_of(&self, call: &Call) -> Kinds {
        match call.name.as_str() {
            "cidr_contains" | "contains" | "ends_with" | "matches" | "starts_with" => Kinds::BOOLEAN,
            "join" | "lower" | "to_json" | "to_string" | "type" | "upper" => Kinds::STRING,
            "abs" | "ceil" | "floor" | "length" | "sum" => Kinds::NUMBER,
            "avg" | "to_number" => Kinds::NUMBER.with(Kinds::NULL),
            "keys" | "map" | "sort" | "sort_by" | "split" | "to_array" | "values" => Kinds::ARRAY,
            "merge" => Kinds::OBJECT,
            "not_null" => self.first_that_is(&call.arguments),
            _ => Kinds::ANY,
        }
    }

    /// Whether evaluating the expression on the envelope can end in an error. (That the work goes beyond every bound is left out
    /// for expressions whose work does not grow with the event.)
    #[must_use]
    pub fn can_err(&self, expr: &'e Expr) -> bool {
        match &expr.kind {
            Kind::Pattern(_) | Kind::Reference(_) | Kind::Projection { .. } | Kind::Flatten(_) => true,
            Kind::Slice(slice) => slice.step == 0,
            Kind::Call(call) => self.call_can_err(call) || call.arguments.iter().any(|argument| self.can_err(argument)),
            // What stands right of a dot has another current value, of which nothing is known.
            Kind::Sub(left, right) | Kind::Pipe(left, right) => self.can_err(left) || Known::new(Schema::None).can_err(right),
            Kind::And(operands) => {
                let mut known = self.clone();
                operands.iter().any(|operand| {
                    let can = known.can_err(operand);
                    known.learn(operand);
                    can
                })
            }
            _ => expr.children().into_iter().any(|child| self.can_err(child)),
        }
    }

    fn call_can_err(&self, call: &Call) -> bool {
        let accepted = |takes: Option<Takes>| match takes {
            Some(Takes::Any) => Kinds::ANY,
            Some(Takes::String) => Kinds::STRING,
            Some(Takes::Number) => Kinds::NUMBER,
            Some(Takes::Object) => Kinds::OBJECT,
            Some(Takes::StringOrArray) => Kinds::STRING.with(Kinds::ARRAY),
            Some(Takes::StringArrayOrObject) => Kinds::STRING.with(Kinds::ARRAY).with(Kinds::OBJECT),
            _ => Kinds::NOTHING,
        };
        let Some(signature) = functions::find(&call.name) else { return true };
        let mut arguments = call.arguments.iter().enumerate();
        let arguments_fit = arguments.all(|(index, argument)| self.kinds(argument).within(accepted(signature.parameter(index))));
        !arguments_fit || !signature.takes_count(call.arguments.len()) || !NEVER_ERR.contains(&call.name.as_str())
    }
}

/// The functions that do not err on arguments of the right types.
const NEVER_ERR: [&str; 16] = [
    "abs",
    "ceil",
    "cidr_contains",
    "contains",
    "ends_with",
    "floor",
    "keys",
    "length",
    "lower",
    "matches",
    "not_null",
    "starts_with",
    "to_json",
    "to_string",
    "type",
    "upper",
];

/// The field of which a true expression tells the type: an atom, or alternatives of one field.
fn truth(expr: &Expr) -> Option<(Vec<&str>, Kinds)> {
    if let Some(atom) = atom(expr) {
        let kinds = atom.outcomes().truth.kinds();
        return (atom.operand.walk == Walk::Objects).then_some((atom.operand.path, kinds));
    }
    let Kind::Or(operands) = &expr.kind else { return None };
    let mut told = operands.iter().map(truth);
    let (path, first) = told.next()??;
    let kinds = told.try_fold(first, |all, other| other.filter(|(other, _)| *other == path).map(|(_, kinds)| all.with(kinds)))?;
    Some((path, kinds))
}

/// The types that the value of an expression can have where `@` is the envelope.
#[must_use]
pub fn kinds(expr: &Expr, schema: Schema) -> Kinds {
    Known::new(schema).kinds(expr)
}

/// As [`Known::can_err`], where nothing was evaluated before.
#[must_use]
pub fn can_err(expr: &Expr, schema: Schema) -> bool {
    Known::new(schema).can_err(expr)
}
