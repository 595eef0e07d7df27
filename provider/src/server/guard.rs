//! Panics become diagnostics.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use tokio::task::Id;
use trailwire_engine::diagnostic::{Code, Diagnostic};

use crate::server::Server;

/// What to do about a bug.
pub(super) const REPORT: &str = "this is a bug in the provider: please report it with this text";

/// Where tasks panicked, until their guard asks.
static PANICS: LazyLock<Mutex<BTreeMap<String, String>>> = LazyLock::new(Mutex::default);

/// Makes panics known by place alone: their text may hold values, so it is neither printed nor kept.
pub fn install_panic_hook() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), |place| format!("{}:{}", place.file(), place.line()));
        tracing::error!(place, "panic");
        if let Some(task) = tokio::task::try_id() {
            PANICS.lock().unwrap_or_else(PoisonError::into_inner).insert(task.to_string(), place);
        }
    }));
}

impl Server {
    /// Runs a handler as a task of its own: it goes on when Terraform hangs up, and a panic in it is an error that says where, without any value.
    pub(super) async fn guard<T: Send + 'static>(
        &self,
        doing: &str,
        handler: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Diagnostic> {
        let running = Arc::clone(&self.running).read_owned().await;
        let task = tokio::spawn(async move {
            let answer = handler.await;
            drop(running);
            answer
        });
        match task.await {
            Ok(answer) => Ok(answer),
            Err(error) if error.is_panic() => {
                let place = place_of(error.id()).map_or_else(String::new, |place| format!(" at {place}"));
                Err(Diagnostic::error(Code::PROVIDER_BUG, format!("the provider panicked{place} while {doing}")).help(REPORT))
            }
            Err(_) => Err(Diagnostic::error(Code::INTERRUPTED, format!("the provider was ended while {doing}"))),
        }
    }

    /// Returns when no handler runs. New ones wait from then on, so this is for the end.
    pub(crate) async fn idle(&self) {
        drop(self.running.write().await);
    }
}

fn place_of(task: Id) -> Option<String> {
    PANICS.lock().unwrap_or_else(PoisonError::into_inner).remove(&task.to_string())
}
