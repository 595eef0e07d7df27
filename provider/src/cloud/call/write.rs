//! Writes of a transaction.

use trailwire_engine::fanout::table::{Attribute, Item};

/// What must hold for an item, or the whole transaction is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// There is no such item.
    Absent,
    /// There is such an item.
    Present,
    /// The attribute is this.
    Equals(&'static str, Attribute),
    /// All of them.
    All(Vec<Condition>),
    /// One of them.
    Any(Vec<Condition>),
}

/// One write of a transaction.
#[derive(Clone, Debug)]
pub enum Write {
    /// Replaces the whole item.
    Put {
        /// The item, keys included.
        item: Item,
        /// What must hold.
        condition: Option<Condition>,
    },
    /// Changes attributes; makes the item when it is not there and nothing forbids it.
    Update {
        /// The two keys.
        key: Item,
        /// New values.
        set: Item,
        /// What is added to numbers; a missing number counts as 0.
        add: Vec<(&'static str, u64)>,
        /// What must hold.
        condition: Option<Condition>,
    },
    /// Removes the item.
    Delete {
        /// The two keys.
        key: Item,
        /// What must hold.
        condition: Option<Condition>,
    },
    /// Only checks.
    Check {
        /// The two keys.
        key: Item,
        /// What must hold.
        condition: Condition,
    },
}
