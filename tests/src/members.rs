//! Member accounts of the stand: accounts that let another one deploy.

use serde_json::json;

use crate::stand::Stand;

/// The role that the provider assumes in a member account unless it is told otherwise.
pub const ROLE: &str = "trailwire-deploy";

/// Lets the account `home` deploy in `member` by a role that may do everything, when it gives the external id. The role's ARN.
///
/// # Panics
/// When the role cannot be made.
pub async fn allow(stand: &Stand, member: &str, home: &str, external_id: &str) -> String {
    allow_each(stand, member, &[home], external_id).await
}

/// The same for several accounts, each with a hub of its own.
///
/// # Panics
/// When the role cannot be made.
pub async fn allow_each(stand: &Stand, member: &str, homes: &[&str], external_id: &str) -> String {
    let iam = aws_sdk_iam::Client::new(&stand.sdk(member, "us-east-1").await);
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": { "AWS": homes.iter().map(|home| format!("arn:aws:iam::{home}:root")).collect::<Vec<_>>() },
        "Action": "sts:AssumeRole",
        "Condition": { "StringEquals": { "sts:ExternalId": external_id } },
    }]});
    let role = iam.create_role().role_name(ROLE).assume_role_policy_document(trust.to_string());
    role.send().await.expect("a role can be made").role.expect("the answer names the role").arn
}
