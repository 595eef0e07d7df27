//! When to end.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::server::Server;

/// After Shutdown open streams get this long to close, and then running work as long again to stop; Terraform kills after two seconds.
const AFTER_SHUTDOWN: Duration = Duration::from_millis(400);
/// With nobody left to tell the result to, running work gets this long to leave things in order.
const AFTER_ORPHANED: Duration = Duration::from_secs(20);
const LOOK_FOR_PARENT: Duration = Duration::from_millis(500);

/// Who decides that it is over, besides Shutdown and SIGTERM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeper {
    /// Terraform, the parent process of this id: over when it is gone. SIGINT is ignored, because a terminal sends it to us too, and Terraform says Stop
    /// when it means us.
    Parent(u32),
    /// A person at a terminal: over on SIGINT, not on Shutdown.
    User,
}

/// What there is to listen to. Made before the handshake: from then on signals come, and the parent may go.
pub(super) struct Life {
    keeper: Keeper,
    interrupt: Option<Signal>,
    terminate: Option<Signal>,
}

impl Life {
    /// The life of a process that Terraform started.
    pub(super) fn of_parent() -> Life {
        Life::kept_by(Keeper::Parent(std::os::unix::process::parent_id()))
    }

    /// The life of a process that a person started.
    pub(super) fn of_user() -> Life {
        Life::kept_by(Keeper::User)
    }

    fn kept_by(keeper: Keeper) -> Life {
        Life { keeper, interrupt: signal(SignalKind::interrupt()).ok(), terminate: signal(SignalKind::terminate()).ok() }
    }

    /// Returns when the process should end.
    pub(super) async fn end(mut self, server: &Server, quit: &CancellationToken) {
        loop {
            tokio::select! {
                () = quit.cancelled() => return tokio::time::sleep(AFTER_SHUTDOWN).await,
                () = received(&mut self.interrupt) => match self.keeper {
                    Keeper::Parent(_) => tracing::debug!("interrupt ignored: Terraform says Stop when it means us"),
                    Keeper::User => return orphaned(server).await,
                },
                () = received(&mut self.terminate) => return orphaned(server).await,
                () = tokio::time::sleep(LOOK_FOR_PARENT) => match self.keeper {
                    Keeper::Parent(id) if std::os::unix::process::parent_id() != id => return orphaned(server).await,
                    Keeper::Parent(_) | Keeper::User => {}
                }
            }
        }
    }
}

/// Lets what still runs know that it is over, and gives it a moment. There is none unless Terraform leaves in a hurry (a second Ctrl-C).
pub(super) async fn settle(server: &Server) {
    server.stop().cancel();
    // Whoever does not make it is ended with the process.
    drop(tokio::time::timeout(AFTER_SHUTDOWN, server.idle()).await);
}

/// Tells everything that runs to stop, and waits for it a while.
async fn orphaned(server: &Server) {
    server.stop().cancel();
    if tokio::time::timeout(AFTER_ORPHANED, server.idle()).await.is_err() {
        tracing::warn!("ended with work still running");
    }
}

/// The next signal; never, when it cannot be listened for.
async fn received(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}
