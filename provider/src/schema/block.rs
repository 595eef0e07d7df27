//! Blocks and how they nest.

use crate::schema::{Attribute, Type};

/// What stands between braces: attributes and nested blocks.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// Markdown.
    pub description: &'static str,
    /// Its attributes, in the order of the documentation.
    pub attributes: Vec<Attribute>,
    /// Its nested blocks.
    pub blocks: Vec<NestedBlock>,
}

impl Block {
    /// The attribute of this name.
    pub fn find_attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The type of its value: an object of everything in it.
    pub fn implied_type(&self) -> Type {
        let attributes = self.attributes.iter().map(|attribute| (attribute.name.to_owned(), attribute.kind.clone()));
        let blocks = self.blocks.iter().map(|nested| (nested.name.to_owned(), nested.implied_type()));
        Type::Object(attributes.chain(blocks).collect())
    }

    /// The nested block of this name.
    pub fn find_block(&self, name: &str) -> Option<&NestedBlock> {
        self.blocks.iter().find(|block| block.name == name)
    }
}

/// What shape the value of a nested block has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// An ordered list of objects, `[]` when there is none. Also for blocks that may appear at most once (`max(1)`).
    List,
    /// A set of objects. Attributes in it can be neither computed nor write-only, nor have defaults: Terraform cannot tell the elements apart.
    Set,
    /// One object, or null.
    Single,
}

/// A block inside a block.
#[derive(Clone, Debug)]
pub struct NestedBlock {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub block: Block,
    /// The shape of its value.
    pub nesting: Nesting,
    /// At least this many.
    pub min: u32,
    /// At most this many; 0 is no limit.
    pub max: u32,
    /// Adding, removing or changing it replaces the resource.
    pub force_new: bool,
}

impl NestedBlock {
    fn new(name: &'static str, description: &'static str, nesting: Nesting) -> NestedBlock {
        let block = Block { description, ..Block::default() };
        NestedBlock { name, block, nesting, min: 0, max: 0, force_new: false }
    }

    /// The type of its value.
    pub fn implied_type(&self) -> Type {
        match self.nesting {
            Nesting::List => Type::list(self.block.implied_type()),
            Nesting::Set => Type::set(self.block.implied_type()),
            Nesting::Single => self.block.implied_type(),
        }
    }

    /// Any number of blocks, in order.
    pub fn list(name: &'static str, description: &'static str) -> NestedBlock {
        NestedBlock::new(name, description, Nesting::List)
    }

    /// Any number of blocks, without order.
    pub fn set(name: &'static str, description: &'static str) -> NestedBlock {
        NestedBlock::new(name, description, Nesting::Set)
    }

    /// At most one block; its value is a list of at most one object, so `get_block(name)` reads it.
    pub fn optional(name: &'static str, description: &'static str) -> NestedBlock {
        NestedBlock::new(name, description, Nesting::List).max(1)
    }

    /// At least this many.
    #[must_use]
    pub fn min(self, min: u32) -> NestedBlock {
        NestedBlock { min, ..self }
    }

    /// At most this many.
    #[must_use]
    pub fn max(self, max: u32) -> NestedBlock {
        NestedBlock { max, ..self }
    }

    /// A change anywhere in it replaces the resource.
    #[must_use]
    pub fn force_new(self) -> NestedBlock {
        NestedBlock { force_new: true, ..self }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attribute(mut self, attribute: Attribute) -> NestedBlock {
        self.block.attributes.push(attribute);
        self
    }

    /// Adds a nested block.
    #[must_use]
    pub fn block(mut self, block: NestedBlock) -> NestedBlock {
        self.block.blocks.push(block);
        self
    }
}
