//! SQS.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;

use super::failure::Failure;
use crate::cloud::call::{Reply, Tags};
use crate::cloud::error::Kind;

fn is_missing(failure: &Failure) -> bool {
    failure.kind("sqs:") == Kind::NotFound
}

fn names(attributes: BTreeMap<String, String>) -> HashMap<QueueAttributeName, String> {
    attributes.into_iter().map(|(name, value)| (QueueAttributeName::from(name.as_str()), value)).collect()
}

fn tag_map(tags: Tags) -> Option<HashMap<String, String>> {
    Some(tags.into_iter().collect::<HashMap<_, _>>()).filter(|tags| !tags.is_empty())
}

pub(super) async fn create_queue(
    client: &Client,
    name: String,
    attributes: BTreeMap<String, String>,
    tags: Tags,
) -> Result<Reply, Failure> {
    let answer = client.create_queue().queue_name(name).set_attributes(Some(names(attributes))).set_tags(tag_map(tags)).send().await?;
    Ok(Reply::Text(answer.queue_url.unwrap_or_default()))
}

pub(super) async fn get_queue_url(client: &Client, name: String) -> Result<Reply, Failure> {
    match client.get_queue_url().queue_name(name).send().await.map_err(Failure::from) {
        Ok(answer) => Ok(Reply::Document(answer.queue_url)),
        Err(failure) if is_missing(&failure) => Ok(Reply::Document(None)),
        Err(failure) => Err(failure),
    }
}

pub(super) async fn get_queue_attributes(client: &Client, url: String) -> Result<Reply, Failure> {
    match client.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All).send().await.map_err(Failure::from) {
        Ok(answer) => {
            let attributes = answer.attributes.unwrap_or_default();
            Ok(Reply::Attributes(Some(attributes.into_iter().map(|(name, value)| (name.as_str().to_owned(), value)).collect())))
        }
        Err(failure) if is_missing(&failure) => Ok(Reply::Attributes(None)),
        Err(failure) => Err(failure),
    }
}

pub(super) async fn set_queue_attributes(client: &Client, url: String, attributes: BTreeMap<String, String>) -> Result<Reply, Failure> {
    client.set_queue_attributes().queue_url(url).set_attributes(Some(names(attributes))).send().await?;
    Ok(Reply::Done)
}

pub(super) async fn delete_queue(client: &Client, url: String) -> Result<Reply, Failure> {
    match client.delete_queue().queue_url(url).send().await.map_err(Failure::from) {
        Ok(_) => Ok(Reply::Done),
        Err(failure) if is_missing(&failure) => Ok(Reply::Done),
        Err(failure) => Err(failure),
    }
}

pub(super) async fn list_tags(client: &Client, url: String) -> Result<Reply, Failure> {
    let answer = client.list_queue_tags().queue_url(url).send().await?;
    Ok(Reply::Tags(answer.tags.unwrap_or_default().into_iter().collect()))
}

pub(super) async fn tag(client: &Client, url: String, tags: Tags) -> Result<Reply, Failure> {
    client.tag_queue().queue_url(url).set_tags(tag_map(tags)).send().await?;
    Ok(Reply::Done)
}

pub(super) async fn untag(client: &Client, url: String, keys: Vec<String>) -> Result<Reply, Failure> {
    client.untag_queue().queue_url(url).set_tag_keys(Some(keys)).send().await?;
    Ok(Reply::Done)
}
