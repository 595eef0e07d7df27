//! What the functions do.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::functions::{self, Takes};
use super::{EvalError, Evaluated, Evaluator, NULL, boolean};
use crate::expr::{Call, Expr, Kind, Network, Prepared};
use crate::text::Span;
use crate::value::{self, Map, Number, Value, from_float, from_integer, type_name};

/// An argument after evaluation.
enum Argument<'v> {
    Value(Cow<'v, Value>),
    Reference(&'v Expr),
}

const NOTHING: &Value = &Value::Null;

impl Argument<'_> {
    fn value(&self) -> &Value {
        match self {
            Self::Value(value) => value,
            Self::Reference(_) => NOTHING,
        }
    }
}

/// The arguments of one call, after their types were checked; so the accessors' defaults are never taken.
struct Arguments<'v>(Vec<Argument<'v>>);

impl<'v> Arguments<'v> {
    fn value(&self, index: usize) -> &Value {
        self.0.get(index).map_or(NOTHING, Argument::value)
    }

    fn text(&self, index: usize) -> &str {
        self.value(index).as_str().unwrap_or("")
    }

    fn array(&self, index: usize) -> &[Value] {
        self.value(index).as_array().map_or(&[], Vec::as_slice)
    }

    fn take(&mut self, index: usize) -> Cow<'v, Value> {
        match self.0.get_mut(index) {
            Some(Argument::Value(value)) => std::mem::replace(value, NULL),
            _ => NULL,
        }
    }

    fn reference(&self, index: usize) -> Option<&'v Expr> {
        match self.0.get(index) {
            Some(Argument::Reference(expr)) => Some(expr),
            _ => None,
        }
    }
}

impl Evaluator<'_> {
    pub(super) fn call<'v>(&mut self, call: &'v Call, span: Span, current: &'v Value) -> Evaluated<'v> {
        let fail = |message: String| EvalError { span: call.name_span, message };
        let Some(signature) = functions::find(&call.name) else {
            return Err(fail(format!("unknown function `{}`", call.name)));
        };
        if !signature.takes_count(call.arguments.len()) {
            return Err(fail(format!("`{}` takes {}", call.name, signature.count_words())));
        }
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for (index, argument) in call.arguments.iter().enumerate() {
            let takes = signature.parameter(index).unwrap_or(Takes::Any);
            arguments.push(self.argument(call, index, argument, takes, current)?);
        }
        let mut arguments = Arguments(arguments);
        let size = arguments.0.iter().map(|argument| breadth(argument.value())).sum();
        self.step(size, span)?;
        self.perform(call, &mut arguments, span)
    }

    fn argument<'v>(
        &mut self,
        call: &Call,
        index: usize,
        argument: &'v Expr,
        takes: Takes,
        current: &'v Value,
    ) -> Result<Argument<'v>, EvalError> {
        let wrong = |found: &str| EvalError {
            span: argument.span,
            message: format!("`{}` wants {} as {} argument, this is {found}", call.name, takes.words(), ordinal(index)),
        };
        if let Kind::Reference(inner) = &argument.kind {
            return if takes == Takes::Reference { Ok(Argument::Reference(inner)) } else { Err(wrong("an expression reference")) };
        }
        let value = self.eval(argument, current)?;
        if takes.accepts(&value) { Ok(Argument::Value(value)) } else { Err(wrong(&described(&value))) }
    }

    fn perform<'v>(&mut self, call: &Call, arguments: &mut Arguments<'v>, span: Span) -> Evaluated<'v> {
        let number = |arguments: &Arguments<'_>| match arguments.value(0) {
            Value::Number(number) => number.clone(),
            _ => Number::from(0),
        };
        let string = |text: String| Ok(Cow::Owned(Value::String(text)));
        match call.name.as_str() {
            "abs" => Ok(Cow::Owned(absolute(&number(arguments)))),
            "avg" => Ok(Cow::Owned(average(arguments.array(0)))),
            "ceil" => Ok(Cow::Owned(rounded(&number(arguments), f64::ceil))),
            "cidr_contains" => Ok(boolean(cidr_contains(call.prepared.as_ref(), arguments.text(1)))),
            "contains" => Ok(boolean(contains(arguments.value(0), arguments.value(1)))),
            "ends_with" => Ok(boolean(arguments.text(0).ends_with(arguments.text(1)))),
            "floor" => Ok(Cow::Owned(rounded(&number(arguments), f64::floor))),
            "join" => {
                let parts: Vec<&str> = arguments.array(1).iter().filter_map(Value::as_str).collect();
                string(parts.join(arguments.text(0)))
            }
            "keys" => Ok(Cow::Owned(members(arguments.value(0)).map(|(name, _)| Value::from(name.as_str())).collect())),
            "length" => Ok(Cow::Owned(Value::from(length(arguments.value(0))))),
            "lower" => string(arguments.text(0).to_ascii_lowercase()),
            "map" => self.map(arguments),
            "matches" => match &call.prepared {
                Some(Prepared::Regex(regex)) => Ok(boolean(regex.is_match(arguments.text(0)))),
                _ => Err(EvalError { span, message: "`matches` was not prepared".to_owned() }),
            },
            "max" => Ok(Cow::Owned(extreme(arguments.array(0), Ordering::Greater))),
            "max_by" => self.extreme_by(call, arguments, Ordering::Greater),
            "merge" => Ok(Cow::Owned(merged(arguments))),
            "min" => Ok(Cow::Owned(extreme(arguments.array(0), Ordering::Less))),
            "min_by" => self.extreme_by(call, arguments, Ordering::Less),
            "not_null" => {
                let found = (0..arguments.0.len()).find(|index| !arguments.value(*index).is_null());
                Ok(found.map_or(NULL, |index| arguments.take(index)))
            }
            "parse_json" => serde_json::from_str(arguments.text(0))
                .map(Cow::Owned)
                .map_err(|_| EvalError { span, message: "`parse_json` was given a string that is not JSON".to_owned() }),
            "reverse" => Ok(Cow::Owned(reversed(arguments.value(0)))),
            "sort" => {
                let mut sorted = arguments.array(0).to_vec();
                sorted.sort_by(|a, b| value::compare(a, b).unwrap_or(Ordering::Equal));
                Ok(Cow::Owned(Value::Array(sorted)))
            }
            "sort_by" => self.sort_by(call, arguments),
            "split" => split(arguments, span),
            "starts_with" => Ok(boolean(arguments.text(0).starts_with(arguments.text(1)))),
            "sum" => Ok(Cow::Owned(sum(arguments.array(0)))),
            "to_array" => match arguments.take(0) {
                value if value.is_array() => Ok(value),
                value => Ok(Cow::Owned(Value::Array(vec![self.own(value, span)?]))),
            },
            "to_json" => string(arguments.value(0).to_string()),
            "to_number" => Ok(to_number(arguments.take(0))),
            "to_string" => match arguments.take(0) {
                value if value.is_string() => Ok(value),
                value => string(value.to_string()),
            },
            "type" => Ok(Cow::Owned(Value::from(type_name(arguments.value(0))))),
            "upper" => string(arguments.text(0).to_ascii_uppercase()),
            "values" => Ok(Cow::Owned(members(arguments.value(0)).map(|(_, value)| value.clone()).collect())),
            other => Err(EvalError { span, message: format!("unknown function `{other}`") }),
        }
    }

    fn map<'v>(&mut self, arguments: &Arguments<'v>) -> Evaluated<'v> {
        let Some(expr) = arguments.reference(0) else { return Ok(NULL) };
        let mut mapped = Vec::new();
        for element in arguments.array(1) {
            mapped.push(self.owned(expr, element)?.into_owned());
        }
        Ok(Cow::Owned(Value::Array(mapped)))
    }

    /// Each element with its key; keys are all strings or all numbers.
    fn keyed(&mut self, call: &Call, arguments: &Arguments<'_>) -> Result<Vec<(Value, Value)>, EvalError> {
        let Some(expr) = arguments.reference(1) else { return Ok(Vec::new()) };
        let mut keyed: Vec<(Value, Value)> = Vec::new();
        for element in arguments.array(0) {
            let key = self.owned(expr, element)?.into_owned();
            let fits = (key.is_string() || key.is_number()) && keyed.first().is_none_or(|(first, _)| type_name(first) == type_name(&key));
            if !fits {
                let message =
                    format!("`{}` wants a key that is a string for all or a number for all, this is {}", call.name, described(&key));
                return Err(EvalError { span: expr.span, message });
            }
            keyed.push((key, element.clone()));
        }
        Ok(keyed)
    }

    fn sort_by<'v>(&mut self, call: &Call, arguments: &Arguments<'v>) -> Evaluated<'v> {
        let mut keyed = self.keyed(call, arguments)?;
        keyed.sort_by(|(a, _), (b, _)| value::compare(a, b).unwrap_or(Ordering::Equal));
        Ok(Cow::Owned(keyed.into_iter().map(|(_, element)| element).collect()))
    }

    fn extreme_by<'v>(&mut self, call: &Call, arguments: &Arguments<'v>, better: Ordering) -> Evaluated<'v> {
        let mut best: Option<(Value, Value)> = None;
        for (key, element) in self.keyed(call, arguments)? {
            if best.as_ref().is_none_or(|(held, _)| value::compare(&key, held) == Some(better)) {
                best = Some((key, element));
            }
        }
        Ok(best.map_or(NULL, |(_, element)| Cow::Owned(element)))
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// How much a function has to walk.
fn breadth(value: &Value) -> u64 {
    let count = match value {
        Value::Array(elements) => elements.len(),
        Value::Object(members) => members.len(),
        Value::String(text) => text.len() / 64,
        _ => 0,
    };
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn described(value: &Value) -> String {
    match type_name(value) {
        "null" => "null".to_owned(),
        name @ ("array" | "object") => format!("an {name}"),
        name => format!("a {name}"),
    }
}

fn ordinal(index: usize) -> String {
    ["first", "second", "third"].get(index).map_or_else(|| format!("{}th", index + 1), ToString::to_string)
}

fn absolute(number: &Number) -> Value {
    match value::integer(number) {
        Some(integer) => from_integer(integer.abs()),
        None => Number::from_f64(value::float(number).abs()).map_or(Value::Null, Value::Number),
    }
}

fn rounded(number: &Number, round: fn(f64) -> f64) -> Value {
    match value::integer(number) {
        Some(integer) => from_integer(integer),
        None => from_float(round(value::float(number))),
    }
}

/// Exact where all are integers.
fn sum(numbers: &[Value]) -> Value {
    let numbers: Vec<&Number> =
        numbers.iter().filter_map(|value| if let Value::Number(number) = value { Some(number) } else { None }).collect();
    match numbers.iter().map(|number| value::integer(number)).collect::<Option<Vec<i128>>>() {
        Some(integers) => from_integer(integers.iter().sum()),
        None => Number::from_f64(numbers.iter().map(|number| value::float(number)).sum()).map_or(Value::Null, Value::Number),
    }
}

fn average(numbers: &[Value]) -> Value {
    if numbers.is_empty() {
        return Value::Null;
    }
    let total = sum(numbers).as_f64().unwrap_or(0.0);
    #[expect(clippy::cast_precision_loss, reason = "an event has far fewer elements than 2^53")]
    from_float(total / numbers.len() as f64)
}

fn contains(subject: &Value, wanted: &Value) -> bool {
    match subject {
        Value::Array(elements) => elements.iter().any(|element| value::equal(element, wanted)),
        Value::String(text) => wanted.as_str().is_some_and(|wanted| text.contains(wanted)),
        _ => false,
    }
}

fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Array(elements) => elements.len(),
        Value::Object(members) => members.len(),
        _ => 0,
    }
}

fn extreme(values: &[Value], better: Ordering) -> Value {
    let mut best: Option<&Value> = None;
    for value in values {
        if best.is_none_or(|held| value::compare(value, held) == Some(better)) {
            best = Some(value);
        }
    }
    best.cloned().unwrap_or(Value::Null)
}

fn merged(arguments: &Arguments<'_>) -> Value {
    let mut merged = Map::new();
    for argument in &arguments.0 {
        merged.extend(members(argument.value()).map(|(name, value)| (name.clone(), value.clone())));
    }
    Value::Object(merged)
}

fn reversed(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.chars().rev().collect()),
        Value::Array(elements) => elements.iter().rev().cloned().collect(),
        _ => Value::Null,
    }
}

/// `split(subject, separator[, max])`: without `max`, or where it is negative, every piece; 0 gives the subject in one piece;
/// otherwise at most `max` pieces, of which the last holds the rest. An empty separator splits into characters.
fn split<'v>(arguments: &Arguments<'_>, span: Span) -> Evaluated<'v> {
    let (subject, separator) = (arguments.text(0), arguments.text(1));
    let most = match arguments.value(2) {
        Value::Number(number) => {
            let whole = value::integer(number).or_else(|| match from_float(value::float(number)) {
                Value::Number(number) => value::integer(&number),
                _ => None,
            });
            let Some(whole) = whole else {
                return Err(EvalError { span, message: "`split` wants a whole number as third argument".to_owned() });
            };
            usize::try_from(whole).ok()
        }
        _ => None,
    };
    let pieces: Vec<&str> = match (most, separator.is_empty()) {
        (Some(0), _) => vec![subject],
        (None, false) => subject.split(separator).collect(),
        (Some(most), false) => subject.splitn(most, separator).collect(),
        (most, true) => characters(subject, most),
    };
    Ok(Cow::Owned(pieces.into_iter().map(Value::from).collect()))
}

fn characters(subject: &str, most: Option<usize>) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = subject;
    while let Some(first) = rest.chars().next() {
        if most.is_some_and(|most| pieces.len() + 1 >= most) {
            pieces.push(rest);
            break;
        }
        let (piece, after) = rest.split_at(first.len_utf8());
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// A number as it is; a string that JSON's grammar of numbers accepts whole; anything else is null.
fn to_number(value: Cow<'_, Value>) -> Cow<'_, Value> {
    match value.as_ref() {
        Value::Number(_) => value,
        Value::String(text) if !text.contains(|c: char| c.is_whitespace()) => {
            serde_json::from_str::<Number>(text).map_or(NULL, |number| Cow::Owned(Value::Number(number)))
        }
        _ => NULL,
    }
}

/// False for a text that is no IP address, or one of the other version; IPv4 in IPv6 form counts as IPv4.
fn cidr_contains(network: Option<&Prepared>, text: &str) -> bool {
    let Some(Prepared::Network(network)) = network else { return false };
    text.parse::<std::net::IpAddr>().is_ok_and(|address| network.contains(address))
}

impl Network {
    /// Whether an address lies in the network.
    #[must_use]
    pub fn contains(&self, address: std::net::IpAddr) -> bool {
        match address.to_canonical() {
            std::net::IpAddr::V4(address) => self.v4 && u128::from(address.to_bits()) & self.mask == self.address,
            std::net::IpAddr::V6(address) => !self.v4 && address.to_bits() & self.mask == self.address,
        }
    }
}
