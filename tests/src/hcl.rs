//! Triggers written in HCL as documents, as far as literals and `jsonencode` go: what the examples of the pages need.

use hcl_edit::expr::{Expression, FuncCall, ObjectKey};
use hcl_edit::structure::{Block, Body, Structure};
use hcl_edit::template::Template;
use serde_json::{Map, Value};
use trailwire_engine::trigger::MEMBERS;

/// The triggers that a text declares, in its order.
///
/// # Panics
/// Where the text is not HCL, or uses more of it than literals, `jsonencode` and references.
pub fn triggers(text: &str) -> Vec<Value> {
    let body: Body = text.parse().unwrap_or_else(|error| panic!("not HCL: {error}\n{text}"));
    let is_trigger = |block: &&Block| block.has_labels(&["trailwire_trigger"]);
    body.get_blocks("resource").filter(is_trigger).map(|block| document(&block.body)).collect()
}

/// Those of the attributes and blocks that make up a document.
fn document(body: &Body) -> Value {
    let mut members = object(body);
    members.retain(|name, _| MEMBERS.contains(&name.as_str()));
    Value::Object(members)
}

fn object(body: &Body) -> Map<String, Value> {
    let mut members: Map<String, Value> = Map::new();
    for structure in body {
        match structure {
            Structure::Attribute(attribute) => {
                members.insert(attribute.key.to_string().trim().to_owned(), value(&attribute.value));
            }
            Structure::Block(block) => {
                let blocks = members.entry(block.ident.to_string().trim().to_owned()).or_insert_with(|| Value::Array(Vec::new()));
                blocks.as_array_mut().expect("a block is no attribute").push(Value::Object(object(&block.body)));
            }
        }
    }
    members
}

fn value(expression: &Expression) -> Value {
    match expression {
        Expression::Null(_) => Value::Null,
        Expression::Bool(is) => Value::Bool(**is),
        Expression::Number(number) => serde_json::from_str(&number.to_string()).expect("a number is JSON"),
        Expression::String(text) => Value::String(text.to_string()),
        Expression::HeredocTemplate(heredoc) => {
            let mut heredoc = heredoc.clone();
            heredoc.dedent();
            Value::String(text_of(&heredoc.template))
        }
        Expression::Array(elements) => elements.iter().map(value).collect(),
        Expression::Object(members) => Value::Object(members.iter().map(|(name, member)| (key(name), value(member.expr()))).collect()),
        Expression::Parenthesis(inner) => value(inner.inner()),
        // What is refered to is named by its own name.
        Expression::Traversal(_) => Value::String("another".to_owned()),
        Expression::FuncCall(call) => called(call),
        other => panic!("this is more than the examples need: {other:?}"),
    }
}

fn called(call: &FuncCall) -> Value {
    let arguments: Vec<Value> = call.args.iter().map(value).collect();
    match (call.name.name.as_str(), arguments.as_slice()) {
        ("jsonencode", [value]) => Value::String(value.to_string()),
        (name, _) => panic!("the examples need no function {name}"),
    }
}

fn key(key: &ObjectKey) -> String {
    match key {
        ObjectKey::Ident(name) => name.as_str().to_owned(),
        ObjectKey::Expression(Expression::String(text)) => text.to_string(),
        ObjectKey::Expression(other) => panic!("not a name: {other:?}"),
    }
}

fn text_of(template: &Template) -> String {
    template.iter().map(|element| element.as_literal().expect("no interpolation").as_str().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_examples_need() {
        let text = r#"
            resource "trailwire_hub" "security" {}
            resource "trailwire_trigger" "example" {
              hub   = trailwire_hub.security.id
              name  = "t" # a comment
              event_names = ["A", "B"]
              match_expression = <<-EOT
                a
                  && b
              EOT
              event_pattern = jsonencode({ a = [1], "b-c" = [true, null, "\"$${x}"] })
              action {
                notify { destinations = [trailwire_destination.slack.name] }
              }
              action {
                wait { duration = "1m" }
              }
            }"#;
        assert_eq!(
            triggers(text),
            [json!({"name": "t", "event_names": ["A", "B"], "match_expression": "a\n  && b\n",
                "event_pattern": r#"{"a":[1],"b-c":[true,null,"\"${x}"]}"#,
                "action": [{"notify": [{"destinations": ["another"]}]}, {"wait": [{"duration": "1m"}]}]})]
        );
    }
}
