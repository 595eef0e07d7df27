//! The driver between two invocations of a Lambda function stands still. So an invocation waits until all that is due is done, or its time is over; what
//! is left is given back to the journal, whose alarm clock wakes whoever is there then. It does not wait for a destination that failed when it was tried last: an
//! attempt there that is under way ends in a later invocation, or is made again by somebody else when its lease is over, under the same id.

use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Driver, Intake, Message, Stopped};
use crate::journal::{Journal, JournalError};

/// What is due within this is waited for: an alarm clock takes as long.
const SOON: SignedDuration = SignedDuration::from_secs(1);

/// An invocation that waits.
pub(super) struct Settling {
    until: Instant,
    answer: oneshot::Sender<()>,
}

impl Settling {
    /// How long it waits at most.
    pub(super) fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}

impl Intake {
    /// Has what nobody works on looked for.
    pub(crate) async fn sweep(&self) {
        drop(self.messages.send(Message::Sweep).await);
    }

    /// Waits until nothing is left that is due, but not beyond `until`; then what is not under way is given back to the journal.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: the driver has ended.
    pub(crate) async fn settle(&self, until: Instant) -> Result<(), Stopped> {
        let (answer, answered) = oneshot::channel();
        self.messages.send(Message::Settle(Settling { until, answer })).await.map_err(|_| Stopped)?;
        answered.await.map_err(|_| Stopped)
    }
}

impl<J: Journal> Driver<J> {
    /// Answers the invocation that waits, if there is one and its time has come.
    pub(super) async fn settle(&mut self) -> Result<(), JournalError> {
        let Some(settling) = self.settling.take() else { return Ok(()) };
        let soon = Timestamp::now().saturating_add(SOON).unwrap_or(Timestamp::MAX);
        let is_calm = self.under_way <= self.core.in_vain() && self.core.next_promising().is_none_or(|wake| wake > soon);
        if !is_calm && !settling.left().is_zero() {
            self.settling = Some(settling);
            return Ok(());
        }
        // The next invocation's sweep looks for what is given back here, whoever it is for.
        self.found.store(false, Ordering::Relaxed);
        // What is under way now stays ours until its lease is over.
        self.journal.release(self.core.let_go()).await?;
        // An invocation whose time is over does not listen any more.
        let _ = settling.answer.send(());
        Ok(())
    }
}
