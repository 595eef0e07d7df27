//! AWS itself: the SDK's clients, made when they are first needed. Its types stop here.

mod account;
mod dynamodb;
mod events;
mod failure;
mod iam;
mod secrets;
mod setup;
mod sqs;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_types::SdkConfig;
use aws_types::region::Region;
use futures::future::BoxFuture;
use tokio::sync::OnceCell;
use trailwire_engine::fanout::names::Cell;

use self::failure::Failure;
use self::setup::Base;
use super::call::{Call, Reply, Tagged};
use super::error::{CloudError, CloudResult};
use super::{Door, call};
use crate::config::ProviderConfig;

/// The way to the real services. Nothing is read and nothing connected before the first call.
#[derive(Debug)]
pub(super) struct Aws {
    config: Arc<ProviderConfig>,
    base: OnceCell<Base>,
    regions: Mutex<BTreeMap<String, Arc<Clients>>>,
}

/// The clients of one region. All regions share the HTTP client and the credentials, so one more costs little.
#[derive(Debug)]
struct Clients {
    base: SdkConfig,
    endpoints: BTreeMap<String, String>,
    account: OnceLock<aws_sdk_account::Client>,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    events: OnceLock<aws_sdk_eventbridge::Client>,
    iam: OnceLock<aws_sdk_iam::Client>,
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
        Self { config, base: OnceCell::new(), regions: Mutex::default() }
    }

    async fn base(&self) -> Result<&Base, Failure> {
        self.base.get_or_try_init(|| setup::base(&self.config)).await
    }

    async fn clients(&self, cell: &Cell) -> Result<Arc<Clients>, Failure> {
        let base = self.base().await?;
        let mut regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        let clients = regions.entry(cell.region.clone()).or_insert_with(|| {
            let base = base.sdk.to_builder().region(Region::new(cell.region.clone())).build();
            Arc::new(Clients {
                base,
                endpoints: self.config.endpoints.clone(),
                account: OnceLock::new(),
                dynamodb: OnceLock::new(),
                events: OnceLock::new(),
                iam: OnceLock::new(),
                secrets: OnceLock::new(),
                sqs: OnceLock::new(),
                sts: OnceLock::new(),
            })
        });
        Ok(Arc::clone(clients))
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
            let operation = call.operation();
            if self.config.skip_credentials_validation && matches!(call, Call::GetCallerIdentity) {
                let told = self.base().await.and_then(|base| account::caller_as_told(&self.config, base));
                return told.map_err(|failure| failure.at(cell, ""));
            }
            let outcome = match self.clients(cell).await {
                Ok(clients) => dispatch(&clients, call).await.map_err(|failure| failure.through(clients.endpoint(operation))),
                Err(failure) => Err(failure),
            };
            outcome.map_err(|failure| -> CloudError { failure.at(cell, operation) })
        })
    }
}

async fn dispatch(clients: &Clients, call: Call) -> Result<Reply, Failure> {
    match call {
        Call::GetCallerIdentity => account::caller(client!(clients, sts, aws_sdk_sts, "sts")).await,
        Call::ListRegions => account::list_regions(client!(clients, account, aws_sdk_account, "account")).await,
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
        | Call::DeleteRolePolicy { .. }
        | Call::DeleteRole { .. } => dispatch_iam(client!(clients, iam, aws_sdk_iam, "iam"), call).await,
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
        },
        Call::Tag { of, tags } => match of {
            Tagged::Events(arn) => events::tag(events(), arn, tags).await,
            Tagged::Queue(url) => sqs::tag(sqs(), url, tags).await,
            Tagged::Role(name) => iam::tag(iam(), name, tags).await,
            Tagged::Table(arn) => dynamodb::tag(dynamodb(), arn, tags).await,
            Tagged::Secret(id) => secrets::tag(secrets(), id, tags).await,
        },
        Call::Untag { of, keys } => match of {
            Tagged::Events(arn) => events::untag(events(), arn, keys).await,
            Tagged::Queue(url) => sqs::untag(sqs(), url, keys).await,
            Tagged::Role(name) => iam::untag(iam(), name, keys).await,
            Tagged::Table(arn) => dynamodb::untag(dynamodb(), arn, keys).await,
            Tagged::Secret(id) => secrets::untag(secrets(), id, keys).await,
        },
        other => Err(unhandled(&other)),
    }
}

fn unhandled(call: &Call) -> Failure {
    Failure::ours(call::UNHANDLED, format!("`{}` is sent to the wrong service; this is a bug in the provider", call.operation()))
}
