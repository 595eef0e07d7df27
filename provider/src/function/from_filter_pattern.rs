//! `provider::trailwire::from_filter_pattern(pattern)`.

use trailwire_engine::lang::filter::to_jmespath;

use super::reading::{refused, text};
use super::{Function, FunctionError, Parameter};
use crate::schema::Type;
use crate::value::Dynamic;

/// The expression that means the same as a filter pattern.
#[derive(Debug, Clone, Copy)]
pub struct FromFilterPattern;

impl Function for FromFilterPattern {
    fn name(&self) -> &'static str {
        "from_filter_pattern"
    }

    fn summary(&self) -> &'static str {
        "The JMESPath expression that means the same as a CloudWatch Logs filter pattern."
    }

    fn description(&self) -> &'static str {
        "`$` of the pattern is the CloudTrail record, `detail` in the expression. A filter pattern never ends in an error; what keeps the expression from it, \
         such as a look at a field's type, is written out."
    }

    fn parameters(&self) -> Vec<Parameter> {
        let description = "A filter pattern for JSON, such as `{ $.eventName = ConsoleLogin }`, as in `filter_pattern`.";
        vec![Parameter { name: "pattern", kind: Type::String, description }]
    }

    fn result(&self) -> Type {
        Type::String
    }

    fn call(&self, arguments: &[Dynamic]) -> Result<Dynamic, FunctionError> {
        to_jmespath(text(arguments, 0)).map(Dynamic::String).map_err(|diagnostics| refused(&diagnostics, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::super::reading::tests::called;
    use super::*;

    #[test]
    fn the_guards_are_written_out() {
        for (pattern, expression) in [
            ("{ $.eventName = ConsoleLogin }", "detail.eventName == 'ConsoleLogin'"),
            ("{ $.errorCode = AccessDenied* }", "type(detail.errorCode) == 'string' && starts_with(detail.errorCode, 'AccessDenied')"),
        ] {
            assert_eq!(called(&FromFilterPattern, &[pattern]), Ok(Dynamic::from(expression)), "{pattern}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let (argument, text) = called(&FromFilterPattern, &["{ $.a == b }"]).unwrap_err();
        assert_eq!(argument, 0);
        assert!(text.contains("[TW2201]") && text.contains("\n  1 | { $.a == b }\n    |"), "{text}");
    }
}
