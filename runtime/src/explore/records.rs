//! The records of a text, cut out without being read: log files (`{"Records": […]}`), JSON lines, arrays, or one record over many lines.
//!
//! Only brackets and strings are looked at; whether a record is JSON inside is found by whoever reads it. What is cut off or is no object is
//! told with its place, and the rest goes on where it can.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use memchr::{memchr, memchr2};

use super::brackets::close;

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    /// One record or envelope.
    Record(&'t [u8]),
    /// An object that may be a log file or an envelope: whoever reads it finds out.
    Unsure(&'t [u8]),
    /// What is neither, beginning at this byte, and why.
    Fault(usize, &'static str),
}

/// After so many faults the rest of a text is not read: each may have cost a look at all of it.
const MOST_FAULTS: usize = 100;

/// Hands over every piece, in order.
pub(super) fn pieces<'t>(text: &'t [u8], take: &mut dyn FnMut(Piece<'t>)) {
    // What Windows writes before UTF-8.
    let mut at = blank(text, if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 });
    let faults = std::cell::Cell::new(0);
    let take: &mut dyn FnMut(Piece<'t>) = &mut |piece| {
        faults.set(faults.get() + usize::from(matches!(piece, Piece::Fault(..))));
        take(piece);
    };
    while let Some(byte) = text.get(at) {
        if faults.get() >= MOST_FAULTS {
            return take(Piece::Fault(at, "there were too many faults: the rest is not read"));
        }
        at = match byte {
            b'{' => object(text, at, take),
            b'[' => elements(text, at + 1, take),
            _ => fault(text, at, "neither an object nor an array", take),
        };
        at = blank(text, at);
    }
}

/// An object that stands by itself; gives the place behind it.
fn object<'t>(text: &'t [u8], at: usize, take: &mut dyn FnMut(Piece<'t>)) -> usize {
    if let Some(first) = log_file(text, at) {
        let behind = elements(text, first, take);
        // What a log file has behind its records says nothing.
        return rest_of_object(text, behind, take);
    }
    match end(text, at) {
        None => fault(text, at, "it is cut off", take),
        Some(end) => {
            let whole = text.get(at..end).unwrap_or_default();
            take(unsure(whole));
            end
        }
    }
}

/// A record, unless it may hold others.
fn unsure(whole: &[u8]) -> Piece<'_> {
    static RECORDS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"Records\""));
    if RECORDS.find(whole).is_some() { Piece::Unsure(whole) } else { Piece::Record(whole) }
}

/// Where the first record stands of a log file that begins as CloudTrail's do.
fn log_file(text: &[u8], at: usize) -> Option<usize> {
    let name = text.get(blank(text, at + 1)..)?.strip_prefix(b"\"Records\"")?;
    let mut at = text.len() - name.len();
    for wanted in [b':', b'['] {
        at = blank(text, at);
        (text.get(at) == Some(&wanted)).then_some(())?;
        at += 1;
    }
    Some(at)
}

/// The elements of an array up to its end; gives the place behind it. They may be log files themselves.
fn elements<'t>(text: &'t [u8], mut at: usize, take: &mut dyn FnMut(Piece<'t>)) -> usize {
    loop {
        at = blank(text, at);
        match text.get(at) {
            None => {
                take(Piece::Fault(at, "the list of records is cut off"));
                return at;
            }
            Some(b']') => return at + 1,
            Some(b',') => at += 1,
            Some(b'{') => match end(text, at) {
                Some(end) => {
                    let whole = text.get(at..end).unwrap_or_default();
                    take(unsure(whole));
                    at = end;
                }
                None => {
                    take(Piece::Fault(at, "the record is cut off"));
                    return text.len();
                }
            },
            Some(_) => {
                take(Piece::Fault(at, "a record is an object"));
                at = match text.get(at) {
                    Some(b'"') => string(text, at + 1).unwrap_or(text.len()),
                    Some(b'[') => end(text, at).unwrap_or(text.len()),
                    _ => memchr2(b',', b']', text.get(at..).unwrap_or_default()).map_or(text.len(), |next| at + next),
                };
            }
        }
    }
}

/// The place behind the bracket that closes an object of which the beginning is read.
fn rest_of_object<'t>(text: &'t [u8], at: usize, take: &mut dyn FnMut(Piece<'t>)) -> usize {
    match close(text, at, 1) {
        Some(end) => end,
        None => {
            // The list was cut off, and that is told.
            if at < text.len() || text.last() == Some(&b']') {
                take(Piece::Fault(at, "the log file is cut off"));
            }
            text.len()
        }
    }
}

/// Tells a fault and goes on with the next line.
fn fault<'t>(text: &'t [u8], at: usize, reason: &'static str, take: &mut dyn FnMut(Piece<'t>)) -> usize {
    take(Piece::Fault(at, reason));
    memchr(b'\n', text.get(at..).unwrap_or_default()).map_or(text.len(), |line| at + line + 1)
}

/// The place of the first byte that is no white space.
fn blank(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count()
}

/// The place behind the value that begins with a bracket here; `None` where it is cut off.
fn end(text: &[u8], at: usize) -> Option<usize> {
    close(text, at + 1, 1)
}

/// The place behind the quote that ends the string whose inside begins here.
fn string(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        if text.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn cut(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        pieces(text.as_bytes(), &mut |piece| {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            found.push(match piece {
                Piece::Record(record) => text(record),
                Piece::Unsure(object) => format!("? {}", text(object)),
                Piece::Fault(at, reason) => format!("! {at} {reason}"),
            });
        });
        found
    }

    #[test]
    fn every_form_is_cut_into_records() {
        let cases: [(&str, &[&str]); 22] = [
            ("", &[]),
            (" \n\r\n", &[]),
            ("\u{feff}{\"a\":1}", &["{\"a\":1}"]),
            ("{\"a\":1}\n{\"b\":[{}]}\n", &["{\"a\":1}", "{\"b\":[{}]}"]),
            ("{\"Records\":[]}", &[]),
            ("{\"Records\":[{\"a\":\"}]\\\"{\"},{\"b\":\"\\\\\"}]}", &["{\"a\":\"}]\\\"{\"}", "{\"b\":\"\\\\\"}"]),
            (" { \"Records\" : [ {\n\"a\": 1 } ,\n {} ] , \"more\": [1, {}] }\n", &["{\n\"a\": 1 }", "{}"]),
            ("{\"Records\":[{}]}{\"Records\":[{\"b\":1}]}", &["{}", "{\"b\":1}"]),
            ("[{\"Records\":[{}]},{\"b\":2}]", &["? {\"Records\":[{}]}", "{\"b\":2}"]),
            ("{\"Records\":[{\"Records\":[{}]}]}", &["? {\"Records\":[{}]}"]),
            ("[{\"a\":1},{\"b\":2}]", &["{\"a\":1}", "{\"b\":2}"]),
            ("[{}]\n[{\"a\":1}]", &["{}", "{\"a\":1}"]),
            ("{\"more\":1,\"Records\":[{}]}", &["? {\"more\":1,\"Records\":[{}]}"]),
            ("{\"Records\":7}", &["? {\"Records\":7}"]),
            ("{\n \"a\":\n [\n1]\n}", &["{\n \"a\":\n [\n1]\n}"]),
            ("7\n{\"a\":1}", &["! 0 neither an object nor an array", "{\"a\":1}"]),
            (
                "{\"Records\":[{},7,\"x,{}\",[{}],null,{\"a\":1}]}",
                &[
                    "{}",
                    "! 15 a record is an object",
                    "! 17 a record is an object",
                    "! 24 a record is an object",
                    "! 29 a record is an object",
                    "{\"a\":1}",
                ],
            ),
            ("{\"Records\":[{\"a\":1},{\"b\":", &["{\"a\":1}", "! 20 the record is cut off"]),
            ("{\"Records\":[{\"a\":1}", &["{\"a\":1}", "! 19 the list of records is cut off"]),
            ("{\"Records\":[{\"a\":1}]", &["{\"a\":1}", "! 20 the log file is cut off"]),
            ("{\"a\":\"\n{\"b\":1}", &["! 0 it is cut off", "{\"b\":1}"]),
            ("{\"a\":1\\", &["! 0 it is cut off"]),
        ];
        for (text, expected) in cases {
            assert_eq!(cut(text), expected, "{text}");
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), any::<i64>().prop_map(Value::from), "[a\"\\\\{}\\[\\],\n:é]{0,6}".prop_map(Value::from)];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a\"\\\\{}]{0,3}", inner, 0..4).prop_map(|members| json!(members)),
            ]
        })
    }

    #[test]
    fn after_many_faults_the_rest_is_left() {
        let found = cut(&"{\"\n".repeat(100_001));
        assert_eq!((found.len(), found[100].as_str()), (101, "! 300 there were too many faults: the rest is not read"));
    }

    proptest! {
        /// What is cut out is what a parser of the whole finds, however the text is laid out.
        #[test]
        fn records_are_those_of_the_parsed_text(records in prop::collection::vec(value(), 0..5), pretty: bool) {
            let records: Vec<Value> = records.into_iter().map(|value| json!({"a": value})).collect();
            let text = |value: &Value| if pretty { serde_json::to_string_pretty(value).unwrap() } else { value.to_string() };
            let lines = records.iter().map(|record| text(record) + "\n").collect::<String>();
            for text in [text(&json!({"Records": records})), text(&json!(records)), lines] {
                let found: Vec<Value> = cut(&text).iter().map(|record| serde_json::from_str(record).unwrap()).collect();
                prop_assert_eq!(&found, &records);
            }
        }

        /// No bytes make it stop, and nothing is handed over twice or out of order.
        #[test]
        fn any_bytes_are_survived(text in "[{}\\[\\]\",:\\\\ \nRecords1]{0,64}") {
            let mut last = 0;
            pieces(text.as_bytes(), &mut |piece| {
                let at = match piece {
                    Piece::Record(record) | Piece::Unsure(record) => record.as_ptr() as usize - text.as_ptr() as usize,
                    Piece::Fault(at, _) => at,
                };
                assert!(at >= last && at <= text.len());
                last = at;
            });
        }
    }
}
