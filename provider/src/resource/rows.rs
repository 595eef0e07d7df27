//! Definitions that have rules in every cell of their scope: what triggers and forwarders have in common.
//!
//! *Invariants*: the definition is there before its rules and goes after them; create is all or nothing; update and delete go on in the other cells when one fails, and
//! tell the truth about what is left. One without patterns has no rules, and no cell is asked for them.

pub(super) mod apply;
pub(super) mod carried;
pub(super) mod drift;
pub(super) mod plan;
pub(super) mod quota;
pub(super) mod read;
pub(super) mod regions;
mod settings;

pub(crate) use settings::Settings;
