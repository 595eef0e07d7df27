//! From text to tokens.

use crate::diagnostic::{Code, Diagnostic};
use crate::text::Span;
use crate::value::Value;

/// A token and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// `name`
    Identifier(String),
    /// `"name"`, unescaped
    QuotedIdentifier(String),
    /// `` `json` `` or `'raw'`
    Literal(Value),
    /// `12`, `-1`
    Number(i64),
    Dot,
    Star,
    Comma,
    Colon,
    At,
    Ampersand,
    And,
    Or,
    Pipe,
    Not,
    LeftParenthesis,
    RightParenthesis,
    LeftBracket,
    RightBracket,
    LeftBrace,
    RightBrace,
    /// `[]`
    Flatten,
    /// `[?`
    Filter,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    End,
}

/// All tokens of a text, the last of which is [`TokenKind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Diagnostic> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next()?;
        let is_end = token.kind == TokenKind::End;
        tokens.push(token);
        if is_end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl Lexer<'_> {
    fn next(&mut self) -> Result<Token, Diagnostic> {
        while self.peek().is_some_and(|c| matches!(c, ' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
        let start = self.at;
        let kind = match self.bump() {
            None => TokenKind::End,
            Some('.') => TokenKind::Dot,
            Some('*') => TokenKind::Star,
            Some(',') => TokenKind::Comma,
            Some(':') => TokenKind::Colon,
            Some('@') => TokenKind::At,
            Some('(') => TokenKind::LeftParenthesis,
            Some(')') => TokenKind::RightParenthesis,
            Some(']') => TokenKind::RightBracket,
            Some('{') => TokenKind::LeftBrace,
            Some('}') => TokenKind::RightBrace,
            Some('[') if self.take(']') => TokenKind::Flatten,
            Some('[') if self.take('?') => TokenKind::Filter,
            Some('[') => TokenKind::LeftBracket,
            Some('&') if self.take('&') => TokenKind::And,
            Some('&') => TokenKind::Ampersand,
            Some('|') if self.take('|') => TokenKind::Or,
            Some('|') => TokenKind::Pipe,
            Some('!') if self.take('=') => TokenKind::NotEqual,
            Some('!') => TokenKind::Not,
            Some('<') if self.take('=') => TokenKind::LessOrEqual,
            Some('<') => TokenKind::Less,
            Some('>') if self.take('=') => TokenKind::GreaterOrEqual,
            Some('>') => TokenKind::Greater,
            Some('=') if self.take('=') => TokenKind::Equal,
            Some('\'') => self.raw_string(start)?,
            Some('"') => self.quoted_identifier(start)?,
            Some('`') => self.literal(start)?,
            Some('-' | '0'..='9') => self.number(start)?,
            Some('a'..='z' | 'A'..='Z' | '_') => self.identifier(start),
            Some(other) => return Err(self.unexpected(start, other)),
        };
        Ok(Token { kind, span: Span::new(start, self.at) })
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at..).and_then(|rest| rest.chars().next())
    }

    fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn since(&self, start: usize) -> &str {
        Span::new(start, self.at).of(self.text)
    }

    fn identifier(&mut self, start: usize) -> TokenKind {
        while self.peek().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
            self.at += 1;
        }
        TokenKind::Identifier(self.since(start).to_owned())
    }

    fn number(&mut self, start: usize) -> Result<TokenKind, Diagnostic> {
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        let digits = self.since(start);
        if digits == "-" {
            return Err(self.lone_minus(start));
        }
        digits.parse().map(TokenKind::Number).map_err(|_| {
            let message = format!("`{digits}` is not a number that an index can be");
            self.error(Code::BAD_TOKEN, message, start).help("a number to compare with is written in backticks, such as `5`")
        })
    }

    /// Most likely a member whose name has a `-` in it, such as the envelope's `detail-type`.
    fn lone_minus(&self, start: usize) -> Diagnostic {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let before = self.text.get(..start).unwrap_or("");
        let name_start = before.char_indices().rev().find(|(_, c)| !is_name(*c)).map_or(0, |(at, c)| at + c.len_utf8());
        let after = self.text.get(start..).unwrap_or("");
        let name_end = after.find(|c| !is_name(c)).map_or(self.text.len(), |at| start + at);
        let name = Span::new(name_start, name_end).of(self.text);
        let diagnostic = self.error(Code::UNEXPECTED_CHARACTER, "`-` cannot stand here", start);
        if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            diagnostic.help(format!("a name with `-` in it is written in double quotes: \"{name}\""))
        } else {
            diagnostic.help("JMESPath has no arithmetic")
        }
    }

    /// Reads up to the closing delimiter and gives what stands between; `\` keeps the next character from closing.
    fn delimited(&mut self, start: usize, delimiter: char, what: &str) -> Result<&str, Diagnostic> {
        loop {
            match self.bump() {
                Some('\\') => {
                    self.bump();
                }
                Some(c) if c == delimiter => return Ok(Span::new(start + 1, self.at - 1).of(self.text)),
                Some(_) => {}
                None => {
                    let diagnostic = self.error(Code::UNTERMINATED, format!("{what} does not end"), start);
                    return Err(diagnostic.help(format!("close it with {delimiter}")));
                }
            }
        }
    }

    /// `'…'`: only `\'` is an escape; every other backslash is itself.
    fn raw_string(&mut self, start: usize) -> Result<TokenKind, Diagnostic> {
        let inner = self.delimited(start, '\'', "the string")?;
        Ok(TokenKind::Literal(Value::String(inner.replace("\\'", "'"))))
    }

    /// `"…"`: a member's name with JSON's escapes.
    fn quoted_identifier(&mut self, start: usize) -> Result<TokenKind, Diagnostic> {
        self.delimited(start, '"', "the quoted name")?;
        serde_json::from_str(self.since(start)).map(TokenKind::QuotedIdentifier).map_err(|error| {
            let message = format!("the quoted name cannot be read: {}", without_place(&error));
            self.error(Code::BAD_TOKEN, message, start).help("inside double quotes JSON's escapes hold")
        })
    }

    /// `` `…` ``: JSON, or else the left-trimmed text itself.
    fn literal(&mut self, start: usize) -> Result<TokenKind, Diagnostic> {
        let inner = self.delimited(start, '`', "the literal")?.replace("\\`", "`");
        let text = inner.trim_start();
        let value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
        Ok(TokenKind::Literal(value))
    }

    fn unexpected(&self, start: usize, character: char) -> Diagnostic {
        let diagnostic = self.error(Code::UNEXPECTED_CHARACTER, format!("`{}` cannot stand here", character.escape_debug()), start);
        match character {
            '=' => diagnostic.help("write `==` to compare"),
            '$' => diagnostic.help("JMESPath has no `$`; begin with a member's name, such as detail.eventName"),
            '‘' | '’' | '“' | '”' => diagnostic.help("write strings in straight single quotes"),
            '~' | '/' => diagnostic.help("regular expressions are written matches(subject, 'regex')"),
            '+' | '%' | '^' => diagnostic.help("JMESPath has no arithmetic"),
            _ => diagnostic,
        }
    }

    fn error(&self, code: Code, message: impl Into<String>, start: usize) -> Diagnostic {
        Diagnostic::error(code, message).under(self.text, Span::new(start, self.at))
    }
}

/// A JSON error without its "at line 1 column 5", which counts from the token and would mislead.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}
