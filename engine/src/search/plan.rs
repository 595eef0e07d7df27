//! A search that columns of a record can answer.

use serde_json::{Map, Value, json};

use super::lower;
use super::tree::{Form, Node, NodeKind};
use crate::eval;
use crate::expr::Expr;

/// What joins tests of single columns.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// All of them hold.
    All(Vec<Plan>),
    /// Any of them holds.
    Any(Vec<Plan>),
    /// It does not hold.
    Not(Box<Plan>),
    /// A test of a column.
    Test(Test),
}

/// A test of one field, which holds a text or nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// The path from the record down.
    pub path: String,
    expr: Expr,
}

impl Test {
    /// Whether it holds for a text, or for nothing.
    #[must_use]
    pub fn holds(&self, text: Option<&str>) -> bool {
        let member = |value: Value, name: &str| Value::Object(Map::from_iter([(name.to_owned(), value)]));
        let record = self.path.rsplit('.').fold(text.map_or(Value::Null, Value::from), member);
        eval::search(&self.expr, &json!({"detail": record})).is_ok_and(|value| eval::truthy(&value))
    }
}

/// The plan of a search whose fields are all among `columns`; `None` where it asks about anything else.
pub(super) fn plan(node: &Node, columns: &[&str]) -> Option<Plan> {
    let all = |nodes: &[Node]| nodes.iter().map(|node| plan(node, columns)).collect::<Option<Vec<_>>>();
    Some(match &node.kind {
        NodeKind::And(nodes) => Plan::All(all(nodes)?),
        NodeKind::Or(nodes) => Plan::Any(all(nodes)?),
        NodeKind::Not(node) => Plan::Not(Box::new(plan(node, columns)?)),
        NodeKind::Text(_) => return None,
        NodeKind::Field(field, check) => {
            let tests = field.places.iter().map(|place| {
                let path = place.to_string();
                let is_column = matches!(place.form, Form::Text | Form::Tail(_)) && columns.contains(&path.as_str());
                is_column.then(|| Plan::Test(Test { expr: lower::test(node.span, place, check), path }))
            });
            Plan::Any(tests.collect::<Option<Vec<_>>>()?)
        }
    })
}
