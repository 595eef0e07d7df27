//! What a resource, data source or the provider block accepts, told once: Terraform's schema, the documentation, the generic
//! validation and the generic plan are all read off it.
//!
//! ```
//! use trailwire_provider::schema::{Attribute, NestedBlock, Schema};
//! let schema = Schema::new(0, "A trigger.")
//!     .attribute(Attribute::string("name").required().force_new().describe("Its name."))
//!     .attribute(Attribute::string("severity").default_to("medium").one_of(&["low", "medium"]).describe("How bad."))
//!     .block(NestedBlock::list("action", "What happens, in order.").min(1).attribute(Attribute::string("duration").optional()));
//! assert!(schema.block.find_attribute("name").is_some());
//! ```

mod attribute;
mod block;
pub mod conform;
mod types;
pub mod validate;

pub use attribute::{Attribute, Presence, Rule};
pub use block::{Block, NestedBlock, Nesting};
pub use types::Type;

/// A versioned root block.
#[derive(Clone, Debug)]
pub struct Schema {
    /// Goes up when stored state must be rewritten by `Resource::upgrade`.
    pub version: i64,
    /// The root block.
    pub block: Block,
}

impl Schema {
    /// An empty schema; `description` is Markdown for the documentation.
    pub fn new(version: i64, description: &'static str) -> Schema {
        Schema { version, block: Block { description, attributes: Vec::new(), blocks: Vec::new() } }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attribute(mut self, attribute: Attribute) -> Schema {
        self.block.attributes.push(attribute);
        self
    }

    /// Adds a nested block.
    #[must_use]
    pub fn block(self, block: NestedBlock) -> Schema {
        self.blocks([block])
    }

    /// Adds nested blocks.
    #[must_use]
    pub fn blocks(mut self, blocks: impl IntoIterator<Item = NestedBlock>) -> Schema {
        self.block.blocks.extend(blocks);
        self
    }
}
