//! The pages of the languages, run: every example of `docs/languages` says what is.
//!
//! An example is a block of its language (`jmespath`, `filter-pattern`, `event-pattern`), followed by a block `outcomes`, one event a
//! line with what comes of it, or by a block `refused` with the number of a diagnostic.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use trailwire_engine::check::check_text;
use trailwire_engine::diagnostic;
use trailwire_engine::eval::{EvalError, search, truthy};
use trailwire_engine::expr::Expr;
use trailwire_engine::lang::{Language, jmespath};

/// A fenced block, and the line that it begins in.
struct Block {
    kind: String,
    text: String,
    line: usize,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (number, line) in page.lines().enumerate() {
        match (line.strip_prefix("```"), open) {
            (Some(kind), false) => {
                blocks.push(Block { kind: kind.to_owned(), text: String::new(), line: number + 1 });
                open = true;
            }
            (Some(_), true) => open = false,
            (None, true) => {
                let block = blocks.last_mut().expect("a block is open");
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, false) => {}
        }
    }
    assert!(!open, "the last block is not closed");
    blocks
}

fn language(kind: &str) -> Option<Language> {
    match kind {
        "jmespath" => Some(Language::JmesPath),
        "filter-pattern" => Some(Language::FilterPattern),
        "event-pattern" => Some(Language::EventPattern),
        _ => None,
    }
}

/// Runs every example of a page; gives how many there are.
fn run(name: &str) -> usize {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/languages").join(name);
    let page = fs::read_to_string(&path).expect("the page is there");
    let blocks = blocks(&page);
    let mut examples = 0;
    let mut rest = blocks.iter();
    while let Some(block) = rest.next() {
        let place = format!("{name}:{}", block.line);
        let Some(language) = language(&block.kind) else { panic!("{place}: a block `{}` is no example", block.kind) };
        let Some(expected) = rest.next() else { panic!("{place}: nothing says what comes of it") };
        let text = block.text.trim_end();
        match expected.kind.as_str() {
            "outcomes" => {
                let (Some(expr), diagnostics) = language.parse(text) else { panic!("{place}: it is refused") };
                assert!(!diagnostic::any_error(&diagnostics), "{place}: {diagnostics:?}");
                for line in expected.text.lines() {
                    check(&place, language, &expr, line);
                    examples += 1;
                }
            }
            "refused" => {
                let found = check_text(language, text, &diagnostic::Path::default());
                let first = found.iter().find(|diagnostic| diagnostic.is_error()).map(|diagnostic| diagnostic.code.to_string());
                assert_eq!(first.as_deref(), Some(expected.text.trim()), "{place}");
                examples += 1;
            }
            other => panic!("{place}: a block `{other}` follows an example"),
        }
    }
    examples
}

/// One line `EVENT => OUTCOME`. A filter pattern's printed translation has to say the same.
fn check(place: &str, language: Language, expr: &Expr, line: &str) {
    let (event, outcome) = line.rsplit_once(" => ").unwrap_or_else(|| panic!("{place}: `{line}` has no outcome"));
    let event: Value = serde_json::from_str(event).unwrap_or_else(|error| panic!("{place}: {error} in {event}"));
    let envelope = if event.get("detail").is_some() { event } else { json!({ "detail": event }) };
    let mut found = vec![search(expr, &envelope)];
    if language == Language::FilterPattern {
        let translated = jmespath::parse(&expr.to_string()).0.expect("a translation is an expression");
        found.push(search(&translated, &envelope));
    }
    for found in found {
        assert!(agrees(&found, outcome), "{place}: {line}: it is {found:?}");
    }
}

fn agrees(found: &Result<Value, EvalError>, outcome: &str) -> bool {
    match (found, outcome) {
        (Ok(value), "match") => truthy(value),
        (Ok(value), "no match") => !truthy(value),
        (Ok(value), outcome) => {
            outcome.strip_prefix("value ").is_some_and(|wanted| serde_json::from_str(wanted).is_ok_and(|wanted: Value| wanted == *value))
        }
        (Err(error), outcome) => outcome.strip_prefix("error ") == Some(error.message.as_str()),
    }
}

#[test]
fn jmespath_is_as_its_page_says() {
    assert!(run("jmespath.md") > 60);
}

#[test]
fn filter_patterns_are_as_their_page_says() {
    assert!(run("filter-patterns.md") > 60);
}

#[test]
fn event_patterns_are_as_their_page_says() {
    assert!(run("event-patterns.md") > 50);
}
