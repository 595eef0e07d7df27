//! The words by which an index knows a record: runs of ASCII letters and digits of its JSON, in lower case.
//!
//! *Invariant*: a record of which a search needs bytes has the words of these bytes. Words that go on where the bytes end are asked for by their
//! beginning; of those whose beginning is not known nothing is asked.

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};
use trailwire_engine::search::Need;

/// Of a longer word so much counts.
const LONGEST: usize = 64;

/// A word that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    Whole(String),
    /// A word that begins so.
    Beginning(String),
}

/// What is asked of the words of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    Nothing,
    Word(Word),
    All(Vec<Asked>),
    Any(Vec<Asked>),
}

/// The words that a record must have so that a search can find it.
pub(super) fn asked(need: &Need) -> Asked {
    match need {
        Need::Nothing => Asked::Nothing,
        Need::Bytes(text) => Asked::all(words(&text.to_ascii_lowercase(), false, false).into_iter().map(Asked::Word).collect()),
        Need::AnyCase { text, begins, ends } => Asked::all(words(text, *begins, *ends).into_iter().map(Asked::Word).collect()),
        Need::All(needs) => Asked::all(needs.iter().map(asked).collect()),
        Need::Any(needs) => {
            let any: Vec<Asked> = needs.iter().map(asked).collect();
            if any.contains(&Asked::Nothing) { Asked::Nothing } else { Asked::Any(any) }
        }
    }
}

impl Asked {
    fn all(all: Vec<Self>) -> Self {
        let all: Vec<Self> = all.into_iter().filter(|asked| *asked != Self::Nothing).collect();
        if all.is_empty() { Self::Nothing } else { Self::All(all) }
    }
}

/// The words of a text that stands in a record. `begins`, `ends`: no word goes on beyond it.
fn words(text: &str, begins: bool, ends: bool) -> Vec<Word> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some((start, end)) = run(text.as_bytes(), at) {
        at = end;
        let is_known = start > 0 || begins;
        let is_whole = end < text.len() || ends;
        let word = text.get(start..end.min(start + LONGEST)).unwrap_or_default().to_owned();
        if is_known {
            words.push(if is_whole || word.len() == LONGEST { Word::Whole(word) } else { Word::Beginning(word) });
        }
    }
    words
}

/// The next run of letters and digits.
fn run(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric();
    let start = at + text.get(at..)?.iter().position(is_word)?;
    let rest = text.get(start..)?;
    let length = rest.iter().position(|byte| !is_word(byte)).unwrap_or(rest.len());
    Some((start, start + length))
}

/// Parts the JSON of a record into its words.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    token: Token,
}

/// The words of one record.
#[derive(Debug)]
pub(super) struct WordStream<'a> {
    text: &'a str,
    at: usize,
    /// The word that begins behind an escape such as `\n` or `\u001b`, whose letters may be none of its own.
    behind_escape: Option<(usize, usize)>,
    token: &'a mut Token,
}

impl Tokenizer for Words {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        self.token.reset();
        WordStream { text, at: 0, behind_escape: None, token: &mut self.token }
    }
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        let bytes = self.text.as_bytes();
        let (start, end) = match self.behind_escape.take() {
            Some(behind) => behind,
            None => {
                let Some((start, end)) = run(bytes, self.at) else { return false };
                self.at = end;
                let escape = match bytes.get(start) {
                    _ if start == 0 || bytes.get(start - 1) != Some(&b'\\') => 0,
                    Some(b'b' | b'f' | b'n' | b'r' | b't') => 1,
                    Some(b'u') => 5,
                    _ => 0,
                };
                self.behind_escape = (escape > 0 && end > start + escape).then_some((start + escape, end));
                (start, end)
            }
        };
        self.token.text.clear();
        self.token.text.push_str(self.text.get(start..end.min(start + LONGEST)).unwrap_or_default());
        self.token.text.make_ascii_lowercase();
        (self.token.offset_from, self.token.offset_to) = (start, end);
        self.token.position = self.token.position.wrapping_add(1);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

#[cfg(test)]
mod tests {
    use trailwire_engine::search::Query;

    use super::*;

    fn of_record(text: &str) -> Vec<String> {
        let mut words = Words::default();
        let mut stream = words.token_stream(text);
        let mut found = Vec::new();
        while stream.advance() {
            found.push(stream.token().text.clone());
        }
        found
    }

    #[test]
    fn a_record_is_parted_into_words() {
        let text = r#"{"Name":"say \"hi\"\nbob é-x\u001bm","n":1.5}"#;
        assert_eq!(of_record(text), ["name", "say", "hi", "nbob", "bob", "x", "u001bm", "m", "n", "1", "5"]);
        assert_eq!(of_record(&"a".repeat(100)), ["a".repeat(64)]);
        assert!(of_record("").is_empty());
    }

    #[test]
    fn a_search_asks_for_words() {
        let whole = |word: &str| Asked::Word(Word::Whole(word.to_owned()));
        let beginning = |word: &str| Asked::Word(Word::Beginning(word.to_owned()));
        for (text, expected) in [
            ("event:CreateUser", Asked::All(vec![whole("createuser")])),
            ("event:Create*", Asked::All(vec![beginning("create")])),
            ("event:*User", Asked::Nothing),
            ("sg-01", Asked::All(vec![whole("sg"), whole("01")])),
            ("sg-0*", Asked::All(vec![whole("sg"), beginning("0")])),
            ("*a-b*", Asked::All(vec![beginning("b")])),
            ("-event:CreateUser", Asked::Nothing),
            (
                "event:a,b*,c",
                Asked::Any(vec![Asked::All(vec![whole("a")]), Asked::All(vec![beginning("b")]), Asked::All(vec![whole("c")])]),
            ),
            ("event:a OR -event:b", Asked::Nothing),
            ("error:*", Asked::All(vec![whole("errorcode")])),
        ] {
            assert_eq!(asked(&Query::parse(text).0.unwrap().need()), expected, "{text}");
        }
    }
}
