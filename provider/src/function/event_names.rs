//! `provider::trailwire::event_names(event_source)`.

use super::{Function, FunctionError, Parameter};
use crate::data::event_names::names;
use crate::schema::Type;
use crate::value::Dynamic;

/// The names of a source's events.
#[derive(Debug, Clone, Copy)]
pub struct EventNames;

impl Function for EventNames {
    fn name(&self) -> &'static str {
        "event_names"
    }

    fn summary(&self) -> &'static str {
        "The names of the events of a source, in CloudTrail's spelling and alphabetical order."
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter { name: "event_source", kind: Type::String, description: "The event source, such as `iam.amazonaws.com`." }]
    }

    fn result(&self) -> Type {
        Type::list(Type::String)
    }

    fn call(&self, arguments: &[Dynamic]) -> Result<Dynamic, FunctionError> {
        let source = arguments.first().and_then(Dynamic::as_str).unwrap_or_default();
        let events = names(source).map_err(|wrong| FunctionError {
            text: wrong.help.as_ref().map_or_else(|| wrong.message.clone(), |help| format!("{}: {help}", wrong.message)),
            argument: Some(0),
        })?;
        Ok(Dynamic::strings(events.into_iter().map(|event| event.name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_or_what_was_meant() {
        let names = EventNames.call(&["signin.amazonaws.com".into()]).unwrap().as_strings();
        assert!(names.contains(&"ConsoleLogin".to_owned()), "{names:?}");
        let error = EventNames.call(&["cloudwatch.amazonaws.com".into()]).unwrap_err();
        assert_eq!(error.argument, Some(0));
        assert_eq!(error.text, "the catalogue has no event source `cloudwatch.amazonaws.com`: did you mean `monitoring.amazonaws.com`?");
    }
}
