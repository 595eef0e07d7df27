//! The types that an expression can have, and whether it can err.

use super::{Schema, path};
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

/// The types that the value of an expression can have where `@` is the envelope.
#[must_use]
pub fn kinds(expr: &Expr, schema: Schema) -> Kinds {
    if let Some(path) = path(expr) {
        return schema.kinds_at(&path);
    }
    match &expr.kind {
        Kind::Current => Kinds::OBJECT,
        Kind::Literal(value) => Kinds::of(value),
        Kind::Not(_) | Kind::Pattern(_) => Kinds::BOOLEAN,
        Kind::Comparison(Comparator::Equal | Comparator::NotEqual, ..) => Kinds::BOOLEAN,
        Kind::Comparison(..) => Kinds::BOOLEAN.with(Kinds::NULL),
        Kind::And(operands) => operands.iter().fold(Kinds::NOTHING, |all, operand| all.with(kinds(operand, schema))),
        Kind::Or(operands) => first_that_is(operands, schema),
        Kind::Slice(_) | Kind::Flatten(_) | Kind::Projection { .. } | Kind::MultiSelectList(_) => Kinds::ARRAY.with(Kinds::NULL),
        Kind::MultiSelectHash(_) => Kinds::OBJECT.with(Kinds::NULL),
        Kind::Call(call) => result_of(call, schema),
        Kind::Field { .. } | Kind::Index(_) | Kind::Sub(..) | Kind::Pipe(..) | Kind::Reference(_) => Kinds::ANY,
    }
}

/// Of `a || b` and `not_null(a, b)`: null comes only from the last.
fn first_that_is(operands: &[Expr], schema: Schema) -> Kinds {
    let Some((last, before)) = operands.split_last() else { return Kinds::NULL };
    before.iter().fold(kinds(last, schema), |all, operand| all.with(kinds(operand, schema).without(Kinds::NULL)))
}

fn result_of(call: &Call, schema: Schema) -> Kinds {
    match call.name.as_str() {
        "cidr_contains" | "contains" | "ends_with" | "matches" | "starts_with" => Kinds::BOOLEAN,
        "join" | "lower" | "to_json" | "to_string" | "type" | "upper" => Kinds::STRING,
        "abs" | "ceil" | "floor" | "length" | "sum" => Kinds::NUMBER,
        "avg" | "to_number" => Kinds::NUMBER.with(Kinds::NULL),
        "keys" | "map" | "sort" | "sort_by" | "split" | "to_array" | "values" => Kinds::ARRAY,
        "merge" => Kinds::OBJECT,
        "not_null" => first_that_is(&call.arguments, schema),
        _ => Kinds::ANY,
    }
}

/// Whether evaluating the expression on the envelope can end in an error. (That the work goes beyond every bound is left out for
/// expressions whose work does not grow with the event.)
#[must_use]
pub fn can_err(expr: &Expr, schema: Schema) -> bool {
    let itself = match &expr.kind {
        Kind::Pattern(_) | Kind::Reference(_) | Kind::Projection { .. } | Kind::Flatten(_) => true,
        Kind::Slice(slice) => slice.step == 0,
        Kind::Call(call) => call_can_err(call, schema),
        // What stands right of a dot has another current value, of which nothing is known.
        Kind::Sub(left, right) | Kind::Pipe(left, right) => {
            return can_err(left, schema) || can_err(right, Schema::None);
        }
        _ => false,
    };
    itself || expr.children().into_iter().any(|child| can_err(child, schema))
}

fn call_can_err(call: &Call, schema: Schema) -> bool {
    const NEVER_ERR: [&str; 14] = [
        "abs",
        "ceil",
        "cidr_contains",
        "contains",
        "ends_with",
        "floor",
        "length",
        "lower",
        "matches",
        "not_null",
        "starts_with",
        "to_json",
        "to_string",
        "type",
    ];
    let accepted = |takes: Option<Takes>| match takes {
        Some(Takes::Any) => Kinds::ANY,
        Some(Takes::String) => Kinds::STRING,
        Some(Takes::Number) => Kinds::NUMBER,
        Some(Takes::StringOrArray) => Kinds::STRING.with(Kinds::ARRAY),
        Some(Takes::StringArrayOrObject) => Kinds::STRING.with(Kinds::ARRAY).with(Kinds::OBJECT),
        _ => Kinds::NOTHING,
    };
    let Some(signature) = functions::find(&call.name) else { return true };
    let arguments_fit =
        call.arguments.iter().enumerate().all(|(index, argument)| kinds(argument, schema).within(accepted(signature.parameter(index))));
    !arguments_fit || !signature.takes_count(call.arguments.len()) || !(NEVER_ERR.contains(&call.name.as_str()) || call.name == "upper")
}
