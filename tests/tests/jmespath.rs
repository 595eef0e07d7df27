//! The JMESPath compliance suite and our own cases, through the engine and through `trailwire eval --raw`.
//!
//! The official suite is the one that crate `jmespath` carries, read where cargo keeps the crate's source; `tests/corpus/jmespath` has
//! ours: what the suite gained since, and the rules that it leaves open.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use trailwire_engine::eval::search;
use trailwire_engine::lang::jmespath::parse;
use trailwire_engine::value::equal;
use trailwire_tests::process::built;
use trailwire_tests::stand::repository;

/// The cases of the official suite that have a verdict.
const OFFICIAL: usize = 861;

struct Case {
    /// The file and what the case is about.
    origin: String,
    given: Value,
    expression: String,
    /// `None` where an error is wanted, when parsing or evaluating.
    result: Option<Value>,
}

/// The cases of every file of a folder. Those without a result or an error are measured elsewhere and have no verdict.
fn cases(folder: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).expect("the folder is there").flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "json"));
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a file of cases is text");
        let suites: Vec<Value> = serde_json::from_str(&text).expect("a file of cases is JSON");
        for suite in &suites {
            for case in suite["cases"].as_array().expect("a suite has cases") {
                if case.get("result").is_none() && case.get("error").is_none() {
                    continue;
                }
                cases.push(Case {
                    origin: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                    given: suite["given"].clone(),
                    expression: case["expression"].as_str().expect("an expression is text").to_owned(),
                    result: case.get("error").is_none().then(|| case["result"].clone()),
                });
            }
        }
    }
    cases
}

fn official() -> Vec<Case> {
    let host = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let host = String::from_utf8(host.stdout).expect("rustc speaks UTF-8");
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--format-version", "1", "--filter-platform", host])
        .current_dir(repository())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    let packages = metadata["packages"].as_array().expect("metadata has packages");
    let package = packages.iter().find(|package| package["name"] == "jmespath").expect("the crate is a dependency of these tests");
    let manifest = Path::new(package["manifest_path"].as_str().expect("a package has a manifest"));
    cases(&manifest.with_file_name("tests").join("compliance"))
}

fn own() -> Vec<Case> {
    cases(&repository().join("tests/corpus/jmespath"))
}

fn agrees(case: &Case, found: Option<&Value>) -> bool {
    match (&case.result, found) {
        (None, None) => true,
        (Some(wanted), Some(found)) => equal(wanted, found),
        _ => false,
    }
}

fn complain(case: &Case, found: &str) -> String {
    let wanted = case.result.as_ref().map_or("an error".to_owned(), Value::to_string);
    format!("{}: `{}` on {} is {found}, not {wanted}", case.origin, case.expression, case.given)
}

#[track_caller]
fn check_engine(cases: &[Case]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let found = match parse(&case.expression) {
                (None, diagnostics) => Err(diagnostics.first().map(|diagnostic| diagnostic.message.clone()).unwrap_or_default()),
                (Some(expr), _) => search(&expr, &case.given).map_err(|error| error.message),
            };
            let says = found.as_ref().map_or_else(Clone::clone, Value::to_string);
            (!agrees(case, found.ok().as_ref())).then(|| complain(case, &says))
        })
        .collect();
    assert_eq!(wrong, [] as [String; 0]);
}

#[test]
fn the_engine_passes_the_official_suite() {
    let cases = official();
    assert_eq!(cases.len(), OFFICIAL);
    check_engine(&cases);
}

#[test]
fn the_engine_passes_our_cases() {
    let cases = own();
    assert!(cases.len() >= 600, "{}", cases.len());
    check_engine(&cases);
}

/// The same through the program: all documents of one expression in one run.
#[test]
fn the_program_passes_both() {
    let program = built("trailwire");
    let all: Vec<Case> = official().into_iter().chain(own()).collect();
    let mut by_expression: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
    for case in &all {
        by_expression.entry(&case.expression).or_default().push(case);
    }
    let jobs: Vec<(&str, Vec<&Case>)> = by_expression.into_iter().collect();
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((expression, cases)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = evaluated(&program, expression, cases);
                    wrong.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
                }
            });
        }
    });
    assert_eq!(wrong.into_inner().unwrap_or_default(), [] as [String; 0]);
}

/// Runs `trailwire eval --raw` for one expression; gives what is wrong.
fn evaluated(program: &Path, expression: &str, cases: &[&Case]) -> Vec<String> {
    let mut child = Command::new(program)
        .args(["eval", "--raw", &format!("--jmespath={expression}"), "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let documents: String = cases.iter().map(|case| format!("{}\n", case.given)).collect();
    // A program that refuses the expression does not read.
    let _ = child.stdin.take().expect("it was piped").write_all(documents.as_bytes());
    let output = child.wait_with_output().expect("the program ends");
    let code = output.status.code();
    if code == Some(2) {
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        return cases.iter().filter(|case| !agrees(case, None)).map(|case| complain(case, &told)).collect();
    }
    let lines: Vec<Value> =
        String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    if code != Some(0) || lines.len() != cases.len() {
        return vec![format!("`{expression}` ended with {code:?} after {} of {} lines", lines.len(), cases.len())];
    }
    let outcome = |line: &Value| line["error"].is_null().then(|| line["value"].clone());
    let pairs = cases.iter().zip(&lines);
    pairs.filter(|(case, line)| !agrees(case, outcome(line).as_ref())).map(|(case, line)| complain(case, &line.to_string())).collect()
}
