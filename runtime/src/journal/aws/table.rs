//! The table in DynamoDB.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use futures::future::BoxFuture;
use trailwire_engine::fanout::table::{PK, SK};

use super::store::{Between, Expect, Item, Store, StoreError, Write};
use crate::hub::aws::describe;

const VERSION: &str = "version";
const DATA: &str = "data";
/// How DynamoDB calls what it will never take: of a request, and of one item of a transaction.
const FINAL: [&str; 3] = ["ValidationException", "ValidationError", "ItemCollectionSizeLimitExceeded"];
/// The HTTP status of a request that is too long to be read.
const TOO_LONG: u16 = 413;

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
                let (condition, names, values) = condition(expect);
                let put = Put::builder().table_name(&self.name).set_item(Some(to_dynamo(item))).set_condition_expression(condition);
                let put = put.set_expression_attribute_names(names).set_expression_attribute_values(values);
                TransactWriteItem::builder().put(put.build().map_err(invalid)?).build()
            }
            Write::Delete(pk, sk, expect) => {
                let (condition, names, values) = condition(expect);
                let delete = Delete::builder().table_name(&self.name).key(PK, AttributeValue::S(pk)).key(SK, AttributeValue::S(sk));
                let delete = delete.set_condition_expression(condition);
                let delete = delete.set_expression_attribute_names(names).set_expression_attribute_values(values);
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

    fn query(&self, pk: String, between: Between, most: usize) -> BoxFuture<'_, Result<Vec<Item>, StoreError>> {
        Box::pin(async move {
            let mut items = Vec::new();
            // A query may begin after a key that is not there.
            let key = |sk| HashMap::from([(PK.to_owned(), AttributeValue::S(pk.clone())), (SK.to_owned(), AttributeValue::S(sk))]);
            let mut from = between.after.map(key);
            loop {
                let query = self.client.query().table_name(&self.name).consistent_read(true).set_exclusive_start_key(from.take());
                let query = query.expression_attribute_names("#pk", PK).expression_attribute_values(":pk", AttributeValue::S(pk.clone()));
                let query = match &between.before {
                    None => query.key_condition_expression("#pk = :pk"),
                    Some(before) => query
                        .key_condition_expression("#pk = :pk AND #sk < :before")
                        .expression_attribute_names("#sk", SK)
                        .expression_attribute_values(":before", AttributeValue::S(before.clone())),
                };
                let limit = i32::try_from(most.saturating_sub(items.len())).ok();
                let answer = query.set_limit(limit).send().await.map_err(|error| StoreError::Unavailable(describe(&error)))?;
                // One that is none of ours takes no place: fewer than were asked for are all there are.
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
            sent.map(drop).map_err(|error| why(&error))
        })
    }
}

type Condition = (Option<String>, Option<HashMap<String, String>>, Option<HashMap<String, AttributeValue>>);

/// What is expected, as an expression with the names and values that it uses.
fn condition(expect: Expect) -> Condition {
    let names = HashMap::from([("#v".to_owned(), VERSION.to_owned())]);
    match expect {
        Expect::Anything => (None, None, None),
        Expect::Absent => (Some("attribute_not_exists(#v)".to_owned()), Some(names), None),
        Expect::Version(version) => {
            let values = HashMap::from([(":v".to_owned(), AttributeValue::N(version.to_string()))]);
            (Some("#v = :v".to_owned()), Some(names), Some(values))
        }
    }
}

/// Why a transaction was not made.
fn why(error: &SdkError<TransactWriteItemsError>) -> StoreError {
    let codes: Vec<&str> = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
            canceled.cancellation_reasons().iter().filter_map(|reason| reason.code()).collect()
        }
        Some(TransactWriteItemsError::IdempotentParameterMismatchException(_)) => return StoreError::Conflict,
        Some(other) => other.code().into_iter().collect(),
        None => vec![],
    };
    let is_too_long = error.raw_response().is_some_and(|response| response.status().as_u16() == TOO_LONG);
    // A transaction that meets another one on its way ends both.
    if codes.iter().any(|code| ["ConditionalCheckFailed", "TransactionConflict"].contains(code)) {
        StoreError::Conflict
    } else if is_too_long || codes.iter().any(|code| FINAL.contains(code)) {
        StoreError::Refused(describe(error))
    } else {
        StoreError::Unavailable(describe(error))
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
