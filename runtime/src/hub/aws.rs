//! What every AWS client here has in common: time limits, and errors in words.

use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::ProvideCredentials as _;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::sync::OnceCell;

/// For a connection to stand.
const CONNECT: Duration = Duration::from_secs(3);
/// For one attempt at a call that does not wait for messages.
const ATTEMPT: Duration = Duration::from_secs(5);
/// For a call with its retries.
const CALL: Duration = Duration::from_secs(12);
/// For one attempt at a call that waits for messages, up to twenty seconds.
const LONG_POLL: Duration = Duration::from_secs(30);
/// For credentials to be found.
const CREDENTIALS: Duration = Duration::from_secs(8);

/// The configuration of the environment and profiles.
pub(crate) async fn load() -> SdkConfig {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).operation_timeout(CALL).build();
    aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .load()
        .await
}

/// The configuration, loaded when it is first needed. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config(Arc<OnceCell<SdkConfig>>);

impl Config {
    /// One that is loaded already.
    pub(crate) fn of(config: &SdkConfig) -> Self {
        Self(Arc::new(OnceCell::new_with(Some(config.clone()))))
    }

    pub(crate) async fn get(&self) -> &SdkConfig {
        self.0.get_or_init(load).await
    }
}

/// A client whose calls may wait for messages.
pub(super) fn queue_client(config: &SdkConfig) -> aws_sdk_sqs::Client {
    // What is not set here is taken from the configuration, whose limit for a whole call is shorter than one wait for messages.
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(LONG_POLL).disable_operation_timeout().build();
    aws_sdk_sqs::Client::from_conf(aws_sdk_sqs::config::Builder::from(config).timeout_config(timeouts).build())
}

/// Whether there are credentials at all; says why not.
pub(super) async fn check_credentials(config: &SdkConfig) -> Result<(), String> {
    let provider = config.credentials_provider().ok_or("no provider is configured")?;
    match tokio::time::timeout(CREDENTIALS, provider.provide_credentials()).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(innermost(&error).lines().next().unwrap_or_default().trim_end_matches([' ', ':', '.', ';']).to_owned()),
        Err(_) => Err("they were not found in time".to_owned()),
    }
}

/// An error in words: AWS's code and message with the request id, or what happened on the way.
pub(crate) fn describe<E, R>(error: &SdkError<E, R>) -> String
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug,
{
    if let Some(code) = error.code() {
        let message = error.message().unwrap_or_default();
        return format!("{code}: {message}").trim_end_matches([':', ' ']).to_owned();
    }
    match error {
        SdkError::TimeoutError(_) => "no answer in time".to_owned(),
        SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
            Some(connector) => format!("the endpoint can not be reached: {}", innermost(connector)),
            None => "the endpoint can not be reached".to_owned(),
        },
        other => innermost(other),
    }
}

/// The cause behind an error and all its wrappings.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
