//! Secrets Manager.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::types::Tag;

use super::failure::Failure;
use crate::cloud::call::{Reply, SecretInfo, Tags};
use crate::cloud::error::Kind;
use crate::config::Secret;

fn tags(tags: Tags) -> Option<Vec<Tag>> {
    Some(tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect::<Vec<_>>())
        .filter(|tags| !tags.is_empty())
}

pub(super) async fn create(client: &Client, name: String, description: String, value: Secret, new: Tags) -> Result<Reply, Failure> {
    let answer =
        client.create_secret().name(name).description(description).secret_string(value.expose()).set_tags(tags(new)).send().await?;
    Ok(Reply::Text(answer.arn.unwrap_or_default()))
}

pub(super) async fn describe(client: &Client, id: String) -> Result<Reply, Failure> {
    match client.describe_secret().secret_id(id).send().await.map_err(Failure::from) {
        Ok(answer) => Ok(Reply::Secret(Some(SecretInfo { arn: answer.arn.unwrap_or_default(), deleted: answer.deleted_date.is_some() }))),
        Err(failure) if failure.kind("secretsmanager:") == Kind::NotFound => Ok(Reply::Secret(None)),
        Err(failure) => Err(failure),
    }
}

pub(super) async fn put_value(client: &Client, id: String, value: Secret) -> Result<Reply, Failure> {
    client.put_secret_value().secret_id(id).secret_string(value.expose()).send().await?;
    Ok(Reply::Done)
}

pub(super) async fn delete(client: &Client, id: String) -> Result<Reply, Failure> {
    match client.delete_secret().secret_id(id).force_delete_without_recovery(true).send().await.map_err(Failure::from) {
        Ok(_) => Ok(Reply::Done),
        Err(failure) if failure.kind("secretsmanager:") == Kind::NotFound => Ok(Reply::Done),
        Err(failure) => Err(failure),
    }
}

pub(super) async fn list_tags(client: &Client, id: String) -> Result<Reply, Failure> {
    let answer = client.describe_secret().secret_id(id).send().await?;
    let tags = answer.tags.unwrap_or_default().into_iter();
    Ok(Reply::Tags(tags.filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect()))
}

pub(super) async fn tag(client: &Client, id: String, new: Tags) -> Result<Reply, Failure> {
    client.tag_resource().secret_id(id).set_tags(tags(new)).send().await?;
    Ok(Reply::Done)
}

pub(super) async fn untag(client: &Client, id: String, keys: Vec<String>) -> Result<Reply, Failure> {
    client.untag_resource().secret_id(id).set_tag_keys(Some(keys)).send().await?;
    Ok(Reply::Done)
}
