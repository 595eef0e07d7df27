use futures::future::{BoxFuture, FutureExt};
use trailwire_engine::matcher::Scope;

use super::*;
use crate::core::run::{RunId, Step};
use crate::definitions::Documents;
use crate::destination::Sender;
use crate::journal::{Applied, Change, TriggerState};
use crate::secrets::Secrets;

/// A journal that others share, and nothing is in but what its sweeps find.
struct Shared<F>(F);

impl<F: Fn(usize) -> BoxFuture<'static, Vec<Task>> + Send + Sync + 'static> Journal for Shared<F> {
    fn commit(&self, changes: Vec<Change>) -> BoxFuture<'_, Result<Vec<Applied>, JournalError>> {
        Box::pin(async move { Ok(changes.iter().map(|_| Applied::Now(vec![])).collect()) })
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
        let found = (self.0)(most);
        Box::pin(async move { Ok(found.await) })
    }
}

#[tokio::test]
async fn a_journal_that_is_slow_is_swept_once_at_a_time() {
    // The rooms that sweeps were given; each sweep ends when it is let.
    let (rooms, ends) = (Arc::new(Mutex::new(vec![])), Arc::new(Semaphore::new(0)));
    let (begun, end) = (Arc::clone(&rooms), Arc::clone(&ends));
    let journal = Arc::new(Shared(move |most| {
        begun.lock().unwrap().push(most);
        let end = Arc::clone(&end);
        async move {
            end.acquire().await.unwrap().forget();
            vec![]
        }
        .boxed()
    }));
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
        while rooms.lock().unwrap().len() < round {
            tokio::task::yield_now().await;
        }
        assert_eq!(*rooms.lock().unwrap(), vec![SHARE; round]);
        ends.add_permits(1);
        // What is under way is over.
        intake.settle(tokio::time::Instant::now() + Duration::from_secs(60)).await.unwrap();
    }
    stop.cancel();
    driving.await.unwrap().unwrap();
}

/// What is left of a stock, and the room that each sweep was given.
type Stock = Arc<Mutex<(usize, Vec<usize>)>>;

/// A journal with more than one takes over at once.
fn stock(all: usize) -> (Stock, Arc<impl Journal>) {
    let found = Arc::new(Mutex::new((all, vec![])));
    let stock = Arc::clone(&found);
    let sweep = move |most| {
        let (left, rooms) = &mut *stock.lock().unwrap();
        rooms.push(most);
        let before = *left;
        *left = before.saturating_sub(most);
        let task =
            |number: usize| Task::new(RunId::new("t", &number.to_string()), "t", 0, Step::Deliver("d".to_owned()), Timestamp::UNIX_EPOCH);
        std::future::ready((*left..before).map(task).collect()).boxed()
    };
    (found, Arc::new(Shared(sweep)))
}

#[tokio::test]
async fn no_more_is_taken_over_than_is_done_soon_and_the_next_at_once_after_it() {
    let (found, journal) = stock(3 * SHARE);
    let worker = Worker::new(Arc::clone(&journal), Sender::new(Secrets::default()).unwrap(), None);
    let definitions = Arc::new(Definitions::new(1, Scope::default(), Documents::default(), None));
    let (driver, _intake) = Driver::fresh(Arc::clone(&journal), worker, definitions);
    let ended = CancellationToken::new();
    ended.cancel();
    // It ends as soon as nothing is left to do, which is no earlier than when a sweep has found nothing.
    let totals = driver.run(Until::Idle(Duration::ZERO), CancellationToken::new(), ended).await.unwrap();
    let (left, rooms) = &*found.lock().unwrap();
    assert_eq!((totals.dead_lettered, *left), (3 * SHARE as u64, 0));
    assert_eq!(rooms[0], SHARE);
    assert!(rooms.len() > 4 && rooms[1..].iter().all(|room| (SHARE / 2..=SHARE).contains(room)), "{rooms:?}");
}

#[tokio::test]
async fn an_invocation_takes_over_while_it_has_time_and_nothing_is_taken_over_after_it() {
    let (found, journal) = stock(5 * SHARE);
    let worker = Worker::new(Arc::clone(&journal), Sender::new(Secrets::default()).unwrap(), None);
    let definitions = Arc::new(Definitions::new(1, Scope::default(), Documents::default(), None));
    let (driver, intake) = Driver::fresh(Arc::clone(&journal), worker, Arc::clone(&definitions));
    let stop = CancellationToken::new();
    let driving = tokio::spawn(driver.run(Until::Invoked, stop.clone(), CancellationToken::new()));
    // One without time looks once.
    intake.sweep().await;
    intake.settle(tokio::time::Instant::now()).await.unwrap();
    for _ in 0..5 {
        intake.offer(vec![], Arc::clone(&definitions)).await.unwrap();
    }
    assert_eq!(*found.lock().unwrap(), (4 * SHARE, vec![SHARE]));
    // One with time goes on until nothing is left.
    intake.sweep().await;
    intake.settle(tokio::time::Instant::now() + Duration::from_secs(600)).await.unwrap();
    assert_eq!(found.lock().unwrap().0, 0);
    stop.cancel();
    driving.await.unwrap().unwrap();
}
