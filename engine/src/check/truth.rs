//! Matches, and parts of them, that are always true or never: arrays as verdicts, texts as conditions, tests that contradict each other.
//!
//! Truth differs by place: as a verdict `[]` and `{}` are true, inside an expression they are not.

use std::collections::{BTreeMap, BTreeSet};

use super::reading::Reading;
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Comparator, Expr, Kind, Over};
use crate::shape::{Atom, Kinds, Set, Strings, Walk, atom, conjuncts, record};
use crate::text::Span;
use crate::value::{Value, is_true_inside, is_true_verdict};

/// Which truth counts where an expression stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    /// Its value is the verdict.
    Verdict,
    /// Its value is a condition within the expression.
    Inside,
}

/// The functions whose value is true as a verdict whatever they are given.
const ALWAYS_TRUE: [&str; 9] = ["keys", "map", "merge", "sort", "sort_by", "split", "to_array", "type", "values"];

pub(super) fn check(reading: &Reading<'_>) -> Vec<Diagnostic> {
    let mut checked = Truth { reading, found: Vec::new() };
    checked.position(reading.expr, reading.expr, Position::Verdict);
    let top: BTreeSet<Span> = conjuncts(reading.expr).into_iter().map(|conjunct| conjunct.span).collect();
    for node in &reading.places.nodes {
        match &node.expr.kind {
            // What cannot hold together at the top is told of the whole trigger.
            Kind::And(operands) if !operands.iter().any(|operand| top.contains(&operand.span)) => {
                checked.contradiction(node.expr, operands)
            }
            Kind::Or(operands) => checked.tautology(node.expr, operands),
            Kind::Projection { over: Over::Filter(condition), .. } => checked.position(condition, condition, Position::Inside),
            _ => {}
        }
        if let Kind::And(operands) | Kind::Or(operands) = &node.expr.kind
            && operands.iter().all(|operand| operand.span != node.expr.span)
        {
            checked.repeated(operands);
        }
    }
    checked.found
}

struct Truth<'r, 'e> {
    reading: &'r Reading<'e>,
    found: Vec<Diagnostic>,
}

impl Truth<'_, '_> {
    /// `whole` is what has the value of the expression: all of a path of which it is the end.
    fn position(&mut self, expr: &Expr, whole: &Expr, position: Position) {
        match &expr.kind {
            Kind::And(operands) | Kind::Or(operands) => {
                let Some((last, before)) = operands.split_last() else { return };
                for operand in before {
                    self.position(operand, operand, Position::Inside);
                    self.constant(expr, operands, operand);
                    if position == Position::Verdict && matches!(expr.kind, Kind::And(_)) {
                        self.empty_decides(operand);
                    }
                }
                self.position(last, last, position);
                self.constant(expr, operands, last);
            }
            Kind::Not(inner) => self.position(inner, inner, Position::Inside),
            Kind::Sub(_, right) | Kind::Pipe(_, right) if position == Position::Verdict => self.position(right, whole, position),
            _ if position == Position::Verdict => self.verdict(expr, whole),
            _ => {}
        }
    }

    /// A value that is the verdict.
    fn verdict(&mut self, expr: &Expr, whole: &Expr) {
        let reading = self.reading;
        let shown = reading.quoted(whole.span);
        if matches!(expr.kind, Kind::Projection { .. } | Kind::Slice(_) | Kind::Flatten(_)) {
            let message = format!("`{shown}` is an array, and as a verdict an array is true even where nothing is in it");
            let written = reading.written(whole.span);
            let first = if whole.span == reading.expr.span { format!("{written} | [0]") } else { format!("({written} | [0])") };
            let help = format!("ask for the first, which is null where there is none: {first}");
            self.found.push(reading.error(Code::ARRAY_VERDICT, whole.span, message).help(help));
            return;
        }
        let is_always = match &expr.kind {
            Kind::Call(call) => ALWAYS_TRUE.contains(&call.name.as_str()),
            Kind::MultiSelectList(_) | Kind::MultiSelectHash(_) => true,
            Kind::Literal(value) => whole.span == reading.expr.span && is_true_verdict(value),
            _ => {
                let kinds = reading.places.kinds(expr);
                kinds.within(Kinds::OBJECT.with(Kinds::ARRAY)) && kinds != Kinds::NOTHING
            }
        };
        if is_always {
            let message = format!("`{shown}` is always true as a verdict");
            let help = "compare something of the event; a trigger of its names alone has no match at all";
            self.found.push(reading.error(Code::ALWAYS_TRUE, whole.span, message).help(help));
        }
    }

    /// An operand of a `&&` that is the verdict: where it is empty, it is the value of the whole, and true.
    fn empty_decides(&mut self, operand: &Expr) {
        let reading = self.reading;
        let kinds = reading.places.kinds(operand).without(Kinds::NULL);
        if matches!(operand.kind, Kind::Literal(_)) || kinds == Kinds::NOTHING || !kinds.within(Kinds::ARRAY.with(Kinds::OBJECT)) {
            return;
        }
        // An object of which the members are known is not written without any, and neither is an element of an array.
        let may_be_empty = |path: &str| record::members(path).is_none() && !path.ends_with("[]");
        if kinds == Kinds::OBJECT && !reading.places.value(operand).is_some_and(|place| may_be_empty(&place.path)) {
            return;
        }
        let empty = if kinds.has(Kinds::ARRAY) { "[]" } else { "{}" };
        let message = format!("where `{}` is {empty}, the match is {empty}, which is true as a verdict", reading.quoted(operand.span));
        let written = reading.written(operand.span);
        let help = if kinds.has(Kinds::ARRAY) {
            format!("ask for its first element: ({written} | [0]) && …")
        } else {
            format!("ask for what is in it, or compare: {written} != `null` && …")
        };
        self.found.push(reading.warning(Code::EMPTY_DECIDES, operand.span, message).help(help));
    }

    /// A literal as an operand: `type == 'Root' || 'IAMUser'`.
    fn constant(&mut self, chain: &Expr, operands: &[Expr], operand: &Expr) {
        let Kind::Literal(value) = &operand.kind else { return };
        let reading = self.reading;
        let is_true = is_true_inside(value);
        let is_or = matches!(chain.kind, Kind::Or(_));
        // A default that is not true changes nothing.
        if is_or && !is_true {
            return;
        }
        // `… || true` is always true, and `… && false` never.
        let decides = is_or == is_true;
        let truth = if is_true { "true" } else { "false" };
        let written = reading.quoted(operand.span);
        let message = format!("`{}` is no comparison: as a condition it is always {truth}", written.trim_matches('`'));
        let compared = operands.iter().take_while(|other| other.span != operand.span).filter_map(|other| match &other.kind {
            Kind::Comparison(comparator @ (Comparator::Equal | Comparator::NotEqual), field, _) => Some((comparator, field)),
            _ => None,
        });
        let is_text = !matches!(value, Value::Bool(_) | Value::Null);
        let help = match compared.last().filter(|_| is_text) {
            Some((comparator, field)) => {
                format!(
                    "each value wants its own comparison: {} {comparator} {}",
                    reading.written(field.span),
                    reading.written(operand.span)
                )
            }
            None => "leave it out, or compare it with a field".to_owned(),
        };
        let diagnostic = if decides {
            reading.error(Code::CONSTANT_OPERAND, operand.span, message)
        } else {
            reading.warning(Code::CONSTANT_OPERAND, operand.span, message)
        };
        self.found.push(diagnostic.help(help));
    }

    /// Operands that no value of a field satisfies together.
    fn contradiction(&mut self, and: &Expr, operands: &[Expr]) {
        for atoms in by_field(operands).into_values() {
            let Some((at, values)) = atoms.iter().enumerate().find_map(|(at, (_, atom))| Some((at, finite(&atom.outcomes().truth)?)))
            else {
                continue;
            };
            let holds = |value: &Value, atom: &Atom<'_>| {
                let outcomes = atom.outcomes();
                outcomes.truth.may_hold(value) || outcomes.error.may_hold(value)
            };
            let others = || atoms.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, other)| other);
            let against = others().find(|(_, other)| !values.iter().any(|value| holds(value, other)));
            let (Some((operand, _)), Some((other, _))) = (atoms.get(at), against) else { continue };
            let (first, second) = if operand.span.start < other.span.start { (operand, other) } else { (other, operand) };
            let (first, second) = (self.reading.quoted(first.span), self.reading.quoted(second.span));
            let message = format!("`{first}` and `{second}` never hold together");
            let help = "one of several is written with `||`";
            self.found.push(self.reading.error(Code::CONTRADICTION, and.span, message).help(help));
        }
    }

    /// Alternatives one of which always holds: `a != 'x' || a != 'y'`.
    fn tautology(&mut self, or: &Expr, operands: &[Expr]) {
        for atoms in by_field(operands).into_values() {
            let plain: Vec<_> = atoms.iter().filter(|(_, atom)| atom.outcomes().error == Set::nothing()).collect();
            let Some((at, values)) = plain.iter().enumerate().find_map(|(at, (_, atom))| Some((at, finite(&atom.outcomes().falsehood)?)))
            else {
                continue;
            };
            let others = || plain.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, other)| other);
            let beside = others().find(|(_, other)| !values.iter().any(|value| other.outcomes().falsehood.may_hold(value)));
            let (Some((operand, _)), Some((other, _))) = (plain.get(at), beside) else { continue };
            let (first, second) = (self.reading.quoted(operand.span), self.reading.quoted(other.span));
            let message = format!("one of `{first}` and `{second}` always holds");
            let help = "none of several is written with `&&`";
            self.found.push(self.reading.error(Code::ALWAYS_TRUE, or.span, message).help(help));
        }
    }

    /// An operand that stands twice.
    fn repeated(&mut self, operands: &[Expr]) {
        let mut seen = BTreeSet::new();
        for operand in operands {
            if !seen.insert(operand.to_string()) {
                let message = format!("`{}` stands twice", self.reading.quoted(operand.span));
                self.found.push(self.reading.warning(Code::REPEATED, operand.span, message).help("leave one of them out"));
            }
        }
    }
}

/// The atoms among the operands, by the field that each is about; only where there are two or more.
fn by_field(operands: &[Expr]) -> BTreeMap<Vec<&str>, Vec<(&Expr, Atom<'_>)>> {
    let mut fields: BTreeMap<Vec<&str>, Vec<(&Expr, Atom<'_>)>> = BTreeMap::new();
    for operand in operands {
        if let Some(atom) = atom(operand).filter(|atom| atom.operand.walk == Walk::Objects) {
            fields.entry(atom.operand.path.clone()).or_default().push((operand, atom));
        }
    }
    fields.retain(|_, atoms| atoms.len() > 1);
    fields
}

/// The values of a set that has but a few.
fn finite(set: &Set) -> Option<Vec<Value>> {
    if !set.exact || !set.numbers.is_empty() || !set.arrays.is_empty() || set.objects != (false, false) {
        return None;
    }
    let texts = set.strings.iter().map(|strings| match strings {
        Strings::Is(text) => Some(Value::from(text.as_str())),
        _ => None,
    });
    let mut values: Vec<Value> = texts.collect::<Option<_>>()?;
    values.extend(set.null.then_some(Value::Null));
    values.extend(set.booleans.0.then_some(Value::Bool(false)));
    values.extend(set.booleans.1.then_some(Value::Bool(true)));
    (!values.is_empty()).then_some(values)
}
