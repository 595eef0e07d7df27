//! The messages of tfplugin5, as far as they are used here.

use std::collections::BTreeMap;

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Empty {}

/// A value, in msgpack or in JSON.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct DynamicValue {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) msgpack: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) json: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Diagnostic {
    /// 1 is an error, 2 a warning.
    #[prost(int32, tag = "1")]
    pub(super) severity: i32,
    #[prost(string, tag = "2")]
    pub(super) summary: String,
    #[prost(string, tag = "3")]
    pub(super) detail: String,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Schemas {
    #[prost(message, optional, tag = "1")]
    pub(super) provider: Option<Schema>,
    #[prost(btree_map = "string, message", tag = "2")]
    pub(super) resources: BTreeMap<String, Schema>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Schema {
    #[prost(message, optional, tag = "2")]
    pub(super) block: Option<Block>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Block {
    #[prost(message, repeated, tag = "2")]
    pub(super) attributes: Vec<Attribute>,
    #[prost(message, repeated, tag = "3")]
    pub(super) blocks: Vec<NestedBlock>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Attribute {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(bool, tag = "6")]
    pub(super) computed: bool,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct NestedBlock {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, optional, tag = "2")]
    pub(super) block: Option<Block>,
    /// 1 is a single object, everything else used here a list of them.
    #[prost(int32, tag = "3")]
    pub(super) nesting: i32,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Configure {
    #[prost(string, tag = "1")]
    pub(super) terraform_version: String,
    #[prost(message, optional, tag = "2")]
    pub(super) config: Option<DynamicValue>,
}

/// The answer of the calls that answer with diagnostics alone.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Told {
    #[prost(message, repeated, tag = "1")]
    pub(super) diagnostics: Vec<Diagnostic>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Read {
    #[prost(string, tag = "1")]
    pub(super) type_name: String,
    #[prost(message, optional, tag = "2")]
    pub(super) state: Option<DynamicValue>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct ReadDone {
    #[prost(message, optional, tag = "1")]
    pub(super) state: Option<DynamicValue>,
    #[prost(message, repeated, tag = "2")]
    pub(super) diagnostics: Vec<Diagnostic>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Plan {
    #[prost(string, tag = "1")]
    pub(super) type_name: String,
    #[prost(message, optional, tag = "2")]
    pub(super) prior: Option<DynamicValue>,
    #[prost(message, optional, tag = "3")]
    pub(super) proposed: Option<DynamicValue>,
    #[prost(message, optional, tag = "4")]
    pub(super) config: Option<DynamicValue>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct PlanDone {
    #[prost(message, optional, tag = "1")]
    pub(super) planned: Option<DynamicValue>,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) private: Vec<u8>,
    #[prost(message, repeated, tag = "4")]
    pub(super) diagnostics: Vec<Diagnostic>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Apply {
    #[prost(string, tag = "1")]
    pub(super) type_name: String,
    #[prost(message, optional, tag = "2")]
    pub(super) prior: Option<DynamicValue>,
    #[prost(message, optional, tag = "3")]
    pub(super) planned: Option<DynamicValue>,
    #[prost(message, optional, tag = "4")]
    pub(super) config: Option<DynamicValue>,
    #[prost(bytes = "vec", tag = "5")]
    pub(super) private: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct ApplyDone {
    #[prost(message, optional, tag = "1")]
    pub(super) state: Option<DynamicValue>,
    #[prost(message, repeated, tag = "3")]
    pub(super) diagnostics: Vec<Diagnostic>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Import {
    #[prost(string, tag = "1")]
    pub(super) type_name: String,
    #[prost(string, tag = "2")]
    pub(super) id: String,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Imported {
    #[prost(message, optional, tag = "2")]
    pub(super) state: Option<DynamicValue>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct ImportDone {
    #[prost(message, repeated, tag = "1")]
    pub(super) imported: Vec<Imported>,
    #[prost(message, repeated, tag = "2")]
    pub(super) diagnostics: Vec<Diagnostic>,
}
