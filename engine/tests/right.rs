//! What is told of triggers is true. Of right ones nothing is told: `tests/corpus/right/*.json`, which are documents, and what is kept beside the repository.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a test fails by panicking, and says why it was skipped")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use trailwire_engine::check::check_trigger;
use trailwire_engine::diagnostic::{Code, Diagnostic};
use trailwire_engine::eval::{search, truthy};
use trailwire_engine::lang::Language;
use trailwire_engine::shape::record;
use trailwire_engine::trigger::Trigger;

/// The documents of the corpus, in order.
fn documents() -> Vec<(PathBuf, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/right");
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

#[test]
fn of_right_triggers_nothing_is_told() {
    let mut triggers = 0;
    let mut wrong = 0;
    for (path, document) in documents() {
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
    let Some(text) = data("metric_filters.json") else { return };
    let filters: Vec<Value> = serde_json::from_str(&text).expect("the file is JSON");
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

/// The sources of those records that a trail wrote.
const FROM_TRAILS: [&str; 2] = ["invictus", "grycap"];

/// What stands in a record can be asked for: of `path == value` nothing is told for any field of the records that are kept beside the
/// repository and come from a trail, as it wrote them. (Others are fixtures of projects, with invented or masked values.)
#[test]
fn of_what_stands_in_real_records_nothing_is_told() {
    let Some(text) = data("records.jsonl") else { return };
    let mut asked = BTreeSet::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).expect("a line is JSON");
        if !FROM_TRAILS.iter().any(|source| line["source"] == *source) {
            continue;
        }
        leaves(&line["record"], "detail", &mut asked);
    }
    let mut told = BTreeSet::new();
    for (path, value) in &asked {
        let trigger = json!({
            "name": "t", "event_names": ["CreateUser"], "action": [{"send": [{"destination": "d"}]}],
            "match_expression": format!("{path} == {value}"), "include_read_only": true,
        });
        let found = found(&trigger).into_iter().filter(|diagnostic| !is_of_catalogue(diagnostic));
        told.extend(found.map(|diagnostic| format!("{} {path} == {value}", diagnostic.code)));
    }
    assert!(asked.len() > 60, "{} are asked", asked.len());
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    assert_eq!(told, [""; 0]);
}

/// The names of events and sources are held against the catalogue, and what it does not know is told.
fn is_of_catalogue(diagnostic: &Diagnostic) -> bool {
    [Code::UNKNOWN_EVENT_NAME, Code::UNKNOWN_EVENT_SOURCE, Code::NEVER_FIRES].contains(&diagnostic.code)
}

/// Every field above the parameters with a value of it as JMESPath writes it; of those with any text, one.
fn leaves(value: &Value, path: &str, asked: &mut BTreeSet<(String, String)>) {
    match value {
        Value::Object(members) => {
            let is_open = ["requestParameters", "responseElements", "additionalEventData"].iter().any(|name| path.ends_with(name));
            for (name, member) in members.iter().filter(|(name, _)| !is_open && !name.starts_with("p_")) {
                leaves(member, &format!("{path}.{name}"), asked);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| leaves(element, &format!("{path}[0]"), asked)),
        Value::String(text) => {
            let shown = if record::texts(path).is_some() { text.as_str() } else { "any" };
            asked.insert((path.to_owned(), format!("'{shown}'")));
        }
        value => {
            asked.insert((path.to_owned(), format!("`{value}`")));
        }
    }
}

/// A file of third-party data, kept in `shared/data` beside the repository or above it.
fn data(name: &str) -> Option<String> {
    let file = Path::new("shared/data").join(name);
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().skip(2).map(|above| above.join(&file)).find(|path| path.exists());
    if found.is_none() {
        println!("skipped: there is no {} beside the repository", file.display());
    }
    found.map(|path| fs::read_to_string(path).expect("the file is text"))
}

/// What the codes of errors say of a match that is nothing but the mistake: it is never true, or always.
const NEVER: [&str; 6] = ["TW2111", "TW2112", "TW2115", "TW2130", "TW2131", "TW2132"];
const ALWAYS: [&str; 1] = ["TW2123"];

/// An error is told where it is certain, and on real records it is.
#[test]
fn what_is_told_as_certain_holds_of_real_records() {
    let Some(text) = data("records.jsonl") else { return };
    let events: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"))
        .filter(|line| FROM_TRAILS.iter().any(|source| line["source"] == *source))
        .map(|line| json!({"source": "aws.iam", "detail-type": "AWS API Call via CloudTrail", "detail": line["record"]}))
        .collect();
    let mut claims = 0;
    for theme in ["fields", "texts", "truth", "types"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/diagnostics").join(format!("{theme}.json"));
        let cases: Vec<Value> = serde_json::from_str(&fs::read_to_string(file).expect("the file is text")).expect("the file is JSON");
        for case in &cases {
            let [told] = case["told"].as_array().expect("what is told").as_slice() else { continue };
            let code = told["code"].as_str().expect("a code");
            let languages = Language::ALL.into_iter();
            let matching = languages.filter_map(|language| Some((language, case["trigger"][language.attribute()].as_str()?))).next();
            let Some((language, text)) = matching.filter(|_| told["severity"] == "error") else { continue };
            let always = ALWAYS.contains(&code) || told["message"].as_str().is_some_and(|message| message.ends_with("always differ"));
            // Of a part of a match, or what is turned round, nothing is claimed of the whole.
            let is_part = ["&&", "||", "!(", "$or", "[?"].iter().any(|word| text.contains(word)) && !always;
            let is_difference = text.contains("!=") && !always;
            if is_part || is_difference || !(always || NEVER.contains(&code)) {
                continue;
            }
            claims += 1;
            let expr = language.parse(text).0.expect("it can be read");
            for event in &events {
                let fires = search(&expr, event).is_ok_and(|value| truthy(&value));
                assert_eq!(fires, always, "{}: {text} on {event}", case["name"]);
            }
        }
    }
    assert!(claims >= 30, "{claims} claims");
}
