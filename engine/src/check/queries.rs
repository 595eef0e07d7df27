//! What is wrong with the queries of a trigger, by the shapes of the operations that they call.

mod result;

use std::collections::BTreeMap;

use super::check_text;
use crate::diagnostic::{Code, Diagnostic, Path};
use crate::lang::Language;
use crate::operations::{self, Kind, Service, Structure, resource_types};
use crate::pattern::json::{self, Kind as Json, Node};
use crate::text::{Span, nearest};
use crate::trigger::{Action, Query, Trigger};
use crate::value::{Value, type_name};
pub use result::Answer;

/// Whether a text of a query's parameters is a template.
#[must_use]
pub fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|open| text.contains(open))
}

/// Every query of a trigger, with the path to it.
fn queries(trigger: &Trigger) -> impl Iterator<Item = (Path, &Query)> {
    trigger.actions.iter().enumerate().filter_map(|(index, action)| match action {
        Action::Query(query) => Some((Path::root("action").index(index).attribute("query").index(0), query)),
        _ => None,
    })
}

pub(super) fn check(trigger: &Trigger) -> Vec<Diagnostic> {
    queries(trigger).flat_map(|(path, query)| check_query(query, &path)).collect()
}

/// The queries of a trigger that a hub's `query_operations` do not name.
///
/// ```
/// use trailwire_engine::{check::check_allowed, trigger::Trigger};
/// let trigger = Trigger::parse(r#"{"name": "t", "event_names": ["RunInstances"],
///     "action": [{"query": [{"service": "ec2", "operation": "DescribeInstances", "as": "all"}]}]}"#).unwrap();
/// let found = check_allowed(&trigger, "security", &[]);
/// assert_eq!(found[0].message, "hub `security` does not allow the query `ec2:DescribeInstances`");
/// assert!(check_allowed(&trigger, "security", &["ec2:DescribeInstances".to_owned()]).is_empty());
/// ```
#[must_use]
pub fn check_allowed(trigger: &Trigger, hub: &str, allowed: &[String]) -> Vec<Diagnostic> {
    let refused = queries(trigger).filter(|(_, query)| !allowed.contains(&query.called()));
    refused
        .map(|(path, query)| {
            let called = query.called();
            Diagnostic::error(Code::QUERY_REFUSED, format!("hub `{hub}` does not allow the query `{called}`"))
                .at(path.attribute("operation"))
                .help(format!("add it to the hub: `query_operations = [\"{called}\", …]`"))
        })
        .collect()
}

/// What the result of a query is, as far as its operation and its expression tell.
#[must_use]
pub fn answer(query: &Query) -> Answer<'static> {
    let Some((service, operation)) = operations::named(&query.called()) else { return Answer::Unknown };
    let whole = operation.output.as_deref().map_or(Answer::Unknown, |word| Answer::Shape(service, word));
    match &query.result {
        None => whole,
        Some(text) => match Language::JmesPath.parse(text) {
            (Some(expr), _) => result::walk(&expr, &whole, text).0,
            (None, _) => Answer::Unknown,
        },
    }
}

fn check_query(query: &Query, path: &Path) -> Vec<Diagnostic> {
    let mut found =
        query.result.iter().flat_map(|text| check_text(Language::JmesPath, text, &path.attribute("result"))).collect::<Vec<_>>();
    let Some((service, operation)) = operations::named(&query.called()) else {
        let (message, help) = operations::unknown(&query.called());
        let at = if operations::service(&query.service).is_some() { "operation" } else { "service" };
        found.push(Diagnostic::error(Code::UNKNOWN_OPERATION, message).at(path.attribute(at)).help(help));
        return found;
    };
    let at = path.attribute("parameters");
    let text = query.parameters.as_deref().unwrap_or("{}");
    match json::parse(text) {
        Ok(node) => {
            let none = Structure { members: BTreeMap::new(), required: Vec::new(), payload: None };
            let mut parameters = Parameters { service, called: query.called(), text, at, found: Vec::new() };
            parameters.structure(service.parameters(operation).unwrap_or(&none), &node, "");
            found.extend(parameters.found);
        }
        Err((span, message)) => {
            let told = Diagnostic::error(Code::NOT_JSON, format!("the parameters are not JSON: {message}")).at(at).under(text, span);
            found.push(told.help("write `parameters = jsonencode({ … })`"));
        }
    }
    if let Some(text) = &query.result
        && let (Some(expr), Some(word)) = (Language::JmesPath.parse(text).0, operation.output.as_deref())
    {
        let told = result::walk(&expr, &Answer::Shape(service, word), text).1;
        found.extend(told.into_iter().map(|diagnostic| diagnostic.at(path.attribute("result"))));
    }
    found
}

/// The parameters of one query.
struct Parameters<'q> {
    service: &'static Service,
    called: String,
    text: &'q str,
    at: Path,
    found: Vec<Diagnostic>,
}

impl Parameters<'_> {
    fn tell(&mut self, span: Span, message: String, help: impl Into<String>) {
        let told = Diagnostic::error(Code::BAD_PARAMETER, message).at(self.at.clone());
        // Of what is not written there is no place.
        let told = if span == Span::new(0, 0) { told } else { told.under(self.text, span) };
        self.found.push(told.help(help));
    }

    fn structure(&mut self, wanted: &Structure, node: &Node, within: &str) {
        let Json::Object(members) = &node.kind else { return self.wrong_type("an object", node, within) };
        for (name, span, value) in members {
            let place = if within.is_empty() { name.clone() } else { format!("{within}.{name}") };
            match wanted.members.get(name) {
                Some(member) => self.value(self.service.kind(&member.shape), value, &place),
                None => {
                    let known: Vec<&str> = wanted.members.keys().map(String::as_str).collect();
                    let help = match nearest(name, known.iter().copied()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None if known.is_empty() => "it takes none".to_owned(),
                        None => format!("it takes {}; pages are followed without being asked for", known.join(", ")),
                    };
                    self.tell(*span, format!("`{}` takes no parameter `{place}`", self.called), help);
                }
            }
        }
        for name in wanted.required.iter().filter(|name| !members.iter().any(|(given, ..)| given == *name)) {
            let place = if within.is_empty() { name.clone() } else { format!("{within}.{name}") };
            let span = if self.text == "{}" { Span::new(0, 0) } else { node.span };
            self.tell(
                span,
                format!("`{}` needs the parameter `{place}`", self.called),
                "give it; its texts may be templates: `\"{{ detail.… }}\"`",
            );
        }
    }

    fn value(&mut self, kind: Kind<'_>, node: &Node, place: &str) {
        match (kind, &node.kind) {
            (Kind::Structure(structure), _) => self.structure(structure, node, place),
            (Kind::List(list), Json::Array(elements)) => {
                for (index, element) in elements.iter().enumerate() {
                    self.value(self.service.kind(&list.list), element, &format!("{place}[{index}]"));
                }
            }
            (Kind::String, Json::Scalar(Value::String(text))) => self.resource_type(text, node.span, place),
            (Kind::Integer, Json::Scalar(Value::Number(number))) if !number.is_f64() => {}
            (Kind::Float, Json::Scalar(Value::Number(_))) | (Kind::Boolean, Json::Scalar(Value::Bool(_))) => {}
            (kind, _) => self.wrong_type(kind.in_words(), node, place),
        }
    }

    fn wrong_type(&mut self, wanted: &str, node: &Node, place: &str) {
        let found = match &node.kind {
            Json::Object(_) => "an object",
            Json::Array(_) => "a list",
            Json::Scalar(value) => match type_name(value) {
                "string" => "a string",
                "number" => "a number",
                "boolean" => "a boolean",
                _ => "null",
            },
        };
        let what = if place.is_empty() { "the parameters are".to_owned() } else { format!("`{place}` is") };
        self.tell(node.span, format!("{what} {wanted}, this is {found}"), format!("write {wanted}"));
    }

    /// Properties of other resources may hold secrets.
    fn resource_type(&mut self, text: &str, span: Span, place: &str) {
        let asks = self.called.starts_with("cloudcontrol:") && place == "TypeName" && !is_template(text);
        if asks && !resource_types().iter().any(|known| known == text) {
            let known = resource_types().iter().map(String::as_str);
            let help = match nearest(text, known.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the properties of others may hold secrets; there are {}", known.collect::<Vec<_>>().join(", ")),
            };
            self.tell(span, format!("`{text}` is not a type of resource that a query may read"), help);
        }
    }
}

#[cfg(test)]
mod tests;
