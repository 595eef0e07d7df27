//! Several runtimes and the same runs: nothing is done by two, nothing is left to nobody, and none takes more than it has room for.

use std::collections::BTreeMap;

use super::*;

#[tokio::test]
async fn a_redrive_into_a_run_that_somebody_works_on_takes_it_from_nobody() {
    let world = World::default();
    let (a, b) = (world.runtime("a"), world.runtime("b"));
    let (open, letter) = (due(1, Some("d"), 0), due(1, Some("e"), 0));
    a.commit(accept(1, vec![open.clone()])).await.unwrap();
    world.pass(1_000);
    // Whoever works on the run goes on with it, and finds there what has come to it.
    assert_eq!(b.commit(vec![redeliver(1, &letter)]).await.unwrap(), [Applied::Now(vec![])]);
    assert!(a.hold(&open.id).await.unwrap());
    assert_eq!(a.commit(vec![Change::Finish { done: open.id, next: vec![] }]).await.unwrap(), [Applied::Now(vec![])]);
    assert_eq!((b.sweep(FULL).await.unwrap(), a.sweep(FULL).await.unwrap()), (vec![], vec![letter.clone()]));
    assert_eq!(a.commit(vec![Change::Finish { done: letter.id, next: vec![] }]).await.unwrap(), [Applied::Now(vec![])]);
    // Where nobody does any more, whoever takes it takes all of it.
    let (open, letter) = (due(2, Some("d"), 0), due(2, Some("e"), 0));
    a.commit(accept(2, vec![open.clone()])).await.unwrap();
    world.pass(2 * rows::LEASE);
    let applied = b.commit(vec![redeliver(2, &letter)]).await.unwrap();
    assert_eq!(applied, [Applied::Now(vec![open, letter])]);
}

fn redeliver(number: u8, task: &Task) -> Change {
    Change::Redeliver { run: run(number), task: task.clone() }
}

/// What a runtime has to do, as its core knows it.
struct Core {
    journal: Aws,
    tasks: BTreeMap<TaskId, Task>,
}

impl Core {
    /// Commits a change about a task that is settled here, and takes in what comes of it.
    async fn commit(&mut self, change: Change) {
        for applied in self.journal.commit(vec![change]).await.unwrap() {
            if let Applied::Now(tasks) | Applied::Counted(tasks) = applied {
                self.take(tasks);
            }
        }
    }

    fn take(&mut self, tasks: Vec<Task>) {
        self.tasks.extend(tasks.into_iter().map(|task| (task.id.clone(), task)));
    }

    async fn sweep(&mut self) {
        let found = self.journal.sweep(FULL).await.unwrap();
        self.take(found);
    }

    /// Takes a task whose time has come, if it is this runtime's.
    async fn begin(&mut self, place: usize, now: Timestamp) -> Option<Task> {
        let id = self.tasks.values().filter(|task| task.due <= now).nth(place)?.id.clone();
        let task = self.tasks.remove(&id)?;
        self.journal.hold(&id).await.unwrap().then_some(task)
    }
}

/// What one of two runtimes does next.
#[derive(Debug, Clone)]
enum Deed {
    Accept(u8),
    Redeliver(u8),
    /// The task at this place is done, or put off for so many seconds.
    Finish(usize),
    Postpone(usize, i64),
    Sweep,
    Pass(i64),
    /// It is killed, and another comes.
    Die,
}

fn deed() -> impl Strategy<Value = (bool, Deed)> {
    let deed = prop_oneof![
        2 => (0u8..3).prop_map(Deed::Accept),
        3 => (0u8..3).prop_map(Deed::Redeliver),
        3 => (0usize..3).prop_map(Deed::Finish),
        3 => (0usize..3, 1i64..40).prop_map(|(place, seconds)| Deed::Postpone(place, seconds)),
        2 => Just(Deed::Sweep),
        2 => (1i64..40).prop_map(Deed::Pass),
        1 => Just(Deed::Die),
    ];
    (any::<bool>(), deed)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_left_to_nobody(deeds in prop::collection::vec(deed(), 0..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::default();
            let now = || at(1_000).saturating_add(jiff::SignedDuration::from_millis(world.passed.load(Ordering::SeqCst))).unwrap();
            let core = |name: String| Core { journal: world.runtime(&name), tasks: BTreeMap::new() };
            let mut cores = [core("0".to_owned()), core("1".to_owned())];
            for (place, (second, deed)) in deeds.into_iter().enumerate() {
                let core_now = &mut cores[usize::from(second)];
                match deed {
                    Deed::Accept(number) => {
                        core_now.commit(Change::Accept { run: run(number), tasks: vec![due(number, Some("d"), 0)], gate: None }).await;
                    }
                    Deed::Redeliver(number) => core_now.commit(redeliver(number, &due(number, Some("e"), 0))).await,
                    Deed::Finish(task) => {
                        if let Some(task) = core_now.begin(task, now()).await {
                            core_now.commit(Change::Finish { done: task.id, next: vec![] }).await;
                        }
                    }
                    Deed::Postpone(task, seconds) => {
                        if let Some(task) = core_now.begin(task, now()).await {
                            let due = now().saturating_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
                            core_now.commit(Change::Postpone(Task { due, ..task })).await;
                        }
                    }
                    Deed::Sweep => core_now.sweep().await,
                    Deed::Pass(seconds) => world.pass(1_000 * seconds),
                    Deed::Die => *core_now = core(format!("successor {place}")),
                }
            }
            // The leases of those that were killed end, and what is found then is done.
            for _ in 0..3 {
                world.pass(rows::LEASE + 1);
                for core in &mut cores {
                    core.sweep().await;
                    while !core.tasks.is_empty() {
                        if let Some(task) = core.begin(0, Timestamp::MAX).await {
                            core.commit(Change::Finish { done: task.id, next: vec![] }).await;
                        }
                    }
                }
            }
            assert_eq!(world.table.count("journal/due/"), 0);
        });
    }
}

#[tokio::test]
async fn none_takes_more_than_it_has_room_for() {
    let world = World::default();
    let a = world.runtime("a");
    a.commit(many(0..500)).await.unwrap();
    world.pass(2 * rows::LEASE);
    let b = world.runtime("b");
    assert_eq!(b.sweep(0).await.unwrap(), []);
    // What there is no room for is found by the next sweep, or by somebody else's.
    let mut found: Vec<TaskId> = Vec::new();
    for _ in 0..4 {
        let sweep = b.sweep(150).await.unwrap();
        assert!(sweep.len() <= 150 && b.desk.held().len() == found.len() + sweep.len());
        found.extend(sweep.into_iter().map(|task| task.id));
    }
    found.extend(world.runtime("c").sweep(FULL).await.unwrap().into_iter().map(|task| task.id));
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 500);
    let started = world.runtime("b").tasks(100).await.unwrap();
    assert!((100..100 + 2 * GROUP).contains(&started.len()), "{}", started.len());
}

#[tokio::test]
async fn of_what_is_due_later_some_is_known_from_the_start() {
    let world = World::default();
    let a = world.runtime("a");
    a.commit(accept(1, vec![due(1, Some("d"), 0)])).await.unwrap();
    for number in 0..5 * LATER {
        let id = RunId::new("later", &number.to_string());
        let mut state = RunState::new("t", at(0));
        state.put(&[Task { id: TaskId { run: id, action: 0, step: Step::Continue }, ..due(1, None, 3_600) }]);
        state.give_up(0);
        let (pk, sk) = rows::index_key(id, &state);
        world.table.put(store::Item { pk, sk, version: 1, data: vec![] });
        world.table.put(store::Item { pk: rows::run_key(id), sk: STATE.to_owned(), version: 1, data: codec::to_json(&state) });
    }
    let known = world.runtime("b").tasks(FULL).await.unwrap().len();
    assert!((3 * LATER..=4 * LATER).contains(&known), "{known}");
}
