//! STS and Account Management.

use aws_sdk_account::types::RegionOptStatus;

use super::failure::Failure;
use crate::cloud::call::{Caller, Region, Reply};
use crate::cloud::error::Kind;

pub(super) async fn caller(client: &aws_sdk_sts::Client) -> Result<Reply, Failure> {
    let answer = client.get_caller_identity().send().await?;
    match (answer.account, answer.arn) {
        (Some(account), Some(arn)) => Ok(Reply::Caller(Caller { account, arn })),
        _ => Err(Failure::ours(Kind::Other, "the answer names no account")),
    }
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
