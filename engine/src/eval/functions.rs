//! Which functions there are, and what they take.
//!
//! The standard ones: <https://jmespath.org/specification.html#built-in-functions>. From GorillaStack's fork: `split`,
//! `parse_json`, `to_json`. Our own: `matches`, `lower`, `upper`, `cidr_contains`.

use crate::value::Value;

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Any value.
    Any,
    /// A string.
    String,
    /// A number.
    Number,
    /// An object.
    Object,
    /// An array.
    Array,
    /// An array whose elements are all numbers.
    Numbers,
    /// An array whose elements are all strings.
    Strings,
    /// An array whose elements are all numbers or all strings.
    NumbersOrStrings,
    /// A string or an array.
    StringOrArray,
    /// A string, an array or an object.
    StringArrayOrObject,
    /// An expression reference, `&a`.
    Reference,
}

impl Takes {
    /// Whether a value will do. No value is a reference.
    #[must_use]
    pub fn accepts(self, value: &Value) -> bool {
        let all = |accepts: fn(&Value) -> bool| value.as_array().is_some_and(|elements| elements.iter().all(accepts));
        match self {
            Self::Any => true,
            Self::String => value.is_string(),
            Self::Number => value.is_number(),
            Self::Object => value.is_object(),
            Self::Array => value.is_array(),
            Self::Numbers => all(Value::is_number),
            Self::Strings => all(Value::is_string),
            Self::NumbersOrStrings => all(Value::is_number) || all(Value::is_string),
            Self::StringOrArray => value.is_string() || value.is_array(),
            Self::StringArrayOrObject => value.is_string() || value.is_array() || value.is_object(),
            Self::Reference => false,
        }
    }

    /// What it takes, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Any => "any value",
            Self::String => "a string",
            Self::Number => "a number",
            Self::Object => "an object",
            Self::Array => "an array",
            Self::Numbers => "an array of numbers",
            Self::Strings => "an array of strings",
            Self::NumbersOrStrings => "an array of numbers or an array of strings",
            Self::StringOrArray => "a string or an array",
            Self::StringArrayOrObject => "a string, an array or an object",
            Self::Reference => "an expression reference such as &name",
        }
    }
}

/// How many arguments a function takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    /// One for each parameter.
    Exact,
    /// The last parameter may be left out.
    LastOptional,
    /// One or more, all as the only parameter says.
    OneOrMore,
}

/// A function's name and parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// As it is called.
    pub name: &'static str,
    /// In order.
    pub parameters: &'static [Takes],
    /// How many arguments.
    pub arity: Arity,
    /// Which argument must be a literal string that is compiled once.
    pub literal: Option<usize>,
}

impl Signature {
    /// What the argument at a place must be; `None` where there must be none.
    #[must_use]
    pub fn parameter(&self, index: usize) -> Option<Takes> {
        match self.arity {
            Arity::OneOrMore => self.parameters.first().copied(),
            Arity::Exact | Arity::LastOptional => self.parameters.get(index).copied(),
        }
    }

    /// Whether this many arguments will do.
    #[must_use]
    pub fn takes_count(&self, count: usize) -> bool {
        match self.arity {
            Arity::Exact => count == self.parameters.len(),
            Arity::LastOptional => count == self.parameters.len() || count + 1 == self.parameters.len(),
            Arity::OneOrMore => count >= 1,
        }
    }

    /// The numbers of arguments that will do, in words: `2 arguments`.
    #[must_use]
    pub fn count_words(&self) -> String {
        let most = self.parameters.len();
        match (self.arity, most) {
            (Arity::Exact, 1) => "1 argument".to_owned(),
            (Arity::Exact, _) => format!("{most} arguments"),
            (Arity::LastOptional, _) => format!("{} or {most} arguments", most.saturating_sub(1)),
            (Arity::OneOrMore, _) => "1 or more arguments".to_owned(),
        }
    }
}

const fn exact(name: &'static str, parameters: &'static [Takes]) -> Signature {
    Signature { name, parameters, arity: Arity::Exact, literal: None }
}

/// Every function, in the order of the alphabet.
pub const ALL: &[Signature] = &[
    exact("abs", &[Takes::Number]),
    exact("avg", &[Takes::Numbers]),
    exact("ceil", &[Takes::Number]),
    Signature { literal: Some(0), ..exact("cidr_contains", &[Takes::String, Takes::String]) },
    exact("contains", &[Takes::StringOrArray, Takes::Any]),
    exact("ends_with", &[Takes::String, Takes::String]),
    exact("floor", &[Takes::Number]),
    exact("join", &[Takes::String, Takes::Strings]),
    exact("keys", &[Takes::Object]),
    exact("length", &[Takes::StringArrayOrObject]),
    exact("lower", &[Takes::String]),
    exact("map", &[Takes::Reference, Takes::Array]),
    Signature { literal: Some(1), ..exact("matches", &[Takes::String, Takes::String]) },
    exact("max", &[Takes::NumbersOrStrings]),
    exact("max_by", &[Takes::Array, Takes::Reference]),
    Signature { arity: Arity::OneOrMore, ..exact("merge", &[Takes::Object]) },
    exact("min", &[Takes::NumbersOrStrings]),
    exact("min_by", &[Takes::Array, Takes::Reference]),
    Signature { arity: Arity::OneOrMore, ..exact("not_null", &[Takes::Any]) },
    exact("parse_json", &[Takes::String]),
    exact("reverse", &[Takes::StringOrArray]),
    exact("sort", &[Takes::NumbersOrStrings]),
    exact("sort_by", &[Takes::Array, Takes::Reference]),
    Signature { arity: Arity::LastOptional, ..exact("split", &[Takes::String, Takes::String, Takes::Number]) },
    exact("starts_with", &[Takes::String, Takes::String]),
    exact("sum", &[Takes::Numbers]),
    exact("to_array", &[Takes::Any]),
    exact("to_json", &[Takes::Any]),
    exact("to_number", &[Takes::Any]),
    exact("to_string", &[Takes::Any]),
    exact("type", &[Takes::Any]),
    exact("upper", &[Takes::String]),
    exact("values", &[Takes::Object]),
];

/// The function of a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Signature> {
    ALL.iter().find(|signature| signature.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_order_and_unique() {
        assert!(ALL.windows(2).all(|pair| pair[0].name < pair[1].name));
    }
}
