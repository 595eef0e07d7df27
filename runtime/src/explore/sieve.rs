//! Whether a record may be found by a search, seen in its bytes alone.

use memchr::memchr;
use memchr::memmem::Finder;
use regex::bytes::Regex;
use trailwire_engine::search::Need;

/// Tells most records that cannot be found from those that may be.
#[derive(Debug)]
pub(super) struct Sieve {
    need: Found,
    odd: [Finder<'static>; 2],
    /// A number that is not written as it is printed.
    number: Option<Regex>,
}

/// A need, ready to be looked for.
#[derive(Debug)]
enum Found {
    Always,
    Bytes(Box<Finder<'static>>),
    Regex(Regex),
    All(Vec<Found>),
    Any(Vec<Found>),
}

impl Sieve {
    pub(super) fn new(need: &Need) -> Self {
        let number = need.may_be_of_number().then(|| Regex::new(r"(?-u)[:,\[][ \t\r\n]*-?(?:[0-9]+[.eE]|[0-9]{19}|0)").ok()).flatten();
        Self { need: Found::of(need), odd: [Finder::new(b"\\u"), Finder::new(b"\\/")], number }
    }

    /// Whether a record, or one of the records of a text, may be found. One that is written otherwise than CloudTrail writes them may.
    pub(super) fn may(&self, text: &[u8]) -> bool {
        self.need.is_in(text)
            || memchr(b'\\', text).is_some() && self.odd.iter().any(|odd| odd.find(text).is_some())
            || self.number.as_ref().is_some_and(|number| number.is_match(text))
    }
}

impl Found {
    fn of(need: &Need) -> Self {
        match need {
            Need::Nothing => Self::Always,
            Need::Bytes(bytes) => Self::Bytes(Box::new(Finder::new(bytes).into_owned())),
            Need::AnyCase { text, .. } => {
                let text = format!("(?i-u){}", regex::escape(text));
                Regex::new(&text).map_or(Self::Always, Self::Regex)
            }
            Need::All(needs) => Self::All(needs.iter().map(Self::of).collect()),
            Need::Any(needs) => Self::one_of(needs).unwrap_or_else(|| Self::Any(needs.iter().map(Self::of).collect())),
        }
    }

    /// Many texts are looked for at once.
    fn one_of(needs: &[Need]) -> Option<Self> {
        let texts = needs.iter().map(|need| if let Need::Bytes(bytes) = need { Some(regex::escape(bytes)) } else { None });
        let texts = texts.collect::<Option<Vec<_>>>().filter(|texts| texts.len() > 2)?;
        Regex::new(&texts.join("|")).ok().map(Self::Regex)
    }

    fn is_in(&self, text: &[u8]) -> bool {
        match self {
            Self::Always => true,
            Self::Bytes(bytes) => bytes.find(text).is_some(),
            Self::Regex(regex) => regex.is_match(text),
            Self::All(needs) => needs.iter().all(|need| need.is_in(text)),
            Self::Any(needs) => needs.iter().any(|need| need.is_in(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use trailwire_engine::search::Query;

    use super::*;

    #[test]
    fn what_may_be_found_is_let_through() {
        for (query, text, may) in [
            ("event:CreateUser", r#"{"eventName":"CreateUser"}"#, true),
            ("event:CreateUser", r#"{"eventName":"CreateUsers"}"#, false),
            ("event:CreateUser", r#"{"eventName":"Cre\u0061teUser"}"#, true),
            ("-event:CreateUser", r#"{"eventName":"CreateUser"}"#, true),
            ("event:CreateUser error:*", r#"{"eventName":"CreateUser"}"#, false),
            ("event:CreateUser OR error:*", r#"{"errorCode":"x"}"#, true),
            ("requestParameters.path:a/b", r#"{"requestParameters":{"path":"a\/b"}}"#, true),
            ("requestParameters.path:a/b", r#"{"requestParameters":{"path":"a/c"}}"#, false),
            ("createUSER", r#"{"eventName":"CreateUser"}"#, true),
            ("1000.0", r#"{"n": 1e3}"#, true),
            ("1000.0", r#"{"n": 1000}"#, false),
            ("é", r#"{"n": "e"}"#, true),
        ] {
            let query = Query::parse(query).0.unwrap();
            assert_eq!(Sieve::new(&query.need()).may(text.as_bytes()), may, "{} {text}", query.text());
        }
    }
}
