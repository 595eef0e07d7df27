//! From text to the tree of a search.

mod value;

use super::field;
use super::tree::{Field, Glob, Node, NodeKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::text::Span;

/// The deepest nesting.
const DEEPEST: usize = 24;

/// The tree, `None` where every record is meant, and what is wrong or looks so. An error is the last.
pub(super) fn parse(text: &str) -> (Option<Node>, Vec<Diagnostic>) {
    let mut parser = Parser { text, at: 0, depth: 0, warnings: Vec::new() };
    let parsed = parser.whole();
    let mut diagnostics = parser.warnings;
    match parsed {
        Ok(root) => (root, diagnostics),
        Err(error) => {
            diagnostics.push(error);
            (None, diagnostics)
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    warnings: Vec<Diagnostic>,
}

type Parsed<T> = Result<T, Diagnostic>;

impl<'t> Parser<'t> {
    fn whole(&mut self) -> Parsed<Option<Node>> {
        self.blank();
        if matches!(self.rest().trim_end(), "" | "*") {
            return Ok(None);
        }
        let root = self.alternatives(None)?;
        match self.peek() {
            None => Ok(Some(root)),
            Some(letter) => Err(self.unexpected(letter)),
        }
    }

    /// `a OR b`
    fn alternatives(&mut self, field: Option<&Field>) -> Parsed<Node> {
        let mut nodes = vec![self.conjunction(field)?];
        while self.word("OR") || self.word("||") {
            nodes.push(self.conjunction(field)?);
        }
        Ok(joined(nodes, NodeKind::Or))
    }

    /// `a b`, `a AND b`
    fn conjunction(&mut self, field: Option<&Field>) -> Parsed<Node> {
        let mut nodes = vec![self.single(field)?];
        loop {
            let joined = self.word("AND") || self.word("&&");
            if !joined && (matches!(self.peek(), None | Some(')')) || self.stands("OR") || self.stands("||")) {
                return Ok(self::joined(nodes, NodeKind::And));
            }
            nodes.push(self.single(field)?);
        }
    }

    /// A condition with what negates it.
    fn single(&mut self, field: Option<&Field>) -> Parsed<Node> {
        let start = self.at;
        let negated = self.word("NOT")
            || (matches!(self.peek(), Some('-' | '!'))
                && self.rest().chars().nth(1).is_some_and(|next| !next.is_whitespace())
                && self.bump());
        if !negated {
            return self.primary(field);
        }
        self.deeper(start)?;
        let inner = self.single(field)?;
        self.depth -= 1;
        let span = Span::new(start, inner.span.end);
        Ok(Node { kind: NodeKind::Not(Box::new(inner)), span })
    }

    fn primary(&mut self, field: Option<&Field>) -> Parsed<Node> {
        let start = self.at;
        match self.peek() {
            Some('(') => {
                self.deeper(start)?;
                self.bump();
                self.blank();
                let inner = self.alternatives(field)?;
                if self.peek() != Some(')') {
                    let help = "close it with )";
                    return Err(self
                        .error(Code::SEARCH_UNTERMINATED, "the parenthesis does not end", Span::new(start, start + 1))
                        .help(help));
                }
                self.bump();
                self.depth -= 1;
                let span = Span::new(start, self.at);
                self.blank();
                Ok(Node { kind: inner.kind, span })
            }
            None => {
                let end = self.text.trim_end().len();
                Err(self.error(Code::SEARCH_SYNTAX, "the search ends where a term should stand", Span::new(end, end)))
            }
            Some(_) if self.stands("OR") || self.stands("AND") || self.stands("||") || self.stands("&&") => {
                let word = self.rest().split_whitespace().next().unwrap_or_default();
                let help = "a term stands on both sides of it; to look for the word, write it in double quotes";
                Err(self
                    .error(Code::SEARCH_SYNTAX, format!("`{word}` stands where a term should"), Span::new(start, start + word.len()))
                    .help(help))
            }
            Some(_) => match field {
                Some(field) => self.value(field),
                None => self.term(),
            },
        }
    }

    /// `field:…`, or a text.
    fn term(&mut self) -> Parsed<Node> {
        if let Some(field) = self.field()? {
            if self.peek() == Some('(') {
                return self.primary(Some(&field)).map(|node| Node { span: field.span.to(node.span), ..node });
            }
            return self.value(&field);
        }
        let start = self.at;
        if self.peek() == Some(':') {
            let help = "the colon stands right behind a field's name; to look for one, write the text in double quotes";
            return Err(self.error(Code::SEARCH_SYNTAX, "`:` begins no term", Span::new(start, start + 1)).help(help));
        }
        let glob = match self.peek() {
            Some('"') => Glob(vec![self.quoted()?]),
            _ => self.bare(&|letter| letter.is_whitespace() || matches!(letter, '(' | ')' | '"'))?,
        };
        let span = Span::new(start, self.at);
        if glob.is_anything() || glob.exact() == Some("") {
            let help = "name a field, as in `error:*`, or leave it out";
            return Err(self.error(Code::SEARCH_SYNTAX, format!("`{}` is no text to look for", span.of(self.text)), span).help(help));
        }
        let word = span.of(self.text);
        if matches!(word, "or" | "and" | "not") {
            let help = format!("write `{}`; to look for the word, write it in double quotes", word.to_uppercase());
            self.warnings.push(
                Diagnostic::warning(Code::SEARCH_WORD, format!("`{word}` is looked for as a text")).under(self.text, span).help(help),
            );
        }
        self.blank();
        Ok(Node { kind: NodeKind::Text(glob), span })
    }

    /// A field's name and its colon, if that is what stands here.
    fn field(&mut self) -> Parsed<Option<Field>> {
        let start = self.at;
        let mut members = vec![String::new()];
        let mut letters = self.rest().char_indices();
        let end = loop {
            let Some((index, letter)) = letters.next() else { return Ok(None) };
            match letter {
                ':' => break start + index,
                '.' => members.push(String::new()),
                // What stands behind a name passes through an array, which goes without saying.
                '[' if ["[]", "[*]"].iter().any(|array| self.text.get(start + index..).is_some_and(|rest| rest.starts_with(array))) => {
                    while !matches!(letters.next(), None | Some((_, ']'))) {}
                }
                '\\' => match (letters.next(), members.last_mut()) {
                    (Some((_, escaped)), Some(member)) => member.push(escaped),
                    _ => return Ok(None),
                },
                letter if letter.is_alphanumeric() || matches!(letter, '_' | '-') => {
                    if let Some(member) = members.last_mut() {
                        member.push(letter);
                    }
                }
                _ => return Ok(None),
            }
        };
        let span = Span::new(start, end);
        let begins_as_name = span.of(self.text).starts_with(|first: char| first.is_alphabetic() || matches!(first, '_' | '\\'));
        let rest = self.text.get(end + 1..).unwrap_or_default();
        // `arn:aws:…` and `https://…` are texts.
        if !begins_as_name || rest.starts_with("//") || (members == ["arn"] && rest.starts_with("aws")) {
            return Ok(None);
        }
        if members.iter().any(String::is_empty) {
            let help = "a path is written as in userIdentity.arn; an ARN or other text with colons is written in double quotes";
            return Err(self.error(Code::SEARCH_SYNTAX, format!("`{}` is no field", span.of(self.text)), span).help(help));
        }
        self.at = end + 1;
        self.blank();
        let places = field::places(&members);
        for place in &places {
            if let (false, Some((name, meant))) = (matches!(place.form, super::tree::Form::Envelope), field::unknown(&place.path)) {
                let message = format!("no record is known to have a `{name}`");
                let warning = Diagnostic::warning(Code::SEARCH_FIELD, message).under(self.text, span);
                self.warnings.push(match meant {
                    Some(meant) => warning.help(format!("did you mean `{meant}`?")),
                    None => warning.help("a text with colons is written in double quotes"),
                });
            }
        }
        Ok(Some(Field { places, span }))
    }

    // --- letters

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> bool {
        self.at += self.peek().map_or(0, char::len_utf8);
        true
    }

    fn blank(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Whether a word stands here by itself.
    fn stands(&self, word: &str) -> bool {
        self.rest()
            .strip_prefix(word)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(|next: char| next.is_whitespace() || matches!(next, '(' | ')' | '"')))
    }

    /// Takes a word, if it stands here by itself.
    fn word(&mut self, word: &str) -> bool {
        let stands = self.stands(word);
        if stands {
            self.at += word.len();
            self.blank();
        }
        stands
    }

    fn deeper(&mut self, start: usize) -> Parsed<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            let message = format!("the search is nested more than {DEEPEST} deep");
            return Err(self.error(Code::SEARCH_TOO_COMPLEX, message, Span::new(start, start + 1)));
        }
        Ok(())
    }

    fn error(&self, code: Code, message: impl Into<String>, span: Span) -> Diagnostic {
        Diagnostic::error(code, message).under(self.text, span)
    }

    fn unexpected(&self, letter: char) -> Diagnostic {
        let diagnostic =
            self.error(Code::SEARCH_SYNTAX, format!("`{letter}` cannot stand here"), Span::new(self.at, self.at + letter.len_utf8()));
        match letter {
            ')' => diagnostic.help("there is no parenthesis for it to close; to look for it, write the text in double quotes"),
            _ => diagnostic.help("a text with such a character is written in double quotes"),
        }
    }
}

fn joined(mut nodes: Vec<Node>, kind: fn(Vec<Node>) -> NodeKind) -> Node {
    match nodes.pop() {
        Some(only) if nodes.is_empty() => only,
        last => {
            nodes.extend(last);
            let span = nodes.iter().map(|node| node.span).reduce(Span::to).unwrap_or_default();
            Node { kind: kind(nodes), span }
        }
    }
}
