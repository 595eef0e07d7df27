//! The plan that fits every resource, read off its schema.

use trailwire_engine::diagnostic::Path;

use crate::resource::{PlanRequest, PlanResponse};
use crate::schema::{Attribute, Block, NestedBlock, Nesting, Schema};
use crate::value::Dynamic;

/// The generic plan: configured values, defaults, prior values of computed attributes, and unknown where apply will tell.
///
/// - destroy: null;
/// - create: computed attributes that are not configured are unknown;
/// - update: computed attributes keep their prior value, volatile ones are unknown when anything else differs;
/// - nothing differs: exactly the prior state;
/// - changed `force_new` attributes and blocks are named in `requires_replace`.
pub fn propose(schema: &Schema, request: &PlanRequest) -> PlanResponse {
    if request.is_destroy() {
        return PlanResponse::default();
    }
    let mut planned = fill(&schema.block, &request.config, &request.proposed, request.is_create());
    if !request.is_create() && planned != request.prior {
        mark_volatile(&schema.block, &mut planned);
    }
    let requires_replace = if request.is_create() { Vec::new() } else { replacements(&schema.block, &request.prior, &planned) };
    PlanResponse { planned, requires_replace, ..PlanResponse::default() }
}

/// Makes the named computed attributes of the root unknown, when a resource knows that this change alters them.
pub fn mark_unknown(planned: &mut Dynamic, names: &[&str]) {
    for name in names {
        planned.set(name, Dynamic::Unknown);
    }
}

/// Whether the plan has work to do.
pub fn has_work(request: &PlanRequest, response: &PlanResponse) -> bool {
    request.prior != response.planned
}

/// Null for whatever is unknown, so that a state can be returned from an apply that did not finish.
pub fn known_part(value: Dynamic) -> Dynamic {
    match value {
        Dynamic::Unknown => Dynamic::Null,
        Dynamic::List(items) => Dynamic::List(items.into_iter().map(known_part).collect()),
        Dynamic::Map(members) => Dynamic::Map(members.into_iter().map(|(name, member)| (name, known_part(member))).collect()),
        known => known,
    }
}

fn fill(block: &Block, config: &Dynamic, proposed: &Dynamic, create: bool) -> Dynamic {
    let Dynamic::Map(members) = proposed else { return proposed.clone() };
    let mut members = members.clone();
    for attribute in &block.attributes {
        let value = attribute_value(attribute, config.get(attribute.name), proposed.get(attribute.name), create);
        members.insert(attribute.name.to_owned(), value);
    }
    for nested in &block.blocks {
        let value = nested_value(nested, config.get(nested.name), proposed.get(nested.name), create);
        members.insert(nested.name.to_owned(), value);
    }
    Dynamic::Map(members)
}

fn attribute_value(attribute: &Attribute, config: &Dynamic, proposed: &Dynamic, create: bool) -> Dynamic {
    if attribute.write_only {
        Dynamic::Null
    } else if !config.is_null() {
        config.clone()
    } else if let Some(default) = &attribute.default {
        default.clone()
    } else if attribute.is_computed() && create {
        Dynamic::Unknown
    } else {
        proposed.clone()
    }
}

fn nested_value(nested: &NestedBlock, config: &Dynamic, proposed: &Dynamic, create: bool) -> Dynamic {
    match (proposed, nested.nesting) {
        (Dynamic::List(items), Nesting::List) => {
            let configured = config.as_list().unwrap_or_default();
            let element = |(index, item)| fill(&nested.block, configured.get(index).unwrap_or(&Dynamic::Null), item, create);
            Dynamic::List(items.iter().enumerate().map(element).collect())
        }
        (Dynamic::Map(_), Nesting::Single) => fill(&nested.block, config, proposed, create),
        (other, _) => other.clone(),
    }
}

fn mark_volatile(block: &Block, planned: &mut Dynamic) {
    for attribute in block.attributes.iter().filter(|attribute| attribute.volatile) {
        planned.set(attribute.name, Dynamic::Unknown);
    }
}

fn replacements(block: &Block, prior: &Dynamic, planned: &Dynamic) -> Vec<Path> {
    let mut found = Vec::new();
    find_replacements(block, prior, planned, &Path::default(), &mut found);
    found
}

fn find_replacements(block: &Block, prior: &Dynamic, planned: &Dynamic, at: &Path, found: &mut Vec<Path>) {
    for attribute in block.attributes.iter().filter(|attribute| attribute.force_new) {
        if prior.get(attribute.name) != planned.get(attribute.name) {
            found.push(at.attribute(attribute.name));
        }
    }
    for nested in &block.blocks {
        let (old, new) = (prior.get(nested.name), planned.get(nested.name));
        let here = at.attribute(nested.name);
        match (old, new) {
            _ if old == new => {}
            _ if nested.force_new => found.push(here),
            (Dynamic::List(old), Dynamic::List(new)) if nested.nesting == Nesting::List => {
                for (index, (old, new)) in old.iter().zip(new).enumerate() {
                    find_replacements(&nested.block, old, new, &here.index(index), found);
                }
            }
            (Dynamic::Map(_), Dynamic::Map(_)) => find_replacements(&nested.block, old, new, &here, found),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
