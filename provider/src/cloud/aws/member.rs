//! Sessions in member accounts: the deploy role of each is assumed once with the provider's own credentials, and again before the session expires.

use std::collections::HashMap;
use std::fmt::Write;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use trailwire_engine::fanout::names::partition;

use super::failure::Failure;
use crate::cloud::error::Kind;
use crate::config::ProviderConfig;

/// How long before its end a session is renewed: far longer than any call takes.
const EARLY: Duration = Duration::from_secs(5 * 60);
/// How long a refusal is believed: the many cells of an account ask once, and a role that is made meanwhile is seen.
const REFUSED: Duration = Duration::from_secs(30);
/// The most characters of a session's name.
const SESSION_NAME_MAX: usize = 64;
/// The operation that fails when an account cannot be entered.
const OPERATION: &str = "sts:AssumeRole";

/// The sessions of a process, by account.
#[derive(Debug, Default)]
pub(super) struct Members(Mutex<HashMap<String, Arc<Member>>>);

/// The session in one account.
#[derive(Debug)]
pub(super) struct Member {
    /// Held while the role is assumed: everybody else waits for the same session.
    assuming: tokio::sync::Mutex<Option<(Instant, Failure)>>,
    session: Session,
    provider: SharedCredentialsProvider,
}

/// The credentials as they are now, as the SDK's clients ask for them.
#[derive(Clone, Debug, Default)]
struct Session(Arc<RwLock<Option<Credentials>>>);

impl Session {
    fn get(&self) -> Option<Credentials> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn lasts(&self, now: SystemTime) -> bool {
        let session = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let until = session.as_ref().map(Credentials::expiry);
        until.is_some_and(|until| until.is_none_or(|until| now + EARLY < until))
    }
}

impl ProvideCredentials for Session {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(self.get().ok_or_else(|| CredentialsError::not_loaded("the role is not assumed yet")))
    }
}

impl Members {
    /// The session in an account, which may not be begun yet.
    pub(super) fn of(&self, account: &str) -> Arc<Member> {
        let mut members = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(members.entry(account.to_owned()).or_insert_with(|| {
            let session = Session::default();
            let provider = SharedCredentialsProvider::new(session.clone());
            Arc::new(Member { assuming: tokio::sync::Mutex::default(), session, provider })
        }))
    }
}

impl Member {
    /// Begins the session, or renews it, when it does not last for another while.
    ///
    /// # Errors
    /// What `assume` says; a refusal again for half a minute, without asking.
    pub(super) async fn begin<F>(&self, now: SystemTime, assume: impl FnOnce() -> F) -> Result<(), Failure>
    where
        F: Future<Output = Result<Credentials, Failure>>,
    {
        if self.session.lasts(now) {
            return Ok(());
        }
        let mut refused = self.assuming.lock().await;
        if self.session.lasts(now) {
            return Ok(());
        }
        if let Some((_, failure)) = refused.as_ref().filter(|(at, _)| at.elapsed() < REFUSED) {
            return Err(failure.clone());
        }
        match assume().await {
            Ok(credentials) => {
                *refused = None;
                *self.session.0.write().unwrap_or_else(PoisonError::into_inner) = Some(credentials);
                Ok(())
            }
            Err(failure) => {
                let failure = failure.during(OPERATION);
                let failure = match failure.kind(OPERATION) {
                    Kind::AccessDenied | Kind::ScpDenied | Kind::NotFound => failure.with_kind(Kind::AccountRefused),
                    _ => failure,
                };
                *refused = (failure.kind(OPERATION) == Kind::AccountRefused).then(|| (Instant::now(), failure.clone()));
                Err(failure)
            }
        }
    }

    /// What the account's clients sign with.
    pub(super) fn provider(&self) -> SharedCredentialsProvider {
        self.provider.clone()
    }
}

/// Assumes the deploy role of an account. `caller` is the ARN of whoever asks: the session's name tells it.
pub(super) async fn assume(
    client: &aws_sdk_sts::Client,
    config: &ProviderConfig,
    (account, region): (&str, &str),
    caller: Option<&str>,
) -> Result<Credentials, Failure> {
    let role = format!("arn:{}:iam::{account}:role/{}", partition(region), config.member_role_name);
    let request = client.assume_role().role_arn(role).role_session_name(session_name(caller));
    let answer = request.set_external_id(config.member_external_id.clone()).send().await?;
    let given = answer.credentials.ok_or_else(|| Failure::ours(Kind::Other, "the answer holds no credentials"))?;
    let expiry = SystemTime::try_from(given.expiration).map_err(|error| Failure::ours(Kind::Other, error.to_string()))?;
    Ok(Credentials::new(given.access_key_id, given.secret_access_key, Some(given.session_token), Some(expiry), "member account"))
}

/// `trailwire-` and who it is, as the CloudTrail of the member account shows it: `trailwire-ci.alice` for a session `alice` of role `ci`.
fn session_name(caller: Option<&str>) -> String {
    let mut name = "trailwire".to_owned();
    let who = caller.and_then(|arn| arn.splitn(6, ':').nth(5)).unwrap_or_default();
    let who = who.split_once('/').map_or(who, |(_, who)| who);
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "+=,.@_-".contains(letter);
    let who: String = who.chars().map(|letter| if fits(letter) { letter } else { '.' }).collect();
    if !who.is_empty() {
        let _ = write!(name, "-{who}");
    }
    name.chars().take(SESSION_NAME_MAX).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn credentials(until: SystemTime) -> Credentials {
        Credentials::new("key", "secret", None, Some(until), "test")
    }

    #[tokio::test]
    async fn a_role_is_assumed_once_and_again_before_its_session_ends() {
        let member = Members::default().of("444455556666");
        let begin = SystemTime::now();
        let hour = Duration::from_secs(3_600);
        let count = AtomicU32::new(0);
        for (after, expected) in [(0, 1), (1, 1), (54 * 60, 1), (55 * 60, 2), (56 * 60, 2), (200 * 60, 3)] {
            let now = begin + Duration::from_secs(after);
            let assume = || async {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                Ok(credentials(now + hour))
            };
            let (one, other) = futures::join!(member.begin(now, assume), member.begin(now, assume));
            one.and(other).unwrap();
            assert_eq!(count.load(Ordering::Relaxed), expected, "after {after} s");
        }
        assert!(member.provider().provide_credentials().await.is_ok());
    }

    #[tokio::test]
    async fn a_refusal_is_believed_for_a_while_and_a_failure_is_not() {
        for (code, kind, asked) in [("AccessDenied", Kind::AccountRefused, 1), ("Throttling", Kind::Throttled, 3)] {
            let member = Members::default().of("444455556666");
            let count = AtomicU32::new(0);
            for _ in 0..3 {
                let assume = || async {
                    count.fetch_add(1, Ordering::Relaxed);
                    Err(Failure::entry(Some(code), Some("not authorized to perform: sts:AssumeRole"), None))
                };
                let failure = member.begin(SystemTime::now(), assume).await.unwrap_err();
                assert_eq!(failure.kind("events:PutRule"), kind);
            }
            assert_eq!(count.load(Ordering::Relaxed), asked);
        }
    }

    #[test]
    fn a_session_is_named_after_the_caller() {
        let long = format!("arn:aws:iam::111122223333:user/{}", "x".repeat(100));
        for (caller, expected) in [
            (None, "trailwire"),
            (Some("arn:aws:iam::111122223333:root"), "trailwire-root"),
            (Some("arn:aws:iam::111122223333:user/people/bob"), "trailwire-people.bob"),
            (Some("arn:aws:sts::111122223333:assumed-role/ci/alice@example.com"), "trailwire-ci.alice@example.com"),
            (Some(long.as_str()), &format!("trailwire-{}", "x".repeat(54))),
        ] {
            assert_eq!(session_name(caller), expected);
        }
    }
}
