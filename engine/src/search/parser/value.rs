//! What stands behind the colon of a field.

use std::net::IpAddr;

use jiff::Timestamp;

use super::{Parsed, Parser, joined};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::Network;
use crate::search::tree::{Bound, Check, Field, Form, Glob, Node, NodeKind};
use crate::text::Span;

impl Parser<'_> {
    /// A comparison, a range, or terms with commas between them.
    pub(super) fn value(&mut self, field: &Field) -> Parsed<Node> {
        let start = self.at;
        let from = |parser: &Self| {
            if field.span.end < start && parser.text.get(field.span.end..start).is_some_and(|between| between.trim() == ":") {
                field.span.start
            } else {
                start
            }
        };
        let check = match self.peek() {
            Some('>' | '<') => self.comparison(field)?,
            Some('[' | '{') => self.range(field)?,
            _ => return self.terms(field, from(self)),
        };
        let span = Span::new(from(self), self.at);
        self.blank();
        Ok(Node { kind: NodeKind::Field(field.clone(), check), span })
    }

    fn terms(&mut self, field: &Field, mut from: usize) -> Parsed<Node> {
        let mut nodes = Vec::new();
        loop {
            let start = self.at;
            let is_quoted = self.peek() == Some('"');
            let glob = if is_quoted {
                Glob(vec![self.quoted()?])
            } else {
                self.bare(&|letter| letter.is_whitespace() || matches!(letter, '(' | ')' | ',' | '"'))?
            };
            let span = Span::new(start, self.at);
            if span.is_empty() {
                return Err(self.missing(field));
            }
            let check = self.check(field, glob, is_quoted, span)?;
            nodes.push(Node { kind: NodeKind::Field(field.clone(), check), span: Span::new(from, self.at) });
            let end = self.at;
            self.blank();
            if self.peek() != Some(',') {
                return Ok(joined(nodes, NodeKind::Or));
            }
            self.at = end;
            self.blank();
            self.bump();
            self.blank();
            from = self.at;
        }
    }

    fn check(&self, field: &Field, glob: Glob, is_quoted: bool, span: Span) -> Parsed<Check> {
        if !is_quoted && glob.is_anything() {
            return Ok(Check::Exists);
        }
        if let Some(exact) = glob.exact()
            && exact.contains('/')
            && let Some(network) = Network::parse(exact)
        {
            return Ok(Check::In(network, exact.to_owned()));
        }
        if let (false, Some(exact)) = (is_quoted, glob.exact())
            && let Some((address, bits)) = exact.split_once('/')
            && address.parse::<IpAddr>().is_ok()
            && bits.bytes().all(|digit| digit.is_ascii_digit())
        {
            let help = "a network is an address, `/` and no more bits than it has: 10.0.0.0/8";
            return Err(self.error(Code::SEARCH_VALUE, format!("`{exact}` is no network"), span).help(help));
        }
        if glob.0.iter().all(String::is_empty) && field.places.iter().any(|place| place.form == Form::Whole) {
            let message = format!("`{}` is searched as a text, and this is none", field.span.of(self.text));
            return Err(self.error(Code::SEARCH_VALUE, message, span).help("write what should stand in it, or `*` where it must be there"));
        }
        let is_flag = field.places.iter().all(|place| place.form == Form::Flag);
        if is_flag && !matches!(glob.exact(), Some("true" | "false")) {
            let message = format!("`{}` is true or false", field.span.of(self.text));
            return Err(self.error(Code::SEARCH_VALUE, message, span).help("write `true`, `false`, or `*` where it must be there"));
        }
        if is_time(field)
            && let Some(exact) = glob.exact()
        {
            self.time(exact, span)?;
            // A time that is cut short is all that it begins.
            return Ok(Check::Is(Glob(vec![exact.trim_end_matches('Z').to_owned(), String::new()])));
        }
        Ok(Check::Is(glob))
    }

    /// `>a`, `>=a`, `<a`, `<=a`
    fn comparison(&mut self, field: &Field) -> Parsed<Check> {
        let start = self.at;
        let is_low = self.peek() == Some('>');
        self.bump();
        let inclusive = self.peek() == Some('=') && self.bump();
        let operator = Span::new(start, self.at);
        self.blank();
        let text = self.bound(&|letter| letter.is_whitespace() || matches!(letter, '(' | ')' | ',' | '"'))?;
        let Some((text, span)) = text else { return Err(self.missing(field)) };
        let bound = self.checked(field, text, inclusive, is_low, span)?;
        self.refuse_order(field, operator)?;
        Ok(if is_low { Check::Range(Some(bound), None) } else { Check::Range(None, Some(bound)) })
    }

    /// `[a TO b]`; a brace leaves out its end; `*` is no end.
    fn range(&mut self, field: &Field) -> Parsed<Check> {
        let start = self.at;
        let ends = |letter: char| letter.is_whitespace() || matches!(letter, ']' | '}' | '"');
        let low_inclusive = self.peek() == Some('[');
        self.bump();
        self.blank();
        let low = self.bound(&ends)?;
        self.blank();
        let is_range = self.word("TO");
        let high = if is_range { self.bound(&ends)? } else { None };
        self.blank();
        let high_inclusive = self.peek() == Some(']');
        let (Some((low, low_span)), Some((high, high_span)), true) = (low, high, matches!(self.peek(), Some(']' | '}'))) else {
            let help = "a range is written as in time:[2026-03-01 TO 2026-03-07], with `*` for no end";
            return Err(self.error(Code::SEARCH_SYNTAX, "this is no range", Span::new(start, self.at)).help(help));
        };
        self.bump();
        let span = Span::new(start, self.at);
        self.refuse_order(field, span)?;
        let end = |text: String, inclusive: bool, is_low: bool, span: Span| match text.as_str() {
            "*" => Ok(None),
            _ => self.checked(field, text, inclusive, is_low, span).map(Some),
        };
        match (end(low, low_inclusive, true, low_span)?, end(high, high_inclusive, false, high_span)?) {
            (None, None) => Ok(Check::Exists),
            (Some(low), Some(high)) if is_time(field) && low.text > high.text => {
                let help = "the earlier time stands first";
                Err(self.error(Code::SEARCH_VALUE, "nothing is in this range", span).help(help))
            }
            (low, high) => Ok(Check::Range(low, high)),
        }
    }

    /// An end of a range; `None` where there is none.
    fn bound(&mut self, ends: &dyn Fn(char) -> bool) -> Parsed<Option<(String, Span)>> {
        let start = self.at;
        let text = if self.peek() == Some('"') { self.quoted()? } else { self.bare(ends)?.0.join("*") };
        let span = Span::new(start, self.at);
        Ok((!span.is_empty()).then_some((text, span)))
    }

    /// A bound that the field can be compared with. A time that is cut short stands for all that it begins.
    fn checked(&self, field: &Field, mut text: String, inclusive: bool, is_low: bool, span: Span) -> Parsed<Bound> {
        if is_time(field) {
            self.time(&text, span)?;
            if is_low != inclusive {
                // Behind all that begin so.
                text = format!("{}~", text.trim_end_matches('Z'));
            }
        }
        Ok(Bound { text, inclusive })
    }

    fn time(&self, text: &str, span: Span) -> Parsed<()> {
        let form = "0000-00-00T00:00:00Z";
        let fits = text.len() >= 4
            && text.len() <= form.len()
            && text.chars().zip(form.chars()).all(|(letter, form)| if form == '0' { letter.is_ascii_digit() } else { letter == form });
        // What is cut short is a time with the rest of one behind it.
        let rest = "2000-01-01T00:00:00Z".get(text.len()..).unwrap_or_default();
        if fits && !text.ends_with(['-', 'T', ':']) && format!("{text}{rest}").parse::<Timestamp>().is_ok() {
            return Ok(());
        }
        let help = "write a time in UTC or the beginning of one: 2026-03-01T12:00:00Z, 2026-03-01T12, 2026-03-01, 2026-03";
        Err(self.error(Code::SEARCH_VALUE, format!("`{text}` is no time"), span).help(help))
    }

    fn refuse_order(&self, field: &Field, span: Span) -> Parsed<()> {
        if field.places.iter().all(|place| matches!(place.form, Form::Flag | Form::Whole)) {
            let message = format!("`{}` has no order", field.span.of(self.text));
            return Err(self.error(Code::SEARCH_VALUE, message, span).help("ranges are for numbers, texts and times"));
        }
        Ok(())
    }

    fn missing(&self, field: &Field) -> Diagnostic {
        let name = field.span.of(self.text);
        let at = Span::new(self.at, self.at);
        let help = format!("write a term, or `{name}:*` where the field must be there");
        self.error(Code::SEARCH_SYNTAX, format!("a term for `{name}` should stand here"), at).help(help)
    }

    // --- texts

    /// `"…"`: `\"`, `\\`, `\n`, `\r` and `\t` are escapes, any other backslash is itself.
    pub(super) fn quoted(&mut self) -> Parsed<String> {
        let start = self.at;
        self.bump();
        let mut text = String::new();
        loop {
            match self.peek() {
                None => {
                    let help = "close it with \"";
                    return Err(self
                        .error(Code::SEARCH_UNTERMINATED, "the quoted text does not end", Span::new(start, self.at))
                        .help(help));
                }
                Some('"') => {
                    self.bump();
                    return Ok(text);
                }
                Some(letter) => {
                    self.bump();
                    match (letter == '\\').then(|| self.peek().and_then(meant)).flatten() {
                        Some(meant) => {
                            self.bump();
                            text.push(meant);
                        }
                        None => text.push(letter),
                    }
                }
            }
        }
    }

    /// A text without quotes, up to a letter that ends it: `*` is a wildcard, and a backslash makes any character a letter of the text.
    pub(super) fn bare(&mut self, ends: &dyn Fn(char) -> bool) -> Parsed<Glob> {
        let mut pieces = Vec::new();
        let mut piece = String::new();
        while let Some(letter) = self.peek().filter(|letter| !ends(*letter)) {
            self.bump();
            match letter {
                '*' => pieces.push(std::mem::take(&mut piece)),
                '\\' => match self.peek() {
                    Some(escaped) => {
                        self.bump();
                        piece.push(escaped);
                    }
                    None => {
                        let help = "write `\\\\` for a backslash";
                        return Err(self
                            .error(Code::SEARCH_UNTERMINATED, "nothing follows the backslash", Span::new(self.at - 1, self.at))
                            .help(help));
                    }
                },
                letter => piece.push(letter),
            }
        }
        pieces.push(piece);
        Ok(Glob(pieces))
    }
}

/// What a letter behind a backslash means within quotes.
fn meant(escaped: char) -> Option<char> {
    match escaped {
        '"' | '\\' => Some(escaped),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        _ => None,
    }
}

fn is_time(field: &Field) -> bool {
    field.places.iter().all(|place| matches!(place.path.as_slice(), [only] if only == "eventTime"))
}
