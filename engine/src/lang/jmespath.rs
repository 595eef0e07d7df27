//! JMESPath: text -> tokens -> tree -> resolved tree.
//!
//! The whole standard grammar, with these rules where implementations differ: a backtick literal that is not JSON is its
//! left-trimmed text; `!a.b` parses as `(!a).b`, as in every implementation; an expression reference `&a` stands only in front
//! of a function's argument.
//!
//! Source: <https://jmespath.org/specification.html>

mod lexer;
mod parser;
mod resolve;

use crate::diagnostic::{Code, Diagnostic, any_error};
use crate::expr::Expr;

/// The longest expression, in bytes.
pub const LONGEST: usize = 65_536;

/// The deepest nesting of a tree. Chains of `&&`, `||`, `.a.b` and arguments in a row count little; brackets in brackets count.
pub const DEEPEST: usize = 100;

/// Parses an expression and resolves its functions: unknown names, numbers of arguments, literal arguments of a type that the
/// function never takes, regular expressions and networks that cannot be compiled.
///
/// Gives no tree if a diagnostic is an error. A syntax error is the only one of its kind: nothing after it is guessed at.
///
/// ```
/// use trailwire_engine::lang::jmespath::parse;
/// let (expression, diagnostics) = parse("detail.userIdentity.type == 'Root'");
/// assert!(expression.is_some() && diagnostics.is_empty());
/// let (expression, diagnostics) = parse("nosuch(@)");
/// assert!(expression.is_none());
/// assert_eq!(diagnostics[0].message, "unknown function `nosuch`");
/// ```
#[must_use]
pub fn parse(text: &str) -> (Option<Expr>, Vec<Diagnostic>) {
    match parse_syntax(text) {
        Err(diagnostic) => (None, vec![diagnostic]),
        Ok(mut expr) => {
            let diagnostics = resolve::resolve(&mut expr, text);
            let accepted = !any_error(&diagnostics);
            (accepted.then_some(expr), diagnostics)
        }
    }
}

fn parse_syntax(text: &str) -> Result<Expr, Diagnostic> {
    if text.len() > LONGEST {
        let message = format!("the expression is {} bytes long, {LONGEST} are allowed", text.len());
        return Err(Diagnostic::error(Code::TOO_COMPLEX, message));
    }
    if text.trim().is_empty() {
        return Err(Diagnostic::error(Code::EMPTY_EXPRESSION, "the expression is empty"));
    }
    let tokens = lexer::tokens(text)?;
    parser::parse(text, &tokens)
}

#[cfg(test)]
mod tests;
