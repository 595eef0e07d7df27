//! From the tree of a search to the one tree.
//!
//! Every test becomes an expression that is true, false or null and never errs: functions stand behind a test of the type that they take. What is
//! a plain text in every record stays a plain `==`, which is what can be pushed down.

use super::tree::{Bound, Check, Form, Glob, Node, NodeKind, Place};
use crate::expr::{Comparator, Expr, compile_regex};
use crate::lang::build::Build;
use crate::text::Span;
use crate::value::{Number, Value};

/// The expression that means the same on the envelope.
pub(super) fn lower(node: &Node) -> Expr {
    let build = Build::new(node.span);
    match &node.kind {
        NodeKind::And(nodes) => build.and(nodes.iter().map(lower).collect()),
        NodeKind::Or(nodes) => build.or(nodes.iter().map(lower).collect()),
        NodeKind::Not(node) => build.not(lower(node)),
        NodeKind::Text(glob) => text(build, build.member(None, "detail"), glob),
        NodeKind::Field(field, check) => {
            let mut tests: Vec<Expr> = Vec::new();
            for place in &field.places {
                let test = test(node.span, place, check);
                // Two places of one path can ask the same.
                if !tests.contains(&test) {
                    tests.push(test);
                }
            }
            build.or(tests)
        }
    }
}

/// The test of one place.
pub(super) fn test(span: Span, place: &Place, check: &Check) -> Expr {
    let build = Build::new(span);
    match (place.form, check) {
        (Form::Any { objects }, check) => any(build, &elements(build, &place.path, objects), check),
        (Form::Flag, Check::Is(glob)) if glob.exact().is_some_and(|exact| exact == "true" || exact == "false") => {
            build.equals(&value(build, place), glob.exact() == Some("true"))
        }
        (Form::Whole, Check::Is(glob)) => whole(build, value(build, place), glob),
        (Form::Whole, Check::In(_, written)) => whole(build, value(build, place), &Glob(vec![written.clone()])),
        (Form::Tail(separator), Check::Is(glob)) => {
            let mut pieces = glob.0.clone();
            if let Some(first) = pieces.first_mut() {
                first.insert(0, separator);
            }
            pieces.insert(0, String::new());
            scalar(build, &value(build, place), &Check::Is(Glob(pieces)))
        }
        (Form::Tail(_) | Form::Text | Form::Flag | Form::Whole | Form::Envelope, check) => scalar(build, &value(build, place), check),
    }
}

/// `detail.a.b`
fn value(build: Build, place: &Place) -> Expr {
    let root = (place.form != Form::Envelope).then(|| build.member(None, "detail"));
    let path = place.path.iter().fold(root, |above, name| Some(build.member(above, name)));
    path.unwrap_or_else(|| build.current())
}

/// `[detail.a.b][].c[]`: every value at a path, through arrays.
fn elements(build: Build, path: &[String], objects: usize) -> Expr {
    let (plain, rest) = path.split_at_checked(objects + 1).unwrap_or((path, &[]));
    let top = plain.iter().fold(build.member(None, "detail"), |above, name| build.member(Some(above), name));
    let top = build.list(vec![top]);
    let all = rest.iter().fold(top, |above, name| build.flattened(above, Some(build.member(None, name))));
    build.flattened(all, None)
}

/// A test of a value that is a text or nothing.
fn scalar(build: Build, value: &Expr, check: &Check) -> Expr {
    match check {
        Check::Exists => build.differs(value, Value::Null),
        Check::Is(glob) if glob.is_anything() => build.is_type(value, "string"),
        Check::Is(glob) => match glob.exact() {
            Some(exact) => build.equals(value, exact),
            None => build.and(vec![build.is_type(value, "string"), build.glob(value, &glob.0)]),
        },
        Check::In(network, written) => {
            let inside = build.and(vec![build.is_type(value, "string"), build.lies_in(value, *network, written)]);
            build.or(vec![build.equals(value, written.as_str()), inside])
        }
        Check::Range(low, high) => range(build, value, low.as_ref(), high.as_ref(), &|bound| Value::from(bound)),
    }
}

/// A test of many values, of which any will do.
fn any(build: Build, values: &Expr, check: &Check) -> Expr {
    let current = build.current();
    let holds = |test: Expr| build.any(test, values.clone());
    let is = |value: Value| build.call("contains", vec![values.clone(), build.literal(value)]);
    match check {
        Check::Exists => {
            let length = build.call("length", vec![values.clone()]);
            build.compare(Comparator::Greater, &length, build.literal(0))
        }
        Check::Is(glob) => match glob.exact() {
            Some(exact) => {
                let other = other_than_text(exact);
                build.or(std::iter::once(Value::from(exact)).chain(other).map(is).collect())
            }
            None if glob.is_anything() => holds(build.is_type(&current, "string")),
            None => holds(build.and(vec![build.is_type(&current, "string"), build.glob(&current, &glob.0)])),
        },
        Check::In(network, written) => {
            let inside = build.and(vec![build.is_type(&current, "string"), build.lies_in(&current, *network, written)]);
            build.or(vec![is(Value::from(written.as_str())), holds(inside)])
        }
        Check::Range(low, high) => {
            let bound = |text: &str| number(text).map_or_else(|| Value::from(text), Value::Number);
            holds(range(build, &current, low.as_ref(), high.as_ref(), &bound))
        }
    }
}

fn range(build: Build, value: &Expr, low: Option<&Bound>, high: Option<&Bound>, bound: &dyn Fn(&str) -> Value) -> Expr {
    let test = |end: Option<&Bound>, inclusive: Comparator, exclusive: Comparator| {
        end.map(|end| build.compare(if end.inclusive { inclusive } else { exclusive }, value, build.literal(bound(&end.text))))
    };
    let low = test(low, Comparator::GreaterOrEqual, Comparator::Greater);
    let high = test(high, Comparator::LessOrEqual, Comparator::Less);
    build.and(low.into_iter().chain(high).collect())
}

/// What a term without quotes may be beside a text.
fn other_than_text(exact: &str) -> Option<Value> {
    match exact {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        exact => number(exact).map(Value::Number),
    }
}

/// The number whose JSON text this is.
pub(super) fn number(text: &str) -> Option<Number> {
    serde_json::from_str::<Number>(text).ok().filter(|number| number.to_string() == text)
}

/// What stands in the JSON of a value that is there.
fn whole(build: Build, value: Expr, glob: &Glob) -> Expr {
    build.and(vec![build.differs(&value, Value::Null), text(build, value, glob)])
}

/// What stands in the compact JSON of a value, and not within a longer word.
fn text(build: Build, value: Expr, glob: &Glob) -> Expr {
    let subject = build.call("lower", vec![build.call("to_json", vec![value])]);
    let pieces: Vec<String> = glob.0.iter().map(|piece| as_in_json(piece)).collect();
    let is_word = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    let left = is_word(pieces.first().and_then(|piece| piece.chars().next()));
    let right = is_word(pieces.last().and_then(|piece| piece.chars().last()));
    let bare: Vec<&str> = pieces.iter().map(String::as_str).filter(|piece| !piece.is_empty()).collect();
    match bare.as_slice() {
        [] => build.literal(true),
        [only] if !left && !right => build.call("contains", vec![subject, build.literal(*only)]),
        _ => {
            let middle = pieces.iter().map(|piece| regex::escape(piece)).collect::<Vec<_>>().join(ANY);
            let (left, right) = (if left { BEFORE } else { "" }, if right { AFTER } else { "" });
            // A search is short, and so is its program.
            compile_regex(&format!("{left}{}{right}", middle.trim_start_matches(ANY).trim_end_matches(ANY)))
                .map_or_else(|_| build.literal(false), |regex| build.matches(&subject, &regex))
        }
    }
}

/// What a word begins behind. Of an escape such as `\n` or `\u001b` the letters are none of the word's; of two backslashes the second escapes nothing.
const BEFORE: &str = r"(?:[^0-9a-z]|[^\\](?:\\\\)*\\(?:[bfnrt]|u[0-9a-f]{4}))";
/// What a word ends before.
const AFTER: &str = "[^0-9a-z]";
/// What a wildcard stands for.
const ANY: &str = "[^\"]*";

/// A text as it stands within the JSON of a record, in lower case.
fn as_in_json(text: &str) -> String {
    let quoted = Value::from(text).to_string().to_ascii_lowercase();
    quoted.strip_prefix('"').and_then(|quoted| quoted.strip_suffix('"')).unwrap_or_default().to_owned()
}
