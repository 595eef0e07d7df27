use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::BoxFuture;
use trailwire_engine::matcher::Scope;

use super::*;
use crate::core::run::RunId;
use crate::definitions::Documents;
use crate::destination::Sender;
use crate::journal::{Applied, Change, TriggerState};
use crate::secrets::Secrets;

/// A journal whose sweeps end when they are let.
struct Slow {
    sweeps: AtomicUsize,
    room: AtomicUsize,
    ends: Semaphore,
}

impl Journal for Slow {
    fn commit(&self, changes: Vec<Change>) -> BoxFuture<'_, Result<Vec<Applied>, JournalError>> {
        Box::pin(async move { Ok(changes.iter().map(|_| Applied::Not).collect()) })
    }

    fn remembered(&self) -> BoxFuture<'_, Result<Option<String>, JournalError>> {
        Box::pin(async { Ok(None) })
    }

    fn run(&self, _id: RunId) -> BoxFuture<'_, Result<Option<Arc<Run>>, JournalError>> {
        Box::pin(async { Ok(None) })
    }

    fn states(&self, _now: Timestamp) -> BoxFuture<'_, Result<Vec<TriggerState>, JournalError>> {
        Box::pin(async { Ok(vec![]) })
    }

    fn tasks(&self, _most: usize) -> BoxFuture<'_, Result<Vec<Task>, JournalError>> {
        Box::pin(async { Ok(vec![]) })
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn sweep(&self, most: usize) -> BoxFuture<'_, Result<Vec<Task>, JournalError>> {
        Box::pin(async move {
            self.sweeps.fetch_add(1, Ordering::SeqCst);
            self.room.store(most, Ordering::SeqCst);
            self.ends.acquire().await.unwrap().forget();
            Ok(vec![])
        })
    }
}

#[tokio::test]
async fn a_journal_that_is_slow_is_swept_once_at_a_time() {
    let journal = Arc::new(Slow { sweeps: AtomicUsize::default(), room: AtomicUsize::default(), ends: Semaphore::new(0) });
    let worker = Worker::new(Arc::clone(&journal), Sender::new(Secrets::default()).unwrap(), None);
    let definitions = Arc::new(Definitions::new(1, Scope::default(), Documents::default(), None));
    let (driver, intake) = Driver::fresh(Arc::clone(&journal), worker, Arc::clone(&definitions));
    let stop = CancellationToken::new();
    let driving = tokio::spawn(driver.run(Until::Invoked, stop.clone(), CancellationToken::new()));
    for round in 1..=2 {
        for _ in 0..5 {
            intake.sweep().await;
        }
        // The answer to what was asked after all of them.
        intake.offer(vec![], Arc::clone(&definitions)).await.unwrap();
        while journal.sweeps.load(Ordering::SeqCst) < round {
            tokio::task::yield_now().await;
        }
        assert_eq!((journal.sweeps.load(Ordering::SeqCst), journal.room.load(Ordering::SeqCst)), (round, FULL));
        journal.ends.add_permits(1);
        // What is under way is over.
        intake.settle(tokio::time::Instant::now() + Duration::from_secs(60)).await.unwrap();
    }
    stop.cancel();
    driving.await.unwrap().unwrap();
}
