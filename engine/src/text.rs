//! Places in a text, and the nearest word to a misspelt one.

/// A half-open range of byte offsets in a text, both on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last; equal to `start` for a place between two characters (the end of the text, say).
    pub end: usize,
}

impl Span {
    /// The bytes from `start` up to `end`.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end: end.max(start) }
    }

    /// Whether it holds nothing: a place between two characters.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The smallest span that holds both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The text under the span; empty where the span does not lie within `text` on character boundaries.
    #[must_use]
    pub fn of(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or("")
    }
}

/// A text in which nothing hides: control characters, and those that turn or hide what stands around them (the marks and
/// overrides of writing direction, spaces and joiners without width), as `\u202e`. JSON stays JSON of the same value.
///
/// What stands in events is written by whoever makes them, terminals included among its readers.
///
/// ```
/// use trailwire_engine::text::visible;
/// assert_eq!(visible("a\u{1b}[31m\u{202e}é"), r"a\u001b[31m\u202eé");
/// ```
#[must_use]
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_hidden(character) {
            shown.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            shown.push(character);
        }
    }
    shown
}

fn is_hidden(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The candidate nearest to `word`, if it is near enough to be a misspelling: at most a third of the word's length away
/// (and at least one edit allowed), case ignored. Of equally near ones the first is taken.
///
/// ```
/// use trailwire_engine::text::nearest;
/// assert_eq!(nearest("start_with", ["ends_with", "starts_with"]), Some("starts_with"));
/// assert_eq!(nearest("frobnicate", ["ends_with", "starts_with"]), None);
/// ```
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest_within(word, candidates, (word.chars().count() / 3).max(1))
}

/// The candidate nearest to `word`, if it is at most `allowed` edits away, case ignored. Of equally near ones the first is taken.
#[must_use]
pub fn nearest_within<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>, allowed: usize) -> Option<&'a str> {
    candidates
        .into_iter()
        .filter_map(|candidate| Some((distance_within(word, candidate, allowed)?, candidate)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many edits lie between two texts, case ignored, if at most `allowed` do. Texts whose lengths or letters already tell that it is
/// more cost next to nothing.
#[must_use]
pub fn distance_within(a: &str, b: &str, allowed: usize) -> Option<usize> {
    if a.chars().count().abs_diff(b.chars().count()) > allowed {
        return None;
    }
    // An edit adds a letter, takes one away, or does both.
    if a.is_ascii() && b.is_ascii() && (letters(a) ^ letters(b)).count_ones() as usize > allowed.saturating_mul(2) {
        return None;
    }
    Some(distance(&a.to_lowercase(), &b.to_lowercase())).filter(|distance| *distance <= allowed)
}

/// Which letters stand in a text, a bit for each.
fn letters(text: &str) -> u32 {
    text.bytes().filter(u8::is_ascii_alphabetic).fold(0, |all, letter| all | 1 << (letter.to_ascii_lowercase() - b'a'))
}

/// The number of insertions, deletions, substitutions and swaps of neighbours between two texts (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before_previous: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    let mut last_a = None;
    for (row, letter) in a.chars().enumerate() {
        let mut current = Vec::with_capacity(b.len() + 1);
        current.push(row + 1);
        let mut last_b = None;
        for (column, other) in b.iter().copied().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX / 2);
            let substituted = at(&previous, column) + usize::from(letter != other);
            let mut best = substituted.min(at(&previous, column + 1) + 1).min(at(&current, column) + 1);
            if last_a == Some(other) && last_b == Some(letter) {
                best = best.min(at(&before_previous, column.wrapping_sub(1)).saturating_add(1));
            }
            current.push(best);
            last_b = Some(other);
        }
        before_previous = previous;
        previous = current;
        last_a = Some(letter);
    }
    previous.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in
            [("", "", 0), ("", "abc", 3), ("abc", "abc", 0), ("abcd", "abdc", 1), ("kitten", "sitting", 3), ("ab", "ba", 1)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn what_is_ruled_out_early_is_too_far() {
        let words = ["", "a", "ab", "ba", "Create", "creaet", "Delete", "CreateUser", "createusr", "xyz", "é", "\u{212a}"];
        for (a, b) in words.iter().flat_map(|a| words.iter().map(move |b| (a, b))) {
            let exact = distance(&a.to_lowercase(), &b.to_lowercase());
            for allowed in 0..6 {
                assert_eq!(distance_within(a, b, allowed), Some(exact).filter(|exact| *exact <= allowed), "{a} {b} {allowed}");
            }
        }
    }

    #[test]
    fn a_span_outside_the_text_is_empty() {
        assert_eq!(Span::new(3, 9).of("abc"), "");
        assert_eq!(Span::new(0, 1).of("é"), "");
        assert_eq!(Span::new(0, 2).of("é"), "é");
    }
}
