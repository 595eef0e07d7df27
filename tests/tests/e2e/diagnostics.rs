//! Wrong triggers through the real Terraform and through `trailwire check`: both say what the pages and the corpus say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};
use trailwire_engine::diagnostic::{Diagnostic, Path as AttributePath, Step};
use trailwire_engine::trigger::MEMBERS;
use trailwire_tests::control::Matcher;
use trailwire_tests::diagnostics::{Form, cases, corpus, document, pages, told};
use trailwire_tests::process::Program;
use trailwire_tests::runtime;

use crate::world::{HOME, PROVIDER, World};

/// What is written as a block of a trigger, or of a block in it.
const BLOCKS: [&str; 8] = ["action", "test", "notify", "wait", "query", "send", "threshold", "suppress"];

/// A wrong trigger.
struct Wrong {
    /// A label of HCL.
    label: String,
    /// Where it comes from.
    name: String,
    document: Value,
    /// As on its page, where it is from one.
    hcl: Option<String>,
}

/// Every wrong trigger of the pages and of the corpus. Each has a name of its own, except where the name is what is wrong.
fn wrong_triggers() -> Vec<Wrong> {
    let mut triggers = Vec::new();
    for page in pages() {
        for example in page.examples().into_iter().filter(|example| example.form == Form::Hcl) {
            let label = format!("{}{}", page.code().to_lowercase(), example.number.replace(' ', "-"));
            let mut document = document(example.wrong);
            if page.code() != "TW1100" {
                document["name"] = json!(label);
            }
            let hcl = example.wrong.replace("\"trailwire_trigger\" \"example\"", &format!("\"trailwire_trigger\" {label:?}"));
            let hcl = hcl.replace("trailwire_hub.security.id", "\"security\"").replace("trailwire_destination.slack.name", "\"another\"");
            triggers.push(Wrong { label, name: example.name, document, hcl: Some(hcl) });
        }
    }
    for case in corpus().iter().flat_map(|file| cases(file)) {
        let label = case.document["name"].as_str().unwrap().to_owned();
        triggers.push(Wrong { label, name: case.name, document: case.document, hcl: None });
    }
    triggers
}

/// What Terraform shows of a diagnostic: severity, summary, detail.
type Shown = (String, String, String);

fn expected(diagnostic: &Diagnostic) -> Shown {
    let mut letters = diagnostic.message.chars();
    let summary = letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default();
    let mut detail: Vec<String> = diagnostic.body().iter().flat_map(|line| line.lines()).map(|line| format!("  {line}")).collect();
    detail.push(format!("  [{}]", diagnostic.code));
    (diagnostic.severity.word().to_owned(), summary, detail.join("\n"))
}

fn shown(diagnostic: &Value) -> Shown {
    let text = |name: &str| diagnostic[name].as_str().unwrap_or_default().to_owned();
    (text("severity"), text("summary"), text("detail"))
}

/// Whether it is Terraform's own word about the provider under test.
fn is_about_the_override(diagnostic: &Value) -> bool {
    diagnostic["summary"] == "Provider development overrides are in effect"
}

fn resource(wrong: &Wrong) -> Value {
    let mut body = wrong.document.clone();
    body["hub"] = json!("security");
    escaped(&mut body);
    json!({"resource": {"trailwire_trigger": {&wrong.label: body}}})
}

/// In Terraform's JSON `${` begins an interpolation.
fn escaped(value: &mut Value) {
    match value {
        Value::String(text) => *text = text.replace("${", "$${").replace("%{", "%%{"),
        Value::Array(elements) => elements.iter_mut().for_each(escaped),
        Value::Object(members) => members.values_mut().for_each(escaped),
        _ => {}
    }
}

/// Writes each trigger to a file of its own, by which what is told is told apart.
fn write(directory: &Path, wrong: &Wrong) {
    let (file, text) = match &wrong.hcl {
        Some(hcl) => (format!("{}.tf", wrong.label), hcl.clone()),
        None => (format!("{}.tf.json", wrong.label), serde_json::to_string_pretty(&resource(wrong)).unwrap()),
    };
    fs::write(directory.join(file), text).unwrap();
}

fn label_of_file(diagnostic: &Value) -> String {
    let file = diagnostic["range"]["filename"].as_str().unwrap_or_default();
    file.trim_end_matches(".json").trim_end_matches(".tf").to_owned()
}

/// The attribute or block at the top, as it is written in the line that Terraform points at.
fn is_in_its_place(directory: &Path, diagnostic: &Value, path: &AttributePath) -> bool {
    let Some(Step::Attribute(first)) = path.0.first() else { return true };
    let text = fs::read_to_string(directory.join(diagnostic["range"]["filename"].as_str().unwrap())).unwrap();
    let line = usize::try_from(diagnostic["range"]["start"]["line"].as_u64().unwrap()).unwrap();
    // What is missing is told of the whole.
    let is_there = text.contains(&format!("{first} ")) || text.contains(&format!("\"{first}\""));
    let before: Vec<&str> = text.lines().take(line).collect();
    !is_there || before.iter().any(|line| line.contains(first.as_str()))
}

/// Compares what was shown with what is told, trigger by trigger and whatever the order.
fn compare(found: &BTreeMap<String, Vec<Shown>>, wrong: &[&Wrong]) {
    let mut differences = Vec::new();
    for trigger in wrong {
        let mut wanted: Vec<Shown> = told(&trigger.document).iter().map(expected).collect();
        let mut given = found.get(&trigger.label).cloned().unwrap_or_default();
        wanted.sort();
        given.sort();
        if wanted != given {
            differences.push(format!("{}: wanted {wanted:#?}, given {given:#?}", trigger.name));
        }
    }
    assert!(differences.is_empty(), "{} of {} differ:\n{}", differences.len(), wrong.len(), differences.join("\n\n"));
}

#[tokio::test]
async fn terraform_says_what_is_wrong_with_each() {
    let world = World::new().await;
    let directory = world.terraform.path();
    world.terraform.configure(PROVIDER);
    let triggers = wrong_triggers();
    assert!(triggers.len() >= 80, "there are {} wrong triggers", triggers.len());
    triggers.iter().for_each(|wrong| write(&directory, wrong));

    let validated = world.terraform.run(&["validate", "-json"]).await;
    let validated: Value = serde_json::from_str(&validated.stdout).unwrap();
    let mut found: BTreeMap<String, Vec<Shown>> = BTreeMap::new();
    for diagnostic in validated["diagnostics"].as_array().unwrap().iter().filter(|diagnostic| !is_about_the_override(diagnostic)) {
        found.entry(label_of_file(diagnostic)).or_default().push(shown(diagnostic));
    }
    compare(&found, &triggers.iter().collect::<Vec<_>>());

    // The place: the first step of the path is where Terraform points.
    let by_label: BTreeMap<&str, &Wrong> = triggers.iter().map(|wrong| (wrong.label.as_str(), wrong)).collect();
    for diagnostic in validated["diagnostics"].as_array().unwrap().iter().filter(|diagnostic| !is_about_the_override(diagnostic)) {
        let wrong = by_label[label_of_file(diagnostic).as_str()];
        let told = told(&wrong.document);
        let candidates: Vec<&Diagnostic> = told.iter().filter(|told| expected(told) == shown(diagnostic)).collect();
        assert!(candidates.iter().any(|told| is_in_its_place(&directory, diagnostic, &told.path)), "{}: {diagnostic:#}", wrong.name);
    }
    let calls = world.control().call_count(&Matcher::default().by(&world.account)).await;
    assert_eq!(calls, 0, "what is wrong by itself needs no AWS");
}

#[tokio::test]
async fn check_says_the_same() {
    let world = World::new().await;
    let directory = tempfile::tempdir().unwrap();
    let triggers = wrong_triggers();
    let document = json!({"format_version": 1, "triggers": triggers.iter().map(|wrong| &wrong.document).collect::<Vec<_>>()});
    let file = directory.path().join("triggers.json");
    fs::write(&file, document.to_string()).unwrap();
    let checked = check(&world, &file).await;
    for (index, wrong) in triggers.iter().enumerate() {
        let name = wrong.document["name"].as_str();
        let given: BTreeSet<String> =
            checked.iter().filter(|told| told["trigger"].as_str() == name).map(|told| without_place(told).to_string()).collect();
        let wanted: BTreeSet<String> = told(&wrong.document).iter().map(|told| in_full(told).to_string()).collect();
        assert_eq!(given, wanted, "{} ({index})", wrong.name);
    }
    assert_eq!(checked.len(), triggers.iter().map(|wrong| told(&wrong.document).len()).sum::<usize>());

    // Pages about documents have their own.
    for page in pages() {
        for example in page.examples().into_iter().filter(|example| example.form == Form::Json) {
            let file = directory.path().join(format!("{}.json", page.code()));
            fs::write(&file, example.wrong).unwrap();
            let given: Vec<Value> = check(&world, &file).await.iter().map(|told| told["code"].clone()).collect();
            let wanted: Vec<Value> = example.found().iter().map(|told| json!(told.code.to_string())).collect();
            assert_eq!(given, wanted, "{}", example.name);
        }
    }
}

/// What is told of each alone. What triggers tell beside each other is another matter.
async fn check(world: &World, file: &Path) -> Vec<Value> {
    let arguments = ["check", "--format", "json", "--definitions", file.to_str().unwrap()];
    let checked = Program::start(runtime::command(world.stand, &world.account, HOME, &arguments)).finish().await.failure();
    let report: Value = serde_json::from_str(&checked.stdout).unwrap_or_else(|error| panic!("{error}: {}", checked.said()));
    let told = report["diagnostics"].as_array().unwrap().iter();
    told.filter(|told| !told["code"].as_str().unwrap().starts_with("TW242")).cloned().collect()
}

fn without_place(told: &Value) -> Value {
    let mut told = told.clone();
    told.as_object_mut().unwrap().retain(|name, _| !["trigger", "file", "line", "address"].contains(&name.as_str()));
    told
}

/// A diagnostic as `trailwire check` writes it.
fn in_full(told: &Diagnostic) -> Value {
    json!({
        "code": told.code.to_string(),
        "severity": told.severity.word(),
        "path": told.path.to_string(),
        "message": told.message,
        "text": told.excerpt.as_ref().map(|excerpt| &excerpt.text),
        "span": told.excerpt.as_ref().map(|excerpt| json!({"start": excerpt.span.start, "end": excerpt.span.end})),
        "help": told.help,
    })
}

/// Gives a trigger of which only warnings are told a test that fails, so that apply ends before anything is made, and tells the warnings beside it.
fn with_an_error(wrong: &mut Wrong) {
    let warnings = told(&wrong.document);
    if warnings.iter().any(Diagnostic::is_error) || !wrong.document["test"].is_null() {
        return;
    }
    for expect in [true, false] {
        let mut document = wrong.document.clone();
        document["test"] = json!([{"name": "late", "event": "{}", "expect": expect}]);
        let all = told(&document);
        if all.iter().any(Diagnostic::is_error) && warnings.iter().all(|warning| all.contains(warning)) {
            wrong.document = document;
            return;
        }
    }
}

/// Takes the values of attributes out of a body, and leaves in their places what another resource gives. A block stays, its
/// attributes do not.
fn give_from_elsewhere(body: &mut Map<String, Value>, label: &str, given: &mut Map<String, Value>) {
    for (name, value) in body {
        if let Some(blocks) = value.as_array_mut().filter(|_| BLOCKS.contains(&name.as_str())) {
            blocks.iter_mut().filter_map(Value::as_object_mut).for_each(|block| give_from_elsewhere(block, label, given));
        } else if !value.is_null() && name != "hub" {
            let number = format!("value_{}", given.len());
            let place = json!(format!("${{terraform_data.{label}.output.{number}}}"));
            given.insert(number, std::mem::replace(value, place));
        }
    }
}

/// Whether what is told there is told of the value of an attribute that is written: such a value another resource can give.
fn is_of_a_value(document: &Value, path: &AttributePath) -> bool {
    if !matches!(path.0.first(), Some(Step::Attribute(first)) if MEMBERS.contains(&first.as_str())) {
        return false;
    }
    let mut value = document;
    for step in &path.0 {
        let inner = match step {
            Step::Attribute(name) => value.get(name),
            Step::Index(index) => value.get(index),
            Step::Key(key) => value.get(key),
        };
        match inner.filter(|inner| !inner.is_null()) {
            Some(inner) => value = inner,
            None => return false,
        }
        if let Step::Attribute(name) = step
            && !BLOCKS.contains(&name.as_str())
        {
            return true;
        }
    }
    false
}

/// The same mistakes in values that only apply knows: the plan says nothing of them, and apply says all before it calls AWS.
#[tokio::test]
async fn what_only_apply_knows_is_told_before_any_call() {
    let world = World::new().await;
    let directory = world.terraform.path();
    world.terraform.configure(PROVIDER);
    let mut triggers = wrong_triggers();
    triggers.iter_mut().for_each(with_an_error);
    // What is told of blocks, or of what is missing, is told while planning, and a plan with errors is not applied.
    let chosen: Vec<&Wrong> = triggers
        .iter()
        .filter(|wrong| {
            let told = told(&wrong.document);
            told.iter().all(|diagnostic| is_of_a_value(&wrong.document, &diagnostic.path)) && told.iter().any(Diagnostic::is_error)
        })
        .collect();
    let warnings = chosen.iter().filter(|wrong| told(&wrong.document).iter().any(|told| !told.is_error())).count();
    let within_actions =
        chosen.iter().filter(|wrong| told(&wrong.document).iter().any(|told| told.path.to_string().starts_with("action["))).count();
    // What is missing and which blocks there are is known while planning, whatever the values; that an `allow` silences nothing is told of a trigger
    // without errors alone.
    let codes = |triggers: &mut dyn Iterator<Item = &Wrong>| -> BTreeSet<String> {
        triggers.flat_map(|wrong| told(&wrong.document)).map(|told| told.code.to_string()).collect()
    };
    let left: Vec<String> = codes(&mut triggers.iter()).difference(&codes(&mut chosen.iter().copied())).cloned().collect();
    assert_eq!(left, ["TW1003", "TW1006", "TW1117"]);
    let counts = (chosen.len(), within_actions, warnings);
    assert!(counts.0 >= 250 && counts.1 >= 8 && counts.2 >= 50, "wrong triggers, those within actions, those with warnings: {counts:?}");
    for wrong in &chosen {
        let mut body = resource(wrong)["resource"]["trailwire_trigger"][&wrong.label].clone();
        let mut given = Map::new();
        give_from_elsewhere(body.as_object_mut().unwrap(), &wrong.label, &mut given);
        let resources = json!({"terraform_data": {&wrong.label: {"input": given}}, "trailwire_trigger": {&wrong.label: body}});
        let file = directory.join(format!("{}.tf.json", wrong.label));
        fs::write(file, serde_json::to_string_pretty(&json!({ "resource": resources })).unwrap()).unwrap();
    }
    let planned = world.terraform.run(&["plan", "-json", "-input=false", "-out=planned"]).await;
    let while_planning: Vec<Value> = diagnostics(&planned.stdout);
    assert!(while_planning.is_empty(), "{while_planning:#?}");
    assert!(planned.status.success(), "{}", planned.said());

    let all = Matcher::default().by(&world.account);
    let before = world.control().call_count(&all).await;
    let applied = world.terraform.run(&["apply", "-json", "-input=false", "planned"]).await;
    let mut found: BTreeMap<String, Vec<Shown>> = BTreeMap::new();
    for diagnostic in diagnostics(&applied.stdout) {
        let address = diagnostic["address"].as_str().unwrap_or_default().trim_start_matches("trailwire_trigger.").to_owned();
        found.entry(address).or_default().push(shown(&diagnostic));
    }
    compare(&found, &chosen);
    assert_eq!(world.control().call_count(&all).await, before, "apply called AWS for triggers that are wrong");
}

/// The diagnostics among the lines of `-json`.
fn diagnostics(lines: &str) -> Vec<Value> {
    let lines = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let told = lines.filter(|line| line["type"] == "diagnostic").map(|line| line["diagnostic"].clone());
    told.filter(|diagnostic| !is_about_the_override(diagnostic)).collect()
}
