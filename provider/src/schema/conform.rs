//! Making a value fit a schema, as Terraform demands of everything that a provider returns.

use std::collections::BTreeMap;

use crate::schema::{Block, NestedBlock, Nesting};
use crate::value::Dynamic;

/// The object with every attribute (null when missing), every nested block (`[]`, or null for a single one) and nothing else. Null and unknown stay as they are.
///
/// For state that an older version stored, for import stubs, and before every answer. Types of values are not looked at.
pub fn conform(value: Dynamic, block: &Block) -> Dynamic {
    let Dynamic::Map(mut members) = value else { return value };
    let mut whole = BTreeMap::new();
    for attribute in &block.attributes {
        whole.insert(attribute.name.to_owned(), members.remove(attribute.name).unwrap_or_default());
    }
    for nested in &block.blocks {
        whole.insert(nested.name.to_owned(), conform_nested(members.remove(nested.name).unwrap_or_default(), nested));
    }
    Dynamic::Map(whole)
}

/// An object of this block with everything null and no nested blocks.
pub fn empty(block: &Block) -> Dynamic {
    conform(Dynamic::Map(BTreeMap::new()), block)
}

fn conform_nested(value: Dynamic, nested: &NestedBlock) -> Dynamic {
    match (value, nested.nesting) {
        (Dynamic::List(items), Nesting::List | Nesting::Set) => {
            Dynamic::List(items.into_iter().map(|item| conform(item, &nested.block)).collect())
        }
        (Dynamic::Null, Nesting::List | Nesting::Set) => Dynamic::List(Vec::new()),
        (value, _) => conform(value, &nested.block),
    }
}

/// Nulls every write-only attribute, in nested blocks too: they must be in no plan and no state.
pub fn without_write_only(mut value: Dynamic, block: &Block) -> Dynamic {
    visit_objects(&mut value, block, &mut |members, block| {
        for attribute in block.attributes.iter().filter(|attribute| attribute.write_only) {
            members.insert(attribute.name.to_owned(), Dynamic::Null);
        }
    });
    value
}

/// Calls `act` with every object of the value and the block that it belongs to, outermost first.
fn visit_objects(value: &mut Dynamic, block: &Block, act: &mut impl FnMut(&mut BTreeMap<String, Dynamic>, &Block)) {
    let Dynamic::Map(members) = value else { return };
    act(members, block);
    for nested in &block.blocks {
        match members.get_mut(nested.name) {
            Some(Dynamic::List(items)) => items.iter_mut().for_each(|item| visit_objects(item, &nested.block, act)),
            Some(single) => visit_objects(single, &nested.block, act),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Attribute, Schema};

    fn schema() -> Schema {
        Schema::new(0, "").attribute(Attribute::string("name")).attribute(Attribute::string("secret_wo").write_only()).block(
            NestedBlock::list("kind", "").attribute(Attribute::string("url_wo").write_only()).block(NestedBlock::optional("inner", "")),
        )
    }

    #[test]
    fn missing_members_appear_and_foreign_ones_go() {
        let value = Dynamic::object([
            ("name", Dynamic::from("a")),
            ("gone", Dynamic::from("x")),
            ("kind", Dynamic::List(vec![Dynamic::Map(BTreeMap::new())])),
        ]);
        let kind = Dynamic::object([("url_wo", Dynamic::Null), ("inner", Dynamic::List(Vec::new()))]);
        let expected = Dynamic::object([("name", Dynamic::from("a")), ("secret_wo", Dynamic::Null), ("kind", Dynamic::List(vec![kind]))]);
        assert_eq!(conform(value, &schema().block), expected);
        assert_eq!(conform(Dynamic::Null, &schema().block), Dynamic::Null);
    }

    #[test]
    fn write_only_values_go_at_every_depth() {
        let kind = Dynamic::object([("url_wo", Dynamic::from("https://secret"))]);
        let value = Dynamic::object([("secret_wo", Dynamic::from("s3cret")), ("kind", Dynamic::List(vec![kind]))]);
        let cleaned = without_write_only(value, &schema().block);
        assert!(cleaned.get("secret_wo").is_null());
        assert!(cleaned.get_block("kind").unwrap().get("url_wo").is_null());
    }
}
