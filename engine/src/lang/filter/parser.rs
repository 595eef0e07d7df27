//! From tokens to the tree of a filter pattern.

use super::lexer::{Token, TokenKind};
use super::tree::{Check, Node, NodeKind, Operand, OperandKind, Order, Selector, Step};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::compile_regex;
use crate::text::Span;
use crate::value::Number;

/// The deepest nesting of parentheses.
const DEEPEST: usize = 24;

/// The tree and what is wrong with single tests; or the first mistake of syntax.
pub(super) fn parse(text: &str, tokens: &[Token]) -> Result<(Node, Vec<Diagnostic>), Diagnostic> {
    let mut parser = Parser { text, tokens, at: 0, depth: 0, diagnostics: Vec::new() };
    if *parser.peek() != TokenKind::LeftBrace {
        let help = "a filter pattern for JSON is written in braces, such as { $.eventName = ConsoleLogin }";
        let span = parser.span();
        return Err(Diagnostic::error(Code::FILTER_FORM, "a filter pattern begins with `{`").under(text, span).help(help));
    }
    parser.advance();
    let node = parser.alternatives()?;
    parser.expect(&TokenKind::RightBrace, "`&&`, `||` or `}`")?;
    parser.expect(&TokenKind::End, "the end")?;
    Ok((node, parser.diagnostics))
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> &'a TokenKind {
        self.tokens.get(self.at).map_or(&TokenKind::End, |token| &token.kind)
    }

    fn span(&self) -> Span {
        self.tokens.get(self.at).map_or(Span::new(self.text.len(), self.text.len()), |token| token.span)
    }

    /// The span from a start to the end of the last token taken.
    fn span_from(&self, start: usize) -> Span {
        let end = self.at.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(start, |token| token.span.end);
        Span::new(start, end)
    }

    fn advance(&mut self) {
        self.at += 1;
    }

    fn take(&mut self, kind: &TokenKind) -> bool {
        let found = self.peek() == kind;
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, kind: &TokenKind, wanted: &str) -> Result<(), Diagnostic> {
        if self.take(kind) { Ok(()) } else { Err(self.unexpected(wanted)) }
    }

    fn unexpected(&self, wanted: &str) -> Diagnostic {
        let span = self.span();
        if *self.peek() == TokenKind::End {
            let end = self.text.trim_end().len();
            let message = format!("the filter pattern ends where {wanted} should stand");
            return Diagnostic::error(Code::FILTER_END, message).under(self.text, Span::new(end, end));
        }
        let message = format!("`{}` stands where {wanted} should", span.of(self.text));
        let diagnostic = Diagnostic::error(Code::FILTER_TOKEN, message).under(self.text, span);
        match self.peek() {
            TokenKind::Bare(word) if word.eq_ignore_ascii_case("and") => diagnostic.help("write `&&`"),
            TokenKind::Bare(word) if word.eq_ignore_ascii_case("or") => diagnostic.help("write `||`"),
            TokenKind::Bare(word) if word.eq_ignore_ascii_case("not") => {
                diagnostic.help("there is no negation; write `!=` or `NOT EXISTS`")
            }
            TokenKind::Bare(word) if wanted == SELECTOR => diagnostic.help(format!("did you mean $.{word}?")),
            TokenKind::Bare(_) if wanted == OPERATOR || wanted.starts_with("`&&`") => {
                diagnostic.help("a text with spaces is written in double quotes")
            }
            _ => diagnostic,
        }
    }

    // --- conditions

    /// `a || b`
    fn alternatives(&mut self) -> Result<Node, Diagnostic> {
        self.chain(&TokenKind::Or, Self::conjunction, NodeKind::Or)
    }

    /// `a && b`, which binds tighter.
    fn conjunction(&mut self) -> Result<Node, Diagnostic> {
        self.chain(&TokenKind::And, Self::single, NodeKind::And)
    }

    fn chain(
        &mut self,
        operator: &TokenKind,
        operand: fn(&mut Self) -> Result<Node, Diagnostic>,
        kind: fn(Vec<Node>) -> NodeKind,
    ) -> Result<Node, Diagnostic> {
        let start = self.span().start;
        let first = operand(self)?;
        if self.peek() != operator {
            return Ok(first);
        }
        let mut operands = vec![first];
        while self.take(operator) {
            operands.push(operand(self)?);
        }
        Ok(Node { kind: kind(operands), span: self.span_from(start) })
    }

    fn single(&mut self) -> Result<Node, Diagnostic> {
        let start = self.span().start;
        match self.peek() {
            TokenKind::LeftParenthesis => {
                self.depth += 1;
                if self.depth > DEEPEST {
                    let message = format!("the filter pattern is nested more than {DEEPEST} deep");
                    return Err(Diagnostic::error(Code::FILTER_TOO_COMPLEX, message).under(self.text, self.span()));
                }
                self.advance();
                let inner = self.alternatives()?;
                self.expect(&TokenKind::RightParenthesis, "`&&`, `||` or `)`")?;
                self.depth -= 1;
                Ok(Node { kind: inner.kind, span: self.span_from(start) })
            }
            TokenKind::Selector(selector) => {
                self.advance();
                self.warn_of_detail(selector);
                let check = self.check(selector)?;
                Ok(Node { kind: NodeKind::Test(selector.clone(), check), span: self.span_from(start) })
            }
            _ => Err(self.unexpected(SELECTOR)),
        }
    }

    fn check(&mut self, selector: &Selector) -> Result<Check, Diagnostic> {
        let operator = self.peek();
        match operator {
            TokenKind::Equal | TokenKind::NotEqual => {
                self.advance();
                let operand = self.operand(selector)?;
                Ok(if *operator == TokenKind::Equal { Check::Equal(operand) } else { self.not_equal(operand) })
            }
            TokenKind::Ordered(order) => {
                self.advance();
                self.ordered(*order)
            }
            TokenKind::Bare(word) => {
                self.advance();
                let rest = match self.peek() {
                    TokenKind::Bare(rest) if word != "EXISTS" => {
                        self.advance();
                        rest.as_str()
                    }
                    _ => "",
                };
                match (word.as_str(), rest) {
                    ("EXISTS", _) => Ok(Check::Exists),
                    ("NOT", "EXISTS") => Ok(Check::NotExists),
                    ("IS", "NULL") => Ok(Check::IsNull),
                    ("IS", "TRUE") => Ok(Check::IsTrue),
                    ("IS", "FALSE") => Ok(Check::IsFalse),
                    _ => {
                        self.at -= if rest.is_empty() { 1 } else { 2 };
                        Err(self.unexpected(OPERATOR).help(keyword_help(word, rest)))
                    }
                }
            }
            _ => Err(self.unexpected(OPERATOR)),
        }
    }

    /// `!= "*"` fits nothing: what is a string or a number matches `*`.
    fn not_equal(&mut self, operand: Operand) -> Check {
        if matches!(&operand.kind, OperandKind::Text(pieces) if pieces.len() > 1 && pieces.iter().all(String::is_empty)) {
            let message = "`!= *` is never true: any text and any number is `*`";
            let help = "write `NOT EXISTS` where the field must be missing";
            self.diagnostics.push(Diagnostic::warning(Code::FILTER_NEVER, message).under(self.text, operand.span).help(help));
        }
        Check::NotEqual(operand)
    }

    fn operand(&mut self, selector: &Selector) -> Result<Operand, Diagnostic> {
        let span = self.span();
        let kind = match self.peek() {
            TokenKind::Quoted(pieces) => OperandKind::Text(pieces.clone()),
            TokenKind::Bare(text) => match number(text) {
                Some(Some(value)) => OperandKind::Number(value, text.clone()),
                Some(None) => {
                    self.note(
                        Code::FILTER_OPERAND,
                        format!("`{text}` is a number too large"),
                        span,
                        "write it in double quotes to compare text",
                    );
                    OperandKind::Text(vec![text.clone()])
                }
                None => OperandKind::Text(text.split('*').map(str::to_owned).collect()),
            },
            TokenKind::Regex(text) => match compile_regex(text) {
                Ok(regex) => OperandKind::Regex(regex),
                Err(reason) => {
                    let message = format!("the regular expression cannot be compiled: {reason}");
                    self.note(Code::FILTER_REGEX, message, span, "the syntax is that of RE2, without look-around and back-references");
                    OperandKind::Text(vec![text.clone()])
                }
            },
            TokenKind::Selector(_) => {
                let diagnostic = self.unexpected("a value");
                return Err(diagnostic.help("a filter pattern cannot compare two fields; a match_expression can"));
            }
            _ => return Err(self.unexpected("a value")),
        };
        self.warn_of_operand(selector, &kind, span);
        self.advance();
        Ok(Operand { kind, span })
    }

    /// `<` and the like take bare numbers only, as AWS does.
    fn ordered(&mut self, order: Order) -> Result<Check, Diagnostic> {
        let span = self.span();
        let value = match self.peek() {
            TokenKind::Bare(text) => number(text).flatten(),
            TokenKind::Quoted(_) | TokenKind::Regex(_) => None,
            _ => return Err(self.unexpected("a number")),
        };
        self.advance();
        let Some(value) = value else {
            let message = format!("only a number can stand here, this is `{}`", span.of(self.text));
            self.note(Code::FILTER_OPERAND, message, span, "`<`, `<=`, `>` and `>=` compare numbers, written without quotes");
            return Ok(Check::Ordered(order, Number::from(0), span));
        };
        Ok(Check::Ordered(order, value, span))
    }

    // --- what is wrong, or looks so

    fn note(&mut self, code: Code, message: String, span: Span, help: &str) {
        self.diagnostics.push(Diagnostic::error(code, message).under(self.text, span).help(help));
    }

    fn warn_of_detail(&mut self, selector: &Selector) {
        if selector.steps.first() == Some(&Step::Member("detail".to_owned())) {
            let written = selector.span.of(self.text);
            let help = match written.strip_prefix("$.detail.") {
                Some(rest) => format!("did you mean $.{rest}?"),
                None => "begin with a field of the record, such as $.eventName".to_owned(),
            };
            let message = format!("`$` is the event's `detail` already, which has no `{written}`");
            self.diagnostics.push(Diagnostic::warning(Code::FILTER_DETAIL, message).under(self.text, selector.span).help(help));
        }
    }

    fn warn_of_operand(&mut self, selector: &Selector, kind: &OperandKind, span: Span) {
        let OperandKind::Text(pieces) = kind else { return };
        let [text] = pieces.as_slice() else { return };
        let is_bare = matches!(self.peek(), TokenKind::Bare(_));
        if is_bare && (text == "true" || text == "false") {
            let message = format!("`{text}` is compared as text, and a boolean is no text");
            let help =
                format!("write `{} IS {}` for a boolean, or \"{text}\" for the text", selector.span.of(self.text), text.to_uppercase());
            self.diagnostics.push(Diagnostic::warning(Code::FILTER_BOOLEAN, message).under(self.text, span).help(help));
        }
        // A field such as `cidrIp` holds a network as text.
        let holds_networks =
            selector.steps.iter().any(|step| matches!(step, Step::Member(name) if name.to_ascii_lowercase().contains("cidr")));
        if is_network(text) && !holds_networks {
            let message = format!("`{text}` is compared as text: a filter pattern knows no networks");
            let help = "write a prefix such as 10.1.*, or use cidr_contains in a match_expression";
            self.diagnostics.push(Diagnostic::warning(Code::FILTER_NETWORK, message).under(self.text, span).help(help));
        }
    }
}

const SELECTOR: &str = "a selector such as $.eventName";
const OPERATOR: &str = "an operator";

fn keyword_help(word: &str, rest: &str) -> &'static str {
    match (word.to_uppercase().as_str(), rest.to_uppercase().as_str()) {
        ("IS", "NOT") => "there is no `IS NOT`; write `EXISTS`, `!=` or the other of `IS TRUE` and `IS FALSE`",
        ("IS", "NULL") => "write `IS NULL`",
        ("IS", "TRUE") => "write `IS TRUE`",
        ("IS", "FALSE") => "write `IS FALSE`",
        ("NOT", "EXISTS") => "write `NOT EXISTS`",
        ("EXISTS", _) => "write `EXISTS`",
        ("IS", _) => "`IS` is followed by NULL, TRUE or FALSE",
        ("NOT", _) => "`NOT` is followed by EXISTS",
        _ => "the operators are = != < <= > >=, IS NULL, IS TRUE, IS FALSE, EXISTS and NOT EXISTS",
    }
}

/// The number that a bare text is: an integer or decimal with an optional sign, an exponent or none. `None` where it is text,
/// `Some(None)` where it is a number that cannot be held.
///
/// Source: CloudWatch Logs user guide, numeric comparisons: "An integer with an optional + or - sign, a decimal …, or a number in
/// scientific notation".
pub(super) fn number(text: &str) -> Option<Option<Number>> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = rest.split_once(['e', 'E']).map_or((rest, None), |(mantissa, exponent)| (mantissa, Some(exponent)));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(whole, fraction)| (whole, Some(fraction)));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !fraction.is_none_or(digits) || (whole.is_empty() && fraction.is_none_or(str::is_empty)) {
        return None;
    }
    let power = exponent.map(|exponent| exponent.strip_prefix('+').unwrap_or(exponent));
    if power.is_some_and(|power| !digits(power.strip_prefix('-').unwrap_or(power)) || power.trim_start_matches('-').is_empty()) {
        return None;
    }
    // As JSON writes it: no sign but a minus, no leading zeros, digits on both sides of the point.
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let fraction = fraction.filter(|fraction| !fraction.is_empty()).map_or_else(String::new, |fraction| format!(".{fraction}"));
    let power = power.map_or_else(String::new, |power| format!("e{power}"));
    Some(serde_json::from_str(&format!("{negative}{whole}{fraction}{power}")).ok())
}

/// Whether a text looks like `10.0.0.0/8` or `2001:db8::/32`.
fn is_network(text: &str) -> bool {
    text.split_once('/').is_some_and(|(address, length)| {
        address.parse::<std::net::IpAddr>().is_ok() && (1..=3).contains(&length.len()) && length.bytes().all(|byte| byte.is_ascii_digit())
    })
}
