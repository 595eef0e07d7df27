mod owners;

use std::sync::atomic::AtomicI64;

use proptest::prelude::*;
use serde_json::{Value, json};
use trailwire_engine::event::Event;
use trailwire_engine::trigger::Trigger;

use super::super::model::Model;
use super::super::testing::{at, change, compare, restraints, run, task};
use super::store::memory::Memory;
use super::*;
use crate::core::gate::{GROUPS, gate};
use crate::core::run::Step;
use crate::core::window::Window;
use crate::driver::FULL;

/// A table, a clock, and runtimes that share them.
#[derive(Clone, Default)]
struct World {
    table: Memory,
    passed: Arc<AtomicI64>,
    bells: Arc<Mutex<Vec<Appointment>>>,
}

impl Bell for World {
    fn set(&self, bell: Appointment) {
        self.bells.lock().unwrap().push(bell);
    }
}

impl World {
    fn runtime(&self, name: &str) -> Aws {
        let passed = Arc::clone(&self.passed);
        let clock: Clock =
            Arc::new(move || Timestamp::from_millisecond(at(1_000).as_millisecond() + passed.load(Ordering::SeqCst)).unwrap());
        Aws::new(Arc::new(self.table.clone()), name, Some(Arc::new(self.clone())), clock)
    }

    /// The bells that were set since this was asked last.
    fn bells(&self) -> Vec<Appointment> {
        let mut bells = std::mem::take(&mut *self.bells.lock().unwrap());
        bells.sort();
        bells
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

/// The trigger `r` with these restraints.
fn restrained(more: Value) -> Trigger {
    let mut document = json!({"name": "r", "event_names": ["E"], "action": [{"notify": [{"destinations": ["d"]}]}]});
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Trigger::from_value(&document).unwrap()
}

/// A match of a trigger by an event of this group.
fn matched(trigger: &Trigger, number: usize, who: usize, second: i64) -> Change {
    let event = Event::from_value(json!({"eventName": "E", "who": who})).unwrap();
    let run = Run { trigger: trigger.clone(), event_key: format!("r{number}"), accepted: at(second), ..Run::clone(&run(1)) };
    let tasks = vec![Task::new(run.id(), "r", 0, Step::Deliver("d".to_owned()), at(second))];
    Change::Accept { run: Arc::new(run), tasks, gate: gate(trigger, &event) }
}

/// Text that can not be packed.
fn noise(length: usize) -> String {
    let mut numbers = 1u64;
    let next = |_| {
        numbers = numbers.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'!' + (numbers >> 40) as u8 % 90)
    };
    (0..length).map(next).collect()
}

/// A run and a time, so many seconds after the clock's beginning.
fn appointment(number: u8, seconds: i64) -> Appointment {
    Appointment { run: run(number).id(), at: at(1_000 + seconds) }
}

/// Runs of which there may be more than 256.
fn many(numbers: std::ops::Range<usize>) -> Vec<Change> {
    let accept = |number| {
        let run = Run { event_key: format!("many {number}"), ..Run::clone(&run(1)) };
        let tasks = vec![Task { due: at(1_000), ..Task::new(run.id(), "t", 0, Step::Deliver("d".to_owned()), at(1_000)) }];
        Change::Accept { run: Arc::new(run), tasks, gate: None }
    };
    numbers.map(accept).collect()
}

fn finish(changes: &[Change]) -> Vec<Change> {
    let tasks = changes.iter().flat_map(|change| match change {
        Change::Accept { tasks, .. } => tasks.clone(),
        _ => vec![],
    });
    tasks.map(|task| Change::Finish { done: task.id, next: vec![] }).collect()
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
            assert_eq!(world.table.refusals(), [""; 0]);
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
    assert_eq!(b.sweep(FULL).await.unwrap(), []);
    a.release(vec![appointment(1, 0), appointment(2, 0), appointment(3, 0)]).await.unwrap();
    let mut expected = vec![appointment(1, 5), appointment(2, 0)];
    expected.sort();
    assert_eq!(world.bells(), expected);
    assert!(!a.hold(&soon.id).await.unwrap());
    world.pass(1);
    assert_eq!(b.sweep(FULL).await.unwrap(), vec![due(2, Some("d"), 0)]);
    world.pass(5_000);
    assert_eq!(b.ring(appointment(1, 5)).await.unwrap(), vec![soon.clone()]);
    // What somebody else has is not given up.
    a.release(vec![appointment(1, 0)]).await.unwrap();
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
    assert_eq!((b.sweep(FULL).await.unwrap(), b.tasks(FULL).await.unwrap()), (vec![], vec![]));
    assert_eq!(b.commit(vec![Change::Finish { done: delivery.id.clone(), next: vec![] }]).await.unwrap(), [Applied::Not]);
    // Whoever works on it renews the lease, and only then; a process that starts again under its name has it at once.
    world.pass(2);
    assert!(a.hold(&delivery.id).await.unwrap());
    world.pass(rows::LEASE - 1);
    assert_eq!(b.sweep(FULL).await.unwrap(), []);
    assert_eq!(world.runtime("a").tasks(FULL).await.unwrap(), std::slice::from_ref(&delivery));
    world.pass(2);
    // One that starts has its own to do first: what others left is for its sweeps.
    assert_eq!(b.tasks(FULL).await.unwrap(), []);
    assert_eq!(b.sweep(FULL).await.unwrap(), std::slice::from_ref(&delivery));
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
    assert_eq!(world.bells(), [appointment(1, 3_600)]);
    assert_eq!(b.tasks(FULL).await.unwrap(), std::slice::from_ref(&wait));
    // A bell that rings early is set again.
    assert_eq!(b.ring(appointment(1, 3_600)).await.unwrap(), []);
    assert_eq!(world.bells(), [appointment(1, 3_600)]);
    assert!(!a.hold(&wait.id).await.unwrap() && a.sweep(FULL).await.unwrap().is_empty());
    world.pass(3_600_000);
    // One of them has it.
    assert_eq!(b.ring(appointment(1, 3_600)).await.unwrap(), std::slice::from_ref(&wait));
    assert!(!a.hold(&wait.id).await.unwrap() && a.ring(appointment(1, 3_600)).await.unwrap().is_empty());
    let next = due(1, Some("d"), 3_600);
    let next = Task { id: TaskId { action: 1, step: Step::Deliver("d".to_owned()), ..next.id.clone() }, ..next };
    let finished = b.commit(vec![Change::Finish { done: wait.id.clone(), next: vec![next.clone()] }]).await.unwrap();
    assert_eq!(finished, [Applied::Now(vec![next.clone()])]);
    assert!(b.hold(&next.id).await.unwrap() && !a.hold(&wait.id).await.unwrap());
}

#[tokio::test]
async fn those_that_write_the_same_window_count_every_event() {
    let world = World::default();
    let runtimes = ["a", "b", "c", "d", "e"].map(|name| world.runtime(name));
    let trigger = restrained(json!({"suppress": [{"window": "5m"}]}));
    let commits = (0..60).map(|number| {
        let journal = &runtimes[number % runtimes.len()];
        let change = matched(&trigger, number, 0, 1_000);
        async move { journal.commit(vec![change]).await.unwrap().remove(0) }
    });
    let applied = join_all(commits).await;
    assert_eq!(applied.iter().filter(|applied| matches!(applied, Applied::Now(_))).count(), 1);
    let window = runtimes[0].desk.all("journal/window/suppress/r").await;
    let hidden = window.iter().find_map(|item| serde_json::from_slice::<Value>(&item.data).unwrap().pointer("/Silenced/hidden").cloned());
    assert_eq!(hidden, Some(json!(59)));
}

#[tokio::test]
async fn a_key_is_forgotten_after_its_days_and_nothing_is_left() {
    let world = World::default();
    let a = world.runtime("a");
    a.commit(accept(1, vec![due(1, Some("d"), 0)])).await.unwrap();
    a.commit(vec![Change::Finish { done: due(1, Some("d"), 0).id, next: vec![] }]).await.unwrap();
    assert_eq!(world.table.count("journal/"), 2);
    world.pass(super::super::KEY_DAYS * 86_400_000);
    assert_eq!((a.sweep(FULL).await.unwrap(), world.table.count("journal/")), (vec![], 0));
}

#[tokio::test]
async fn long_runs_and_documents_lie_in_parts() {
    let world = World::default();
    let a = world.runtime("a");
    let noise = noise(600_000);
    let long = Arc::new(Run { event: serde_json::json!({"noise": noise}), ..Run::clone(&run(1)) });
    let tasks = vec![due(1, Some("d"), 0)];
    a.commit(vec![Change::Accept { run: Arc::clone(&long), tasks, gate: None }, Change::Remember(noise.clone())]).await.unwrap();
    assert!(world.table.count("journal/run/") > 2);
    assert_eq!(a.run(long.id()).await.unwrap(), Some(long));
    assert_eq!(a.remembered().await.unwrap(), Some(noise));
    a.commit(vec![Change::Remember("short".to_owned()), Change::Cancel(run(1).id())]).await.unwrap();
    assert_eq!((a.remembered().await.unwrap().as_deref(), world.table.count("journal/run/")), (Some("short"), 1));
}

#[tokio::test]
async fn groups_that_come_and_go_by_the_thousand_hold_nobody_up() {
    let world = World::default();
    let a = world.runtime("a");
    let trigger = restrained(json!({
        "threshold": [{"count": 1, "window": "1m", "group_by": "detail.who", "notify_recovery": true}],
        "suppress": [{"window": "5m", "key": "detail.who"}]}));
    let groups = GROUPS as usize;
    a.commit((0..groups).map(|number| matched(&trigger, number, number, 1_000)).collect()).await.unwrap();
    let windows = || (world.table.count("journal/window/threshold/r"), world.table.count("journal/window/suppress/r"));
    let all = windows();
    assert_eq!(all, (groups + 1, groups + 1));
    // An hour later they say nothing any more, and others come: more than one look makes room for.
    for number in groups..groups + 34 {
        let applied = a.commit(vec![matched(&trigger, number, number, 4_600)]).await.unwrap();
        assert!(matches!(&applied[..], [Applied::Now(tasks)] if tasks.len() == 2), "{applied:?}");
        assert!(windows().0 <= all.0 && windows().1 <= all.1);
    }
    assert_eq!(world.table.refusals(), [""; 0]);
}

#[tokio::test]
async fn a_window_that_somebody_counts_into_is_not_forgotten() {
    let world = World::default();
    let a = world.runtime("a");
    let trigger = restrained(json!({"suppress": [{"window": "5m", "key": "detail.who"}]}));
    let groups = GROUPS as usize;
    a.commit((0..groups).map(|number| matched(&trigger, number, number, 1_000)).collect()).await.unwrap();
    let window = async |journal: &Aws, place: usize| journal.desk.all("journal/window/suppress/r").await.remove(place);
    // The first after the census is the first that is looked at.
    let first = window(&a, 1).await;
    let group = serde_json::from_slice::<Value>(&first.data).unwrap().pointer("/Silenced/group").cloned().unwrap();
    let who = group.as_str().unwrap().parse().unwrap();
    let other = World { table: world.table.fork(), ..world.clone() };
    let applied = other.runtime("b").commit(vec![matched(&trigger, 5_000, who, 4_600)]).await.unwrap();
    assert!(matches!(applied[..], [Applied::Now(_)]));
    world.table.overtake(&other.table);
    a.commit(vec![matched(&trigger, 5_001, 5_001, 4_600)]).await.unwrap();
    let kept = window(&a, 1).await;
    assert_eq!((kept.sk, kept.version), (first.sk, first.version + 1));
    assert_eq!(a.commit(vec![matched(&trigger, 5_002, who, 4_601)]).await.unwrap().len(), 1);
    let counted: Window = rows::read(&window(&a, 1).await.data).unwrap();
    assert!(matches!(counted, Window::Silenced(silenced) if silenced.hidden == 1));
}

#[tokio::test]
async fn a_run_that_somebody_begins_again_outlives_its_key() {
    let world = World::default();
    let a = world.runtime("a");
    let delivery = due(1, Some("d"), 0);
    a.commit(accept(1, vec![delivery.clone()])).await.unwrap();
    a.commit(vec![Change::Finish { done: delivery.id.clone(), next: vec![] }]).await.unwrap();
    world.pass(super::super::KEY_DAYS * 86_400_000);
    let other = World { table: world.table.fork(), ..world.clone() };
    let again = vec![Change::Redeliver { run: run(1), task: delivery.clone() }];
    assert_eq!(other.runtime("b").commit(again).await.unwrap(), [Applied::Now(vec![delivery.clone()])]);
    world.table.overtake(&other.table);
    assert_eq!(a.sweep(FULL).await.unwrap(), []);
    assert_eq!(a.run(run(1).id()).await.unwrap(), Some(run(1)));
    assert_eq!(world.runtime("b").tasks(FULL).await.unwrap(), [delivery]);
}

#[tokio::test]
async fn what_the_table_never_takes_holds_nobody_up() {
    let world = World::default();
    let a = world.runtime("a");
    let noise = noise(5_300_000);
    let large = Arc::new(Run { event: json!({"noise": noise}), ..Run::clone(&run(1)) });
    let mut changes = accept(2, vec![due(2, Some("d"), 0)]);
    changes.push(Change::Accept { run: large, tasks: vec![due(1, Some("d"), 0)], gate: None });
    changes.extend(accept(3, vec![due(3, Some("d"), 0)]));
    let applied = a.commit(changes).await.unwrap();
    assert_eq!(applied, [Applied::Now(vec![due(2, Some("d"), 0)]), Applied::Not, Applied::Now(vec![due(3, Some("d"), 0)])]);
    // Nothing of it is lost: it lies in parts beside its reason.
    let dead = a.desk.all("journal/dead").await;
    let letter: super::super::codec::DeadLetter = rows::read(&dead[0].data).unwrap();
    assert!(letter.trigger == "t" && letter.reason.ends_with(" bytes"), "{letter:?}");
    let listed = kept::dead(&world.table).await.unwrap();
    assert_eq!(listed, [(dead[0].sk.clone(), letter)]);
    let parts: Vec<Vec<u8>> = dead.into_iter().skip(1).map(|item| item.data).collect();
    let aside = codec::read_run(&rows::unpacked(&parts).unwrap()).unwrap();
    assert_eq!(aside.event["noise"], noise);
    assert_eq!(a.run(run(1).id()).await.unwrap(), None);
}

#[tokio::test]
async fn a_run_has_one_bell_however_often_it_is_put_off() {
    let world = World::default();
    let a = world.runtime("a");
    a.commit(accept(1, vec![due(1, Some("d"), 0)])).await.unwrap();
    assert_eq!(world.bells(), []);
    let (mut rang, mut now) = (appointment(1, 0), 0);
    for attempts in 1..10 {
        // Tried by whoever has it in memory, before the bell for that comes.
        assert!(a.hold(&due(1, Some("d"), 0).id).await.unwrap());
        let next = Task { attempts, ..due(1, Some("d"), now + 60) };
        a.commit(vec![Change::Postpone(next.clone())]).await.unwrap();
        assert_eq!((a.ring(rang).await.unwrap(), world.bells()), (vec![], vec![appointment(1, now + 60)]));
        (rang, now) = (appointment(1, now + 60), now + 60);
        world.pass(60_000);
    }
    // A queue that delays no longer than a quarter of an hour rings early: that bell goes on.
    world.pass(-30_000);
    assert_eq!((a.ring(rang).await.unwrap(), world.bells()), (vec![], vec![rang]));
}

#[tokio::test]
async fn what_waits_for_a_destination_is_not_looked_at_before_its_pause_is_over() {
    let world = World::default();
    let (a, b) = (world.runtime("a"), world.runtime("b"));
    let delivery = due(1, Some("d"), 0);
    a.commit(accept(1, vec![delivery.clone()])).await.unwrap();
    world.pass(5_000);
    a.release(vec![appointment(1, 40)]).await.unwrap();
    assert_eq!(world.bells(), [appointment(1, 40)]);
    world.pass(34_999);
    assert_eq!((b.sweep(FULL).await.unwrap(), b.ring(appointment(1, 0)).await.unwrap(), world.bells()), (vec![], vec![], vec![]));
    world.pass(1);
    assert_eq!(b.ring(appointment(1, 40)).await.unwrap(), [delivery]);
}

#[tokio::test]
async fn a_sweep_finds_what_nobody_works_on_behind_everything_else() {
    let world = World::default();
    let (a, b) = (world.runtime("a"), world.runtime("b"));
    // Keys whose days are over, and runs that are in hand and have waited for longer than their lease.
    let old = many(0..1_000);
    b.commit(old.clone()).await.unwrap();
    b.commit(finish(&old)).await.unwrap();
    world.pass(super::super::KEY_DAYS * 86_400_000);
    a.commit(many(1_000..2_200)).await.unwrap();
    world.pass(1);
    b.commit(accept(1, vec![due(1, Some("d"), 0)])).await.unwrap();
    world.pass(rows::LEASE + 1);
    let found = a.sweep(FULL).await.unwrap();
    assert_eq!(found, [due(1, Some("d"), 0)]);
    assert_eq!(world.table.count("journal/over/"), 1_000 - 4 * PAGE);
}

#[tokio::test]
async fn what_a_killed_process_sent_last_is_found_by_a_second_look() {
    let world = World::default();
    let (killed, next) = (world.runtime("a"), world.runtime("a"));
    assert_eq!(next.tasks(FULL).await.unwrap(), []);
    killed.commit(accept(1, vec![due(1, Some("d"), 0)])).await.unwrap();
    assert_eq!(next.sweep(FULL).await.unwrap(), []);
    world.pass(SECOND_LOOK);
    assert_eq!(next.sweep(FULL).await.unwrap(), [due(1, Some("d"), 0)]);
    assert_eq!(next.sweep(FULL).await.unwrap(), []);
}

#[tokio::test]
async fn a_sweep_takes_its_share_of_each_part_of_the_index() {
    let world = World::default();
    let (a, b) = (world.runtime("a"), world.runtime("b"));
    a.commit(many(0..200)).await.unwrap();
    world.pass(rows::LEASE + 1);
    let found = b.sweep(32).await.unwrap();
    let mut parts = [0; 4];
    found.iter().for_each(|task| parts[usize::from(task.id.run.0[0] % 4)] += 1);
    assert_eq!(parts, [8; 4]);
    // What is left stays with whoever had it.
    assert!(a.sweep(FULL).await.unwrap().is_empty());
    let rest = b.sweep(FULL).await.unwrap();
    assert_eq!(rest.len(), 200 - 32);
}

#[tokio::test]
async fn a_sweep_goes_on_where_the_last_one_ended() {
    let world = World::default();
    let (a, b) = (world.runtime("a"), world.runtime("b"));
    b.commit(accept(1, vec![due(1, Some("d"), 0)])).await.unwrap();
    let (shard, _) = rows::index_key(run(1).id(), &b.desk.state(run(1).id()).await.unwrap().1);
    for number in 0..2 * PAGE * PAGES {
        let id = RunId::new("in hand", &number.to_string());
        a.desk.held().insert(id, Held { version: 1, state: RunState::new("t", at(0)), known: true });
        world.table.put(store::Item { pk: shard.clone(), sk: format!("{}/{id}", rows::moment(7)), version: 1, data: b"a".to_vec() });
    }
    world.pass(2 * rows::LEASE);
    let mut sweeps = Vec::new();
    for _ in 0..5 {
        let before = world.table.read();
        sweeps.push((a.sweep(FULL).await.unwrap().len(), world.table.read() - before));
    }
    let all = PAGES * PAGE;
    assert_eq!(sweeps, [(0, all), (0, all), (1, 1), (0, all), (0, all)]);
}

#[tokio::test]
async fn what_is_over_is_not_read_to_go_on() {
    let world = World::default();
    let a = world.runtime("a");
    let over = many(0..500);
    a.commit(over.clone()).await.unwrap();
    a.commit(finish(&over)).await.unwrap();
    let open = due(1, Some("d"), 0);
    a.commit(accept(1, vec![open.clone()])).await.unwrap();
    let before = world.table.read();
    assert_eq!(world.runtime("a").tasks(FULL).await.unwrap(), [open]);
    assert_eq!(world.table.read() - before, 1);
    // One that begins with nothing has no name that anything bears.
    world.runtime("new").sweep(FULL).await.unwrap();
    assert_eq!(world.table.read() - before, 1);
}
