//! Schemas, diagnostics and paths in Terraform's form.

use trailwire_engine::diagnostic::{Diagnostic, Path, Severity, Step};

use crate::function::Function;
use crate::schema::{Attribute, Block, NestedBlock, Nesting, Presence, Schema, Type};
use crate::wire::message;

/// A schema on the wire.
pub fn schema(schema: &Schema) -> message::Schema {
    message::Schema { version: schema.version, block: Some(message::Block { version: schema.version, ..block(&schema.block) }) }
}

fn block(block: &Block) -> message::Block {
    message::Block {
        attributes: block.attributes.iter().map(attribute).collect(),
        block_types: block.blocks.iter().map(nested).collect(),
        description: block.description.to_owned(),
        description_kind: message::MARKDOWN,
        ..message::Block::default()
    }
}

fn attribute(attribute: &Attribute) -> message::Attribute {
    message::Attribute {
        name: attribute.name.to_owned(),
        r#type: kind(&attribute.kind),
        description: attribute.description.to_owned(),
        required: attribute.presence == Presence::Required,
        optional: attribute.is_optional(),
        computed: attribute.is_computed(),
        sensitive: attribute.sensitive,
        description_kind: message::MARKDOWN,
        deprecated: attribute.deprecated.is_some(),
        write_only: attribute.write_only,
    }
}

fn nested(nested: &NestedBlock) -> message::NestedBlock {
    let nesting = match nested.nesting {
        Nesting::List => message::NestingMode::List,
        Nesting::Set => message::NestingMode::Set,
        Nesting::Single => message::NestingMode::Single,
    };
    message::NestedBlock {
        type_name: nested.name.to_owned(),
        block: Some(block(&nested.block)),
        nesting: nesting.into(),
        min_items: i64::from(nested.min),
        max_items: i64::from(nested.max),
    }
}

/// A function on the wire.
pub fn function(function: &dyn Function) -> message::Function {
    let parameter = |parameter: crate::function::Parameter| message::Parameter {
        name: parameter.name.to_owned(),
        r#type: kind(&parameter.kind),
        description: parameter.description.to_owned(),
        description_kind: message::MARKDOWN,
    };
    message::Function {
        parameters: function.parameters().into_iter().map(parameter).collect(),
        r#return: Some(message::Return { r#type: kind(&function.result()) }),
        summary: function.summary().to_owned(),
        description: function.description().to_owned(),
        description_kind: message::MARKDOWN,
    }
}

fn kind(kind: &Type) -> Vec<u8> {
    kind.to_json().to_string().into_bytes()
}

/// Diagnostics on the wire.
pub fn diagnostics(diagnostics: Vec<Diagnostic>) -> Vec<message::Diagnostic> {
    diagnostics.iter().map(diagnostic).collect()
}

/// Diagnostics about a value of this block. A path that ends at one of several nested blocks gets a step of no name below it: Terraform drops a last
/// index, and would point at the whole resource.
pub fn diagnostics_about(block: &Block, diagnostics: Vec<Diagnostic>) -> Vec<message::Diagnostic> {
    let placed = diagnostics
        .into_iter()
        .map(|found| if ends_in_block(&found.path, block) { Diagnostic { path: found.path.attribute(""), ..found } } else { found });
    placed.map(|found| diagnostic(&found)).collect()
}

fn ends_in_block(path: &Path, block: &Block) -> bool {
    let mut inner = Some(block);
    for step in &path.0 {
        if let Step::Attribute(name) = step {
            inner = inner.and_then(|block| block.find_block(name)).map(|nested| &nested.block);
        }
    }
    inner.is_some() && matches!(path.0.last(), Some(Step::Index(_)))
}

/// The message becomes the headline, with a capital; the excerpt with its caret, the help and the code follow. Terraform leaves lines alone that begin
/// with a space and wraps all others, so every line of an excerpt is indented.
fn diagnostic(diagnostic: &Diagnostic) -> message::Diagnostic {
    let severity = match diagnostic.severity {
        Severity::Error => message::Severity::Error,
        Severity::Warning => message::Severity::Warning,
    };
    let mut lines: Vec<String> =
        diagnostic.body().iter().flat_map(|line| line.lines().map(|line| format!("  {line}")).collect::<Vec<_>>()).collect();
    lines.push(format!("  [{}]", diagnostic.code));
    message::Diagnostic {
        severity: severity.into(),
        summary: capitalised(&diagnostic.message),
        detail: lines.join("\n"),
        attribute: (!diagnostic.path.is_empty()).then(|| path(&diagnostic.path)),
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A path on the wire.
pub fn path(path: &Path) -> message::AttributePath {
    let step = |step: &Step| message::Step {
        selector: Some(match step {
            Step::Attribute(name) => message::Selector::AttributeName(name.clone()),
            Step::Key(key) => message::Selector::ElementKeyString(key.clone()),
            Step::Index(index) => message::Selector::ElementKeyInt(i64::try_from(*index).unwrap_or(i64::MAX)),
        }),
    };
    message::AttributePath { steps: path.0.iter().map(step).collect() }
}

#[cfg(test)]
mod tests {
    use trailwire_engine::diagnostic::Code;
    use trailwire_engine::text::Span;

    use super::*;

    #[test]
    fn a_diagnostic_keeps_its_caret_under_the_text() {
        let found = Diagnostic::error(Code::UNKNOWN_FUNCTION, "unknown function `start_with`").at(Path::root("match_expression"));
        let sent = diagnostic(&found.under("start_with(a, 'b')", Span::new(0, 10)).help("did you mean `starts_with`?"));
        assert_eq!(sent.summary, "Unknown function `start_with`");
        assert_eq!(sent.detail, "    |\n  1 | start_with(a, 'b')\n    | ^^^^^^^^^^\n    = help: did you mean `starts_with`?\n  [TW2101]");
        assert!(sent.detail.lines().all(|line| line.starts_with(' ')));
        let name = message::Selector::AttributeName("match_expression".to_owned());
        assert_eq!(sent.attribute.unwrap().steps, [message::Step { selector: Some(name) }]);
    }

    #[test]
    fn a_path_that_ends_at_a_block_is_led_into_it() {
        let block = Schema::new(0, "").attribute(Attribute::list("names", Type::String)).block(NestedBlock::list("action", "")).block;
        let steps = |path: Path| {
            let found = vec![Diagnostic::error(Code::BLOCK_COUNT, "x").at(path)];
            diagnostics_about(&block, found).remove(0).attribute.map_or(0, |path| path.steps.len())
        };
        let (action, names) = (Path::root("action"), Path::root("names"));
        assert_eq!([steps(action.clone()), steps(action.index(1)), steps(names.index(1)), steps(Path::default())], [1, 3, 2, 0]);
    }

    #[test]
    fn an_attribute_with_a_default_is_optional_and_computed() {
        let sent = attribute(&Attribute::string("severity").default_to("medium"));
        assert!(sent.optional && sent.computed && !sent.required);
        assert_eq!(sent.r#type, br#""string""#);
    }
}
