//! The checks that every configuration gets, read off its schema. Unknown values are skipped: they are checked again when they are known.

use trailwire_engine::diagnostic::{Code, Diagnostic, Path};

use crate::schema::{Attribute, Block, Nesting, Rule};
use crate::value::Dynamic;

/// Everything wrong with the known values of a configuration, by the rules of its attributes. Terraform itself has checked types, required
/// attributes and the number of blocks.
pub fn check(config: &Dynamic, block: &Block) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    check_block(config, block, &Path::default(), &mut found);
    found
}

/// The paths of write-only attributes that are set (unknown counts as set).
pub fn write_only_in_use(config: &Dynamic, block: &Block) -> Vec<Path> {
    let mut found = Vec::new();
    for_each_object(config, block, &Path::default(), &mut |object, block, path| {
        let set = block.attributes.iter().filter(|attribute| attribute.write_only && !object.get(attribute.name).is_null());
        found.extend(set.map(|attribute| path.attribute(attribute.name)));
    });
    found
}

fn check_block(config: &Dynamic, block: &Block, path: &Path, found: &mut Vec<Diagnostic>) {
    for_each_object(config, block, path, &mut |object, block, path| {
        for attribute in &block.attributes {
            check_attribute(object.get(attribute.name), attribute, &path.attribute(attribute.name), found);
        }
    });
}

/// Calls `act` with every known object, its block and its path, outermost first.
fn for_each_object(value: &Dynamic, block: &Block, path: &Path, act: &mut impl FnMut(&Dynamic, &Block, &Path)) {
    if value.as_map().is_none() {
        return;
    }
    act(value, block, path);
    for nested in &block.blocks {
        let here = path.attribute(nested.name);
        match value.get(nested.name) {
            // Members of a set cannot be addressed: the path ends at the set.
            Dynamic::List(items) if nested.nesting == Nesting::Set => {
                items.iter().for_each(|item| for_each_object(item, &nested.block, &here, act))
            }
            Dynamic::List(items) => {
                items.iter().enumerate().for_each(|(index, item)| for_each_object(item, &nested.block, &here.index(index), act));
            }
            single => for_each_object(single, &nested.block, &here, act),
        }
    }
}

fn check_attribute(value: &Dynamic, attribute: &Attribute, path: &Path, found: &mut Vec<Diagnostic>) {
    if value.is_null() || value.is_unknown() {
        return;
    }
    if value.as_list().is_some_and(|items| items.iter().any(Dynamic::is_null)) {
        let message = format!("`{}` holds null", attribute.name);
        found.push(Diagnostic::error(Code::EMPTY, message).at(path.clone()).help("leave the element out: `compact(…)` does"));
    }
    for rule in &attribute.rules {
        match rule {
            Rule::NotEmpty => found.extend(not_empty(value, attribute, path)),
            Rule::OneOf(allowed) => found.extend(one_of(value, allowed, attribute, path)),
            Rule::Check(code, check) if value.is_wholly_known() => {
                let wrong = check(value).err();
                found.extend(wrong.map(|what| Diagnostic::error(*code, format!("`{}` {what}", attribute.name)).at(path.clone())));
            }
            Rule::Check(..) => {}
        }
    }
}

fn not_empty(value: &Dynamic, attribute: &Attribute, path: &Path) -> Option<Diagnostic> {
    let written = match value {
        Dynamic::String(text) if text.is_empty() => "\"\"",
        Dynamic::List(items) if items.is_empty() => "[]",
        Dynamic::Map(members) if members.is_empty() => "{}",
        _ => return None,
    };
    let help = match attribute.is_optional() {
        true => format!("leave `{}` out, or set it to null, to say nothing", attribute.name),
        false => format!("give `{}` at least one element", attribute.name),
    };
    Some(Diagnostic::error(Code::EMPTY, format!("`{}` may not be {written}", attribute.name)).at(path.clone()).help(help))
}

fn one_of(value: &Dynamic, allowed: &[&str], attribute: &Attribute, path: &Path) -> Vec<Diagnostic> {
    let texts = match value {
        Dynamic::List(_) => value.as_strings(),
        _ => value.as_str().map(str::to_owned).into_iter().collect(),
    };
    let wrong = texts.into_iter().filter(|text| !allowed.contains(&text.as_str()));
    let diagnostic = |text: String| {
        let said = if attribute.sensitive { String::new() } else { format!(", not `{text}`") };
        let list = allowed.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        let plain = Diagnostic::error(Code::NOT_ONE_OF, format!("`{}` must be one of {list}{said}", attribute.name)).at(path.clone());
        match trailwire_engine::text::nearest(&text, allowed.iter().copied()) {
            Some(near) if !attribute.sensitive => plain.help(format!("did you mean `{near}`?")),
            _ => plain,
        }
    };
    wrong.map(diagnostic).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{NestedBlock, Schema, Type};

    fn schema() -> Schema {
        Schema::new(0, "")
            .attribute(Attribute::list("names", Type::String).not_empty())
            .attribute(Attribute::string("severity").one_of(&["low", "high"]))
            .attribute(Attribute::string("secret_wo").write_only())
            .block(NestedBlock::list("kind", "").attribute(Attribute::number("size").check(
                Code::OUT_OF_RANGE,
                |value| match value.as_i64() {
                    Some(1..) => Ok(()),
                    _ => Err("must be positive".to_owned()),
                },
            )))
    }

    #[test]
    fn rules_speak_of_known_values_only_and_name_the_path() {
        let kind = |size| Dynamic::List(vec![Dynamic::object([("size", Dynamic::from(1))]), Dynamic::object([("size", size)])]);
        let cases = [
            (Dynamic::object([("names", Dynamic::List(vec![]))]), vec!["names: `names` may not be []"]),
            (Dynamic::object([("names", Dynamic::List(vec![Dynamic::from("a"), Dynamic::Null]))]), vec!["names: `names` holds null"]),
            (Dynamic::object([("names", Dynamic::List(vec![Dynamic::Unknown]))]), vec![]),
            (Dynamic::object([("names", Dynamic::Unknown), ("severity", Dynamic::Unknown), ("kind", Dynamic::Unknown)]), vec![]),
            (Dynamic::object([("severity", Dynamic::from("hihg"))]), vec!["severity: `severity` must be one of `low`, `high`, not `hihg`"]),
            (Dynamic::object([("kind", kind(Dynamic::from(0)))]), vec!["kind[1].size: `size` must be positive"]),
            (Dynamic::object([("kind", kind(Dynamic::Unknown))]), vec![]),
            (Dynamic::Unknown, vec![]),
        ];
        for (config, expected) in cases {
            let found: Vec<String> =
                check(&config, &schema().block).iter().map(|found| format!("{}: {}", found.path, found.message)).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn write_only_attributes_in_use_are_found() {
        let config = Dynamic::object([("secret_wo", Dynamic::Unknown)]);
        assert_eq!(write_only_in_use(&config, &schema().block), [Path::root("secret_wo")]);
        assert!(write_only_in_use(&Dynamic::object([("secret_wo", Dynamic::Null)]), &schema().block).is_empty());
    }
}
