//! A pattern as text: compact, members and tests in the order of the tree, a list of one as its only element.

use std::fmt;

use super::{Bound, Entry, Excluded, Group, Pattern, Range, Scalar, Test};
use crate::value::{Map, Number, Value};

impl fmt::Display for Pattern {
    /// The text that is sent. Reading it gives the same pattern; the same pattern gives the same bytes.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", Value::Object(group(&self.root)))
    }
}

impl fmt::Display for Test {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", test(self))
    }
}

impl Pattern {
    /// The pattern as JSON.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Value::Object(group(&self.root))
    }
}

fn group(group: &Group) -> Map<String, Value> {
    group.entries.iter().map(entry).collect()
}

fn entry(entry: &Entry) -> (String, Value) {
    match entry {
        Entry::Field(name, tests) => (name.clone(), tests.iter().map(test).collect()),
        Entry::Object(name, inner) => (name.clone(), Value::Object(group(inner))),
        Entry::Or(groups) => ("$or".to_owned(), groups.iter().map(|inner| Value::Object(group(inner))).collect()),
    }
}

fn operator(name: &str, operand: impl Into<Value>) -> Value {
    Value::Object(Map::from_iter([(name.to_owned(), operand.into())]))
}

/// One test as JSON.
fn test(test: &Test) -> Value {
    let ignoring_case = |text: &String| operator("equals-ignore-case", text.as_str());
    match test {
        Test::Equals(scalar) => match scalar {
            Scalar::Null => Value::Null,
            Scalar::Bool(truth) => Value::Bool(*truth),
            Scalar::Number(number) => Value::Number(number.clone()),
            Scalar::String(text) => Value::from(text.as_str()),
        },
        Test::Prefix(text) => operator("prefix", text.as_str()),
        Test::PrefixIgnoringCase(text) => operator("prefix", ignoring_case(text)),
        Test::Suffix(text) => operator("suffix", text.as_str()),
        Test::SuffixIgnoringCase(text) => operator("suffix", ignoring_case(text)),
        Test::EqualsIgnoringCase(text) => ignoring_case(text),
        Test::Wildcard(text) => operator("wildcard", text.as_str()),
        Test::AnythingBut(excluded) => operator("anything-but", exclusion(excluded)),
        Test::Numeric(range) => operator("numeric", ends(range)),
        Test::Cidr(text) => operator("cidr", text.as_str()),
        Test::Exists(exists) => operator("exists", *exists),
    }
}

fn exclusion(excluded: &Excluded) -> Value {
    let texts = |texts: &[String]| one_or_all(texts.iter().map(|text| Value::from(text.as_str())).collect());
    match excluded {
        Excluded::Strings(list) => texts(list),
        Excluded::Numbers(list) => one_or_all(list.iter().cloned().map(Value::Number).collect()),
        Excluded::Prefixes(list) => operator("prefix", texts(list)),
        Excluded::Suffixes(list) => operator("suffix", texts(list)),
        Excluded::IgnoringCase(list) => operator("equals-ignore-case", texts(list)),
        Excluded::Wildcards(list) => operator("wildcard", texts(list)),
    }
}

fn one_or_all(mut list: Vec<Value>) -> Value {
    match (list.pop(), list.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            list.extend(last);
            Value::Array(list)
        }
    }
}

fn ends(range: &Range) -> Value {
    let end = |sign: &str, number: &Number| [Value::from(sign), Value::Number(number.clone())];
    match range {
        Range::Equal(number) => end("=", number).into_iter().collect(),
        Range::Between { bottom, top } => {
            let sign = |strict: &'static str, loose: &'static str, bound: Bound| if bound == Bound::Excluded { strict } else { loose };
            let bottom = bottom.iter().flat_map(|(number, bound)| end(sign(">", ">=", *bound), number));
            let top = top.iter().flat_map(|(number, bound)| end(sign("<", "<=", *bound), number));
            bottom.chain(top).collect()
        }
    }
}
