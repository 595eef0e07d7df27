//! Every diagnostic has a page, every page is true, and nothing is listed that nobody tells.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use trailwire_engine::diagnostic::Code;
use trailwire_tests::diagnostics::{Page, cases, corpus, drawn, in_short, pages, told};
use trailwire_tests::stand::repository;

#[test]
fn every_code_has_its_page() {
    let pages: BTreeSet<String> = pages().iter().map(Page::code).collect();
    let codes: BTreeSet<String> = Code::ALL.iter().map(|(code, _)| code.to_string()).collect();
    let without: Vec<&String> = codes.difference(&pages).collect();
    let left_over: Vec<&String> = pages.difference(&codes).collect();
    assert!(without.is_empty() && left_over.is_empty(), "codes without a page: {without:?}; pages without a code: {left_over:?}");
}

#[test]
fn a_page_says_what_its_code_is() {
    for (page, (code, about)) in pages().iter().zip(Code::ALL) {
        let title = format!("# {code}: {}\n\n", about.trim());
        assert!(page.text.starts_with(&title), "{} does not begin with {title:?}", page.file.display());
        let headings: Vec<&str> = page.sections.iter().map(|(heading, _)| heading.as_str()).collect();
        let has_examples = headings.iter().any(|heading| heading.starts_with("Wrong"));
        assert!(has_examples || headings == ["What happened", "What to do"], "{}: {headings:?}", page.file.display());
    }
}

/// `UPDATE_DOCS=1` writes the messages.
#[test]
fn every_example_says_what_is_told() {
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    let mut wrong = Vec::new();
    for page in pages() {
        let mut text = page.text.clone();
        for example in page.examples() {
            let found = example.found();
            if !found.iter().any(|diagnostic| diagnostic.code.to_string() == page.code()) {
                wrong.push(format!("{}: the wrong trigger does not show it:\n{}", example.name, drawn(&found)));
            }
            let message = format!("{}\n", drawn(&found));
            if message != example.message {
                if update {
                    let block = |message: &str| format!("\n## Message{}\n\n```text\n{message}```\n", example.number);
                    text = text.replace(&block(example.message), &block(&message));
                } else {
                    wrong.push(format!("{}: the message is\n{message}", example.name));
                }
            }
            let right = drawn(&example.form.told(example.right));
            if !right.is_empty() {
                wrong.push(format!("{}: of the right trigger is told\n{right}", example.name));
            }
        }
        if text != page.text {
            fs::write(&page.file, text).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// `UPDATE_DOCS=1` writes what is told; look at the difference before it is kept.
#[test]
fn the_corpus_is_told_exactly() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for file in corpus() {
        let text = fs::read_to_string(&file).unwrap();
        let mut written: Vec<Value> = serde_json::from_str(&text).unwrap();
        for (case, written) in cases(&file).iter().zip(&mut written) {
            count += 1;
            let found: Vec<Value> = told(&case.document).iter().map(in_short).collect();
            if found.is_empty() {
                wrong.push(format!("{}: nothing is told", case.name));
            }
            if found != case.told {
                wrong.push(format!("{}: told is\n{}", case.name, serde_json::to_string_pretty(&found).unwrap()));
                written["told"] = Value::Array(found);
            }
        }
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&file, format!("{}\n", serde_json::to_string_pretty(&written).unwrap())).unwrap();
        }
    }
    let updated = std::env::var_os("UPDATE_DOCS").is_some();
    assert!(updated || wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(count >= 80, "there are {count} wrong triggers");
}

/// A code that nothing tells is no promise to keep.
#[test]
fn every_code_is_told_by_something() {
    let registry = fs::read_to_string(repository().join("engine/src/diagnostic/code.rs")).unwrap();
    let names = registry.lines().filter_map(|line| {
        let (name, rest) = line.trim().split_once(" = ")?;
        (rest.ends_with(';') && rest.starts_with(|digit: char| digit.is_ascii_digit())).then_some(name)
    });
    let mut sources = String::new();
    for room in ["engine", "provider", "runtime"] {
        read_sources(&repository().join(room).join("src"), &mut sources);
    }
    let names: Vec<&str> = names.collect();
    assert_eq!(names.len(), Code::ALL.len());
    let used: BTreeSet<&str> = sources
        .split("Code::")
        .skip(1)
        .map(|rest| rest.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').next().unwrap())
        .collect();
    let silent: Vec<&str> = names.into_iter().filter(|name| !used.contains(name)).collect();
    assert_eq!(silent, [""; 0]);
}

/// Everything but tests and the registry itself.
fn read_sources(directory: &std::path::Path, sources: &mut String) {
    for entry in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        let name = entry.file_name().unwrap().to_string_lossy().into_owned();
        if entry.is_dir() && name != "tests" {
            read_sources(&entry, sources);
        } else if name.ends_with(".rs") && name != "tests.rs" && !entry.ends_with("diagnostic/code.rs") {
            let text = fs::read_to_string(&entry).unwrap();
            sources.push_str(text.split("#[cfg(test)]").next().unwrap());
        }
    }
}
