//! The events of one source: one of them, or all.

use std::cmp::Ordering;

use super::entry::{Entry, Origin};
use super::format::{DATA, Head, number};

const GROUPS_A_BLOCK: usize = 16;
/// More words than the rest of any name has: a group shares at most fifteen and adds at most fifteen.
const MAX_WORDS: usize = 31;

/// The first byte of a word that takes two.
const NARROW_WORDS: u8 = 245;
const PERMISSION_NEXT: u8 = 125;
const WIDE_VERB: u8 = 126;
const CLASS_NEXT: u8 = 127;
const LAST: u8 = 0x80;

/// What is known of a name that stands in the catalogue as it is.
pub(super) fn lookup(source: usize, name: &str) -> Option<Entry> {
    let head = DATA.head(source)?;
    let (verb, rest) = name.split_at_checked(first_word(name))?;
    let mut cursor = Cursor { bytes: head.body.get(block_of(&head, rest)?..)? };
    // How far into the rest the first words of the group reach, and how many of them fit it. What a group shares with the one
    // before it is not compared again.
    let mut reached = [0; MAX_WORDS];
    let mut fitting = 0;
    for _ in 0..GROUPS_A_BLOCK {
        let (shared, added) = cursor.group()?;
        let is_worth_comparing = shared <= fitting;
        fitting = fitting.min(shared);
        for place in shared..shared + added {
            let code = cursor.word_code()?;
            if is_worth_comparing && fitting == place {
                let at = *reached.get(fitting)?;
                let word = DATA.words.get(code)?;
                if rest.get(at..)?.starts_with(word) {
                    *reached.get_mut(fitting + 1)? = at + word.len();
                    fitting += 1;
                }
            }
        }
        let is_it = fitting == shared + added && *reached.get(fitting)? == rest.len();
        loop {
            let found = cursor.verb()?;
            if is_it && found.word()? == verb {
                return found.entry(&head);
            }
            if found.is_last {
                break;
            }
        }
        if is_it {
            return None;
        }
    }
    None
}

/// Shows every name of a source, in the order in which they lie.
pub(super) fn each(source: usize, see: impl FnMut(&str, Entry)) {
    // `None` is the end of the bytes.
    let _: Option<()> = DATA.head(source).and_then(|head| walk(&head, see));
}

fn walk(head: &Head, mut see: impl FnMut(&str, Entry)) -> Option<()> {
    let mut cursor = Cursor { bytes: head.body };
    let mut words: Vec<&str> = Vec::new();
    let mut name = String::new();
    loop {
        let (shared, added) = cursor.group()?;
        words.truncate(shared);
        for _ in 0..added {
            words.push(DATA.words.get(cursor.word_code()?)?);
        }
        loop {
            let verb = cursor.verb()?;
            name.clear();
            name.push_str(verb.word()?);
            words.iter().for_each(|word| name.push_str(word));
            see(&name, verb.entry(head)?);
            if verb.is_last {
                break;
            }
        }
    }
}

/// Where the block lies that holds a rest, if any does: the last one that does not begin after it.
fn block_of(head: &Head, rest: &str) -> Option<usize> {
    let (mut low, mut high) = (0, head.places.len() / 2);
    while low < high {
        let middle = low.midpoint(high);
        let place = usize::from(number(head.places, middle * 2)?);
        match compare(Cursor { bytes: head.body.get(place..)? }, rest.as_bytes())? {
            Ordering::Less | Ordering::Equal => low = middle + 1,
            Ordering::Greater => high = middle,
        }
    }
    number(head.places, low.checked_sub(1)? * 2).map(usize::from)
}

/// How the rest that a block begins with compares with another.
fn compare(mut cursor: Cursor, mut rest: &[u8]) -> Option<Ordering> {
    let (_, added) = cursor.group()?;
    for _ in 0..added {
        let word = DATA.words.get(cursor.word_code()?)?.as_bytes();
        let (begin, after) = rest.split_at_checked(word.len()).unwrap_or((rest, &[]));
        match word.cmp(begin) {
            Ordering::Equal => rest = after,
            other => return Some(other),
        }
    }
    Some(if rest.is_empty() { Ordering::Equal } else { Ordering::Less })
}

/// The length of the first word of a name: capitals (without the last of them, if a small letter follows it), a capital and small
/// letters, small letters, digits, or one other character.
pub(super) fn first_word(name: &str) -> usize {
    let run = |from: usize, belongs: fn(&u8) -> bool| name.bytes().skip(from).take_while(belongs).count();
    let capitals = run(0, u8::is_ascii_uppercase);
    let small = run(capitals, u8::is_ascii_lowercase);
    match (capitals, small) {
        (0, 0) => match run(0, u8::is_ascii_digit) {
            0 => name.chars().next().map_or(0, char::len_utf8),
            digits => digits,
        },
        (0 | 1, small) => capitals + small,
        (capitals, 0) => capitals,
        (capitals, _) => capitals - 1,
    }
}

/// A place in the events of a source.
struct Cursor {
    bytes: &'static [u8],
}

/// A first word, and whether it is the last one that a rest is found with.
struct Verb {
    code: VerbCode,
    class: Class,
    is_last: bool,
}

enum VerbCode {
    Direct(u8),
    Word(u16),
}

enum Class {
    Usual,
    Permission,
    Its(u8),
}

impl Cursor {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*byte)
    }

    /// How many words the group shares with the one before it, and how many follow.
    fn group(&mut self) -> Option<(usize, usize)> {
        self.byte().map(|byte| (usize::from(byte >> 4), usize::from(byte & 15)))
    }

    fn word_code(&mut self) -> Option<usize> {
        let first = self.byte()?;
        match first.checked_sub(NARROW_WORDS) {
            None => Some(usize::from(first)),
            Some(high) => Some(usize::from(NARROW_WORDS) + (usize::from(high) << 8) + usize::from(self.byte()?)),
        }
    }

    fn verb(&mut self) -> Option<Verb> {
        let mut byte = self.byte()?;
        let mut class = Class::Usual;
        if byte == PERMISSION_NEXT {
            class = Class::Permission;
            byte = self.byte()?;
        } else if byte == CLASS_NEXT {
            class = Class::Its(self.byte()?);
            byte = self.byte()?;
        }
        let code = match byte & !LAST {
            WIDE_VERB => VerbCode::Word(u16::from_le_bytes([self.byte()?, self.byte()?])),
            direct => VerbCode::Direct(direct),
        };
        Some(Verb { code, class, is_last: byte & LAST != 0 })
    }
}

impl Verb {
    fn word(&self) -> Option<&'static str> {
        match self.code {
            VerbCode::Direct(code) => DATA.verb(usize::from(code)),
            VerbCode::Word(word) => DATA.words.get(usize::from(word)),
        }
    }

    fn entry(&self, head: &Head) -> Option<Entry> {
        let [changes, reads] = head.usual;
        let usual = || if matches!(self.word(), Some("Describe" | "Get" | "List")) { reads } else { changes };
        match self.class {
            Class::Usual => DATA.class(usual()),
            Class::Permission => Some(Entry { origin: Origin::Permission, ..DATA.class(usual())? }),
            Class::Its(class) => DATA.class(class),
        }
    }
}
