//! IAM.

use aws_sdk_iam::Client;
use aws_sdk_iam::types::Tag;
use trailwire_engine::fanout::policy::from_percent;

use super::failure::Failure;
use crate::cloud::call::{Reply, Role, Tags};
use crate::cloud::error::Kind;

fn tags(tags: Tags) -> Result<Option<Vec<Tag>>, Failure> {
    let all = tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    let all: Vec<Tag> = all.collect::<Result<_, _>>().map_err(|error| Failure::ours(Kind::Other, error.to_string()))?;
    Ok(Some(all).filter(|all| !all.is_empty()))
}

fn is_missing(failure: &Failure) -> bool {
    failure.kind("iam:") == Kind::NotFound
}

pub(super) async fn get_role(client: &Client, name: String) -> Result<Reply, Failure> {
    match client.get_role().role_name(name).send().await.map_err(Failure::from) {
        Ok(answer) => Ok(Reply::Role(answer.role.map(|role| Role {
            arn: role.arn,
            trust: role.assume_role_policy_document.map(|document| from_percent(&document)),
            boundary: role.permissions_boundary.and_then(|boundary| boundary.permissions_boundary_arn),
        }))),
        Err(failure) if is_missing(&failure) => Ok(Reply::Role(None)),
        Err(failure) => Err(failure),
    }
}

/// A role to make.
pub(super) struct NewRole {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) description: String,
    pub(super) trust: String,
    pub(super) boundary: Option<String>,
    pub(super) tags: Tags,
}

pub(super) async fn create_role(client: &Client, role: NewRole) -> Result<Reply, Failure> {
    let answer = client
        .create_role()
        .role_name(role.name)
        .path(role.path)
        .description(role.description)
        .assume_role_policy_document(role.trust)
        .set_permissions_boundary(role.boundary)
        .set_tags(tags(role.tags)?)
        .send()
        .await?;
    Ok(Reply::Text(answer.role.map(|role| role.arn).unwrap_or_default()))
}

pub(super) async fn update_trust(client: &Client, role: String, trust: String) -> Result<Reply, Failure> {
    client.update_assume_role_policy().role_name(role).policy_document(trust).send().await?;
    Ok(Reply::Done)
}

pub(super) async fn put_boundary(client: &Client, role: String, boundary: Option<String>) -> Result<Reply, Failure> {
    match boundary {
        Some(boundary) => {
            client.put_role_permissions_boundary().role_name(role).permissions_boundary(boundary).send().await?;
        }
        None => {
            client.delete_role_permissions_boundary().role_name(role).send().await?;
        }
    }
    Ok(Reply::Done)
}

pub(super) async fn put_role_policy(client: &Client, role: String, name: String, policy: String) -> Result<Reply, Failure> {
    client.put_role_policy().role_name(role).policy_name(name).policy_document(policy).send().await?;
    Ok(Reply::Done)
}

pub(super) async fn get_role_policy(client: &Client, role: String, name: String) -> Result<Reply, Failure> {
    match client.get_role_policy().role_name(role).policy_name(name).send().await.map_err(Failure::from) {
        Ok(answer) => Ok(Reply::Document(Some(from_percent(&answer.policy_document)))),
        Err(failure) if is_missing(&failure) => Ok(Reply::Document(None)),
        Err(failure) => Err(failure),
    }
}

pub(super) async fn list_role_policies(client: &Client, role: String) -> Result<Reply, Failure> {
    let (mut names, mut marker) = (Vec::new(), None);
    loop {
        let page = match client.list_role_policies().role_name(&role).set_marker(marker).send().await.map_err(Failure::from) {
            Err(failure) if is_missing(&failure) => return Ok(Reply::Names(names)),
            other => other?,
        };
        names.extend(page.policy_names);
        marker = page.marker;
        if marker.is_none() {
            return Ok(Reply::Names(names));
        }
    }
}

pub(super) async fn delete_role_policy(client: &Client, role: String, name: String) -> Result<Reply, Failure> {
    done(client.delete_role_policy().role_name(role).policy_name(name).send().await.map_err(Failure::from))
}

pub(super) async fn delete_role(client: &Client, name: String) -> Result<Reply, Failure> {
    done(client.delete_role().role_name(name).send().await.map_err(Failure::from))
}

pub(super) async fn list_tags(client: &Client, role: String) -> Result<Reply, Failure> {
    let answer = client.list_role_tags().role_name(role).max_items(100).send().await?;
    Ok(Reply::Tags(answer.tags.into_iter().map(|tag| (tag.key, tag.value)).collect()))
}

pub(super) async fn tag(client: &Client, role: String, new: Tags) -> Result<Reply, Failure> {
    client.tag_role().role_name(role).set_tags(tags(new)?).send().await?;
    Ok(Reply::Done)
}

pub(super) async fn untag(client: &Client, role: String, keys: Vec<String>) -> Result<Reply, Failure> {
    client.untag_role().role_name(role).set_tag_keys(Some(keys)).send().await?;
    Ok(Reply::Done)
}

fn done<T>(result: Result<T, Failure>) -> Result<Reply, Failure> {
    match result {
        Ok(_) => Ok(Reply::Done),
        Err(failure) if is_missing(&failure) => Ok(Reply::Done),
        Err(failure) => Err(failure),
    }
}
