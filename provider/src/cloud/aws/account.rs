//! STS and Account Management.

use aws_sdk_account::types::RegionOptStatus;

use super::failure::Failure;
use super::setup::Base;
use crate::cloud::call::{Caller, Region, Reply};
use crate::cloud::error::Kind;
use crate::config::ProviderConfig;

pub(super) async fn caller(client: &aws_sdk_sts::Client) -> Result<Reply, Failure> {
    let answer = client.get_caller_identity().send().await?;
    match answer.account {
        Some(account) => Ok(Reply::Caller(Caller { account, arn: answer.arn })),
        None => Err(Failure::ours(Kind::Other, "the answer names no account")),
    }
}

/// The caller as the configuration tells it, for whoever must not ask STS (`skip_credentials_validation`).
pub(super) fn caller_as_told(config: &ProviderConfig, base: &Base) -> Result<Reply, Failure> {
    let of_role = config.assume_role.as_ref().and_then(|role| role.role_arn.split(':').nth(4));
    let only = config.allowed_account_ids.first().filter(|_| config.allowed_account_ids.len() == 1);
    let account = of_role.or(base.account.as_deref()).or(only.map(String::as_str)).ok_or_else(|| {
        Failure::ours(
            Kind::Configuration,
            "with `skip_credentials_validation` nothing tells the account: name it alone in `allowed_account_ids`, or set AWS_ACCOUNT_ID",
        )
    })?;
    Ok(Reply::Caller(Caller { account: account.to_owned(), arn: None }))
}

pub(super) async fn list_regions(client: &aws_sdk_account::Client) -> Result<Reply, Failure> {
    let mut regions = Vec::new();
    let mut token = None;
    loop {
        let page = client.list_regions().max_results(50).set_next_token(token).send().await?;
        regions.extend(page.regions.unwrap_or_default().into_iter().filter_map(|region| {
            let enabled = matches!(region.region_opt_status, Some(RegionOptStatus::Enabled | RegionOptStatus::EnabledByDefault));
            region.region_name.map(|name| Region { name, enabled })
        }));
        token = page.next_token;
        if token.is_none() {
            return Ok(Reply::Regions(regions));
        }
    }
}
