//! `provider::trailwire::explain(expression, event_json)`.

use trailwire_engine::explain::expression as explained;
use trailwire_engine::text::visible;

use super::reading::{EVENT, EXPRESSION, event, expression};
use super::{Function, FunctionError, Parameter};
use crate::schema::Type;
use crate::value::Dynamic;

/// Why an expression is or is not true of an event.
#[derive(Debug, Clone, Copy)]
pub struct Explain;

impl Function for Explain {
    fn name(&self) -> &'static str {
        "explain"
    }

    fn summary(&self) -> &'static str {
        "Why an expression is or is not true of an event: the verdict, what decided it, and what every part of it came to."
    }

    fn description(&self) -> &'static str {
        "Made for the `error_message` of an assertion: the lines that `trailwire explain` prints for people, which may change from version to version."
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![EXPRESSION, EVENT]
    }

    fn result(&self) -> Type {
        Type::String
    }

    fn call(&self, arguments: &[Dynamic]) -> Result<Dynamic, FunctionError> {
        let (expr, text) = expression(arguments, 0)?;
        let event = event(arguments, 1)?;
        let told = explained(text, &expr, event.envelope()).to_text();
        Ok(Dynamic::String(told.lines().map(visible).collect::<Vec<_>>().join("\n")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::reading::tests::{called, refuses_events, refuses_expressions};
    use super::*;

    #[test]
    fn every_part_is_told() {
        let event = r#"{"detail": {"eventName": "CreateUser", "userAgent": "a\u202eb"}}"#;
        assert_eq!(
            called(&Explain, &["starts_with(detail.userAgent, 'aws-cli')", event]),
            Ok(Dynamic::from(
                r#"the match is not true
  because `starts_with(detail.userAgent, 'aws-cli')` is false: `detail.userAgent` is "a\u202eb"
  starts_with(detail.userAgent, 'aws-cli') -> false
    detail.userAgent -> "a\u202eb"
      detail -> {"eventName":"CreateUser","userAgent":"a\u202eb"}"#
            ))
        );
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        refuses_expressions(&Explain, &["{}"]);
        refuses_events(&Explain);
    }
}
