use std::sync::atomic::AtomicI64;

use proptest::prelude::*;

use super::super::model::Model;
use super::super::testing::{at, change, compare, restraints, run, task};
use super::store::memory::Memory;
use super::*;
use crate::core::run::Step;

/// A table, a clock, and runtimes that share them.
#[derive(Clone, Default)]
struct World {
    table: Memory,
    passed: Arc<AtomicI64>,
    bells: Arc<Mutex<Vec<(RunId, i64)>>>,
}

impl Bell for World {
    fn set(&self, run: RunId, at: Timestamp) {
        self.bells.lock().unwrap().push((run, at.as_millisecond()));
    }
}

impl World {
    fn runtime(&self, name: &str) -> Aws {
        let passed = Arc::clone(&self.passed);
        let clock: Clock =
            Arc::new(move || Timestamp::from_millisecond(at(1_000).as_millisecond() + passed.load(Ordering::SeqCst)).unwrap());
        Aws::new(Arc::new(self.table.clone()), name, Some(Arc::new(self.clone())), clock)
    }

    fn pass(&self, millis: i64) {
        self.passed.fetch_add(millis, Ordering::SeqCst);
    }
}

fn accept(number: u8, tasks: Vec<Task>) -> Vec<Change> {
    vec![Change::Accept { run: run(number), tasks, gate: None }]
}

/// A task that is due so many seconds after the clock's beginning.
fn due(number: u8, destination: Option<&str>, seconds: i64) -> Task {
    let due = at(1_000 + seconds);
    Task { due, since: due, ..task(number, 0, destination) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_table_does_what_the_model_does(
        commits in prop::collection::vec(prop::collection::vec(change(), 1..5), 0..12),
        failures in prop::collection::vec(any::<bool>(), 0..3),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (world, mut model) = (World::default(), Model::default());
            let mut journal = world.runtime("a");
            for (round, mut commit) in commits.into_iter().enumerate() {
                // The table forgets keys by itself, and knows the event of what is sent once more.
                commit.retain(|change| match change {
                    Change::Prune(_) => false,
                    Change::Redeliver { run, .. } => model.keys.contains_key(&run.id()),
                    _ => true,
                });
                // Each failure is a pause.
                if round == 0 {
                    world.table.fail(&failures);
                }
                let expected = model.apply(&commit);
                assert_eq!(journal.commit(commit).await.unwrap(), expected);
                if round % 4 == 3 {
                    journal = world.runtime("a");
                }
            }
            compare(&journal, &model).await;
            assert_eq!(world.table.count("journal/dead"), model.dead.len());
        });
    }
}

#[tokio::test]
async fn thresholds_and_suppress_do_what_they_do_in_the_model() {
    restraints(&World::default().runtime("a")).await;
}

#[tokio::test]
async fn what_is_given_up_is_whoevers_comes_when_its_time_has_come() {
    let world = World::default();
    let (a, b) = (world.runtime("a"), world.runtime("b"));
    let soon = due(1, Some("d"), 5);
    a.commit(accept(1, vec![soon.clone()])).await.unwrap();
    a.commit(accept(2, vec![due(2, Some("d"), 0)])).await.unwrap();
    assert_eq!(b.sweep().await.unwrap(), []);
    a.release(vec![run(1).id(), run(2).id(), run(3).id()]).await.unwrap();
    // The clock is set for both, never for the past.
    let now = at(1_000).as_millisecond();
    let mut bells = world.bells.lock().unwrap().clone();
    bells.sort();
    let mut expected = vec![(run(1).id(), now + 5_000), (run(2).id(), now)];
    expected.sort();
    assert_eq!(bells, expected);
    assert!(!a.hold(&soon.id).await.unwrap());
    world.pass(1);
    assert_eq!(b.sweep().await.unwrap(), vec![due(2, Some("d"), 0)]);
    world.pass(5_000);
    assert_eq!(b.ring(run(1).id()).await.unwrap(), vec![soon.clone()]);
    // What somebody else has is not given up.
    a.release(vec![run(1).id()]).await.unwrap();
    assert!(b.hold(&soon.id).await.unwrap());
}

#[tokio::test]
async fn what_one_works_on_no_other_takes_before_its_lease_is_over() {
    let world = World::default();
    let (a, b) = (world.runtime("a"), world.runtime("b"));
    let delivery = due(1, Some("d"), 0);
    a.commit(accept(1, vec![delivery.clone()])).await.unwrap();
    world.pass(rows::LEASE - ENOUGH - 1);
    assert!(a.hold(&delivery.id).await.unwrap() && !b.hold(&delivery.id).await.unwrap());
    assert_eq!((b.sweep().await.unwrap(), b.tasks().await.unwrap()), (vec![], vec![]));
    assert_eq!(b.commit(vec![Change::Finish { done: delivery.id.clone(), next: vec![] }]).await.unwrap(), [Applied::Not]);
    // Whoever works on it renews the lease, and only then; a process that starts again under its name has it at once.
    world.pass(2);
    assert!(a.hold(&delivery.id).await.unwrap());
    world.pass(rows::LEASE - 1);
    assert_eq!(b.sweep().await.unwrap(), []);
    assert_eq!(world.runtime("a").tasks().await.unwrap(), std::slice::from_ref(&delivery));
    world.pass(2);
    assert_eq!(b.sweep().await.unwrap(), std::slice::from_ref(&delivery));
    assert!(!a.hold(&delivery.id).await.unwrap());
    let finish = || vec![Change::Finish { done: delivery.id.clone(), next: vec![] }];
    assert_eq!((a.commit(finish()).await.unwrap(), b.commit(finish()).await.unwrap()), (vec![Applied::Not], vec![Applied::Now(vec![])]));
    // Its key stays.
    assert_eq!(a.commit(accept(1, vec![delivery.clone()])).await.unwrap(), [Applied::Not]);
}

#[tokio::test]
async fn what_is_due_later_belongs_to_nobody_and_has_a_bell() {
    let world = World::default();
    let (a, b) = (world.runtime("a"), world.runtime("b"));
    let wait = due(1, None, 3_600);
    a.commit(accept(1, vec![wait.clone()])).await.unwrap();
    assert_eq!(*world.bells.lock().unwrap(), [(wait.id.run, wait.due.as_millisecond())]);
    assert_eq!(b.tasks().await.unwrap(), std::slice::from_ref(&wait));
    // A bell that rings early is set again.
    assert_eq!(b.ring(wait.id.run).await.unwrap(), []);
    assert_eq!(world.bells.lock().unwrap().len(), 2);
    assert!(!a.hold(&wait.id).await.unwrap() && a.sweep().await.unwrap().is_empty());
    world.pass(3_600_000);
    // One of them has it.
    assert_eq!(b.ring(wait.id.run).await.unwrap(), std::slice::from_ref(&wait));
    assert!(!a.hold(&wait.id).await.unwrap() && a.ring(wait.id.run).await.unwrap().is_empty());
    let next = due(1, Some("d"), 3_600);
    let next = Task { id: TaskId { action: 1, step: Step::Deliver("d".to_owned()), ..next.id.clone() }, ..next };
    let finished = b.commit(vec![Change::Finish { done: wait.id.clone(), next: vec![next.clone()] }]).await.unwrap();
    assert_eq!(finished, [Applied::Now(vec![next.clone()])]);
    assert!(b.hold(&next.id).await.unwrap() && !a.hold(&wait.id).await.unwrap());
}

#[tokio::test]
async fn two_that_write_the_same_window_count_every_event() {
    let world = World::default();
    let (a, b) = (Arc::new(world.runtime("a")), Arc::new(world.runtime("b")));
    let trigger = serde_json::json!({"name": "r", "event_names": ["E"], "action": [{"notify": [{"destinations": ["d"]}]}], "suppress": [{"window": "5m"}]});
    let trigger = trailwire_engine::trigger::Trigger::from_value(&trigger).unwrap();
    let event = trailwire_engine::event::Event::from_value(serde_json::json!({"eventName": "E"})).unwrap();
    let gate = crate::core::gate::gate(&trigger, &event);
    let commits = (0..60).map(|number| {
        let journal = if number % 2 == 0 { Arc::clone(&a) } else { Arc::clone(&b) };
        let run = Run { trigger: trigger.clone(), event_key: format!("r{number}"), accepted: at(1_000), ..Run::clone(&run(1)) };
        let change = Change::Accept { run: Arc::new(run), tasks: vec![], gate: gate.clone() };
        async move { journal.commit(vec![change]).await.unwrap().remove(0) }
    });
    let applied = join_all(commits).await;
    assert_eq!(applied.iter().filter(|applied| matches!(applied, Applied::Now(_))).count(), 1);
    let window = a.desk.query("journal/window/suppress/r", None, 9).await;
    let hidden = window
        .iter()
        .find_map(|item| serde_json::from_slice::<serde_json::Value>(&item.data).unwrap().pointer("/Silenced/hidden").cloned());
    assert_eq!(hidden, Some(serde_json::json!(59)));
}

#[tokio::test]
async fn a_key_is_forgotten_after_its_days_and_nothing_is_left() {
    let world = World::default();
    let a = world.runtime("a");
    a.commit(accept(1, vec![due(1, Some("d"), 0)])).await.unwrap();
    a.commit(vec![Change::Finish { done: due(1, Some("d"), 0).id, next: vec![] }]).await.unwrap();
    assert_eq!(world.table.count("journal/"), 2);
    world.pass(super::super::KEY_DAYS * 86_400_000);
    assert_eq!((a.sweep().await.unwrap(), world.table.count("journal/")), (vec![], 0));
}

#[tokio::test]
async fn long_runs_and_documents_lie_in_parts() {
    let world = World::default();
    let a = world.runtime("a");
    // Random, so that packing does not help.
    let mut numbers = 1u64;
    let noise: String = (0..600_000)
        .map(|_| {
            numbers = numbers.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'!' + (numbers >> 40) as u8 % 90)
        })
        .collect();
    let long = Arc::new(Run { event: serde_json::json!({"noise": noise}), ..Run::clone(&run(1)) });
    let tasks = vec![due(1, Some("d"), 0)];
    a.commit(vec![Change::Accept { run: Arc::clone(&long), tasks, gate: None }, Change::Remember(noise.clone())]).await.unwrap();
    assert!(world.table.count("journal/run/") > 2);
    assert_eq!(a.run(long.id()).await.unwrap(), Some(long));
    assert_eq!(a.remembered().await.unwrap(), Some(noise));
    a.commit(vec![Change::Remember("short".to_owned()), Change::Cancel(run(1).id())]).await.unwrap();
    assert_eq!((a.remembered().await.unwrap().as_deref(), world.table.count("journal/run/")), (Some("short"), 1));
}
