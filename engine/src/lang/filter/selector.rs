//! Selectors: `$.requestParameters.items[0].name`, `$.resources[*].ARN`, `$.['a.b']`.
//!
//! Source: CloudWatch Logs user guide: "Property selectors are alphanumeric strings that also support '-' and '_'"; array
//! elements by `[NUMBER]`; `[*]` and `.*` select any; names with other characters as `['name']`.

use super::lexer::{Lexer, shown};
use super::tree::{Selector, Step};
use crate::diagnostic::{Code, Diagnostic};
use crate::text::Span;

/// The most steps of a selector.
const MOST_STEPS: usize = 24;

/// The most `[*]` and `.*` of a selector.
const MOST_WILDCARDS: usize = 3;

/// Reads what follows the `$` at `start`.
pub(super) fn read(lexer: &mut Lexer<'_>, start: usize) -> Result<Selector, Diagnostic> {
    let mut steps = Vec::new();
    loop {
        match lexer.peek() {
            Some('.') => {
                lexer.bump();
                steps.push(after_dot(lexer, start)?);
            }
            Some('[') => steps.push(bracket(lexer, start)?),
            None | Some(' ' | '\t' | '\n' | '\r' | '=' | '!' | '<' | '>' | '&' | '|' | '(' | ')' | '{' | '}' | '"' | '%') => break,
            Some(other) => {
                let at = lexer.at;
                lexer.bump();
                let message = format!("`{}` cannot stand in a selector", shown(other));
                let help = "names have letters, digits, `-` and `_`; any other is written as in $.['a.b']";
                return Err(lexer.error(Code::FILTER_SELECTOR, message, at).help(help));
            }
        }
    }
    let error = |message: String| Err(lexer.error(Code::FILTER_SELECTOR, message, start));
    if steps.is_empty() {
        return error("`$` alone selects nothing to compare".to_owned()).map_err(|diagnostic| diagnostic.help("go on as in $.eventName"));
    }
    if steps.len() > MOST_STEPS {
        return error(format!("a selector has at most {MOST_STEPS} steps"));
    }
    if steps.iter().filter(|step| matches!(step, Step::AnyElement | Step::AnyMember)).count() > MOST_WILDCARDS {
        return error(format!("a selector has at most {MOST_WILDCARDS} of `[*]` and `.*`"));
    }
    Ok(Selector { steps, span: Span::new(start, lexer.at) })
}

fn after_dot(lexer: &mut Lexer<'_>, start: usize) -> Result<Step, Diagnostic> {
    if lexer.take('*') {
        return Ok(Step::AnyMember);
    }
    if lexer.peek() == Some('[') {
        return bracket(lexer, start);
    }
    let name = word(lexer, |c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if name.is_empty() {
        let help = "names have letters, digits, `-` and `_`; any other is written as in $.['a.b']";
        return Err(lexer.error(Code::FILTER_SELECTOR, "a property's name should follow the dot", start).help(help));
    }
    Ok(Step::Member(name))
}

/// `[0]`, `[*]`, `['name']` or `["name"]`.
fn bracket(lexer: &mut Lexer<'_>, start: usize) -> Result<Step, Diagnostic> {
    let at = lexer.at;
    lexer.bump();
    let step = match lexer.peek() {
        Some('*') => {
            lexer.bump();
            Step::AnyElement
        }
        Some(quote @ ('\'' | '"')) => {
            lexer.bump();
            let name = word(lexer, |c| c != quote);
            if !lexer.take(quote) {
                return Err(lexer
                    .error(Code::FILTER_UNTERMINATED, "the quoted name does not end", at)
                    .help(format!("close it with {quote}")));
            }
            Step::Member(name)
        }
        Some('0'..='9') => {
            let digits = word(lexer, |c| c.is_ascii_digit());
            let Ok(index) = digits.parse() else {
                return Err(lexer.error(Code::FILTER_SELECTOR, format!("`{digits}` is no index"), at));
            };
            Step::Index(index)
        }
        _ => {
            lexer.bump();
            let help = "write [0], [*] or ['name']";
            return Err(lexer.error(Code::FILTER_SELECTOR, "an index, `*` or a quoted name should follow the bracket", at).help(help));
        }
    };
    if !lexer.take(']') {
        return Err(lexer.error(Code::FILTER_UNTERMINATED, "the bracket of the selector does not end", start).help("close it with ]"));
    }
    Ok(step)
}

fn word(lexer: &mut Lexer<'_>, belongs: impl Fn(char) -> bool) -> String {
    let start = lexer.at;
    while lexer.peek().is_some_and(&belongs) {
        lexer.bump();
    }
    Span::new(start, lexer.at).of(lexer.text).to_owned()
}
