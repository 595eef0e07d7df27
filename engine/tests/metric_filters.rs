//! The filter patterns that public projects write for the CIS benchmark, kept beside the repository as data.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a test fails by panicking, and says why it was skipped")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use trailwire_engine::eval::{search, truthy};
use trailwire_engine::expr::Expr;
use trailwire_engine::lang::{filter, jmespath};

/// The folder of third-party data: `shared/data` beside the repository or above it.
fn data(name: &str) -> Option<String> {
    let file = Path::new("shared/data").join(name);
    let found: Option<PathBuf> =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().skip(2).map(|above| above.join(&file)).find(|file| file.exists());
    if found.is_none() {
        println!("skipped: there is no {} beside the repository", file.display());
    }
    found.map(|file| fs::read_to_string(file).expect("the file is text"))
}

fn fires(expr: &Expr, record: &Value) -> bool {
    let value = search(expr, &json!({ "detail": record })).expect("a filter pattern never errs");
    truthy(&value)
}

/// The values that a pattern compares a field with for equality, in order.
fn wanted<'p>(pattern: &'p str, field: &str) -> Vec<&'p str> {
    let after = pattern.split(field).skip(1);
    let values = after.filter_map(|rest| rest.trim_start().strip_prefix('='));
    values.map(|rest| rest.trim_start().trim_start_matches('"')).map(|rest| rest.split(['"', ')', ' ', '}']).next().unwrap_or("")).collect()
}

#[test]
fn all_of_them_parse_and_say_what_they_name() {
    let Some(text) = data("metric_filters.json") else { return };
    let filters: Vec<Value> = serde_json::from_str(&text).expect("the file is JSON");
    assert_eq!(filters.len(), 59);
    let mut by_name_alone = 0;
    for entry in &filters {
        let pattern = entry["pattern"].as_str().expect("a pattern");
        let (expr, diagnostics) = filter::parse(pattern);
        assert_eq!(diagnostics, [], "{pattern}");
        let expr = expr.expect("no diagnostic, so a tree");
        assert!(!fires(&expr, &json!({})), "{pattern} fires on an empty record");

        let fields = ["errorCode", "errorMessage", "userIdentity", "additionalEventData", "requestParameters"];
        if fields.iter().any(|field| pattern.contains(field)) {
            continue;
        }
        by_name_alone += 1;
        let names = wanted(pattern, "$.eventName");
        assert!(!names.is_empty(), "{pattern}");
        let source = wanted(pattern, "$.eventSource").first().copied().unwrap_or("any.amazonaws.com");
        for name in names {
            assert!(fires(&expr, &json!({"eventName": name, "eventSource": source})), "{pattern}: {name}");
            assert!(!fires(&expr, &json!({"eventName": format!("{name}s"), "eventSource": source})), "{pattern}: {name}s");
        }
    }
    assert_eq!(by_name_alone, 43);
}

/// On every record of the corpus the pattern and its JMESPath say the same, and most patterns find something.
#[test]
fn pattern_and_translation_agree_on_real_records() {
    let (Some(filters), Some(records)) = (data("metric_filters.json"), data("records.jsonl")) else { return };
    let filters: Vec<Value> = serde_json::from_str(&filters).expect("the file is JSON");
    let records: Vec<Value> =
        records.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON")["record"].clone()).collect();
    let mut finding = 0;
    for entry in &filters {
        let pattern = entry["pattern"].as_str().expect("a pattern");
        let expr = filter::parse(pattern).0.expect("a tree");
        let translated = filter::to_jmespath(pattern).expect("a translation");
        let translated = jmespath::parse(&translated).0.expect("the translation is JMESPath");
        let found = records.iter().filter(|record| fires(&expr, record)).count();
        assert_eq!(found, records.iter().filter(|record| fires(&translated, record)).count(), "{pattern}");
        finding += usize::from(found > 0);
    }
    assert!(finding >= 30, "only {finding} patterns find anything");
}
