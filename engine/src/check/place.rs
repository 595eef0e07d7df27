//! Where in the event the values of an expression stand, as far as that is known.

use std::collections::HashMap;

use crate::expr::{Call, Expr, Kind, Over};
use crate::shape::{Kinds, Schema, kinds, record};

/// The longest path that is followed. No known field has a longer one.
const LONGEST: usize = 200;

/// A place in the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The names from the envelope down, joined by dots, with `[]` for an element of an array; empty for the envelope.
    pub(super) path: String,
    /// Whether the value is an array of those at the path, made by a projection.
    pub(super) projected: bool,
}

impl Place {
    pub(super) fn envelope() -> Self {
        Self { path: String::new(), projected: false }
    }

    /// The member of a name; `None` where it cannot be told in a path.
    pub(super) fn member(&self, name: &str) -> Option<Self> {
        let told = !self.projected && !name.contains(['.', '[']) && self.path.len() + name.len() < LONGEST;
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        told.then_some(Self { path, projected: false })
    }

    /// An element of the array.
    pub(super) fn element(&self) -> Option<Self> {
        let path = if self.projected { self.path.clone() } else { format!("{}[]", self.path) };
        (path.len() < LONGEST).then_some(Self { path, projected: false })
    }

    fn projection(self) -> Option<Self> {
        (!self.projected).then_some(Self { projected: true, ..self })
    }

    /// The types that the value can have.
    pub(super) fn kinds(&self) -> Kinds {
        if self.projected { Kinds::ARRAY.with(Kinds::NULL) } else { record::kinds_at(&self.path) }
    }
}

/// A node and the value that it is handed.
#[derive(Debug)]
pub(super) struct Node<'e> {
    pub(super) expr: &'e Expr,
    /// Where its current value stands.
    pub(super) current: Option<Place>,
}

/// Every node of an expression with its places.
#[derive(Debug)]
pub(super) struct Places<'e> {
    /// Each before those under it, in the order of the text.
    pub(super) nodes: Vec<Node<'e>>,
    values: HashMap<*const Expr, Place>,
}

impl<'e> Places<'e> {
    /// Of an expression whose current value is the envelope.
    pub(super) fn of(expr: &'e Expr) -> Self {
        let mut places = Self { nodes: Vec::new(), values: HashMap::new() };
        places.visit(expr, Some(&Place::envelope()));
        places
    }

    /// Where the value of a node stands.
    pub(super) fn value(&self, expr: &Expr) -> Option<&Place> {
        self.values.get(&std::ptr::from_ref(expr))
    }

    /// The types that the value of a node can have.
    pub(super) fn kinds(&self, expr: &Expr) -> Kinds {
        if let Some(place) = self.value(expr) {
            return place.kinds();
        }
        match &expr.kind {
            Kind::Current | Kind::Field { .. } | Kind::Index(_) | Kind::Sub(..) | Kind::Pipe(..) => Kinds::ANY,
            Kind::And(operands) | Kind::Or(operands) => operands.iter().fold(Kinds::NOTHING, |all, operand| all.with(self.kinds(operand))),
            Kind::Call(call) if call.name == "not_null" => Kinds::ANY,
            _ => kinds(expr, Schema::None),
        }
    }

    fn visit(&mut self, expr: &'e Expr, current: Option<&Place>) -> Option<Place> {
        self.nodes.push(Node { expr, current: current.cloned() });
        let value = self.value_of(expr, current);
        if let Some(value) = &value {
            self.values.insert(std::ptr::from_ref(expr), value.clone());
        }
        value
    }

    fn value_of(&mut self, expr: &'e Expr, current: Option<&Place>) -> Option<Place> {
        match &expr.kind {
            Kind::Current => current.cloned(),
            Kind::Field { name, .. } => current?.member(name),
            Kind::Index(_) => current?.element(),
            Kind::Slice(_) => current?.element()?.projection(),
            Kind::Sub(left, right) | Kind::Pipe(left, right) => {
                let place = self.visit(left, current);
                self.visit(right, place.as_ref())
            }
            Kind::Projection { over, source, each } => {
                let source = self.visit(source, current);
                let element = match over {
                    Over::Members => None,
                    Over::Elements | Over::Filter(_) => source.as_ref().and_then(Place::element),
                };
                if let Over::Filter(condition) = over {
                    self.visit(condition, element.as_ref());
                }
                self.visit(each, element.as_ref())?.projection()
            }
            // Elements that are arrays are laid open, so that of an array of objects it is the array itself.
            Kind::Flatten(inner) => self.visit(inner, current).filter(|place| !place.projected),
            Kind::Call(call) => {
                self.visit_arguments(call, current);
                None
            }
            _ => {
                for child in expr.children() {
                    self.visit(child, current);
                }
                None
            }
        }
    }

    /// What `&` refers to is evaluated for each element of the array beside it.
    fn visit_arguments(&mut self, call: &'e Call, current: Option<&Place>) {
        let mut array = None;
        for argument in call.arguments.iter().filter(|argument| !matches!(argument.kind, Kind::Reference(_))) {
            array = self.visit(argument, current);
        }
        for argument in &call.arguments {
            if let Kind::Reference(inner) = &argument.kind {
                self.visit(inner, array.as_ref().and_then(Place::element).as_ref());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::jmespath::parse;

    #[test]
    fn of_values() {
        for (text, expected) in [
            ("@", Some("")),
            ("detail.userIdentity.type", Some("detail.userIdentity.type")),
            ("detail | userIdentity", Some("detail.userIdentity")),
            ("(detail.userIdentity).arn", Some("detail.userIdentity.arn")),
            ("detail.resources[0].ARN", Some("detail.resources[].ARN")),
            ("detail.resources[*].ARN", Some("detail.resources[].ARN*")),
            ("detail.resources[].ARN | [0]", Some("detail.resources[].ARN")),
            ("detail.resources[?type == 'a'] | [0].ARN", Some("detail.resources[].ARN")),
            ("detail.resources[1:].ARN", Some("detail.resources[].ARN*")),
            ("detail.requestParameters.*.a", None),
            ("detail.\"a.b\".c", None),
            ("lower(detail.eventName)", None),
            ("detail.a || detail.b", None),
        ] {
            let expr = parse(text).0.unwrap();
            let places = Places::of(&expr);
            let found = places.value(&expr).map(|place| format!("{}{}", place.path, if place.projected { "*" } else { "" }));
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn of_what_is_handed_down() {
        let expr = parse("detail.resources[?accountId == 'a'].type && map(&ARN, detail.resources)").0.unwrap();
        let places = Places::of(&expr);
        let handed = |wanted: &str| {
            let found = places.nodes.iter().find(|node| matches!(&node.expr.kind, Kind::Field { name, .. } if name == wanted)).unwrap();
            found.current.clone().map(|place| place.path)
        };
        for name in ["accountId", "type", "ARN"] {
            assert_eq!(handed(name).as_deref(), Some("detail.resources[]"), "{name}");
        }
    }
}
