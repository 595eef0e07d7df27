//! CloudWatch Logs filter patterns, in their form for JSON: text -> tokens -> a tree of its own -> the one tree.
//!
//! `$` is `detail`, the CloudTrail record. A filter pattern never errs on an event:
//!
//! - A comparison looks at a string or a number; on anything else (a field that is missing, null, a boolean, an object, an
//!   array) it is false, `!=` included.
//! - A text is compared with a number's JSON text (`"12"` is not `12.0`), a bare number with a number by its value
//!   (`12` is `12.0`) and with a string by its text as written. `<`, `<=`, `>` and `>=` take numbers only.
//! - `*` in a text, bare or quoted, stands for any characters, anywhere and any number of times; `"\*"` is the character.
//! - `[*]` and `.*` in a selector: any element, any member for which the rest holds, `!=` included.
//! - `NOT EXISTS` is true only where the field is missing, `IS NULL` only where it is present and null.
//! - `&&` binds tighter than `||`.
//!
//! Sources: CloudWatch Logs user guide, "Using filter patterns to match terms in JSON log events"
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/matching-terms-json-log-events.html>); its older form "Filter and
//! pattern syntax" (selectors that point to an object or array match neither `=` nor `!=`; the forms of numbers). What is wider
//! here than there: `EXISTS`, `*` in the middle of a text, more than one `[*]` in a selector, regular expressions with groups.

mod lexer;
mod lower;
mod parser;
mod selector;
mod tree;

use crate::diagnostic::{Code, Diagnostic, any_error};
use crate::expr::Expr;
use crate::text::Span;

/// The longest pattern, in bytes: twice what AWS takes. Its JMESPath text stays within what a JMESPath expression may have.
pub const LONGEST: usize = 2_048;

/// Parses a filter pattern to the tree that means the same on the envelope.
///
/// Gives no tree if a diagnostic is an error. A syntax error is the only one of its kind.
///
/// ```
/// use trailwire_engine::{eval::search, lang::filter::parse};
/// let (expression, diagnostics) = parse(r#"{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }"#);
/// assert!(diagnostics.is_empty());
/// let event = serde_json::json!({"detail": {"errorCode": "Client.UnauthorizedOperation"}});
/// assert_eq!(search(&expression.unwrap(), &event), Ok(true.into()));
/// ```
#[must_use]
pub fn parse(text: &str) -> (Option<Expr>, Vec<Diagnostic>) {
    match read(text) {
        Err(diagnostic) => (None, vec![diagnostic]),
        Ok((node, diagnostics)) => {
            let accepted = !any_error(&diagnostics);
            (accepted.then(|| lower::lower(&node)), diagnostics)
        }
    }
}

/// The JMESPath expression that means the same, its guards printed.
///
/// # Errors
/// The diagnostics of the pattern, if one of them is an error.
///
/// ```
/// use trailwire_engine::lang::filter::to_jmespath;
/// assert_eq!(to_jmespath("{ $.eventName = ConsoleLogin }").unwrap(), "detail.eventName == 'ConsoleLogin'");
/// assert_eq!(
///     to_jmespath("{ $.errorCode = AccessDenied* }").unwrap(),
///     "type(detail.errorCode) == 'string' && starts_with(detail.errorCode, 'AccessDenied')"
/// );
/// ```
pub fn to_jmespath(text: &str) -> Result<String, Vec<Diagnostic>> {
    match parse(text) {
        (Some(expr), _) => Ok(expr.to_string()),
        (None, diagnostics) => Err(diagnostics),
    }
}

fn read(text: &str) -> Result<(tree::Node, Vec<Diagnostic>), Diagnostic> {
    if text.len() > LONGEST {
        let message = format!("the filter pattern is {} bytes long, {LONGEST} are allowed", text.len());
        return Err(Diagnostic::error(Code::FILTER_TOO_COMPLEX, message));
    }
    if text.trim().is_empty() {
        return Err(Diagnostic::error(Code::FILTER_EMPTY, "the filter pattern is empty").under(text, Span::default()));
    }
    let tokens = lexer::tokens(text)?;
    parser::parse(text, &tokens)
}

#[cfg(test)]
mod tests;
