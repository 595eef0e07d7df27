//! From tokens to the tree: top-down operator precedence, with the binding powers of the JMESPath specification.

use super::DEEPEST;
use super::lexer::{Token, TokenKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Call, Comparator, Expr, Kind, Over, Slice};
use crate::text::Span;

/// What binds tighter has the larger number. `!` binds tighter than `.`, so `!a.b` is `(!a).b`.
mod power {
    pub(super) const PIPE: u8 = 1;
    pub(super) const OR: u8 = 2;
    pub(super) const AND: u8 = 3;
    pub(super) const COMPARISON: u8 = 5;
    pub(super) const FLATTEN: u8 = 9;
    /// A projection goes on while what follows binds at least as tight as this.
    pub(super) const PROJECTION_STOP: u8 = 10;
    pub(super) const STAR: u8 = 20;
    pub(super) const FILTER: u8 = 21;
    pub(super) const DOT: u8 = 40;
    pub(super) const NOT: u8 = 45;
    pub(super) const BRACKET: u8 = 55;
    pub(super) const PARENTHESIS: u8 = 60;
}

type Parsed = Result<Expr, Diagnostic>;

pub(super) fn parse(text: &str, tokens: &[Token]) -> Parsed {
    let mut parser = Parser { text, tokens, at: 0, depth: 0, tallest: 0 };
    let expr = parser.expression(0)?;
    match parser.peek() {
        TokenKind::End => Ok(expr),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
    /// How deep the parser's own calls are nested.
    depth: usize,
    /// The height of the tallest tree built since the surrounding expression looked.
    tallest: usize,
}

impl<'a> Parser<'a> {
    // --- tokens

    fn peek(&self) -> &'a TokenKind {
        self.tokens.get(self.at).map_or(&TokenKind::End, |token| &token.kind)
    }

    fn peek_second(&self) -> &'a TokenKind {
        self.tokens.get(self.at + 1).map_or(&TokenKind::End, |token| &token.kind)
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

    fn expect(&mut self, kind: &TokenKind, wanted: &str) -> Result<(), Diagnostic> {
        if self.peek() != kind {
            return Err(self.unexpected(wanted));
        }
        self.advance();
        Ok(())
    }

    fn unexpected(&self, wanted: &str) -> Diagnostic {
        let span = self.span();
        if *self.peek() == TokenKind::End {
            let end = self.text.trim_end().len();
            return Diagnostic::error(Code::UNEXPECTED_END, format!("the expression ends where {wanted} should stand"))
                .under(self.text, Span::new(end, end));
        }
        let message = format!("`{}` stands where {wanted} should", span.of(self.text));
        let diagnostic = Diagnostic::error(Code::UNEXPECTED_TOKEN, message).under(self.text, span);
        match self.peek() {
            TokenKind::Number(_) => diagnostic.help(format!("write a number to compare with in backticks: `{}`", span.of(self.text))),
            TokenKind::Identifier(word) if word == "and" => diagnostic.help("write `&&`"),
            TokenKind::Identifier(word) if word == "or" => diagnostic.help("write `||`"),
            TokenKind::Identifier(word) if word == "not" => diagnostic.help("write `!( … )`"),
            _ => diagnostic,
        }
    }

    // --- expressions

    /// Bounds both the parser's recursion and the height of the tree, which a chain such as `a.b.c` grows without recursion.
    fn expression(&mut self, binding: u8) -> Parsed {
        let tallest_outside = std::mem::take(&mut self.tallest);
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.too_deep());
        }
        let start = self.span().start;
        let mut left = self.prefix()?;
        self.tallest += 1;
        while binding < infix_power(self.peek()) {
            left = self.infix(left, start)?;
            self.tallest += 1;
            if self.tallest > DEEPEST {
                return Err(self.too_deep());
            }
        }
        self.depth -= 1;
        self.tallest = self.tallest.max(tallest_outside);
        Ok(left)
    }

    fn too_deep(&self) -> Diagnostic {
        Diagnostic::error(Code::TOO_COMPLEX, format!("the expression is nested more than {DEEPEST} deep"))
            .under(self.text, self.span())
            .help("split it into several triggers")
    }

    /// What an expression can begin with.
    fn prefix(&mut self) -> Parsed {
        let start = self.span().start;
        let kind = self.peek();
        match kind {
            TokenKind::Identifier(_) | TokenKind::QuotedIdentifier(_) | TokenKind::Literal(_) | TokenKind::At => {
                self.advance();
                self.leaf(kind, start)
            }
            TokenKind::Star => {
                self.advance();
                self.members(Expr::new(Kind::Current, Span::new(start, start)), start)
            }
            TokenKind::Filter => {
                self.advance();
                self.filter(Expr::new(Kind::Current, Span::new(start, start)), start)
            }
            TokenKind::Flatten => {
                self.advance();
                self.flatten(Expr::new(Kind::Current, Span::new(start, start)), start)
            }
            TokenKind::LeftBrace => {
                self.advance();
                self.multi_select_hash(start)
            }
            TokenKind::LeftParenthesis => {
                self.advance();
                let inner = self.expression(0)?;
                self.expect(&TokenKind::RightParenthesis, "`)`")?;
                // The parentheses belong to the place, and keep `(a && b) && c` from being taken apart.
                Ok(Expr::new(inner.kind, self.span_from(start)))
            }
            TokenKind::Not => {
                self.advance();
                let inner = self.expression(power::NOT)?;
                Ok(Expr::new(Kind::Not(Box::new(inner)), self.span_from(start)))
            }
            TokenKind::LeftBracket => {
                self.advance();
                self.leading_bracket(start)
            }
            TokenKind::Ampersand => Err(self.unexpected("an expression").help("`&` stands only in front of a function's argument")),
            _ => Err(self.unexpected("an expression")),
        }
    }

    fn leaf(&mut self, kind: &TokenKind, start: usize) -> Parsed {
        let kind = match kind {
            TokenKind::Identifier(name) => Kind::Field { name: name.clone(), quoted: false },
            TokenKind::QuotedIdentifier(_) if *self.peek() == TokenKind::LeftParenthesis => {
                return Err(self.unexpected("an operator or the end").help("a function's name is not quoted"));
            }
            TokenKind::QuotedIdentifier(name) => Kind::Field { name: name.clone(), quoted: true },
            TokenKind::Literal(value) => Kind::Literal(value.clone()),
            _ => Kind::Current,
        };
        Ok(Expr::new(kind, self.span_from(start)))
    }

    /// What can follow an expression.
    fn infix(&mut self, left: Expr, start: usize) -> Parsed {
        let operator = self.peek();
        let comparator = comparator(operator);
        match operator {
            TokenKind::LeftParenthesis => self.call(left, start),
            TokenKind::Dot => {
                self.advance();
                if *self.peek() == TokenKind::Star {
                    self.advance();
                    return self.members(left, start);
                }
                let right = self.after_dot(power::DOT)?;
                Ok(self.join(left, right, start))
            }
            TokenKind::LeftBracket => {
                self.advance();
                self.bracket(left, start)
            }
            TokenKind::Filter => {
                self.advance();
                self.filter(left, start)
            }
            TokenKind::Flatten => {
                self.advance();
                self.flatten(left, start)
            }
            TokenKind::And => {
                let operands = self.chain(left, &TokenKind::And, power::AND)?;
                Ok(Expr::new(Kind::And(operands), self.span_from(start)))
            }
            TokenKind::Or => {
                let operands = self.chain(left, &TokenKind::Or, power::OR)?;
                Ok(Expr::new(Kind::Or(operands), self.span_from(start)))
            }
            TokenKind::Pipe => {
                self.advance();
                let right = self.expression(power::PIPE)?;
                Ok(Expr::new(Kind::Pipe(Box::new(left), Box::new(right)), self.span_from(start)))
            }
            _ => {
                let Some(comparator) = comparator else { return Err(self.unexpected("an operator")) };
                self.advance();
                let right = self.expression(power::COMPARISON)?;
                Ok(Expr::new(Kind::Comparison(comparator, Box::new(left), Box::new(right)), self.span_from(start)))
            }
        }
    }

    /// `a && b && c` as one list: equal in meaning to `(a && b) && c`, and flat.
    fn chain(&mut self, first: Expr, operator: &TokenKind, binding: u8) -> Result<Vec<Expr>, Diagnostic> {
        let mut operands = vec![first];
        while self.peek() == operator {
            self.advance();
            operands.push(self.expression(binding)?);
        }
        Ok(operands)
    }

    fn join(&self, left: Expr, right: Expr, start: usize) -> Expr {
        Expr::new(Kind::Sub(Box::new(left), Box::new(right)), self.span_from(start))
    }

    /// After a dot: a name, `*`, `[a, b]` or `{a: b}`.
    fn after_dot(&mut self, binding: u8) -> Parsed {
        let start = self.span().start;
        match self.peek() {
            TokenKind::Identifier(_) | TokenKind::QuotedIdentifier(_) | TokenKind::Star => self.expression(binding),
            TokenKind::LeftBracket => {
                self.advance();
                self.multi_select_list(start)
            }
            TokenKind::LeftBrace => {
                self.advance();
                self.multi_select_hash(start)
            }
            _ => Err(self.unexpected("a member's name")),
        }
    }

    // --- brackets

    /// After a `[` that begins an expression.
    fn leading_bracket(&mut self, start: usize) -> Parsed {
        let current = Expr::new(Kind::Current, Span::new(start, start));
        match (self.peek(), self.peek_second()) {
            (TokenKind::Number(_) | TokenKind::Colon, _) => self.index_or_slice(current, start),
            (TokenKind::Star, TokenKind::RightBracket) => self.elements(current, start),
            _ => self.multi_select_list(start),
        }
    }

    /// After a `[` that follows an expression.
    fn bracket(&mut self, left: Expr, start: usize) -> Parsed {
        match self.peek() {
            TokenKind::Number(_) | TokenKind::Colon => self.index_or_slice(left, start),
            TokenKind::Star => self.elements(left, start),
            _ => Err(self.unexpected("an index, a slice or `*`").help("write a filter as [? … ]")),
        }
    }

    fn elements(&mut self, source: Expr, start: usize) -> Parsed {
        self.advance();
        self.expect(&TokenKind::RightBracket, "`]`")?;
        let each = self.projected(power::STAR)?;
        Ok(self.projection(Over::Elements, source, each, start))
    }

    fn members(&mut self, source: Expr, start: usize) -> Parsed {
        let each = self.projected(power::STAR)?;
        Ok(self.projection(Over::Members, source, each, start))
    }

    fn flatten(&mut self, source: Expr, start: usize) -> Parsed {
        let flattened = Expr::new(Kind::Flatten(Box::new(source)), self.span_from(start));
        let each = self.projected(power::FLATTEN)?;
        Ok(self.projection(Over::Elements, flattened, each, start))
    }

    fn filter(&mut self, source: Expr, start: usize) -> Parsed {
        let condition = self.expression(0)?;
        self.expect(&TokenKind::RightBracket, "`]`")?;
        let each = if *self.peek() == TokenKind::Flatten { self.nothing_more() } else { self.projected(power::FILTER)? };
        Ok(self.projection(Over::Filter(Box::new(condition)), source, each, start))
    }

    fn projection(&self, over: Over, source: Expr, each: Expr, start: usize) -> Expr {
        let kind = Kind::Projection { over, source: Box::new(source), each: Box::new(each) };
        Expr::new(kind, self.span_from(start))
    }

    fn nothing_more(&self) -> Expr {
        let at = self.at.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(0, |token| token.span.end);
        Expr::new(Kind::Current, Span::new(at, at))
    }

    /// What a projection does with each element: everything that follows and binds tight enough.
    fn projected(&mut self, binding: u8) -> Parsed {
        match self.peek() {
            token if infix_power(token) < power::PROJECTION_STOP => Ok(self.nothing_more()),
            TokenKind::Dot => {
                self.advance();
                self.after_dot(binding)
            }
            TokenKind::LeftBracket | TokenKind::Filter => self.expression(binding),
            _ => Err(self.unexpected("`.`, `[` or an operator")),
        }
    }

    /// `1]` or `1:2:3]`, after the `[`.
    fn index_or_slice(&mut self, left: Expr, start: usize) -> Parsed {
        let bracket = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(start, |token| token.span.start);
        if let (TokenKind::Number(index), TokenKind::RightBracket) = (self.peek(), self.peek_second()) {
            self.advance();
            self.advance();
            let index = Expr::new(Kind::Index(*index), self.span_from(bracket));
            return Ok(self.join(left, index, start));
        }
        let mut parts = [None, None, None];
        let mut part = 0;
        loop {
            match self.peek() {
                TokenKind::RightBracket => break,
                TokenKind::Colon if part < 2 => part += 1,
                TokenKind::Number(number) => match parts.get_mut(part) {
                    Some(slot @ None) => *slot = Some(*number),
                    _ => return Err(self.unexpected("`:` or `]`")),
                },
                _ => return Err(self.unexpected("a number, `:` or `]`")),
            }
            self.advance();
        }
        self.advance();
        let [first, stop, step] = parts;
        let span = self.span_from(bracket);
        let step = step.unwrap_or(1);
        if step == 0 {
            return Err(Diagnostic::error(Code::BAD_TOKEN, "a slice cannot have step 0").under(self.text, span));
        }
        let slice = Expr::new(Kind::Slice(Slice { start: first, stop, step }), span);
        let sliced = self.join(left, slice, start);
        let each = self.projected(power::STAR)?;
        Ok(self.projection(Over::Elements, sliced, each, start))
    }

    // --- lists of things

    fn multi_select_list(&mut self, start: usize) -> Parsed {
        let mut elements = Vec::new();
        loop {
            elements.push(self.expression(0)?);
            match self.peek() {
                TokenKind::Comma => self.advance(),
                TokenKind::RightBracket => break,
                _ => return Err(self.unexpected("`,` or `]`")),
            }
        }
        self.advance();
        Ok(Expr::new(Kind::MultiSelectList(elements), self.span_from(start)))
    }

    fn multi_select_hash(&mut self, start: usize) -> Parsed {
        let mut members = Vec::new();
        loop {
            let (TokenKind::Identifier(name) | TokenKind::QuotedIdentifier(name)) = self.peek() else {
                return Err(self.unexpected("a member's name"));
            };
            self.advance();
            self.expect(&TokenKind::Colon, "`:`")?;
            members.push((name.clone(), self.expression(0)?));
            match self.peek() {
                TokenKind::Comma => self.advance(),
                TokenKind::RightBrace => break,
                _ => return Err(self.unexpected("`,` or `}`")),
            }
        }
        self.advance();
        Ok(Expr::new(Kind::MultiSelectHash(members), self.span_from(start)))
    }

    fn call(&mut self, left: Expr, start: usize) -> Parsed {
        let Kind::Field { name, quoted: false } = left.kind else {
            return Err(self.unexpected("an operator or the end"));
        };
        self.advance();
        let mut arguments = Vec::new();
        if *self.peek() != TokenKind::RightParenthesis {
            loop {
                arguments.push(self.argument()?);
                match self.peek() {
                    TokenKind::Comma => self.advance(),
                    TokenKind::RightParenthesis => break,
                    _ => return Err(self.unexpected("`,` or `)`")),
                }
            }
        }
        self.advance();
        let call = Call { name, name_span: left.span, arguments, prepared: None };
        Ok(Expr::new(Kind::Call(call), self.span_from(start)))
    }

    fn argument(&mut self) -> Parsed {
        let start = self.span().start;
        if *self.peek() != TokenKind::Ampersand {
            return self.expression(0);
        }
        self.advance();
        let inner = self.expression(0)?;
        Ok(Expr::new(Kind::Reference(Box::new(inner)), self.span_from(start)))
    }
}

fn comparator(kind: &TokenKind) -> Option<Comparator> {
    Some(match kind {
        TokenKind::Equal => Comparator::Equal,
        TokenKind::NotEqual => Comparator::NotEqual,
        TokenKind::Less => Comparator::Less,
        TokenKind::LessOrEqual => Comparator::LessOrEqual,
        TokenKind::Greater => Comparator::Greater,
        TokenKind::GreaterOrEqual => Comparator::GreaterOrEqual,
        _ => return None,
    })
}

/// How tight a token binds to the expression before it; 0 where it ends the expression.
fn infix_power(kind: &TokenKind) -> u8 {
    match kind {
        TokenKind::Pipe => power::PIPE,
        TokenKind::Or => power::OR,
        TokenKind::And => power::AND,
        TokenKind::Flatten => power::FLATTEN,
        TokenKind::Filter => power::FILTER,
        TokenKind::Dot => power::DOT,
        TokenKind::LeftBracket => power::BRACKET,
        TokenKind::LeftParenthesis => power::PARENTHESIS,
        kind if comparator(kind).is_some() => power::COMPARISON,
        _ => 0,
    }
}
