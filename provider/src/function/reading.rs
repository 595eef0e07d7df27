//! What functions read: an expression and an event, each refused with the argument that is to blame.

use trailwire_engine::check::check_text;
use trailwire_engine::diagnostic::{Diagnostic, Path, any_error};
use trailwire_engine::event::{Event, read_one};
use trailwire_engine::expr::Expr;
use trailwire_engine::lang::Language;

use super::{FunctionError, Parameter};
use crate::schema::Type;
use crate::value::Dynamic;

/// The parameter of [`expression`].
pub(super) const EXPRESSION: Parameter = Parameter {
    name: "expression",
    kind: Type::String,
    description: "A JMESPath expression over the EventBridge event, as in `match_expression`; the CloudTrail record is under `detail`.",
};

/// The parameter of [`event`].
pub(super) const EVENT: Parameter = Parameter {
    name: "event_json",
    kind: Type::String,
    description: "One event as JSON text: what EventBridge delivers (an object with `detail`), a CloudTrail record, which is completed to that from \
                  its own fields, or a log file (`Records`) with a single record.",
};

/// The text of an argument.
pub(super) fn text(arguments: &[Dynamic], index: usize) -> &str {
    arguments.get(index).and_then(Dynamic::as_str).unwrap_or_default()
}

/// An expression and its text. Warnings are left to the trigger that it stands in.
pub(super) fn expression(arguments: &[Dynamic], index: usize) -> Result<(Expr, &str), FunctionError> {
    let text = text(arguments, index);
    let diagnostics = check_text(Language::JmesPath, text, &Path::default());
    match Language::JmesPath.parse(text).0 {
        Some(expr) if !any_error(&diagnostics) => Ok((expr, text)),
        _ => Err(refused(&diagnostics, index)),
    }
}

/// An event.
pub(super) fn event(arguments: &[Dynamic], index: usize) -> Result<Event, FunctionError> {
    let event = read_one(text(arguments, index).as_bytes());
    event.map_err(|invalid| FunctionError { text: format!("this is no event: {invalid}"), argument: Some(index) })
}

/// The errors of an argument, each as it is drawn everywhere. Terraform leaves lines alone that begin with a space.
pub(super) fn refused(diagnostics: &[Diagnostic], index: usize) -> FunctionError {
    let drawn = |diagnostic: &Diagnostic| {
        let body: String = diagnostic.body().iter().map(|line| format!("\n  {line}")).collect();
        format!("{} [{}]{body}", diagnostic.message, diagnostic.code)
    };
    let text = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).map(drawn).collect::<Vec<_>>().join("\n");
    FunctionError { text, argument: Some(index) }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::Function;
    use super::*;

    /// What a function gives for these texts: its value as JSON, or the blamed argument and the error.
    pub(in super::super) fn called(function: &dyn Function, arguments: &[&str]) -> Result<Dynamic, (usize, String)> {
        let arguments: Vec<Dynamic> = arguments.iter().map(|text| Dynamic::from(*text)).collect();
        function.call(&arguments).map_err(|error| (error.argument.unwrap(), error.text))
    }

    /// Every function of an expression refuses a wrong one alike.
    #[track_caller]
    pub(in super::super) fn refuses_expressions(function: &dyn Function, rest: &[&str]) {
        let call = |text| called(function, &[&[text], rest].concat()).unwrap_err();
        assert_eq!(
            call("start_with(detail.a, 'b')"),
            (0, "unknown function `start_with` [TW2101]\n    |\n  1 | start_with(detail.a, 'b')\n    | ^^^^^^^^^^\n    = help: did you mean `starts_with`?".to_owned())
        );
        let (argument, text) = call("");
        assert!(argument == 0 && text.contains("[TW2006]"), "{text}");
        let (argument, text) = call("!detail.a");
        assert!(argument == 0 && text.contains("[TW2110]") && text.contains("^^^^^^^^^"), "{text}");
    }

    /// Every function of an event refuses a wrong one alike.
    #[track_caller]
    pub(in super::super) fn refuses_events(function: &dyn Function) {
        let call = |event| called(function, &["detail.a", event]).unwrap_err();
        assert_eq!(call("[]"), (1, "this is no event: an event is an object, this is an array".to_owned()));
        assert_eq!(call(r#"{"detail": 1}"#), (1, "this is no event: an event's `detail` is an object, this is a number".to_owned()));
        assert_eq!(call(r#"{"Records": [{}, {}]}"#), (1, "this is no event: there are 2 events in it, and one is wanted".to_owned()));
        let (argument, text) = call("{");
        assert!(argument == 1 && text.starts_with("this is no event: not JSON"), "{text}");
    }
}
