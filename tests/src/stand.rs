//! The stand as a whole.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::control::Control;
use crate::emulator::Emulator;
use crate::sink::Sink;
use crate::{proxy, venv};

/// A running stand. It works on threads of its own, so that it can be used from any test, and ends when it is dropped or its process ends.
#[derive(Debug)]
pub struct Stand {
    endpoint: String,
    sink: Sink,
    control: Control,
    next_account: AtomicU64,
    runtime: Option<Runtime>,
    emulator: Emulator,
}

impl Drop for Stand {
    /// First nothing listens any more, then the emulator ends. A runtime may be dropped inside another only without waiting for it.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Why the stand cannot start.
#[derive(Debug)]
pub struct StandError(String);

impl StandError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for StandError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for StandError {}

impl Stand {
    /// Starts a stand; the first one on a machine makes the emulator's Python environment.
    ///
    /// # Errors
    /// When Python is missing or cannot install the emulator, or loopback ports cannot be had.
    pub fn start() -> Result<Self, StandError> {
        let no_port = |error: std::io::Error| StandError::new(format!("cannot listen on loopback: {error}"));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(no_port)?;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(no_port)?;
        let sink = std::net::TcpListener::bind("127.0.0.1:0").map_err(no_port)?;
        let address = listener.local_addr().map_err(no_port)?;
        let emulator = Emulator::start(address.port(), &[])?;
        let inside = ([127, 0, 0, 1], emulator.port()).into();
        listener.set_nonblocking(true).map_err(no_port)?;
        sink.set_nonblocking(true).map_err(no_port)?;
        let entered = runtime.enter();
        tokio::spawn(proxy::serve(TcpListener::from_std(listener).map_err(no_port)?, inside));
        let sink = TcpListener::from_std(sink).and_then(Sink::serve).map_err(no_port)?;
        drop(entered);
        let endpoint = format!("http://{address}");
        Ok(Self {
            control: Control::new(&endpoint),
            sink,
            endpoint,
            next_account: AtomicU64::new(100_000_000_001),
            runtime: Some(runtime),
            emulator,
        })
    }

    /// Starts a stand that enforces IAM: every call needs a valid signature, and a policy that allows it. There is no proxy, which would change
    /// what is signed: no faults, no counts, and none of the limits that only the proxy knows.
    ///
    /// # Errors
    /// As [`Stand::start`].
    pub fn start_enforcing_iam() -> Result<Self, StandError> {
        let emulator = Emulator::start(0, &["enforce-iam"])?;
        let no_port = |error: std::io::Error| StandError::new(format!("cannot listen on loopback: {error}"));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(no_port)?;
        let sink = std::net::TcpListener::bind("127.0.0.1:0").map_err(no_port)?;
        sink.set_nonblocking(true).map_err(no_port)?;
        let entered = runtime.enter();
        let sink = TcpListener::from_std(sink).and_then(Sink::serve).map_err(no_port)?;
        drop(entered);
        let endpoint = format!("http://127.0.0.1:{}", emulator.port());
        let control = Control::new(&endpoint);
        Ok(Self { control, sink, endpoint, next_account: AtomicU64::new(100_000_000_001), runtime: Some(runtime), emulator })
    }

    /// The stand that all tests of this process share; it ends with the process.
    ///
    /// # Panics
    /// When it cannot start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Stand> = OnceLock::new();
        SHARED.get_or_init(|| Self::start().unwrap_or_else(|error| panic!("the stand does not start: {error}")))
    }

    /// The URL of the local AWS.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Where notifications can be sent.
    pub fn sink(&self) -> &Sink {
        &self.sink
    }

    /// A directory that is removed when the stand ends, however it ends.
    pub fn scratch(&self) -> &Path {
        self.emulator.scratch()
    }

    /// Events, faults and counts.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// The number of an account that nobody uses yet. Every account number is one; the access key of an account is its number.
    pub fn new_account(&self) -> String {
        self.next_account.fetch_add(1, Ordering::Relaxed).to_string()
    }

    /// The environment in which the AWS SDKs talk to the stand alone, as this account and in this region. A new role is known here at once:
    /// the provider need not wait for it.
    pub fn environment(&self, account: &str, region: &str) -> Vec<(String, String)> {
        let variables = [
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_ACCESS_KEY_ID", account),
            ("AWS_SECRET_ACCESS_KEY", "stand"),
            ("AWS_REGION", region),
            ("AWS_DEFAULT_REGION", region),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
            ("TRAILWIRE_ROLE_WAIT_SECONDS", "0"),
            ("NO_PROXY", "127.0.0.1"),
            ("no_proxy", "127.0.0.1"),
        ];
        variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Configuration for the AWS SDK of this process, as this account and in this region.
    pub async fn sdk(&self, account: &str, region: &str) -> aws_config::SdkConfig {
        aws_config::defaults(aws_config::BehaviorVersion::latest())
            .endpoint_url(self.endpoint())
            .region(aws_types::region::Region::new(region.to_owned()))
            .credentials_provider(aws_credential_types::Credentials::new(account, "stand", None, None, "stand"))
            .load()
            .await
    }
}

/// Variables of a shell that would lead an AWS SDK elsewhere than [`Stand::environment`] says.
pub const UNWANTED_VARIABLES: [&str; 6] = [
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

/// The root of the repository.
pub fn repository() -> PathBuf {
    venv::repository().to_path_buf()
}
