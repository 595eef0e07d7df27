//! How far work on many cells is, as log lines that Terraform shows with `TF_LOG=INFO`: Terraform itself only says that it is still creating.

use std::future::Future;
use std::time::Instant;

tokio::task_local! {
    /// What the work is done for: `trailwire_trigger root-login`.
    static WHAT: String;
}

/// Fewer cells than this are done before a line could be read.
const FEW: usize = 8;
/// How many lines are told of one piece of work.
const LINES: usize = 10;

/// Does work whose progress is told under this name.
pub(crate) async fn told_as<F: Future>(what: String, work: F) -> F::Output {
    WHAT.scope(what, work).await
}

/// The progress of one piece of work.
#[derive(Debug)]
pub(super) struct Progress {
    total: usize,
    done: usize,
    failed: usize,
    begun: Instant,
}

impl Progress {
    pub(super) fn of(total: usize) -> Self {
        Self { total, done: 0, failed: 0, begun: Instant::now() }
    }

    /// One more cell is done, or has failed.
    pub(super) fn count(&mut self, is_done: bool) {
        let before = self.line();
        let counter = if is_done { &mut self.done } else { &mut self.failed };
        *counter = counter.saturating_add(1);
        if self.total >= FEW && self.line() > before {
            let seconds = self.begun.elapsed().as_secs();
            let (done, failed, total) = (self.done, self.failed, self.total);
            let _ = WHAT.try_with(|what| tracing::info!("{what}: {done} of {total} cells done, {failed} failed, after {seconds} s"));
        }
    }

    /// How many lines should have been told by now.
    fn line(&self) -> usize {
        self.done.saturating_add(self.failed).saturating_mul(LINES).checked_div(self.total).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_few_and_the_last_cell_has_one() {
        for (total, lines) in [(8, 8), (25, 10), (600, 10)] {
            let mut progress = Progress::of(total);
            let mut told = 0;
            for cell in 0..total {
                let before = progress.line();
                progress.count(cell % 3 != 0);
                told += usize::from(progress.line() > before);
            }
            assert_eq!((told, progress.line(), progress.done + progress.failed), (lines, LINES, total));
        }
    }
}
