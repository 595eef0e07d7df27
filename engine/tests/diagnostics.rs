//! Triggers that are wrong, each with what is told of it, and triggers that are right, of which nothing is told.
//!
//! `tests/corpus/diagnostics/*.json` are arrays of `{"name", "trigger", "told"}`, of which those are run here that only the expressions tell;
//! `tests/corpus/right/*.json` are documents.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use trailwire_engine::check::check_trigger;
use trailwire_engine::diagnostic::Diagnostic;
use trailwire_engine::trigger::Trigger;

/// What is told by the tree of an expression alone.
const THEMES: [&str; 5] = ["absent", "fields", "texts", "truth", "types"];

/// The files of a folder of the corpus, in order, each with its JSON.
fn corpus(folder: &str) -> Vec<(PathBuf, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus").join(folder);
    let entries = fs::read_dir(&folder).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("the file is text");
        let value = serde_json::from_str(&text).unwrap_or_else(|error| unreadable(&path, &error));
        (path, value)
    };
    files.into_iter().map(read).collect()
}

#[expect(clippy::panic, reason = "a test fails by panicking")]
fn unreadable(path: &Path, error: &serde_json::Error) -> Value {
    panic!("{}: {error}", path.display())
}

/// What is told of a trigger: by reading it, else by checking it.
fn found(trigger: &Value) -> Vec<Diagnostic> {
    Trigger::from_value(trigger).map_or_else(|diagnostics| diagnostics, |trigger| check_trigger(&trigger))
}

/// What is not there is left out, and of the text only what is underlined.
fn told(diagnostic: &Diagnostic) -> Value {
    let mut told = json!({
        "code": diagnostic.code.to_string(),
        "severity": diagnostic.severity.word(),
        "path": diagnostic.path.to_string(),
        "message": diagnostic.message,
    });
    if let Some(excerpt) = &diagnostic.excerpt {
        told["span"] = json!([excerpt.span.start, excerpt.span.end]);
        told["under"] = json!(excerpt.span.of(&excerpt.text));
    }
    if let Some(help) = &diagnostic.help {
        told["help"] = json!(help);
    }
    told
}

#[test]
fn of_wrong_triggers_exactly_what_is_expected_is_told() {
    let mut cases = 0;
    let mut differing = Vec::new();
    for (path, file) in corpus("diagnostics") {
        let theme = path.file_stem().expect("a file has a name").to_string_lossy();
        if !THEMES.contains(&theme.as_ref()) {
            continue;
        }
        for case in file.as_array().expect("an array of cases") {
            cases += 1;
            let mut trigger = case["trigger"].clone();
            let members = trigger.as_object_mut().expect("a trigger is an object");
            members.insert("name".to_owned(), json!("t"));
            members.entry("action").or_insert_with(|| json!([{"notify": [{"destinations": ["d"]}]}]));
            let found = found(&trigger);
            let told: Vec<Value> = found.iter().map(told).collect();
            if json!(told) != case["told"] {
                let drawn: Vec<String> = found.iter().map(Diagnostic::draw).collect();
                println!("{}: {}\n{}\n{}", path.display(), case["name"], drawn.join("\n"), json!(told));
                differing.push(case["name"].clone());
            }
        }
    }
    assert!(differing.is_empty(), "{} of {cases}: {differing:?}", differing.len());
    assert!(cases >= 80, "{cases} cases");
}

#[test]
fn of_right_triggers_nothing_is_told() {
    let mut triggers = 0;
    let mut wrong = 0;
    for (path, document) in corpus("right") {
        for trigger in document["triggers"].as_array().expect("triggers") {
            triggers += 1;
            let drawn: Vec<String> = found(trigger).iter().map(Diagnostic::draw).collect();
            if !drawn.is_empty() {
                wrong += 1;
                println!("{}: {}\n{}", path.display(), trigger["name"], drawn.join("\n"));
            }
        }
    }
    assert_eq!(wrong, 0, "of {triggers}");
    assert!(triggers >= 120, "{triggers} triggers");
}

/// The filter patterns that public projects write for the CIS benchmark are kept beside the repository, or above it.
#[test]
fn of_public_metric_filters_nothing_is_told() {
    let file = Path::new("shared/data/metric_filters.json");
    let found_at = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().skip(2).map(|above| above.join(file)).find(|path| path.exists());
    let Some(path) = found_at else {
        println!("skipped: there is no {} beside the repository", file.display());
        return;
    };
    let filters: Vec<Value> = serde_json::from_str(&fs::read_to_string(path).expect("the file is text")).expect("the file is JSON");
    assert_eq!(filters.len(), 59);
    for filter in filters {
        let trigger = json!({
            "name": "t", "any_event": true, "filter_pattern": filter["pattern"], "include_read_only": true,
            "action": [{"send": [{"destination": "d"}]}],
        });
        let drawn: Vec<String> = found(&trigger).iter().map(Diagnostic::draw).collect();
        assert!(drawn.is_empty(), "{}: {}\n{}", filter["source"], filter["pattern"], drawn.join("\n"));
    }
}
