//! The way to AWS: one `call(cell, call)`, whatever the service, wrapped by pacing, retries and the user's interrupt.
//!
//! *Invariants*: nothing is read or connected before the first call; the SDK's types stop at `aws`; no call goes to an account that the provider
//! block does not allow; in any other account than the credentials' own, calls are made by its deploy role; after an interrupt no call is begun.

mod aws;
pub mod call;
pub mod error;
#[cfg(test)]
pub mod model;
mod organization;
mod pace;
pub(crate) mod retry;
mod session;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use futures::future::BoxFuture;
use tokio::sync::{Mutex, OnceCell, Semaphore};
use tokio_util::sync::CancellationToken;
use trailwire_engine::fanout::names::Cell;

use self::call::{Call, Reply};
use self::error::{CloudError, CloudResult, Kind};
pub use self::organization::Organization;
use self::organization::Organizations;
use self::pace::Pace;
use self::retry::Timing;
pub use self::session::Session;
use crate::config::ProviderConfig;

/// Something that makes calls: AWS, or a model of it in tests.
pub trait Door: Send + Sync + fmt::Debug {
    /// The region that is home unless a resource says otherwise.
    fn home_region(&self) -> BoxFuture<'_, CloudResult<String>>;

    /// Makes one attempt at a call.
    fn call<'a>(&'a self, cell: &'a Cell, call: Call) -> BoxFuture<'a, CloudResult<Reply>>;
}

/// A random id of 32 hexadecimal digits.
pub(crate) fn random_id() -> String {
    let mut bytes = [0_u8; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        Err(_) => {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            format!("{:08x}{:024x}", std::process::id(), now.as_nanos())
        }
    }
}

/// Where home is.
#[derive(Clone, Debug)]
pub struct Home {
    /// The caller's account and the configured region.
    pub cell: Cell,
}

/// The names of regions.
pub type Regions = Arc<BTreeSet<String>>;

/// A handle on every cell. Making one does no I/O.
#[derive(Debug)]
pub struct Cloud {
    config: Arc<ProviderConfig>,
    door: Arc<dyn Door>,
    home: OnceCell<Home>,
    /// The regions that are enabled, by account.
    regions: StdMutex<HashMap<String, Arc<OnceCell<Regions>>>>,
    organizations: Organizations,
    under_way: Semaphore,
    pace: Pace,
    timing: Timing,
    writes: Mutex<()>,
}

impl Cloud {
    /// A handle that will act as the provider block says.
    pub fn new(config: Arc<ProviderConfig>) -> Cloud {
        let door = Arc::new(aws::Aws::new(Arc::clone(&config)));
        Cloud::with_door(config, door, Timing::from_environment())
    }

    /// A handle that makes its calls through this door.
    pub(crate) fn with_door(config: Arc<ProviderConfig>, door: Arc<dyn Door>, timing: Timing) -> Cloud {
        let under_way = Semaphore::new(config.max_concurrency);
        Cloud {
            config,
            door,
            home: OnceCell::new(),
            regions: StdMutex::default(),
            organizations: Organizations::default(),
            under_way,
            pace: Pace::default(),
            timing,
            writes: Mutex::default(),
        }
    }

    /// The provider block.
    pub fn config(&self) -> &ProviderConfig {
        &self.config
    }

    /// A handle whose calls end when `stop` is cancelled.
    pub fn session(self: &Arc<Self>, stop: &CancellationToken) -> Session {
        Session::new(Arc::clone(self), stop.clone())
    }

    /// Who we are, asked once for each process.
    ///
    /// # Errors
    /// When there are no credentials or no region, when AWS cannot be reached, and when the provider block does not allow the account.
    async fn home(&self, stop: &CancellationToken) -> CloudResult<&Home> {
        self.home
            .get_or_try_init(|| async {
                if let Some(name) = self.config.unknown_caller() {
                    let message = format!("`{name}` of the provider block is not known yet, and AWS is not asked before it is");
                    return Err(CloudError::ours(Kind::Configuration, &Cell::new("", ""), message));
                }
                let region = self.door.home_region().await?;
                let nowhere = Cell::new("", region.clone());
                let Reply::Caller(caller) = self.attempts(&nowhere, Call::GetCallerIdentity, stop).await? else {
                    return Err(CloudError::ours(Kind::Other, &nowhere, "AWS did not say who calls"));
                };
                let cell = Cell::new(caller.account, region);
                self.check_account(&cell)?;
                Ok(Home { cell })
            })
            .await
    }

    fn check_account(&self, cell: &Cell) -> CloudResult<()> {
        if self.allows(&cell.account) {
            return Ok(());
        }
        let message = format!("the credentials belong to account {}, which the provider block does not allow", cell.account);
        Err(CloudError::ours(Kind::Configuration, cell, message))
    }

    fn allows(&self, account: &str) -> bool {
        let allowed = &self.config.allowed_account_ids;
        !self.config.forbidden_account_ids.contains(account) && (allowed.is_empty() || allowed.contains(account))
    }

    /// Home, once it is certain that the account may be touched.
    async fn home_of(&self, cell: &Cell, stop: &CancellationToken) -> CloudResult<&Home> {
        let home = self.home(stop).await?;
        if self.allows(&cell.account) {
            return Ok(home);
        }
        let message =
            format!("the provider block does not allow account {} (`allowed_account_ids`, `forbidden_account_ids`)", cell.account);
        Err(CloudError::ours(Kind::Configuration, cell, message))
    }

    /// The regions that are enabled in an account, asked once for each process.
    async fn enabled_regions(&self, account: &str, stop: &CancellationToken) -> CloudResult<Regions> {
        let known = {
            let mut regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(regions.entry(account.to_owned()).or_default())
        };
        let regions = known.get_or_try_init(|| async {
            let home = self.home(stop).await?;
            let cell = Cell::new(account, home.cell.region.clone());
            self.home_of(&cell, stop).await?;
            let Reply::Regions(regions) = self.attempts(&cell, Call::ListRegions, stop).await? else {
                return Err(CloudError::ours(Kind::Other, &cell, "AWS did not list the regions"));
            };
            Ok(Arc::new(regions.into_iter().filter(|region| region.enabled).map(|region| region.name).collect()))
        });
        regions.await.cloned()
    }

    /// One call in a cell of our own account or of a member account.
    async fn call(&self, cell: &Cell, call: Call, stop: &CancellationToken) -> CloudResult<Reply> {
        self.home_of(cell, stop).await?;
        match self.attempts(cell, call, stop).await {
            Err(error) if error.kind == Kind::RegionDisabled => Err(self.disabled_or_refused(error, stop).await),
            other => other,
        }
    }

    /// AWS refuses tokens that are not valid in a region in the words it has for regions that are not enabled. Only the list of regions tells, and only
    /// a region that it calls disabled may be taken for empty.
    async fn disabled_or_refused(&self, error: CloudError, stop: &CancellationToken) -> CloudError {
        match self.enabled_regions(&error.cell.account, stop).await {
            Ok(enabled) if !enabled.contains(&error.cell.region) => error,
            _ => CloudError { kind: Kind::TokenNotValidHere, ..error },
        }
    }
}
