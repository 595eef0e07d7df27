//! AWS itself: the SDK's clients, made when they are first needed. Its types stop here.

mod account;
mod cloudtrail;
mod cloudwatch;
mod dynamodb;
mod events;
mod failure;
mod function;
mod iam;
mod json;
mod member;
mod organization;
mod secrets;
mod setup;
mod sqs;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use aws_types::SdkConfig;
use aws_types::region::Region;
use futures::future::BoxFuture;
use tokio::sync::OnceCell;
use trailwire_engine::fanout::names::Cell;

use self::failure::Failure;
use self::member::{Members, assume};
use self::setup::Base;
use super::call::{Call, Caller, Reply, Tagged};
use super::error::CloudResult;
use super::{Door, call};
use crate::config::ProviderConfig;

/// The way to the real services. Nothing is read and nothing connected before the first call.
#[derive(Debug)]
pub(super) struct Aws {
    config: Arc<ProviderConfig>,
    base: OnceCell<Base>,
    /// Whose the credentials are: the answer to the first call of all.
    caller: OnceLock<Caller>,
    members: Members,
    /// By account and region; calls with the provider's own credentials have no account.
    clients: Mutex<BTreeMap<(String, String), Arc<Clients>>>,
}

/// The clients of one cell. All cells share the HTTP client, and those of an account its credentials, so one more costs little.
#[derive(Debug)]
struct Clients {
    base: SdkConfig,
    endpoints: BTreeMap<String, String>,
    account: OnceLock<aws_sdk_account::Client>,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    events: OnceLock<aws_sdk_eventbridge::Client>,
    iam: OnceLock<aws_sdk_iam::Client>,
    organizations: OnceLock<aws_sdk_organizations::Client>,
    secrets: OnceLock<aws_sdk_secretsmanager::Client>,
    sqs: OnceLock<aws_sdk_sqs::Client>,
    sts: OnceLock<aws_sdk_sts::Client>,
}

/// A client of one service: the region's settings, with the provider's own endpoint for that service where there is one.
macro_rules! client {
    ($clients:expr, $field:ident, $sdk:ident, $endpoint:literal) => {
        $clients.$field.get_or_init(|| {
            let builder = $sdk::config::Builder::from(&$clients.base);
            let builder = match $clients.endpoints.get($endpoint) {
                Some(url) => builder.endpoint_url(url),
                None => builder,
            };
            $sdk::Client::from_conf(builder.build())
        })
    };
}

impl Aws {
    /// A door that will act as the provider block says.
    pub(super) fn new(config: Arc<ProviderConfig>) -> Self {
        Self { config, base: OnceCell::new(), caller: OnceLock::new(), members: Members::default(), clients: Mutex::default() }
    }

    async fn base(&self) -> Result<&Base, Failure> {
        self.base.get_or_try_init(|| setup::base(&self.config)).await
    }

    /// The clients of a cell, once the role of its account is assumed where it is not the credentials' own.
    async fn clients(&self, cell: &Cell) -> Result<Arc<Clients>, Failure> {
        let base = self.base().await?;
        if !self.is_member(&cell.account) {
            return Ok(self.clients_of("", &cell.region, || base.sdk.clone()));
        }
        let member = self.members.of(&cell.account);
        let home = base.sdk.region().map_or(cell.region.as_str(), Region::as_ref);
        let own = self.clients_of("", home, || base.sdk.clone());
        let caller = self.caller.get().and_then(|caller| caller.arn.as_deref());
        let sts = || client!(own, sts, aws_sdk_sts, "sts");
        let entered = member.begin(SystemTime::now(), || assume(sts(), &self.config, (&cell.account, home), caller)).await;
        entered.map_err(|failure| failure.through(own.endpoint("sts:AssumeRole")))?;
        Ok(self.clients_of(&cell.account, &cell.region, || base.sdk.to_builder().credentials_provider(member.provider()).build()))
    }

    /// Whether an account is another one than the credentials'. Before anything is known of them, no call names an account.
    fn is_member(&self, account: &str) -> bool {
        !account.is_empty() && self.caller.get().is_none_or(|caller| caller.account != account)
    }

    fn clients_of(&self, account: &str, region: &str, sdk: impl FnOnce() -> SdkConfig) -> Arc<Clients> {
        let mut all = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let clients = all.entry((account.to_owned(), region.to_owned())).or_insert_with(|| {
            Arc::new(Clients {
                base: sdk().into_builder().region(Region::new(region.to_owned())).build(),
                endpoints: self.config.endpoints.clone(),
                account: OnceLock::new(),
                dynamodb: OnceLock::new(),
                events: OnceLock::new(),
                iam: OnceLock::new(),
                organizations: OnceLock::new(),
                secrets: OnceLock::new(),
                sqs: OnceLock::new(),
                sts: OnceLock::new(),
            })
        });
        Arc::clone(clients)
    }

    async fn answer(&self, cell: &Cell, call: Call) -> Result<Reply, Failure> {
        let operation = call.operation();
        let asked = matches!(call, Call::GetCallerIdentity);
        let reply = if asked && self.config.skip_credentials_validation {
            account::caller_as_told(&self.config, self.base().await?)?
        } else {
            let clients = self.clients(cell).await?;
            dispatch(&clients, call).await.map_err(|failure| failure.through(clients.endpoint(operation)))?
        };
        if let Reply::Caller(caller) = &reply {
            let _ = self.caller.set(caller.clone());
        }
        Ok(reply)
    }
}

impl Clients {
    /// The endpoint that somebody set for the service of an operation; `None` where AWS's own is used.
    fn endpoint(&self, operation: &str) -> Option<&str> {
        let service = operation.split(':').next().map(|service| if service == "events" { "eventbridge" } else { service });
        service.and_then(|service| self.endpoints.get(service)).map(String::as_str).or_else(|| self.base.endpoint_url())
    }
}

impl Door for Aws {
    fn home_region(&self) -> BoxFuture<'_, CloudResult<String>> {
        Box::pin(async move {
            let nowhere = Cell::new("", "");
            setup::region(&self.config).await.map_err(|failure| failure.at(&nowhere, ""))
        })
    }

    fn call<'a>(&'a self, cell: &'a Cell, call: Call) -> BoxFuture<'a, CloudResult<Reply>> {
        Box::pin(async move {
            let told = matches!(call, Call::GetCallerIdentity) && self.config.skip_credentials_validation;
            let operation = if told { "" } else { call.operation() };
            self.answer(cell, call).await.map_err(|failure| failure.at(cell, operation))
        })
    }
}

async fn dispatch(clients: &Clients, call: Call) -> Result<Reply, Failure> {
    match call {
        Call::GetCallerIdentity => account::caller(client!(clients, sts, aws_sdk_sts, "sts")).await,
        Call::ListRegions => account::list_regions(client!(clients, account, aws_sdk_account, "account")).await,
        Call::DescribeOrganization | Call::ListAccounts { .. } | Call::ListUnits { .. } => {
            dispatch_organizations(client!(clients, organizations, aws_sdk_organizations, "organizations"), call).await
        }
        Call::DescribeTrails => cloudtrail::describe_trails(clients).await,
        Call::GetTrailStatus { trail } => cloudtrail::is_logging(clients, trail).await,
        Call::GetEventSelectors { trail } => cloudtrail::keeps_writes(clients, trail).await,
        Call::CreateBus { .. }
        | Call::DescribeBus { .. }
        | Call::DeleteBus { .. }
        | Call::PutBusPolicy { .. }
        | Call::ListRules { .. }
        | Call::ListRuleNamesByTarget { .. }
        | Call::ListTargets { .. }
        | Call::PutRule { .. }
        | Call::PutTarget { .. }
        | Call::RemoveTargets { .. }
        | Call::DeleteRule { .. } => dispatch_events(client!(clients, events, aws_sdk_eventbridge, "eventbridge"), call).await,
        Call::GetRole { .. }
        | Call::CreateRole { .. }
        | Call::UpdateTrust { .. }
        | Call::PutBoundary { .. }
        | Call::PutRolePolicy { .. }
        | Call::GetRolePolicy { .. }
        | Call::ListRolePolicies { .. }
        | Call::DeleteRolePolicy { .. }
        | Call::DeleteRole { .. } => dispatch_iam(client!(clients, iam, aws_sdk_iam, "iam"), call).await,
        Call::DescribeAlarms { prefix } => cloudwatch::describe_alarms(clients, prefix).await,
        Call::PutAlarm { alarm, tags } => cloudwatch::put_alarm(clients, *alarm, tags).await,
        Call::DeleteAlarms { names } => cloudwatch::delete_alarms(clients, names).await,
        Call::Function { operation, subject, input } => function::call(clients, operation, &subject, input).await,
        Call::ListTags { .. } | Call::Tag { .. } | Call::Untag { .. } => dispatch_tags(clients, call).await,
        other => dispatch_home(clients, other).await,
    }
}

async fn dispatch_events(client: &aws_sdk_eventbridge::Client, call: Call) -> Result<Reply, Failure> {
    match call {
        Call::CreateBus { name, description, tags } => events::create_bus(client, name, description, tags).await,
        Call::DescribeBus { name } => events::describe_bus(client, name).await,
        Call::DeleteBus { name } => events::delete_bus(client, name).await,
        Call::PutBusPolicy { bus, policy } => events::put_bus_policy(client, bus, policy).await,
        Call::ListRules { bus, prefix } => events::list_rules(client, bus, prefix).await,
        Call::ListRuleNamesByTarget { bus, target_arn } => events::list_rule_names_by_target(client, bus, target_arn).await,
        Call::ListTargets { bus, rule } => events::list_targets(client, bus, rule).await,
        Call::PutRule { bus, rule, tags } => events::put_rule(client, bus, *rule, tags).await,
        Call::PutTarget { bus, rule, target } => events::put_target(client, bus, rule, target).await,
        Call::RemoveTargets { bus, rule, ids } => events::remove_targets(client, bus, rule, ids).await,
        Call::DeleteRule { bus, rule } => events::delete_rule(client, bus, rule).await,
        other => Err(unhandled(&other)),
    }
}

async fn dispatch_organizations(client: &aws_sdk_organizations::Client, call: Call) -> Result<Reply, Failure> {
    match call {
        Call::DescribeOrganization => organization::describe(client).await,
        Call::ListAccounts { parent } => organization::list_accounts(client, parent).await,
        Call::ListUnits { parent } => organization::list_units(client, parent).await,
        other => Err(unhandled(&other)),
    }
}

async fn dispatch_iam(client: &aws_sdk_iam::Client, call: Call) -> Result<Reply, Failure> {
    match call {
        Call::GetRole { name } => iam::get_role(client, name).await,
        Call::CreateRole { name, path, description, trust, boundary, tags } => {
            iam::create_role(client, iam::NewRole { name, path, description, trust, boundary, tags }).await
        }
        Call::UpdateTrust { role, trust } => iam::update_trust(client, role, trust).await,
        Call::PutBoundary { role, boundary } => iam::put_boundary(client, role, boundary).await,
        Call::PutRolePolicy { role, name, policy } => iam::put_role_policy(client, role, name, policy).await,
        Call::GetRolePolicy { role, name } => iam::get_role_policy(client, role, name).await,
        Call::ListRolePolicies { role } => iam::list_role_policies(client, role).await,
        Call::DeleteRolePolicy { role, name } => iam::delete_role_policy(client, role, name).await,
        Call::DeleteRole { name } => iam::delete_role(client, name).await,
        other => Err(unhandled(&other)),
    }
}

async fn dispatch_home(clients: &Clients, call: Call) -> Result<Reply, Failure> {
    let sqs = || client!(clients, sqs, aws_sdk_sqs, "sqs");
    let dynamodb = || client!(clients, dynamodb, aws_sdk_dynamodb, "dynamodb");
    let secrets = || client!(clients, secrets, aws_sdk_secretsmanager, "secretsmanager");
    match call {
        Call::CreateQueue { name, attributes, tags } => sqs::create_queue(sqs(), name, attributes, tags).await,
        Call::GetQueueUrl { name } => sqs::get_queue_url(sqs(), name).await,
        Call::GetQueueAttributes { url } => sqs::get_queue_attributes(sqs(), url).await,
        Call::SetQueueAttributes { url, attributes } => sqs::set_queue_attributes(sqs(), url, attributes).await,
        Call::DeleteQueue { url } => sqs::delete_queue(sqs(), url).await,
        Call::CreateTable { name, tags } => dynamodb::create_table(dynamodb(), name, tags).await,
        Call::DescribeTable { name } => dynamodb::describe_table(dynamodb(), name).await,
        Call::DeleteTable { name } => dynamodb::delete_table(dynamodb(), name).await,
        Call::GetItem { table, pk, sk } => dynamodb::get_item(dynamodb(), table, pk, sk).await,
        Call::Query { table, pk } => dynamodb::query(dynamodb(), table, pk).await,
        Call::Transact { table, writes, token } => dynamodb::transact(dynamodb(), table, writes, token).await,
        Call::CreateSecret { name, description, value, tags } => secrets::create(secrets(), name, description, value, tags).await,
        Call::DescribeSecret { id } => secrets::describe(secrets(), id).await,
        Call::PutSecretValue { id, value } => secrets::put_value(secrets(), id, value).await,
        Call::DeleteSecret { id } => secrets::delete(secrets(), id).await,
        other => Err(unhandled(&other)),
    }
}

async fn dispatch_tags(clients: &Clients, call: Call) -> Result<Reply, Failure> {
    let events = || client!(clients, events, aws_sdk_eventbridge, "eventbridge");
    let sqs = || client!(clients, sqs, aws_sdk_sqs, "sqs");
    let iam = || client!(clients, iam, aws_sdk_iam, "iam");
    let dynamodb = || client!(clients, dynamodb, aws_sdk_dynamodb, "dynamodb");
    let secrets = || client!(clients, secrets, aws_sdk_secretsmanager, "secretsmanager");
    match call {
        Call::ListTags { of } => match of {
            Tagged::Events(arn) => events::list_tags(events(), arn).await,
            Tagged::Queue(url) => sqs::list_tags(sqs(), url).await,
            Tagged::Role(name) => iam::list_tags(iam(), name).await,
            Tagged::Table(arn) => dynamodb::list_tags(dynamodb(), arn).await,
            Tagged::Secret(id) => secrets::list_tags(secrets(), id).await,
            Tagged::Alarm(arn) => cloudwatch::list_tags(clients, arn).await,
            of @ (Tagged::Function(_) | Tagged::LogGroup(_)) => function::list_tags(clients, of).await,
        },
        Call::Tag { of, tags } => match of {
            Tagged::Events(arn) => events::tag(events(), arn, tags).await,
            Tagged::Queue(url) => sqs::tag(sqs(), url, tags).await,
            Tagged::Role(name) => iam::tag(iam(), name, tags).await,
            Tagged::Table(arn) => dynamodb::tag(dynamodb(), arn, tags).await,
            Tagged::Secret(id) => secrets::tag(secrets(), id, tags).await,
            Tagged::Alarm(arn) => cloudwatch::tag(clients, arn, tags).await,
            of @ (Tagged::Function(_) | Tagged::LogGroup(_)) => function::tag(clients, of, tags).await,
        },
        Call::Untag { of, keys } => match of {
            Tagged::Events(arn) => events::untag(events(), arn, keys).await,
            Tagged::Queue(url) => sqs::untag(sqs(), url, keys).await,
            Tagged::Role(name) => iam::untag(iam(), name, keys).await,
            Tagged::Table(arn) => dynamodb::untag(dynamodb(), arn, keys).await,
            Tagged::Secret(id) => secrets::untag(secrets(), id, keys).await,
            Tagged::Alarm(arn) => cloudwatch::untag(clients, arn, keys).await,
            of @ (Tagged::Function(_) | Tagged::LogGroup(_)) => function::untag(clients, of, keys).await,
        },
        other => Err(unhandled(&other)),
    }
}

fn unhandled(call: &Call) -> Failure {
    Failure::ours(call::UNHANDLED, format!("`{}` is sent to the wrong service; this is a bug in the provider", call.operation()))
}
