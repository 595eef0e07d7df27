//! Functions that err where a field is absent, on fields that many events lack.

use std::collections::BTreeSet;

use super::place::Place;
use super::reading::Reading;
use crate::diagnostic::{Code, Diagnostic};
use crate::eval::functions::{self, Takes};
use crate::expr::{Call, Expr, Kind};
use crate::shape::record;
use crate::text::Span;

pub(super) fn check(reading: &Reading<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    Absent { reading, asked: BTreeSet::new(), found: &mut found }.visit(reading.expr);
    found
}

struct Absent<'r, 'e, 'f> {
    reading: &'r Reading<'e>,
    /// The fields that what was evaluated before has asked for: whoever asked knows that they may be absent.
    asked: BTreeSet<String>,
    found: &'f mut Vec<Diagnostic>,
}

impl Absent<'_, '_, '_> {
    fn visit(&mut self, expr: &Expr) {
        match &expr.kind {
            Kind::And(operands) | Kind::Or(operands) => {
                let before = self.asked.clone();
                for operand in operands {
                    self.visit(operand);
                    operand.walk(&mut |node| self.asked.extend(self.reading.places.value(node).map(|place| place.path.clone())));
                }
                self.asked = before;
            }
            Kind::Call(call) => {
                self.call(call, expr.span);
                call.arguments.iter().for_each(|argument| self.visit(argument));
            }
            _ => expr.children().into_iter().for_each(|child| self.visit(child)),
        }
    }

    fn call(&mut self, call: &Call, span: Span) {
        let Some(signature) = functions::find(&call.name) else { return };
        for (index, argument) in call.arguments.iter().enumerate() {
            let Some(default) = signature.parameter(index).and_then(default) else { continue };
            let Some(place) = self.reading.places.value(argument).filter(|place| self.is_at_risk(place)) else { continue };
            let field = self.reading.quoted(argument.span);
            let message = format!("`{}` errs where `{field}` is absent, as it is in many events", call.name);
            let (before, after) = (Span::new(span.start, argument.span.start), Span::new(argument.span.end, span.end));
            let (before, after) = (before.of(self.reading.text), after.of(self.reading.text));
            let written = format!("{before}{} || {default}{after}", argument.span.of(self.reading.text));
            let diagnostic = self.reading.warning(Code::OFTEN_ABSENT, argument.span, message);
            self.found.push(diagnostic.help(format!("give a default: {written}")));
            self.asked.insert(place.path.clone());
        }
    }

    fn is_at_risk(&self, place: &Place) -> bool {
        if place.projected || self.is_guarded(&place.path) {
            return false;
        }
        let under = |object: &str| place.path.strip_prefix(object).is_some_and(|rest| rest.starts_with('.'));
        if under("detail.requestParameters") || under("detail.additionalEventData") || under("detail.serviceEventDetails") {
            // What an event is named for has its own fields.
            return !self.reading.names_events;
        }
        record::is_often_absent(&place.path)
    }

    /// Whether the field was asked for before, or something that tells whether it is there: an object that it stands in, another
    /// member of that object, or whether the call failed.
    fn is_guarded(&self, path: &str) -> bool {
        let of_failure = path == "detail.errorMessage" || path.starts_with("detail.responseElements");
        if of_failure && self.asked.contains("detail.errorCode") {
            return true;
        }
        let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
        self.asked.iter().any(|asked| {
            let above = path.strip_prefix(asked.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
            let beside = parent != "detail" && asked.strip_prefix(parent).is_some_and(|rest| rest.starts_with('.'));
            (above && asked != "detail") || beside
        })
    }
}

/// What to write in place of a missing value; `None` where null will do.
fn default(takes: Takes) -> Option<&'static str> {
    match takes {
        Takes::Any | Takes::Reference => None,
        Takes::String | Takes::StringOrArray | Takes::StringArrayOrObject => Some("''"),
        Takes::Number => Some("`0`"),
        Takes::Object => Some("`{}`"),
        Takes::Array | Takes::Numbers | Takes::Strings | Takes::NumbersOrStrings => Some("`[]`"),
    }
}
