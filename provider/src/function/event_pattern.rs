//! `provider::trailwire::event_pattern(expression)`.

use trailwire_engine::diagnostic::{Code, Diagnostic};
use trailwire_engine::pushdown::{Asked, Written, push_down};

use super::reading::{EXPRESSION, expression, refused};
use super::{Function, FunctionError, Parameter};
use crate::schema::Type;
use crate::value::Dynamic;

/// The event pattern that an expression is narrowed to.
#[derive(Debug, Clone, Copy)]
pub struct EventPattern;

impl Function for EventPattern {
    fn name(&self) -> &'static str {
        "event_pattern"
    }

    fn summary(&self) -> &'static str {
        "The EventBridge event pattern, as JSON, that the rules of a trigger with this expression carry."
    }

    fn description(&self) -> &'static str {
        "The pattern takes events of CloudTrail alone, matches every event of which the expression is true, and may match more: what EventBridge cannot decide \
         is left out of it. It is what `push_down = \"safe\"` makes of the expression, at most 2,048 characters and without wildcards. \
         An expression that no event can satisfy is an error."
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![EXPRESSION]
    }

    fn result(&self) -> Type {
        Type::String
    }

    fn call(&self, arguments: &[Dynamic]) -> Result<Dynamic, FunctionError> {
        let (expr, text) = expression(arguments, 0)?;
        let pushed = push_down(Asked { expression: Some(Written { tree: &expr, text }), ..Asked::default() });
        match (pushed.pattern, pushed.never) {
            (Some(pattern), _) => Ok(Dynamic::String(pattern)),
            (None, never) => {
                let never = Diagnostic::error(Code::NEVER_FIRES, "no event can satisfy this").help(never.unwrap_or_default());
                let span = pushed.never_at.unwrap_or(expr.span);
                Err(refused(&[never.under(text, span)], 0))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::reading::tests::{called, refuses_expressions};
    use super::*;

    #[test]
    fn what_eventbridge_can_decide() {
        let frame = r#"{"source":[{"prefix":"aws."}],"detail-type":[{"suffix":" via CloudTrail"}]"#;
        for (text, detail) in [
            ("detail.userIdentity.type == 'Root'", r#","detail":{"userIdentity":{"type":["Root"]}}}"#),
            ("detail.userIdentity.type == 'Root' && contains(detail.userAgent, 'a')", r#","detail":{"userIdentity":{"type":["Root"]}}}"#),
            // Nothing of it can be decided: every event of CloudTrail.
            ("contains(detail.userAgent, 'a')", "}"),
        ] {
            assert_eq!(called(&EventPattern, &[text]), Ok(Dynamic::String(format!("{frame}{detail}"))), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_or_be_true_is_refused() {
        refuses_expressions(&EventPattern, &[]);
        assert_eq!(
            called(&EventPattern, &["detail.awsRegion == 'a' && detail.awsRegion == 'b'"]),
            Err((
                0,
                "no event can satisfy this [TW1112]\n    |\n  1 | detail.awsRegion == 'a' && detail.awsRegion == 'b'\n    |                            \
                 ^^^^^^^^^^^^^^^^^^^^^^^\n    = help: `detail.awsRegion == 'b'`: it cannot hold together with the rest"
                    .to_owned()
            ))
        );
    }
}
