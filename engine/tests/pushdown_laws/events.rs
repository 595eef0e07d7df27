//! Events: any JSON, and those of E.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};
use trailwire_engine::expr::{Expr, Kind};
use trailwire_engine::shape::{self, FIELDS, Kinds, Schema};

pub(super) const TEXTS: [&str; 17] = [
    "",
    "a",
    "b",
    "ab",
    "AB",
    "abc",
    "x",
    "a\"",
    "\"",
    "a*b",
    "a\\b",
    "10.0.0.1",
    "::ffff:10.0.0.1",
    "2001:db8::1",
    "2001:DB8:0::1",
    "é",
    "5",
];

pub(super) const NAMES: [&str; 5] = ["CreateUser", "DeleteUser", "GetUser", "ConsoleLogin", "a"];

/// Events come from seeds: there are six of them in a case, and trees of strategies are slow. Expressions shrink, events do not.
pub(super) struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(sides).unwrap()).unwrap()
    }

    fn one_of<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.roll(list.len())].clone()
    }

    fn text(&mut self) -> Value {
        Value::from(self.one_of(&TEXTS))
    }

    fn scalar(&mut self) -> Value {
        match self.roll(8) {
            0 => Value::Null,
            1 => Value::from(self.roll(2) == 0),
            2 => self.one_of(&numbers()),
            _ => self.text(),
        }
    }

    /// Any JSON; names with dots in them stand for other paths.
    fn anything(&mut self, depth: usize) -> Value {
        match self.roll(5) {
            0 if depth > 0 => (0..self.roll(3)).map(|_| self.anything(depth - 1)).collect(),
            1 | 2 if depth > 0 => self.object(depth),
            _ => self.scalar(),
        }
    }

    fn object(&mut self, depth: usize) -> Value {
        const NAMES: [&str; 12] = ["a", "a", "a", "b", "b", "b", "c", "detail", "a.b", "b.c", "detail.a", "userIdentity.type"];
        (0..self.roll(3)).map(|_| (self.one_of(&NAMES).to_owned(), self.anything(depth - 1))).collect()
    }
}

pub(super) fn numbers() -> Vec<Value> {
    let exact = [json!(0), json!(1), json!(5), json!(5.5), json!(-3), json!(300), json!(1e10), json!(0.1)];
    let beyond = [json!(9_007_199_254_740_993_i64), json!(-9_007_199_254_740_993_i64), json!(u64::MAX)];
    exact.into_iter().chain(beyond).collect()
}

pub(super) fn text() -> impl Strategy<Value = String> {
    select(&TEXTS[..]).prop_map(str::to_owned)
}

pub(super) fn number() -> impl Strategy<Value = Value> {
    select(numbers())
}

pub(super) fn scalar() -> impl Strategy<Value = Value> {
    any::<u64>().prop_map(|seed| Dice(seed).scalar())
}

/// Any JSON object in which the expression finds what it asks for now and then.
pub(super) fn anything(tree: &Expr, seed: u64) -> Value {
    let dice = &mut Dice(seed);
    let mut event = dice.object(4);
    plant(&mut event, tree, Schema::None, dice);
    event
}

/// The known fields that the generated expressions speak of, those above before those below.
pub(super) const TESTED: [&str; 15] = [
    "region",
    "source",
    "detail.errorCode",
    "detail.eventName",
    "detail.eventSource",
    "detail.userAgent",
    "detail.sourceIPAddress",
    "detail.readOnly",
    "detail.userIdentity",
    "detail.userIdentity.type",
    "detail.userIdentity.invokedBy",
    "detail.userIdentity.sessionContext.attributes.mfaAuthenticated",
    "detail.requestParameters",
    "detail.responseElements",
    "detail.resources",
];

/// A value of the kind of a known field.
fn of_kind(path: &str, dice: &mut Dice) -> Value {
    let kinds = FIELDS.iter().find(|field| field.path == path).unwrap().kinds;
    match path {
        "detail.eventName" => Value::from(dice.one_of(&NAMES)),
        "detail.eventSource" => Value::from(dice.one_of(&["iam.amazonaws.com", "sts.amazonaws.com"])),
        "source" => Value::from(dice.one_of(&["aws.iam", "aws.signin"])),
        "detail.userIdentity" => json!({}),
        _ if kinds == Kinds::BOOLEAN => Value::from(dice.roll(2) == 0),
        _ if kinds == Kinds::STRING => dice.text(),
        _ if kinds == Kinds::ARRAY => (0..dice.roll(3)).map(|_| dice.anything(2)).collect(),
        _ => dice.object(3),
    }
}

/// An event of E: the known fields absent, null or of their type, anything else beside them, names with dots among it. The
/// expression finds in it what it asks for now and then.
pub(super) fn event(tree: &Expr, seed: u64) -> Value {
    const MORE: [&str; 5] = ["userIdentity.type", "requestParameters.a", "userIdentity.invokedBy", "a", "z"];
    let dice = &mut Dice(seed);
    let mut event = json!({"source": "aws.iam", "detail-type": "AWS API Call via CloudTrail", "account": "111122223333", "detail": {}});
    for _ in 0..dice.roll(3) {
        let name = dice.one_of(&MORE);
        event["detail"][name] = dice.anything(2);
    }
    for path in TESTED {
        let value = match dice.roll(8) {
            0 => continue,
            1 => Value::Null,
            _ => of_kind(path, dice),
        };
        put(&mut event, &path.split('.').collect::<Vec<_>>(), value);
    }
    plant(&mut event, tree, Schema::CloudTrail, dice);
    event
}

/// Puts the literals of comparisons and calls, and values like them, where the paths beside them lead.
fn plant(event: &mut Value, tree: &Expr, schema: Schema, dice: &mut Dice) {
    tree.walk(&mut |node| {
        if !matches!(node.kind, Kind::Comparison(..) | Kind::Call(_)) {
            return;
        }
        let mut paths = Vec::new();
        let mut literals = Vec::new();
        node.walk(&mut |inner| {
            match &inner.kind {
                Kind::Literal(Value::Array(elements)) => literals.extend(elements),
                Kind::Literal(value) => literals.push(value),
                _ => {}
            }
            paths.extend(shape::path(inner));
        });
        // The whole path, not those that lead to it.
        let Some(path) = paths.into_iter().max_by_key(Vec::len).filter(|path| !path.is_empty()) else { return };
        if literals.is_empty() || dice.roll(6) == 0 {
            return;
        }
        let literal = dice.one_of(&literals);
        let value = like(literal, dice);
        if path != ["detail"] && path != ["source"] && Kinds::of(&value).within(schema.kinds_at(&path)) {
            if schema == Schema::None && path.len() > 1 && dice.roll(2) == 0 {
                put(event, &path[..1], json!({}));
            }
            put(event, &path, value);
        }
    });
}

/// The value itself, or one near it.
fn like(value: &Value, dice: &mut Dice) -> Value {
    match (value, dice.roll(14)) {
        (_, 0) => json!([value]),
        (_, 1) => json!([value, dice.scalar()]),
        (Value::String(text), 2) => format!("{text}b").into(),
        (Value::String(text), 3) => format!("a{text}").into(),
        (Value::String(text), 4) => text.to_uppercase().into(),
        (Value::String(text), _) => text.split('/').next().unwrap_or_default().into(),
        (Value::Number(number), 2) => number.as_f64().map_or(Value::Null, |number| json!(number + 1.0)),
        (Value::Number(number), 3) => number.as_f64().map_or(Value::Null, |number| json!(number - 1.0)),
        _ => value.clone(),
    }
}

/// Puts a value at a path; makes the objects on the way where there are none.
fn put(event: &mut Value, path: &[&str], value: Value) {
    let Value::Object(members) = event else { return };
    match path {
        [] => {}
        [name] => {
            members.insert((*name).to_owned(), value);
        }
        [name, rest @ ..] => put(members.entry(*name).or_insert_with(|| Value::Object(Map::new())), rest, value),
    }
}
