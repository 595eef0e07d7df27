//! The templates of a trigger, each with the results of the queries before it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{VARIABLES, diagnose, environment, place};
use crate::check::Answer;
use crate::check::answer;
use crate::check::is_template;
use crate::diagnostic::{Code, Diagnostic, Path};
use crate::trigger::{Action, Trigger};

/// The results that a template sees, by name.
pub type Results<'s> = BTreeMap<String, Answer<'s>>;

/// What is wrong with the titles and messages of a trigger and with the templates in the parameters of its queries, and with the names of their results.
#[must_use]
pub fn diagnose_trigger(trigger: &Trigger) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let mut results = Results::new();
    for (index, action) in trigger.actions.iter().enumerate() {
        let at = |block: &str| Path::root("action").index(index).attribute(block).index(0);
        match action {
            Action::Notify(notify) => {
                for (name, text) in [("title", &notify.title), ("message", &notify.message)] {
                    diagnostics.extend(text.iter().flat_map(|text| diagnose(text, &at("notify").attribute(name), &results)));
                }
            }
            Action::Query(query) => {
                let parameters = query.parameters.as_deref().and_then(|text| serde_json::from_str(text).ok());
                let path = at("query").attribute("parameters");
                diagnostics.extend(templates(&parameters.unwrap_or_default()).into_iter().flat_map(|text| diagnose(text, &path, &results)));
                if let Some(taken) = taken(&query.name, &results) {
                    let told = Diagnostic::error(Code::RESULT_NAME, format!("`{}` is {taken}", query.name));
                    diagnostics.push(told.at(at("query").attribute("as")).help("give the result another name"));
                }
                results.insert(query.name.clone(), answer(query));
            }
            Action::Wait(_) | Action::Send(_) => {}
        }
    }
    diagnostics
}

/// What has the name already.
fn taken(name: &str, results: &Results<'_>) -> Option<&'static str> {
    if VARIABLES.iter().any(|variable| variable.name == name) {
        return Some("a variable of every template");
    }
    if results.contains_key(name) {
        return Some("the result of a query before");
    }
    let template = format!("{{{{ {name} }}}}");
    let is_variable = environment().template_from_str(&template).is_ok_and(|parsed| parsed.undeclared_variables(false).contains(name));
    let is_global = super::is_global(&environment(), name);
    (!is_variable || is_global).then_some("a word of the templates' language")
}

/// The texts of parameters that are templates.
fn templates(parameters: &Value) -> Vec<&str> {
    match parameters {
        Value::String(text) if is_template(text) => vec![text],
        Value::Array(elements) => elements.iter().flat_map(templates).collect(),
        Value::Object(members) => members.values().flat_map(templates).collect(),
        _ => Vec::new(),
    }
}

/// Members of results that are not there, in a template that can be read.
pub(super) fn missing_members(template: &str, path: &Path, results: &Results<'_>) -> Vec<Diagnostic> {
    let environment = environment();
    let Ok(parsed) = environment.template_from_str(template) else { return Vec::new() };
    let mut named: Vec<String> = parsed.undeclared_variables(true).into_iter().collect();
    named.sort();
    let fault = |name: &String| {
        let (first, rest) = name.split_once('.')?;
        let mut value = results.get(first)?.clone();
        for step in rest.split('.') {
            match value.member(step) {
                Ok(member) => value = member,
                Err((message, help)) => {
                    let told = Diagnostic::error(Code::RESULT_MEMBER, message).at(path.clone()).help(help);
                    return Some(place(template, name).map_or_else(|| told.clone(), |span| told.clone().under(template, span)));
                }
            }
        }
        None
    };
    named.iter().filter_map(fault).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn told(actions: Value) -> Vec<String> {
        let document = json!({"name": "t", "event_names": ["RunInstances"], "action": actions});
        diagnose_trigger(&Trigger::from_value(&document).unwrap()).iter().map(Diagnostic::draw).collect()
    }

    fn query(name: &str, result: Option<&str>) -> Value {
        json!({"query": [{"service": "ec2", "operation": "DescribeInstances", "as": name, "result": result,
            "parameters": "{\"InstanceIds\": [\"{{ detail.requestParameters.instanceId }}\"]}"}]})
    }

    fn notify(message: &str) -> Value {
        json!({"notify": [{"destinations": ["d"], "message": message}]})
    }

    #[test]
    fn a_result_is_known_after_its_query() {
        let count = || query("instances", Some("length(Reservations[].Instances[])"));
        assert_eq!(told(json!([count(), notify("{{ instances }} now")])), [""; 0]);
        let early = told(json!([notify("{{ instances }} now"), count()]));
        assert!(early[0].starts_with("error[TW1106]: unknown variable `instances` (in action[0].notify[0].message)"), "{early:?}");
        let near = told(json!([count(), notify("{{ instancse }}")]));
        assert!(near[0].ends_with("= help: did you mean `instances`?"), "{near:?}");
    }

    #[test]
    fn members_that_a_result_does_not_have_are_told() {
        let whole = || query("found", None);
        let first = || query("first", Some("Reservations[0].Instances[0]"));
        assert_eq!(told(json!([first(), notify("{{ first.State.Name }} {{ first.Tags[0].Value }}")])), [""; 0]);
        assert_eq!(
            told(json!([whole(), notify("{{ found.Reservation }}")])),
            [
                "error[TW1121]: the answer has no `Reservation` here (in action[1].notify[0].message)\n  |\n1 | {{ found.Reservation }}\n  |    ^^^^^^^^^^^^^^^^^\n  = help: did you mean `Reservations`?"
            ]
        );
        let renamed = query("one", Some("Reservations[0].{owner: OwnerId}"));
        assert_eq!(told(json!([renamed, notify("{{ one.owner }}{{ one.OwnerId }}")])).len(), 1);
    }

    #[test]
    fn a_name_is_taken_once() {
        let told = |name: &str| told(json!([query("twice", None), query(name, None)])).join("");
        assert!(told("twice").starts_with("error[TW1120]: `twice` is the result of a query before (in action[1].query[0].as)"));
        assert!(told("account").starts_with("error[TW1120]: `account` is a variable of every template"));
        for name in ["true", "range", "not"] {
            assert!(
                told(name).starts_with(&format!("error[TW1120]: `{name}` is a word of the templates' language")),
                "{name}: {}",
                told(name)
            );
        }
        assert_eq!(told("self_made"), "");
    }

    #[test]
    fn templates_in_parameters_see_what_was_asked_before() {
        let second =
            json!({"query": [{"service": "iam", "operation": "GetRole", "as": "role", "parameters": "{\"RoleName\": \"{{ frist }}\"}"}]});
        let found = told(json!([query("first", Some("Reservations[0].OwnerId")), second]));
        assert!(found[0].starts_with("error[TW1106]: unknown variable `frist` (in action[1].query[0].parameters)"), "{found:?}");
    }
}
