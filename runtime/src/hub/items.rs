//! The hub's table: items in and out.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::get_item::GetItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::QueryError;
use aws_sdk_dynamodb::types::AttributeValue;
use trailwire_engine::fanout::names;
use trailwire_engine::fanout::table::{Attribute, Item, PK, SK};

/// The table of one hub.
#[derive(Debug, Clone)]
pub(super) struct Table {
    client: aws_sdk_dynamodb::Client,
    pub(super) name: String,
}

impl Table {
    pub(super) fn new(config: &aws_config::SdkConfig, hub: &str) -> Self {
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        let hub = names::Hub::new(hub, names::Cell::new("", region));
        Self { client: aws_sdk_dynamodb::Client::new(config), name: hub.table_name() }
    }

    /// One item, consistently read.
    pub(super) async fn get(&self, pk: &str, sk: &str) -> Result<Option<Item>, SdkError<GetItemError>> {
        let get = self.client.get_item().table_name(&self.name).consistent_read(true);
        let answer = get.key(PK, AttributeValue::S(pk.to_owned())).key(SK, AttributeValue::S(sk.to_owned())).send().await?;
        Ok(answer.item.map(from_dynamo))
    }

    /// Every item under a hash key, consistently read.
    pub(super) async fn query(&self, pk: &str) -> Result<Vec<Item>, SdkError<QueryError>> {
        let query = self.client.query().table_name(&self.name).consistent_read(true);
        let query = query.key_condition_expression("#pk = :pk").expression_attribute_names("#pk", PK);
        let query = query.expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()));
        let items = query.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await?;
        Ok(items.into_iter().map(from_dynamo).collect())
    }

    pub(super) async fn put(&self, item: &Item) -> Result<(), SdkError<PutItemError>> {
        let item = item.iter().map(|(name, value)| (name.clone(), to_dynamo(value))).collect();
        self.client.put_item().table_name(&self.name).set_item(Some(item)).send().await.map(drop)
    }
}

/// Attributes of other types are none of ours.
fn from_dynamo(item: HashMap<String, AttributeValue>) -> Item {
    let known = item.into_iter().filter_map(|(name, value)| match value {
        AttributeValue::S(text) => Some((name, Attribute::Text(text))),
        AttributeValue::N(number) => Some((name, Attribute::Number(number.parse().ok()?))),
        _ => None,
    });
    known.collect::<BTreeMap<_, _>>()
}

fn to_dynamo(value: &Attribute) -> AttributeValue {
    match value {
        Attribute::Text(text) => AttributeValue::S(text.clone()),
        Attribute::Number(number) => AttributeValue::N(number.to_string()),
    }
}
