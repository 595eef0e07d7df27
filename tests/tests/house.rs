//! The rules of the house, held by reading the house.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use trailwire_tests::stand::repository;

/// The engine's modules in reading order: one imports only those before it.
const ENGINE_ORDER: [&str; 22] = [
    "testing",
    "text",
    "diagnostic",
    "value",
    "event",
    "pattern",
    "expr",
    "eval",
    "lang",
    "shape",
    "pushdown",
    "catalogue",
    "operations",
    "trigger",
    "matcher",
    "search",
    "explain",
    "check",
    "template",
    "actor",
    "fanout",
    "lib",
];

/// The wall for one file, in lines that are neither blank nor comment.
const MAX_CODE_LINES: usize = 500;

#[test]
fn crates_depend_only_on_the_engine() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(repository())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut edges = BTreeMap::new();
    for package in metadata["packages"].as_array().unwrap() {
        let inside = |dependency: &&Value| !dependency["path"].is_null();
        let names =
            package["dependencies"].as_array().unwrap().iter().filter(inside).map(|dependency| dependency["name"].as_str().unwrap());
        edges.insert(package["name"].as_str().unwrap(), names.collect::<Vec<_>>());
    }
    let engine = vec!["trailwire-engine"];
    let wanted = [
        ("trailwire-provider", engine.clone()),
        ("trailwire-runtime", engine.clone()),
        ("trailwire-engine", vec![]),
        ("trailwire-tests", engine),
    ];
    assert_eq!(edges, BTreeMap::from(wanted));
}

#[test]
fn engine_modules_import_only_those_before_them() {
    let mut wrong = Vec::new();
    // A module's tests may use what comes after it: the evaluator's are written in JMESPath.
    let is_test =
        |file: &Path| file.file_name().is_some_and(|name| name == "tests.rs") || file.components().any(|part| part.as_os_str() == "tests");
    let engine = repository().join("engine/src");
    for file in rust_files(&engine).into_iter().filter(|file| !is_test(file.strip_prefix(&engine).unwrap())) {
        let module = module_of(&file);
        let place = place_of(&module).unwrap_or_else(|| panic!("{} is in no known module: add `{module}` to the order", file.display()));
        for (number, line) in code_lines(&fs::read_to_string(&file).unwrap()) {
            if line.contains("crate::{") {
                wrong.push(format!("{}:{number}: one `use` for each module, so that this test sees it", file.display()));
            }
            for imported in line.split("crate::").skip(1).map(leading_word) {
                if place_of(imported).is_some_and(|imported| imported > place) {
                    wrong.push(format!("{}:{number}: `{module}` imports `{imported}`", file.display()));
                }
            }
        }
    }
    assert_eq!(wrong, [] as [String; 0]);
}

#[test]
fn the_engine_declares_its_modules_in_reading_order() {
    let lib = fs::read_to_string(repository().join("engine/src/lib.rs")).unwrap();
    let declared: Vec<&str> =
        lib.lines().filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';')).collect();
    let mut sorted = declared.clone();
    sorted.sort_by_key(|module| place_of(module));
    assert_eq!(declared, sorted);
}

#[test]
fn the_engine_refuses_io_and_clocks() {
    let lib = fs::read_to_string(repository().join("engine/src/lib.rs")).unwrap();
    let deny = lib.split("#![deny(").nth(1).and_then(|rest| rest.split(")]").next()).unwrap_or_default();
    for lint in ["clippy::disallowed_methods", "clippy::disallowed_types", "clippy::disallowed_macros"] {
        assert!(deny.contains(lint), "engine/src/lib.rs does not deny {lint}");
    }
}

#[test]
fn files_stay_small() {
    let mut long = Vec::new();
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        let is_generated = text.lines().take(5).any(|line| line.contains("@generated"));
        let lines = code_lines(&text).count();
        if !is_generated && lines > MAX_CODE_LINES {
            long.push(format!("{}: {lines} lines of code", file.display()));
        }
    }
    assert_eq!(long, [] as [String; 0]);
}

/// A test that is skipped, that passes by failing or that is tried again hides what it found.
#[test]
fn tests_are_neither_skipped_nor_repeated() {
    let attributes = ["ignore", "should_panic"].map(|name| format!("#[{name}"));
    let mut found = Vec::new();
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in code_lines(&text) {
            if attributes.iter().any(|attribute| line.contains(attribute)) {
                found.push(format!("{}:{number}: {line}", file.display()));
            }
        }
    }
    let settings = [".config/nextest.toml", ".cargo/config.toml"].map(|path| repository().join(path));
    found.extend(
        settings
            .iter()
            .filter(|path| fs::read_to_string(path).is_ok_and(|text| text.contains("retries")))
            .map(|path| path.display().to_string()),
    );
    assert_eq!(found, [] as [String; 0]);
}

/// Terraform cannot hand a module's variables on: every pack declares all that `modules/pack` takes. They are the same, and what a pack has of its own
/// stands in its `settings.tf`.
#[test]
fn packs_take_the_same_settings() {
    let modules = repository().join("modules");
    let mut packs = 0;
    for pack in fs::read_dir(modules.join("packs")).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        packs += 1;
        for (file, model) in
            [("variables.tf", "pack"), ("versions.tf", "pack"), ("main.tf", "packs/compute"), ("outputs.tf", "packs/compute")]
        {
            let read = |path: PathBuf| fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(read(pack.join(file)), read(modules.join(model).join(file)), "{}/{file}", pack.display());
        }
    }
    assert!(packs >= 6, "only {packs} packs");
}

/// The first step of the path below `src`: `lang/jmespath.rs` belongs to `lang`.
fn module_of(file: &Path) -> String {
    let inside = file.strip_prefix(repository().join("engine/src")).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

fn place_of(module: &str) -> Option<usize> {
    ENGINE_ORDER.iter().position(|known| *known == module)
}

fn leading_word(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// The lines that are neither blank nor comment, numbered from 1.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with("//") && !line.starts_with('#') || line.starts_with("#["))
}

fn sources() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for room in ["engine", "provider", "runtime", "tests"] {
        files.extend(rust_files(&repository().join(room)));
    }
    assert!(files.len() > 20, "the sources are not where they were");
    files
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            files.extend(rust_files(&entry));
        } else if entry.extension().is_some_and(|extension| ["rs", "py", "js", "mjs", "css"].iter().any(|known| extension == *known)) {
            files.push(entry);
        }
    }
    files.sort();
    files
}

/// The map is short, and every place on it exists.
#[test]
fn the_architecture_page_is_true() {
    let text = fs::read_to_string(repository().join("docs/ARCHITECTURE.md")).unwrap();
    assert!(text.lines().count() <= 250, "docs/ARCHITECTURE.md is longer than 250 lines");
    let is_path =
        |word: &&str| ["engine/", "provider/", "runtime/", "tests/", "docs/", "examples/"].iter().any(|room| word.starts_with(room));
    let named: Vec<&str> = text.split('`').skip(1).step_by(2).filter(is_path).collect();
    assert!(named.len() > 30, "the page names its rooms in backticks");
    let gone: Vec<&str> = named.into_iter().filter(|path| !repository().join(path).exists()).collect();
    assert_eq!(gone, [] as [&str; 0]);
}
