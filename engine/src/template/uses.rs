//! The filters and tests that a template names, wherever they stand in it: rendering would meet only those on its way.
//!
//! The template is one that minijinja has read, so what opens is closed.

use crate::text::Span;

/// What a name is used as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `value | name`, `{% filter name %}`
    Filter,
    /// `value is name`
    Test,
}

/// A name and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Use<'t> {
    pub(super) kind: Kind,
    pub(super) name: &'t str,
    pub(super) span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'t> {
    Word(&'t str, usize),
    Symbol(char),
    Text,
}

/// Every use, in the order of the text.
pub(super) fn uses(template: &str) -> Vec<Use<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((begin, open)) = next_tag(template, at) {
        at = match open {
            "{#" => after(template, begin, "#}"),
            _ => {
                let (tokens, end) = tokens(template, begin + 2);
                if open == "{%" && matches!(words(&tokens).next(), Some("raw")) {
                    end_of_raw(template, end)
                } else {
                    collect(open, &tokens, &mut found);
                    end
                }
            }
        };
    }
    found
}

fn next_tag(template: &str, from: usize) -> Option<(usize, &'static str)> {
    let rest = template.get(from..)?;
    let tags = ["{{", "{%", "{#"].into_iter().filter_map(|open| Some((from + rest.find(open)?, open)));
    tags.min()
}

/// Where the text goes on after `close`.
fn after(template: &str, from: usize, close: &str) -> usize {
    template.get(from..).and_then(|rest| rest.find(close)).map_or(template.len(), |at| from + at + close.len())
}

/// After `{% endraw %}`, however it is spaced.
fn end_of_raw(template: &str, mut from: usize) -> usize {
    loop {
        let tag = after(template, from, "{%");
        let (tokens, end) = tokens(template, tag);
        if tag == template.len() || matches!(words(&tokens).next(), Some("endraw")) {
            return end;
        }
        from = tag;
    }
}

fn words<'t>(tokens: &[Token<'t>]) -> impl Iterator<Item = &'t str> {
    tokens.iter().filter_map(|token| match token {
        Token::Word(word, _) => Some(*word),
        _ => None,
    })
}

/// The tokens of a tag whose inside begins here, and where the text goes on.
fn tokens(template: &str, from: usize) -> (Vec<Token<'_>>, usize) {
    let mut tokens = Vec::new();
    let mut at = from;
    while let Some(rest) = template.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("}}") || rest.starts_with("%}") {
            return (tokens, at + 2);
        }
        let first = rest.chars().next().unwrap_or_default();
        let length = if first == '"' || first == '\'' {
            tokens.push(Token::Text);
            text_length(rest, first)
        } else if is_word(first) {
            let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            tokens.push(Token::Word(rest.get(..length).unwrap_or_default(), at));
            length
        } else {
            if !first.is_whitespace() {
                tokens.push(Token::Symbol(first));
            }
            first.len_utf8()
        };
        at += length;
    }
    (tokens, template.len())
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// The bytes of a quoted text, quotes included.
fn text_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

fn collect<'t>(open: &str, tokens: &[Token<'t>], found: &mut Vec<Use<'t>>) {
    let mut before: [Option<Token<'t>>; 3] = [None; 3];
    for token in tokens {
        if let Token::Word(name, start) = *token {
            let kind = match before {
                [.., Some(Token::Symbol('|'))] => Some(Kind::Filter),
                [None, None, Some(Token::Word("filter", _))] if open == "{%" => Some(Kind::Filter),
                [_, dot, Some(Token::Word("is", _))] if dot != Some(Token::Symbol('.')) && name != "not" => Some(Kind::Test),
                [dot, Some(Token::Word("is", _)), Some(Token::Word("not", _))] if dot != Some(Token::Symbol('.')) => Some(Kind::Test),
                _ => None,
            };
            found.extend(kind.map(|kind| Use { kind, name, span: Span::new(start, start + name.len()) }));
        }
        before = [before[1], before[2], Some(*token)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_wherever_they_stand() {
        use Kind::{Filter, Test};
        for (template, expected) in [
            ("plain | text is odd", vec![]),
            ("{{ a|upper|default('x | lower') }}", vec![(Filter, "upper"), (Filter, "default")]),
            ("{{- a | upper -}} {{ b }}", vec![(Filter, "upper")]),
            (
                "{% if a is defined and b is not none %}{{ c | lower }}{% else %}{{ d | trim }}{% endif %}",
                vec![(Test, "defined"), (Test, "none"), (Filter, "lower"), (Filter, "trim")],
            ),
            ("{% filter upper | trim %}x{% endfilter %}", vec![(Filter, "upper"), (Filter, "trim")]),
            ("{# {{ a | nope }} #}{% raw %}{{ a | nope }}{% if %}{% endraw %}{{ a | upper }}", vec![(Filter, "upper")]),
            ("{%- raw -%}{{ x|y }}{%- endraw -%}{{ a | upper }}", vec![(Filter, "upper")]),
            ("{{ \"}} | nope\\\" | nope\" | upper }}", vec![(Filter, "upper")]),
            ("{{ a.is.b }} {{ a.filter }} {{ detail['is'] }}", vec![]),
            ("{{ é | größer }}", vec![(Filter, "größer")]),
            (
                "{{ a[b | first] }}{% for x in y | sort %}{% endfor %}{% set z = 1 | abs %}",
                vec![(Filter, "first"), (Filter, "sort"), (Filter, "abs")],
            ),
            ("{{ a | upper", vec![(Filter, "upper")]),
        ] {
            let found = uses(template);
            assert_eq!(found.iter().map(|found| (found.kind, found.name)).collect::<Vec<_>>(), expected, "{template}");
            assert!(found.iter().all(|found| found.span.of(template) == found.name), "{template}");
        }
    }
}
