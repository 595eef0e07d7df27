//! One page.

use std::path::PathBuf;

use trailwire_provider::function::Function;
use trailwire_provider::schema::{Attribute, Block, NestedBlock, Nesting, Presence, Rule, Schema, Type};
use trailwire_provider::value::Dynamic;

/// What a page is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Provider,
    Resource,
    DataSource,
}

impl Kind {
    fn title(self) -> &'static str {
        match self {
            Kind::Provider => "Provider",
            Kind::Resource => "Resource",
            Kind::DataSource => "Data Source",
        }
    }

    fn examples(self) -> &'static str {
        match self {
            Kind::Provider => "provider",
            Kind::Resource => "resources",
            Kind::DataSource => "data-sources",
        }
    }
}

/// The files under `examples/` that pages show.
pub(crate) struct Examples(PathBuf);

impl Examples {
    pub(crate) fn new(directory: PathBuf) -> Examples {
        Examples(directory)
    }

    fn read(&self, kind: Kind, name: &str, file: &str) -> Option<String> {
        let directory = self.0.join(kind.examples());
        let directory = if kind == Kind::Provider { directory } else { directory.join(name) };
        std::fs::read_to_string(directory.join(file)).ok()
    }
}

/// The page of one schema.
pub(crate) fn page(kind: Kind, name: &str, schema: &Schema, examples: &Examples) -> String {
    let (title, description) = (kind.title(), schema.block.description);
    let headline = if kind == Kind::Provider { "trailwire Provider".to_owned() } else { format!("{name} ({title})") };
    let page_title = if kind == Kind::Provider { "Provider: trailwire".to_owned() } else { format!("{name} {title} - trailwire") };
    let mut text = format!(
        "---\npage_title: \"{page_title}\"\nsubcategory: \"\"\ndescription: |-\n  {}\n---\n\n# {headline}\n\n{description}\n",
        description.lines().next().unwrap_or_default()
    );
    let example = match kind {
        Kind::Provider => "provider.tf",
        Kind::Resource => "resource.tf",
        Kind::DataSource => "data-source.tf",
    };
    if let Some(example) = examples.read(kind, name, example) {
        text.push_str(&format!("\n## Example Usage\n\n```terraform\n{}\n```\n", example.trim_end()));
    }
    text.push_str("\n## Schema\n");
    sections(&mut text, &schema.block, "", "### ", ":\n");
    nested_sections(&mut text, &schema.block, "");
    if let Some(import) = examples.read(kind, name, "import.sh") {
        text.push_str(&format!("\n## Import\n\n```shell\n{}\n```\n", import.trim_end()));
    }
    text
}

/// The page of a function.
pub(crate) fn function_page(function: &dyn Function, examples: &Examples) -> String {
    let (name, summary) = (function.name(), function.summary());
    let mut text = format!(
        "---\npage_title: \"{name} function - trailwire\"\nsubcategory: \"\"\ndescription: |-\n  {summary}\n---\n\n# function: {name}\n\n{summary}\n"
    );
    if !function.description().is_empty() {
        text.push_str(&format!("\n{}\n", function.description()));
    }
    if let Ok(example) = std::fs::read_to_string(examples.0.join("functions").join(name).join("function.tf")) {
        text.push_str(&format!("\n## Example Usage\n\n```terraform\n{}\n```\n", example.trim_end()));
    }
    let parameters = function.parameters();
    let signature: Vec<String> = parameters.iter().map(|parameter| format!("{} {}", parameter.name, lower(&parameter.kind))).collect();
    text.push_str(&format!(
        "\n## Signature\n\n```text\n{name}({}) {}\n```\n\n## Arguments\n\n",
        signature.join(", "),
        lower(&function.result())
    ));
    for (number, parameter) in parameters.iter().enumerate() {
        text.push_str(&format!("{}. `{}` ({}) {}\n", number + 1, parameter.name, parameter.kind.title(), parameter.description));
    }
    text
}

fn lower(kind: &Type) -> String {
    kind.title().to_lowercase()
}

/// Calls `act` with every block and its path.
pub(crate) fn for_each_block(block: &Block, act: &mut impl FnMut(&Block, &str)) {
    fn visit(block: &Block, path: &str, act: &mut impl FnMut(&Block, &str)) {
        act(block, path);
        for nested in &block.blocks {
            visit(&nested.block, &join(path, nested.name, "."), act);
        }
    }
    visit(block, "", act);
}

fn join(path: &str, name: &str, by: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}{by}{name}") }
}

/// A heading, which attributes stand under it, and which blocks.
type Group<'a> = (&'a str, &'a dyn Fn(Presence) -> bool, &'a dyn Fn(&NestedBlock) -> bool);

/// What is required, optional and read-only, in the order of the schema.
fn sections(text: &mut String, block: &Block, path: &str, mark: &str, nested_mark: &str) {
    let heading = |title: &str| if path.is_empty() { format!("\n{mark}{title}\n\n") } else { format!("\n{title}{nested_mark}\n") };
    let groups: [Group<'_>; 3] = [
        ("Required", &|presence| presence == Presence::Required, &|nested| nested.min > 0),
        ("Optional", &|presence| matches!(presence, Presence::Optional | Presence::OptionalComputed), &|nested| nested.min == 0),
        ("Read-Only", &|presence| presence == Presence::Computed, &|_| false),
    ];
    for (title, has, holds) in groups {
        let attributes: Vec<&Attribute> = block.attributes.iter().filter(|attribute| has(attribute.presence)).collect();
        let blocks: Vec<&NestedBlock> = block.blocks.iter().filter(|nested| holds(nested)).collect();
        if attributes.is_empty() && blocks.is_empty() {
            continue;
        }
        text.push_str(&heading(title));
        for attribute in attributes {
            text.push_str(&attribute_line(attribute));
        }
        for nested in blocks {
            text.push_str(&block_line(nested, path));
        }
    }
}

fn attribute_line(attribute: &Attribute) -> String {
    let mut kind = attribute.kind.title();
    if let Type::Object(members) = &attribute.kind {
        let members: Vec<String> = members.iter().map(|(name, member)| format!("{name}: {}", member.title())).collect();
        kind = format!("Object with {}", members.join(", "));
    }
    for (is, word) in [(attribute.write_only, "Write-only"), (attribute.sensitive && !attribute.write_only, "Sensitive")] {
        if is {
            kind.push_str(&format!(", {word}"));
        }
    }
    let mut notes = Vec::new();
    for rule in &attribute.rules {
        if let Rule::OneOf(values) = rule
            && !values.iter().all(|value| attribute.description.contains(&format!("`{value}`")))
        {
            notes.push(format!("One of {}.", values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ")));
        }
    }
    let told = ["Default ", "the default)"].iter().any(|words| attribute.description.contains(words));
    if let Some(default) = attribute.default.as_ref().and_then(shown).filter(|_| !told) {
        notes.push(format!("Default {default}."));
    }
    if attribute.force_new {
        notes.push("A change replaces the resource.".to_owned());
    }
    if let Some(hint) = attribute.deprecated {
        notes.push(format!("**Deprecated:** {hint}"));
    }
    let description = std::iter::once(attribute.description.to_owned()).chain(notes).collect::<Vec<_>>().join(" ");
    format!("- `{}` ({kind}) {description}\n", attribute.name)
}

fn shown(value: &Dynamic) -> Option<String> {
    match value {
        Dynamic::String(text) => Some(format!("`{text:?}`")),
        Dynamic::Bool(value) => Some(format!("`{value}`")),
        Dynamic::Number(number) => Some(format!("`{number}`")),
        _ => None,
    }
}

fn block_line(nested: &NestedBlock, path: &str) -> String {
    let count = match (nested.nesting, nested.min, nested.max) {
        (_, 1, 1) => "Block, exactly 1".to_owned(),
        (Nesting::Single, ..) | (_, 0, 1) => "Block, at most 1".to_owned(),
        (_, 0, 0) => "Blocks".to_owned(),
        (_, min, 0) => format!("Blocks, at least {min}"),
        (_, min, max) => format!("Blocks, {min} to {max}"),
    };
    let anchor = join(path, nested.name, "--");
    format!("- `{}` ({count}) {} (see [below](#nestedblock--{anchor}))\n", nested.name, nested.block.description)
}

fn nested_sections(text: &mut String, block: &Block, path: &str) {
    for nested in &block.blocks {
        let (anchor, here) = (join(&path.replace('.', "--"), nested.name, "--"), join(path, nested.name, "."));
        text.push_str(&format!("\n<a id=\"nestedblock--{anchor}\"></a>\n### Nested Schema for `{here}`\n"));
        sections(text, &nested.block, &anchor, "", ":\n");
        nested_sections(text, &nested.block, &here);
    }
}
