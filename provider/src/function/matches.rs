//! `provider::trailwire::match(expression, event_json)`.

use trailwire_engine::eval::{search, truthy};

use super::reading::{EVENT, EXPRESSION, event, expression};
use super::{Function, FunctionError, Parameter};
use crate::schema::Type;
use crate::value::Dynamic;

/// The verdict of an expression on an event. `match` is a word of Rust.
#[derive(Debug, Clone, Copy)]
pub struct Match;

impl Function for Match {
    fn name(&self) -> &'static str {
        "match"
    }

    fn summary(&self) -> &'static str {
        "Whether an expression is true of an event: the verdict that a trigger comes to."
    }

    fn description(&self) -> &'static str {
        "The verdict is the one of a trigger with this `match_expression`: the value is true unless it is null, `''`, `false` or `0`. An expression that ends in \
         an error on the event, such as `starts_with` of a missing field, is not true, as in a trigger whose `on_error` is not set; `explain` tells of the error. \
         An expression that cannot be read, and an event that is none, are errors of the call.\n\n\
         Only the expression is judged: event names and sources, regions and the other rules of a trigger play no part."
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![EXPRESSION, EVENT]
    }

    fn result(&self) -> Type {
        Type::Bool
    }

    fn call(&self, arguments: &[Dynamic]) -> Result<Dynamic, FunctionError> {
        let (expr, _) = expression(arguments, 0)?;
        let event = event(arguments, 1)?;
        Ok(Dynamic::Bool(search(&expr, event.envelope()).is_ok_and(|value| truthy(&value))))
    }
}

#[cfg(test)]
mod tests {
    use super::super::reading::tests::{called, refuses_events, refuses_expressions};
    use super::*;

    #[test]
    fn the_verdict_is_that_of_a_trigger() {
        let record = r#"{"eventName": "CreateUser", "awsRegion": "eu-west-1", "count": 0, "none": [], "text": ""}"#;
        let envelope = format!(r#"{{"source": "aws.iam", "detail": {record}}}"#);
        let log = format!(r#"{{"Records": [{record}]}}"#);
        for (text, event, wanted) in [
            ("detail.eventName == 'CreateUser'", record, true),
            ("detail.eventName == 'CreateUser'", &envelope, true),
            ("detail.eventName == 'CreateUser'", &log, true),
            ("detail.eventName == 'DeleteUser'", record, false),
            // A record is completed to an envelope.
            ("region == 'eu-west-1'", record, true),
            ("region == 'eu-west-1'", &envelope, false),
            // The verdict's truth is JavaScript's, not JMESPath's.
            ("detail.none", record, true),
            ("detail.count", record, false),
            ("detail.text", record, false),
            ("detail.missing", record, false),
            // An error is no match, and no error of the call.
            ("starts_with(detail.missing, 'a')", record, false),
            ("!(starts_with(detail.missing, 'a'))", record, false),
        ] {
            assert_eq!(called(&Match, &[text, event]), Ok(Dynamic::Bool(wanted)), "{text} on {event}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        refuses_expressions(&Match, &["{}"]);
        refuses_events(&Match);
    }
}
