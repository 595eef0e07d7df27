//! The languages in which a match is written. Each parses to the tree of [`crate::expr`] and knows nothing of the others.

pub mod filter;
pub mod jmespath;
