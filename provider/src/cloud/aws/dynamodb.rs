//! DynamoDB: the hub's table.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, ConditionCheck, Delete, KeySchemaElement, KeyType, Put, ScalarAttributeType, Tag,
    TransactWriteItem, Update,
};
use trailwire_engine::fanout::table::{Attribute, Item, PK, SK};

use super::failure::Failure;
use crate::cloud::call::{Condition, Reply, Table, Tags, Write};
use crate::cloud::error::Kind;

type SdkItem = HashMap<String, AttributeValue>;

fn incomplete(error: BuildError) -> Failure {
    Failure::ours(Kind::Other, error.to_string())
}

fn to_value(attribute: Attribute) -> AttributeValue {
    match attribute {
        Attribute::Text(text) => AttributeValue::S(text),
        Attribute::Number(number) => AttributeValue::N(number.to_string()),
    }
}

fn to_sdk(item: Item) -> SdkItem {
    item.into_iter().map(|(name, value)| (name, to_value(value))).collect()
}

/// Attributes of other types, or numbers that are not whole, are not ours and are left out.
fn from_sdk(item: SdkItem) -> Item {
    let known = item.into_iter().filter_map(|(name, value)| match value {
        AttributeValue::S(text) => Some((name, Attribute::Text(text))),
        AttributeValue::N(number) => number.parse().ok().map(|number| (name, Attribute::Number(number))),
        _ => None,
    });
    known.collect()
}

fn tags(tags: Tags) -> Result<Option<Vec<Tag>>, Failure> {
    let all = tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    let all: Vec<Tag> = all.collect::<Result<_, _>>().map_err(incomplete)?;
    Ok(Some(all).filter(|all| !all.is_empty()))
}

pub(super) async fn create_table(client: &Client, name: String, new: Tags) -> Result<Reply, Failure> {
    let mut request = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest).set_tags(tags(new)?);
    for (key, kind) in [(PK, KeyType::Hash), (SK, KeyType::Range)] {
        let definition = AttributeDefinition::builder().attribute_name(key).attribute_type(ScalarAttributeType::S).build();
        let element = KeySchemaElement::builder().attribute_name(key).key_type(kind).build();
        request = request.attribute_definitions(definition.map_err(incomplete)?).key_schema(element.map_err(incomplete)?);
    }
    request.send().await?;
    Ok(Reply::Done)
}

pub(super) async fn describe_table(client: &Client, name: String) -> Result<Reply, Failure> {
    match client.describe_table().table_name(name).send().await.map_err(Failure::from) {
        Ok(answer) => Ok(Reply::Table(answer.table.map(|table| Table {
            arn: table.table_arn.unwrap_or_default(),
            status: table.table_status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        }))),
        Err(failure) if failure.kind("dynamodb:") == Kind::NotFound => Ok(Reply::Table(None)),
        Err(failure) => Err(failure),
    }
}

pub(super) async fn delete_table(client: &Client, name: String) -> Result<Reply, Failure> {
    match client.delete_table().table_name(name).send().await.map_err(Failure::from) {
        Ok(_) => Ok(Reply::Done),
        Err(failure) if failure.kind("dynamodb:") == Kind::NotFound => Ok(Reply::Done),
        Err(failure) => Err(failure),
    }
}

pub(super) async fn get_item(client: &Client, table: String, pk: String, sk: String) -> Result<Reply, Failure> {
    let answer = client
        .get_item()
        .table_name(table)
        .key(PK, AttributeValue::S(pk))
        .key(SK, AttributeValue::S(sk))
        .consistent_read(true)
        .send()
        .await?;
    Ok(Reply::Item(answer.item.map(from_sdk)))
}

pub(super) async fn query(client: &Client, table: String, pk: String) -> Result<Reply, Failure> {
    let mut items = Vec::new();
    let mut start: Option<SdkItem> = None;
    loop {
        let page = client
            .query()
            .table_name(&table)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":pk", AttributeValue::S(pk.clone()))
            .consistent_read(true)
            .set_exclusive_start_key(start)
            .send()
            .await?;
        items.extend(page.items.unwrap_or_default().into_iter().map(from_sdk));
        start = page.last_evaluated_key.filter(|key| !key.is_empty());
        if start.is_none() {
            return Ok(Reply::Items(items));
        }
    }
}

pub(super) async fn transact(client: &Client, table: String, writes: Vec<Write>, token: String) -> Result<Reply, Failure> {
    let items: Vec<TransactWriteItem> = writes.into_iter().map(|write| transact_item(&table, write)).collect::<Result<_, _>>()?;
    let answer = client.transact_write_items().set_transact_items(Some(items)).client_request_token(token).send().await;
    let Err(error) = answer else { return Ok(Reply::Done) };
    let reasons: Vec<String> = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    };
    let has = |code: &str| reasons.iter().any(|reason| reason == code);
    let failure = Failure::from(error);
    Err(if has("ConditionalCheckFailed") {
        failure.with_kind(Kind::ConditionFailed)
    } else if has("TransactionConflict") || has("ThrottlingError") || has("ProvisionedThroughputExceeded") {
        failure.with_kind(Kind::Throttled)
    } else {
        failure
    })
}

fn transact_item(table: &str, write: Write) -> Result<TransactWriteItem, Failure> {
    let item = TransactWriteItem::builder();
    let mut words = Words::default();
    Ok(match write {
        Write::Put { item: new, condition } => {
            let condition = condition.map(|condition| words.condition(&condition));
            let put = Put::builder().table_name(table).set_item(Some(to_sdk(new))).set_condition_expression(condition);
            let put = put.set_expression_attribute_names(words.names()).set_expression_attribute_values(words.values());
            item.put(put.build().map_err(incomplete)?).build()
        }
        Write::Update { key, set, add, condition } => {
            let expression = words.update(set, add);
            let condition = condition.map(|condition| words.condition(&condition));
            let update = Update::builder().table_name(table).set_key(Some(to_sdk(key))).update_expression(expression);
            let update = update.set_condition_expression(condition).set_expression_attribute_names(words.names());
            item.update(update.set_expression_attribute_values(words.values()).build().map_err(incomplete)?).build()
        }
        Write::Delete { key, condition } => {
            let condition = condition.map(|condition| words.condition(&condition));
            let delete = Delete::builder().table_name(table).set_key(Some(to_sdk(key))).set_condition_expression(condition);
            let delete = delete.set_expression_attribute_names(words.names()).set_expression_attribute_values(words.values());
            item.delete(delete.build().map_err(incomplete)?).build()
        }
        Write::Check { key, condition } => {
            let condition = words.condition(&condition);
            let check = ConditionCheck::builder().table_name(table).set_key(Some(to_sdk(key))).condition_expression(condition);
            let check = check.set_expression_attribute_names(words.names()).set_expression_attribute_values(words.values());
            item.condition_check(check.build().map_err(incomplete)?).build()
        }
    })
}

/// The names and values that stand behind the placeholders of one expression. Names are never written plainly: many are reserved.
#[derive(Default)]
struct Words {
    names: HashMap<String, String>,
    values: SdkItem,
}

impl Words {
    fn name(&mut self, name: &str) -> String {
        let placeholder = format!("#{name}");
        self.names.insert(placeholder.clone(), name.to_owned());
        placeholder
    }

    fn value(&mut self, value: Attribute) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.values.insert(placeholder.clone(), to_value(value));
        placeholder
    }

    fn condition(&mut self, condition: &Condition) -> String {
        match condition {
            Condition::Absent => format!("attribute_not_exists({})", self.name(PK)),
            Condition::Present => format!("attribute_exists({})", self.name(PK)),
            Condition::Equals(name, value) => format!("{} = {}", self.name(name), self.value(value.clone())),
            Condition::All(conditions) => self.joined(conditions, " AND "),
            Condition::Any(conditions) => self.joined(conditions, " OR "),
        }
    }

    fn joined(&mut self, conditions: &[Condition], word: &str) -> String {
        let parts: Vec<String> = conditions.iter().map(|condition| self.condition(condition)).collect();
        format!("({})", parts.join(word))
    }

    fn update(&mut self, set: Item, add: Vec<(&'static str, u64)>) -> String {
        let sets: Vec<String> = set.into_iter().map(|(name, value)| format!("{} = {}", self.name(&name), self.value(value))).collect();
        let adds: Vec<String> =
            add.into_iter().map(|(name, number)| format!("{} {}", self.name(name), self.value(Attribute::Number(number)))).collect();
        let clause =
            |word: &str, parts: Vec<String>| if parts.is_empty() { String::new() } else { format!("{word} {} ", parts.join(", ")) };
        format!("{}{}", clause("SET", sets), clause("ADD", adds)).trim_end().to_owned()
    }

    fn names(&mut self) -> Option<HashMap<String, String>> {
        Some(std::mem::take(&mut self.names)).filter(|names| !names.is_empty())
    }

    fn values(&mut self) -> Option<SdkItem> {
        Some(std::mem::take(&mut self.values)).filter(|values| !values.is_empty())
    }
}

pub(super) async fn list_tags(client: &Client, arn: String) -> Result<Reply, Failure> {
    let answer = client.list_tags_of_resource().resource_arn(arn).send().await?;
    Ok(Reply::Tags(answer.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect()))
}

pub(super) async fn tag(client: &Client, arn: String, new: Tags) -> Result<Reply, Failure> {
    client.tag_resource().resource_arn(arn).set_tags(tags(new)?).send().await?;
    Ok(Reply::Done)
}

pub(super) async fn untag(client: &Client, arn: String, keys: Vec<String>) -> Result<Reply, Failure> {
    client.untag_resource().resource_arn(arn).set_tag_keys(Some(keys)).send().await?;
    Ok(Reply::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_use_placeholders_only() {
        let mut words = Words::default();
        let update = words.update(Item::from([("state".to_owned(), "live".into())]), vec![("revision", 1)]);
        let condition = words.condition(&Condition::Any(vec![
            Condition::Absent,
            Condition::All(vec![Condition::Equals("state", "creating".into()), Condition::Equals("lease_until", 9.into())]),
        ]));
        assert_eq!(update, "SET #state = :v0 ADD #revision :v1");
        assert_eq!(condition, "(attribute_not_exists(#pk) OR (#state = :v2 AND #lease_until = :v3))");
        assert_eq!(words.names().unwrap().len(), 4);
        assert_eq!(words.values().unwrap().len(), 4);
    }
}
