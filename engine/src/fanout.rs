//! What a hub and its triggers want in AWS: names, patterns, policy documents, the shape of the hub's table, and the ordered steps
//! from what is there to what is wanted. Nothing here calls AWS.

pub mod cover;
pub mod limits;
pub mod names;
pub mod pattern;
pub mod pushed;
pub mod function;
pub mod policy;
pub mod objects;
pub mod deploy;
pub mod alarms;
pub mod quota;
pub mod rules;
pub mod canary;
pub mod set;
pub mod table;
pub mod wanted;
pub mod trails;
pub mod tags;
