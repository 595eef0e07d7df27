//! The hub as the runtime sees it: its record and definitions in the table, its queue, its dead letters, and the sign of life that a
//! runtime leaves there.

mod arrivals;
pub(crate) mod aws;
mod beat;
mod bell;
pub(crate) mod dead_letters;
mod definitions;
mod items;
pub(crate) mod letters;
mod look;

use std::path::Path;
use std::sync::Arc;

use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use thiserror::Error;
use trailwire_engine::fanout::table::{HUB_KEY, HubItem, HubRecord};

use crate::journal::aws::DynamoTable;
use crate::secrets::Secrets;
use crate::status::Told;
pub(crate) use beat::statuses;
pub(crate) use bell::QueueBell;
pub(crate) use definitions::HubDefinitions;
pub(crate) use look::{Health, Look, MemberRole};

/// Why there is no working at a hub. Each says what to do.
#[derive(Debug, Error)]
pub(crate) enum HubError {
    #[error("no region: set AWS_REGION to the hub's home region, or choose a profile that has one")]
    NoRegion,
    #[error("no AWS credentials: {0}; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")]
    NoCredentials(String),
    #[error(
        "there is no hub `{name}` in {region}: the table `{table}` does not exist; check the name, AWS_REGION (a hub is read in its home region) and the account"
    )]
    NoHub { name: String, region: String, table: String },
    #[error("the hub `{0}` is not finished: apply its trailwire_hub resource first")]
    Unfinished(String),
    #[error("the hub's table `{table}` in {region} can not be read: {reason}")]
    Unreadable { table: String, region: String, reason: String },
    #[error("the state directory can not be used: {0}")]
    State(std::io::Error),
}

/// A hub and the clients to work with it.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) record: HubRecord,
    pub(crate) definitions: Arc<HubDefinitions>,
    pub(crate) queue: aws_sdk_sqs::Client,
    table: items::Table,
    config: aws_config::SdkConfig,
    /// What the sign of life tells of this runtime's doings.
    pub(crate) status: Told,
    /// Names this runtime among those that have been seen.
    id: String,
    form: Form,
}

/// What a runtime is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Daemon,
    /// Its environments come and go: for others all of them are one runtime.
    Lambda,
}

impl Hub {
    /// Finds the hub of this name in the region and account of the environment, for the daemon whose journal is in this directory.
    ///
    /// # Errors
    ///
    /// [`HubError`], within seconds.
    pub(crate) async fn connect(name: &str, state: &Path) -> Result<Self, HubError> {
        let found = find(name).await?;
        let id = beat::id(state).map_err(HubError::State)?;
        Ok(Self::of(found, id, Form::Daemon))
    }

    /// The same for one of the environments of a Lambda function.
    ///
    /// # Errors
    ///
    /// As [`Hub::connect`].
    pub(crate) async fn connect_in_lambda(name: &str) -> Result<Self, HubError> {
        let found = find(name).await?;
        let id = beat::random_id().map_err(HubError::State)?;
        Ok(Self::of(found, id, Form::Lambda))
    }

    fn of(Found { config, table, record, .. }: Found, id: String, form: Form) -> Self {
        Self {
            definitions: Arc::new(HubDefinitions::new(table.clone())),
            queue: aws::queue_client(&config),
            status: Told::default(),
            record,
            table,
            config,
            id,
            form,
        }
    }

    /// The definitions of the hub of this name, and where its destinations' secrets are read: for a command that takes no part in its work.
    ///
    /// # Errors
    ///
    /// As [`Hub::connect`].
    pub(crate) async fn definitions(name: &str) -> Result<(HubDefinitions, Secrets), HubError> {
        let Found { config, table, .. } = find(name).await?;
        Ok((HubDefinitions::new(table), Secrets::with(&config)))
    }

    /// Names this runtime among the others of the hub.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The hub's table, for the journal.
    pub(crate) fn journal_table(&self) -> DynamoTable {
        DynamoTable::new(aws_sdk_dynamodb::Client::new(&self.config), self.table.name.clone())
    }

    /// Where destinations' secrets are read.
    pub(crate) fn secrets(&self) -> Secrets {
        Secrets::with(&self.config)
    }
}

/// A hub that was found.
struct Found {
    config: aws_config::SdkConfig,
    table: items::Table,
    record: HubRecord,
    /// What only the provider keeps.
    settings: Option<String>,
}

/// The hub of this name in the region and account of the environment.
async fn find(name: &str) -> Result<Found, HubError> {
    let config = aws::load().await;
    let region = config.region().map(ToString::to_string).ok_or(HubError::NoRegion)?;
    aws::check_credentials(&config).await.map_err(HubError::NoCredentials)?;
    let table = items::Table::new(&config, name);
    let item = table.get(HUB_KEY, HUB_KEY).await;
    let item = item.map_err(|error| match error.code() {
        Some("ResourceNotFoundException") => HubError::NoHub { name: name.to_owned(), region: region.clone(), table: table.name.clone() },
        code => {
            // An error without a code came from the way there: where it was to lead is what the reader wants to know.
            let place = config.endpoint_url().filter(|_| code.is_none()).map(|url| format!(" (AWS_ENDPOINT_URL is {url})"));
            let reason = aws::describe(&error) + &place.unwrap_or_default();
            HubError::Unreadable { table: table.name.clone(), region: region.clone(), reason }
        }
    })?;
    let unreadable = |reason: String| HubError::Unreadable { table: table.name.clone(), region: region.clone(), reason };
    let item = item.ok_or_else(|| HubError::Unfinished(name.to_owned()))?;
    let hub = HubItem::read(&item).map_err(|error| unreadable(error.to_string()))?;
    let record = hub.record.ok_or_else(|| HubError::Unfinished(name.to_owned()))?;
    Ok(Found { config, table, record, settings: hub.settings })
}
