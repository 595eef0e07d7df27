//! From text to tokens.

use super::selector;
use super::tree::{Order, Selector};
use crate::diagnostic::{Code, Diagnostic};
use crate::text::Span;

/// A token and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    LeftBrace,
    RightBrace,
    LeftParenthesis,
    RightParenthesis,
    And,
    Or,
    Equal,
    NotEqual,
    Ordered(Order),
    /// `$.a.b`
    Selector(Selector),
    /// `"…"`: the pieces between its wildcards.
    Quoted(Vec<String>),
    /// A text without quotes: a value or a word such as `EXISTS`.
    Bare(String),
    /// What stands between the `%`.
    Regex(String),
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

/// Reads characters; the selector's reader shares it.
pub(super) struct Lexer<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

/// What a text without quotes consists of. (AWS lets letters and digits pass, and what numbers, names of services and addresses
/// need; everything else is to be quoted.)
fn is_bare(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '-' | '*' | ':' | '/' | '+' | '@' | '#')
}

/// A character as a message shows it.
pub(super) fn shown(character: char) -> String {
    if character.is_control() { character.escape_debug().to_string() } else { character.to_string() }
}

impl Lexer<'_> {
    fn next(&mut self) -> Result<Token, Diagnostic> {
        while self.peek().is_some_and(|c| matches!(c, ' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
        let start = self.at;
        let kind = match self.bump() {
            None => TokenKind::End,
            Some('{') => TokenKind::LeftBrace,
            Some('}') => TokenKind::RightBrace,
            Some('(') => TokenKind::LeftParenthesis,
            Some(')') => TokenKind::RightParenthesis,
            Some('&') if self.take('&') => TokenKind::And,
            Some('|') if self.take('|') => TokenKind::Or,
            Some('!') if self.take('=') => TokenKind::NotEqual,
            Some('<') if self.take('=') => TokenKind::Ordered(Order::LessOrEqual),
            Some('<') if self.peek() != Some('>') => TokenKind::Ordered(Order::Less),
            Some('>') if self.take('=') => TokenKind::Ordered(Order::GreaterOrEqual),
            Some('>') => TokenKind::Ordered(Order::Greater),
            Some('=') if !matches!(self.peek(), Some('=' | '~')) => TokenKind::Equal,
            Some('$') => TokenKind::Selector(selector::read(self, start)?),
            Some('"') => TokenKind::Quoted(self.quoted(start)?),
            Some('%') => TokenKind::Regex(self.regex(start)?),
            Some(first) if is_bare(first) => {
                while self.peek().is_some_and(is_bare) {
                    self.at += 1;
                }
                TokenKind::Bare(Span::new(start, self.at).of(self.text).to_owned())
            }
            Some(other) => return Err(self.unexpected(start, other)),
        };
        Ok(Token { kind, span: Span::new(start, self.at) })
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.text.get(self.at..).and_then(|rest| rest.chars().next())
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    pub(super) fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    /// An error under what was read since a place.
    pub(super) fn error(&self, code: Code, message: impl Into<String>, start: usize) -> Diagnostic {
        Diagnostic::error(code, message).under(self.text, Span::new(start, self.at))
    }

    /// `"…"`: `\"`, `\\` and `\*` are escapes, any other backslash is itself; `*` parts the pieces.
    fn quoted(&mut self, start: usize) -> Result<Vec<String>, Diagnostic> {
        let mut pieces = Vec::new();
        let mut piece = String::new();
        loop {
            match self.bump() {
                None => return Err(self.error(Code::FILTER_UNTERMINATED, "the text does not end", start).help("close it with \"")),
                Some('"') => break,
                Some('*') => pieces.push(std::mem::take(&mut piece)),
                Some('\\') => match self.peek() {
                    Some(escaped @ ('"' | '\\' | '*')) => {
                        self.bump();
                        piece.push(escaped);
                    }
                    _ => piece.push('\\'),
                },
                Some(other) => piece.push(other),
            }
        }
        pieces.push(piece);
        Ok(pieces)
    }

    /// `%…%`
    fn regex(&mut self, start: usize) -> Result<String, Diagnostic> {
        loop {
            match self.bump() {
                None => {
                    let diagnostic = self.error(Code::FILTER_UNTERMINATED, "the regular expression does not end", start);
                    return Err(diagnostic.help("close it with %"));
                }
                Some('%') => return Ok(Span::new(start + 1, self.at - 1).of(self.text).to_owned()),
                Some(_) => {}
            }
        }
    }

    fn unexpected(&mut self, start: usize, character: char) -> Diagnostic {
        let next = self.peek();
        let diagnostic = self.error(Code::FILTER_CHARACTER, format!("`{}` cannot stand here", shown(character)), start);
        match (character, next) {
            ('=', Some('=')) => diagnostic.help("write `=` to compare"),
            ('=', _) => diagnostic.help("a regular expression is compared as in $.eventName = %Create.*%"),
            ('<', _) => diagnostic.help("write `!=`"),
            ('&', _) => diagnostic.help("write `&&`"),
            ('|', _) => diagnostic.help("write `||`"),
            ('!', _) => diagnostic.help("there is no negation; write `!=` or `NOT EXISTS`"),
            ('\'' | '‘' | '’' | '“' | '”', _) => diagnostic.help("write texts in straight double quotes"),
            ('[' | ']' | ',', _) => diagnostic.help("an index belongs to a selector, such as $.resources[0]"),
            _ => diagnostic.help("a text with such a character is written in double quotes"),
        }
    }
}
