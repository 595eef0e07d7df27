//! The table in DynamoDB.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use futures::future::BoxFuture;
use trailwire_engine::fanout::table::{PK, SK};

use super::store::{Expect, Item, Store, StoreError, Write};
use crate::hub::aws::describe;

const VERSION: &str = "version";
const DATA: &str = "data";

/// A hub's table.
#[derive(Debug, Clone)]
pub(crate) struct DynamoTable {
    client: Client,
    name: String,
}

impl DynamoTable {
    pub(crate) fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    fn write(&self, write: Write) -> Result<TransactWriteItem, StoreError> {
        let invalid = |error: aws_sdk_dynamodb::error::BuildError| StoreError::Unavailable(error.to_string());
        Ok(match write {
            Write::Put(item, expect) => {
                let put = Put::builder().table_name(&self.name).set_item(Some(to_dynamo(item)));
                let put = match expect {
                    Expect::Anything => put,
                    Expect::Absent => put.condition_expression("attribute_not_exists(#v)").expression_attribute_names("#v", VERSION),
                    Expect::Version(version) => put
                        .condition_expression("#v = :v")
                        .expression_attribute_names("#v", VERSION)
                        .expression_attribute_values(":v", AttributeValue::N(version.to_string())),
                };
                TransactWriteItem::builder().put(put.build().map_err(invalid)?).build()
            }
            Write::Delete(pk, sk) => {
                let delete = Delete::builder().table_name(&self.name).key(PK, AttributeValue::S(pk)).key(SK, AttributeValue::S(sk));
                TransactWriteItem::builder().delete(delete.build().map_err(invalid)?).build()
            }
        })
    }
}

impl Store for DynamoTable {
    fn get(&self, pk: String, sk: String) -> BoxFuture<'_, Result<Option<Item>, StoreError>> {
        Box::pin(async move {
            let get = self.client.get_item().table_name(&self.name).consistent_read(true);
            let answer = get.key(PK, AttributeValue::S(pk)).key(SK, AttributeValue::S(sk)).send().await;
            Ok(answer.map_err(|error| StoreError::Unavailable(describe(&error)))?.item.and_then(from_dynamo))
        })
    }

    fn query(&self, pk: String, below: Option<String>, most: usize) -> BoxFuture<'_, Result<Vec<Item>, StoreError>> {
        Box::pin(async move {
            let mut items = Vec::new();
            let mut from = None;
            loop {
                let query = self.client.query().table_name(&self.name).consistent_read(true).set_exclusive_start_key(from.take());
                let query = query.expression_attribute_names("#pk", PK).expression_attribute_values(":pk", AttributeValue::S(pk.clone()));
                let query = match &below {
                    None => query.key_condition_expression("#pk = :pk"),
                    Some(below) => query
                        .key_condition_expression("#pk = :pk AND #sk < :below")
                        .expression_attribute_names("#sk", SK)
                        .expression_attribute_values(":below", AttributeValue::S(below.clone())),
                };
                let limit = i32::try_from(most.saturating_sub(items.len())).ok();
                let answer = query.set_limit(limit).send().await.map_err(|error| StoreError::Unavailable(describe(&error)))?;
                items.extend(answer.items.unwrap_or_default().into_iter().filter_map(from_dynamo));
                from = answer.last_evaluated_key.filter(|key| !key.is_empty());
                if from.is_none() || items.len() >= most {
                    return Ok(items);
                }
            }
        })
    }

    fn transact(&self, writes: Vec<Write>, token: String) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let items = writes.into_iter().map(|write| self.write(write)).collect::<Result<Vec<_>, _>>()?;
            let sent = self.client.transact_write_items().set_transact_items(Some(items)).client_request_token(token).send().await;
            sent.map(drop).map_err(|error| match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(canceled))
                    if canceled.cancellation_reasons().iter().any(|reason| reason.code() == Some("ConditionalCheckFailed")) =>
                {
                    StoreError::Conflict
                }
                Some(TransactWriteItemsError::IdempotentParameterMismatchException(_)) => StoreError::Conflict,
                _ => StoreError::Unavailable(describe(&error)),
            })
        })
    }
}

fn to_dynamo(item: Item) -> HashMap<String, AttributeValue> {
    HashMap::from([
        (PK.to_owned(), AttributeValue::S(item.pk)),
        (SK.to_owned(), AttributeValue::S(item.sk)),
        (VERSION.to_owned(), AttributeValue::N(item.version.to_string())),
        (DATA.to_owned(), AttributeValue::B(Blob::new(item.data))),
    ])
}

/// `None` for an item that is none of ours.
fn from_dynamo(mut item: HashMap<String, AttributeValue>) -> Option<Item> {
    let version = item.get(VERSION)?.as_n().ok()?.parse().ok()?;
    match (item.remove(PK)?, item.remove(SK)?, item.remove(DATA)?) {
        (AttributeValue::S(pk), AttributeValue::S(sk), AttributeValue::B(data)) => Some(Item { pk, sk, version, data: data.into_inner() }),
        _ => None,
    }
}
