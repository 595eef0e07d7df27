//! The pages of `docs/` in the layout of the Terraform registry, written from the schemas. The test fails when a page on disk says something else;
//! `UPDATE_DOCS=1` writes them (`make docs`).

#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic: that is how it fails")]

mod guides;
mod page;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use trailwire_engine::diagnostic::Code;
use trailwire_provider::{config, registry};

use page::{Examples, Kind, function_page, page};

/// What the registry accepts for one file.
const MAX_PAGE_BYTES: usize = 500_000;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every generated page by its path below `docs/`.
fn pages() -> BTreeMap<String, String> {
    let examples = Examples::new(root().join("examples"));
    let mut pages = BTreeMap::new();
    pages.insert("index.md".to_owned(), page(Kind::Provider, "trailwire", &config::schema(), &examples));
    for resource in registry::resources() {
        let path = format!("resources/{}.md", short(resource.name()));
        pages.insert(path, page(Kind::Resource, resource.name(), &resource.schema(), &examples));
    }
    for source in registry::data_sources() {
        let path = format!("data-sources/{}.md", short(source.name()));
        pages.insert(path, page(Kind::DataSource, source.name(), &source.schema(), &examples));
    }
    for function in registry::functions() {
        pages.insert(format!("functions/{}.md", function.name()), function_page(function.as_ref(), &examples));
    }
    pages.insert("guides/diagnostics.md".to_owned(), diagnostics());
    pages.insert("guides/templates.md".to_owned(), guides::templates());
    let example = std::fs::read_to_string(root().join("examples/autoscaling/main.tf")).unwrap();
    let trigger = example.find("resource \"trailwire_hub\"").and_then(|start| example.get(start..)).unwrap();
    pages.insert("guides/queries.md".to_owned(), guides::queries(trigger));
    pages
}

fn short(name: &str) -> &str {
    name.strip_prefix("trailwire_").unwrap()
}

/// Where the page of a diagnostic is read. The registry shows no pages beside its own kinds.
const DIAGNOSTIC_PAGES: &str = "https://github.com/trailwire/trailwire/blob/main/docs/diagnostics";

/// The index of the numbered diagnostics, from the engine's list.
fn diagnostics() -> String {
    let mut text =
        "---\npage_title: \"Diagnostics\"\nsubcategory: \"\"\ndescription: |-\n  Every numbered error and warning of Trailwire.\n---\n\n# Diagnostics\n\n"
            .to_owned();
    text.push_str(
        "Every error and warning carries a number in brackets. A number keeps its meaning for ever. The page of each shows a trigger of which it is \
         told, what is told, and what is right.\n\nThose with a reason behind them in the `allow` of a trigger are not told for it:\n\n\
         ```terraform\nallow = { TW2405 = \"the trail of the organisation selects all objects\" }\n```\n\n\
         What cannot be read, and what AWS would refuse, cannot be silenced.\n\n| number | about | `allow` |\n| --- | --- | --- |\n",
    );
    for (code, about) in Code::ALL {
        let allow = if code.is_silenceable() { "yes" } else { "" };
        text.push_str(&format!("| [{code}]({DIAGNOSTIC_PAGES}/{code}.md) | {} | {allow} |\n", about.trim()));
    }
    text
}

#[test]
fn the_pages_say_what_the_schemas_say() {
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    let mut stale = Vec::new();
    for (path, text) in pages() {
        assert!(text.len() <= MAX_PAGE_BYTES, "{path} is too long for the registry");
        let file = root().join("docs").join(&path);
        if std::fs::read_to_string(&file).ok().as_deref() == Some(text.as_str()) {
            continue;
        }
        if update {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, text).unwrap();
        } else {
            stale.push(path);
        }
    }
    assert!(stale.is_empty(), "these pages differ from the schemas; run `make docs`: {stale:?}");
}

#[test]
fn no_page_is_left_of_something_that_is_gone() {
    let pages = pages();
    for directory in ["resources", "data-sources", "functions"] {
        for file in std::fs::read_dir(root().join("docs").join(directory)).into_iter().flatten() {
            let path = format!("{directory}/{}", file.unwrap().file_name().to_string_lossy());
            assert!(pages.contains_key(&path), "nothing offers docs/{path}");
        }
    }
}

#[test]
fn every_example_is_there_and_terraform_finds_it_valid() {
    let resources = registry::resources().into_iter().map(|resource| ("resources", resource.name(), vec!["resource.tf", "import.sh"]));
    let sources = registry::data_sources().into_iter().map(|source| ("data-sources", source.name(), vec!["data-source.tf"]));
    let functions = registry::functions().into_iter().map(|function| ("functions", function.name(), vec!["function.tf"]));
    for (kind, name, files) in resources.chain(sources).chain(functions) {
        let directory = root().join("examples").join(kind).join(name);
        for file in &files {
            assert!(directory.join(file).exists(), "examples/{kind}/{name}/{file} is missing");
        }
        validate(&directory.join(files[0]));
    }
}

/// Runs `terraform validate` on one example, beside the provider's own.
fn validate(example: &Path) {
    let directory = tempfile::tempdir().unwrap();
    let provider = Path::new(env!("CARGO_BIN_EXE_terraform-provider-trailwire")).parent().unwrap();
    let settings = format!("provider_installation {{\n  dev_overrides {{ \"trailwire/trailwire\" = {provider:?} }}\n  direct {{}}\n}}\n");
    std::fs::write(directory.path().join("terraform.rc"), settings).unwrap();
    std::fs::copy(root().join("examples/provider/provider.tf"), directory.path().join("provider.tf")).unwrap();
    std::fs::copy(example, directory.path().join("main.tf")).unwrap();
    // The events of its tests.
    for event in example.with_file_name("events").read_dir().into_iter().flatten() {
        std::fs::create_dir_all(directory.path().join("events")).unwrap();
        let event = event.unwrap();
        std::fs::copy(event.path(), directory.path().join("events").join(event.file_name())).unwrap();
    }
    let mut command = std::process::Command::new("terraform");
    command.args(["validate", "-no-color"]).current_dir(directory.path());
    command.env("TF_CLI_CONFIG_FILE", directory.path().join("terraform.rc")).env("CHECKPOINT_DISABLE", "1");
    let output = command.output().expect("terraform is on the path");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: {said}", example.display());
}

#[test]
fn everything_is_described() {
    let resources = registry::resources().into_iter().map(|resource| (resource.name(), resource.schema()));
    let sources = registry::data_sources().into_iter().map(|source| (source.name(), source.schema()));
    for (name, schema) in resources.chain(sources).chain([("provider", config::schema())]) {
        page::for_each_block(&schema.block, &mut |block, path| {
            assert!(!block.description.is_empty(), "{name}: the block {path:?} has no description");
            for attribute in &block.attributes {
                assert!(!attribute.description.is_empty(), "{name}: {path:?} {} has no description", attribute.name);
            }
        });
    }
}
