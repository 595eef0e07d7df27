//! What makes a pattern too much for a rule: its length, its wildcards, its combinations, a path that stands twice.

use std::collections::BTreeSet;

use super::{Entry, Excluded, Group, MOST_CHARACTERS, MOST_COMBINATIONS, Pattern, Test};
use crate::diagnostic::{Code, Diagnostic};

/// What a pattern must keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most characters, as sent.
    pub characters: usize,
    /// The most `*` in `wildcard` tests.
    pub wildcards: usize,
    /// The most combinations of `$or` alternatives.
    pub combinations: usize,
}

impl Default for Limits {
    /// EventBridge's own.
    fn default() -> Self {
        Self { characters: MOST_CHARACTERS, wildcards: usize::MAX, combinations: MOST_COMBINATIONS }
    }
}

/// The length of a pattern as EventBridge counts it: in characters.
#[must_use]
pub fn length(text: &str) -> usize {
    text.chars().count()
}

impl Pattern {
    /// Every limit that the pattern breaks; `text` is what will be sent.
    #[must_use]
    pub fn validate(&self, text: &str, limits: Limits) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let characters = length(text);
        if characters > limits.characters {
            let message = format!("the pattern is {characters} characters long, EventBridge takes {}", limits.characters);
            found.push(
                Diagnostic::error(Code::PATTERN_TOO_LARGE, message).help("test fewer values, or leave some tests to `match_expression`"),
            );
        }
        let wildcards = self.wildcards();
        if wildcards > limits.wildcards {
            let message = format!("the pattern has {wildcards} wildcards, {} are allowed", limits.wildcards);
            found.push(
                Diagnostic::error(Code::PATTERN_TOO_LARGE, message).help("rules with wildcards are few on a bus: use `prefix` or `suffix`"),
            );
        }
        let combinations = combinations(&self.root);
        if combinations > limits.combinations {
            let message = format!("the `$or`s make {combinations} combinations, {} are allowed", limits.combinations);
            found.push(Diagnostic::error(Code::PATTERN_TOO_LARGE, message).help("use fewer alternatives, or several triggers"));
            return found;
        }
        for path in self.repeated_paths() {
            let message = format!("the path `{path}` is tested twice, of which EventBridge would forget one");
            found.push(Diagnostic::error(Code::PATTERN_REPEATED_PATH, message).help("put all tests of a path in one array"));
        }
        found
    }

    /// How many `*` there are in `wildcard` tests, `\*` left out.
    #[must_use]
    pub fn wildcards(&self) -> usize {
        let mut count = 0;
        self.root.tests(&mut |test| {
            count += match test {
                Test::Wildcard(text) => stars(text),
                Test::AnythingBut(Excluded::Wildcards(texts)) => texts.iter().map(|text| stars(text)).sum(),
                _ => 0,
            };
        });
        count
    }

    fn repeated_paths(&self) -> BTreeSet<String> {
        let mut repeated = BTreeSet::new();
        paths(&self.root, "", &mut BTreeSet::new(), &mut repeated);
        repeated
    }
}

impl Group {
    /// Every test, in the order of the text.
    pub(super) fn tests(&self, visit: &mut dyn FnMut(&Test)) {
        for entry in &self.entries {
            match entry {
                Entry::Field(_, tests) => tests.iter().for_each(&mut *visit),
                Entry::Object(_, inner) => inner.tests(visit),
                Entry::Or(groups) => groups.iter().for_each(|group| group.tests(visit)),
            }
        }
    }
}

fn stars(text: &str) -> usize {
    let mut escaped = false;
    text.chars()
        .filter(|letter| {
            let counts = *letter == '*' && !escaped;
            escaped = *letter == '\\' && !escaped;
            counts
        })
        .count()
}

fn combinations(group: &Group) -> usize {
    group.entries.iter().fold(1_usize, |product, entry| {
        product.saturating_mul(match entry {
            Entry::Field(..) => 1,
            Entry::Object(_, inner) => combinations(inner),
            Entry::Or(groups) => groups.iter().fold(0, |sum, group| sum.saturating_add(combinations(group))),
        })
    })
}

/// Alternatives may test the same path; what stands beside them may not test it, too.
fn paths(group: &Group, at: &str, seen: &mut BTreeSet<String>, repeated: &mut BTreeSet<String>) {
    for entry in &group.entries {
        match entry {
            Entry::Field(name, _) => {
                let path = joined(at, name);
                if !seen.insert(path.clone()) {
                    repeated.insert(path);
                }
            }
            Entry::Object(name, inner) => paths(inner, &joined(at, name), seen, repeated),
            Entry::Or(groups) => {
                let mut in_any = BTreeSet::new();
                for group in groups {
                    let mut inside = BTreeSet::new();
                    paths(group, at, &mut inside, repeated);
                    in_any.append(&mut inside);
                }
                for path in in_any {
                    if !seen.insert(path.clone()) {
                        repeated.insert(path);
                    }
                }
            }
        }
    }
}

/// A path with one more step, as EventBridge writes it.
pub(super) fn joined(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}
