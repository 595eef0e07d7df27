//! AWS Organizations. Only the management account and delegated administrators may list.

use std::collections::BTreeSet;

use aws_sdk_organizations::Client;
use aws_sdk_organizations::types::Account;

use super::failure::Failure;
use crate::cloud::call::{OrganizationInfo, Reply};
use crate::cloud::error::Kind;

/// The organisation of the caller.
pub(super) async fn describe(client: &Client) -> Result<Reply, Failure> {
    let answer = client.describe_organization().send().await?;
    let found = answer.organization.and_then(|found| found.id.zip(found.master_account_id));
    let (id, management) = found.ok_or_else(|| Failure::ours(Kind::Other, "the answer names no organisation"))?;
    Ok(Reply::Organization(OrganizationInfo { id, management }))
}

/// The active accounts of the whole organisation, or of a root or unit and not of the units in it.
pub(super) async fn list_accounts(client: &Client, parent: Option<String>) -> Result<Reply, Failure> {
    let mut accounts = BTreeSet::new();
    let mut token = None;
    loop {
        let (page, next) = match &parent {
            Some(parent) => {
                let page = client.list_accounts_for_parent().parent_id(parent).set_next_token(token).send().await?;
                (page.accounts, page.next_token)
            }
            None => {
                let page = client.list_accounts().set_next_token(token).send().await?;
                (page.accounts, page.next_token)
            }
        };
        accounts.extend(page.unwrap_or_default().into_iter().filter(is_active).filter_map(|account| account.id));
        token = next;
        if token.is_none() {
            return Ok(Reply::Names(accounts.into_iter().collect()));
        }
    }
}

/// Told by `State`, and by `Status` where AWS does not tell that yet.
fn is_active(account: &Account) -> bool {
    let state = account.state.as_ref().map(|state| state.as_str());
    state.or_else(|| account.status.as_ref().map(|status| status.as_str())) == Some("ACTIVE")
}

/// The units directly in a root or unit.
pub(super) async fn list_units(client: &Client, parent: String) -> Result<Reply, Failure> {
    let mut units = Vec::new();
    let mut token = None;
    loop {
        let page = client.list_organizational_units_for_parent().parent_id(&parent).set_next_token(token).send().await?;
        units.extend(page.organizational_units.unwrap_or_default().into_iter().filter_map(|unit| unit.id));
        token = page.next_token;
        if token.is_none() {
            return Ok(Reply::Names(units));
        }
    }
}
