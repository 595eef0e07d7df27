//! Secrets of destinations: from AWS Secrets Manager, or from the environment. They are held for a few minutes, and no log, error or
//! `Debug` shows them.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use thiserror::Error;
use tokio::sync::OnceCell;
use trailwire_engine::trigger::Secret;

use crate::hub::aws::Config;
use crate::lookups::Lookups;

/// For how long a secret is used before it is read again; a rotated one is in use after at most this time.
const FRESH: Duration = Duration::from_secs(300);

/// A secret that was refused is read again at once, but not more often than this.
const REFUSED: Duration = Duration::from_secs(15);

/// A secret's text.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SecretText(Arc<str>);

impl SecretText {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that needs it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it is this text. Digests are compared, so that the time this takes tells nothing about the secret.
    pub(crate) fn is(&self, given: &str) -> bool {
        Sha256::digest(given.as_bytes()) == Sha256::digest(self.0.as_bytes())
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

/// Why a secret can not be had. Names the place, never the content.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum SecretError {
    #[error("the environment variable `{0}`, which holds the secret, is not set")]
    NotSet(String),
    #[error("the secret `{arn}` can not be read: {reason}")]
    Unreadable { arn: String, reason: String },
}

/// Where secrets come from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Secrets {
    config: Config,
    client: Arc<OnceCell<aws_sdk_secretsmanager::Client>>,
    cache: Lookups<String, (Instant, SecretText)>,
}

impl Secrets {
    /// Uses an AWS configuration that is loaded already.
    pub(crate) fn with(config: &aws_config::SdkConfig) -> Self {
        Self { config: Config::of(config), ..Self::default() }
    }

    /// Has read a secret a minute ago.
    #[cfg(test)]
    pub(crate) async fn remember(&self, arn: &str, text: &str) {
        let read = Instant::now().checked_sub(Duration::from_secs(60)).unwrap();
        *self.cache.place(arn.to_owned()).await = Some((read, SecretText::new(text)));
    }

    /// The AWS configuration that is used here.
    pub(crate) fn config(&self) -> Config {
        self.config.clone()
    }

    /// Reads a secret again when it is asked for next, unless it was just read: it was refused, and may have been rotated.
    pub(crate) async fn forget(&self, secret: &Secret) {
        if let Secret::Arn(arn) = secret {
            self.cache.place(arn.clone()).await.take_if(|(read, _)| read.elapsed() > REFUSED);
        }
    }

    /// # Errors
    ///
    /// [`SecretError`]; asking again later may work.
    pub(crate) async fn get(&self, secret: &Secret) -> Result<SecretText, SecretError> {
        match secret {
            Secret::Env(name) => match std::env::var(name) {
                Ok(text) if !text.is_empty() => Ok(SecretText::new(&text)),
                _ => Err(SecretError::NotSet(name.clone())),
            },
            Secret::Arn(arn) => self.read_arn(arn).await,
        }
    }

    async fn read_arn(&self, arn: &str) -> Result<SecretText, SecretError> {
        let mut kept = self.cache.place(arn.to_owned()).await;
        if let Some((read, text)) = &*kept
            && read.elapsed() < FRESH
        {
            return Ok(text.clone());
        }
        let unreadable = |reason: String| SecretError::Unreadable { arn: arn.to_owned(), reason };
        let client = self.client.get_or_init(|| async { aws_sdk_secretsmanager::Client::new(self.config.get().await) }).await;
        let answer = client.get_secret_value().secret_id(arn).send().await;
        let answer = answer.map_err(|error| unreadable(crate::hub::aws::describe(&error)))?;
        let text = answer.secret_string().ok_or_else(|| unreadable("it holds no text".to_owned()))?;
        let text = SecretText::new(text);
        *kept = Some((Instant::now(), text.clone()));
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let text = SecretText::new("whsec_hush");
        assert!(!format!("{text:?}").contains("hush"));
        assert_eq!(text.reveal(), "whsec_hush");
    }

    #[tokio::test]
    async fn a_variable_that_is_not_set_is_named() {
        let name = "TRAILWIRE_TEST_SECRET_THAT_NOBODY_SETS";
        let error = Secrets::default().get(&Secret::Env(name.to_owned())).await.unwrap_err();
        assert_eq!(error.to_string(), format!("the environment variable `{name}`, which holds the secret, is not set"));
    }
}
