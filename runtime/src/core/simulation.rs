//! The core against the model journal: events come, repeatedly and in any order, destinations fail as they like, definitions change, and the
//! process dies at any point. Whatever happens, no accepted run is lost and none is doubled.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;
use serde_json::json;
use trailwire_engine::matcher::Scope;

use super::*;
use crate::definitions::Documents;
use crate::journal::model::Model;

const BEGIN: Timestamp = Timestamp::constant(1_700_000_000, 0);

/// What happens next.
#[derive(Debug, Clone)]
enum Happening {
    /// The source offers this event (again).
    Offer(u8),
    /// The journal writes the oldest commit.
    Write,
    /// The journal writes the oldest commit and the process dies before it hears of it.
    WriteAndDie,
    /// The process dies.
    Die,
    /// The oldest piece of work under way ends so.
    End(Ending),
    /// Time passes.
    Pass(u32),
}

#[derive(Debug, Clone, Copy)]
enum Ending {
    Good,
    Fails,
    Final,
}

/// A process, the journal and the world around it.
struct World {
    now: Timestamp,
    definitions: Arc<Definitions>,
    core: Core,
    journal: Model,
    commits: VecDeque<(u64, Vec<Change>)>,
    work: VecDeque<Command>,
    offered: BTreeMap<u64, u8>,
    last_batch: u64,
    /// Events that the source need not offer again.
    acknowledged: BTreeSet<u8>,
    /// Deliveries that a destination took, or that are dead letters, with how often.
    ended: BTreeMap<TaskId, u32>,
    started: BTreeMap<RunId, u32>,
}

/// Trigger `one` notifies a and b, waits, then notifies a; trigger `two` sends odd events to c.
fn definitions() -> Arc<Definitions> {
    let one = json!({"name": "one", "event_names": ["E"], "action": [
        {"notify": [{"destinations": ["a", "b"]}]}, {"wait": [{"duration": "10m"}]}, {"notify": [{"destinations": ["a"]}]}]});
    let two = json!({"name": "two", "event_names": ["E"], "match_expression": "detail.requestParameters.odd",
        "action": [{"wait": [{"duration": "1s"}]}, {"send": [{"destination": "c"}]}, {"wait": [{"duration": "1h"}]}]});
    let mut documents = Documents::default();
    for trigger in [one, two] {
        let trigger = Trigger::from_value(&trigger).unwrap();
        documents.triggers.insert(trigger.name.clone(), Ok(trigger));
    }
    Arc::new(Definitions::new(1, Scope::default(), documents, None))
}

fn event(number: u8) -> Event {
    let event = json!({"source": "aws.x", "detail-type": "AWS API Call via CloudTrail", "account": "1", "region": "r",
        "detail": {"eventName": "E", "eventSource": "x.amazonaws.com", "eventID": number.to_string(), "requestParameters": {"odd": number % 2 == 1}}});
    Event::from_value(event).unwrap()
}

/// Every delivery that an event must lead to.
fn expected(number: u8) -> Vec<TaskId> {
    let key = event_key(&event(number));
    let task = |trigger: &str, action, destination: &str| TaskId {
        run: RunId::new(trigger, &key),
        action,
        step: run::Step::Deliver(destination.to_owned()),
    };
    let mut tasks = vec![task("one", 0, "a"), task("one", 0, "b"), task("one", 2, "a")];
    tasks.extend((number % 2 == 1).then(|| task("two", 1, "c")));
    tasks
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            now: BEGIN,
            definitions: definitions(),
            core: Core::default(),
            journal: Model::default(),
            commits: VecDeque::new(),
            work: VecDeque::new(),
            offered: BTreeMap::new(),
            last_batch: 0,
            acknowledged: BTreeSet::new(),
            ended: BTreeMap::new(),
            started: BTreeMap::new(),
        };
        world.start();
        world
    }

    fn start(&mut self) {
        self.core = Core::default();
        self.commits.clear();
        self.work.clear();
        self.offered.clear();
        self.step(Input::Definitions(Arc::clone(&self.definitions)));
        self.step(Input::Restored(self.journal.tasks.values().cloned().collect()));
    }

    fn step(&mut self, input: Input) {
        for command in self.core.step(self.now, input) {
            match command {
                Command::Commit { commit, changes } => self.commits.push_back((commit, changes)),
                Command::Acknowledge { batch, .. } => {
                    self.acknowledged.extend(self.offered.remove(&batch));
                }
                Command::Note(Note::Started { run, .. }) => *self.started.entry(run).or_default() += 1,
                Command::Note(_) => {}
                work => self.work.push_back(work),
            }
        }
    }

    fn happen(&mut self, happening: &Happening) {
        match happening {
            Happening::Offer(number) => {
                self.last_batch += 1;
                self.offered.insert(self.last_batch, *number);
                let definitions = Arc::clone(&self.definitions);
                self.step(Input::Batch { batch: self.last_batch, events: vec![event(*number).into()], definitions });
            }
            Happening::Write => {
                if let Some((commit, changes)) = self.commits.pop_front() {
                    let applied = self.journal.apply(&changes);
                    self.step(Input::Committed { commit, applied });
                }
            }
            Happening::WriteAndDie => {
                if let Some((_, changes)) = self.commits.pop_front() {
                    self.journal.apply(&changes);
                }
                self.start();
            }
            Happening::Die => self.start(),
            Happening::End(ending) => self.end(*ending),
            Happening::Pass(seconds) => {
                let later = self.now.saturating_add(SignedDuration::from_secs(i64::from(*seconds))).unwrap();
                // Keys are forgotten after their days; a copy that late would be a new event.
                if later.duration_since(BEGIN) < SignedDuration::from_hours(24 * KEY_DAYS) {
                    self.now = later;
                    self.step(Input::Tick);
                }
            }
        }
    }

    fn end(&mut self, ending: Ending) {
        match self.work.pop_front() {
            Some(Command::Attempt { task }) => {
                let attempt = match ending {
                    Ending::Good => Attempt::Delivered,
                    Ending::Fails => Attempt::Failed { reason: "busy".to_owned(), retry_after: None },
                    Ending::Final => Attempt::Final { reason: "gone".to_owned() },
                };
                if attempt == Attempt::Delivered {
                    *self.ended.entry(task.id.clone()).or_default() += 1;
                }
                self.step(Input::Tried { task: task.id, attempt });
            }
            Some(Command::Bury { task, .. }) => {
                let burial = match ending {
                    Ending::Good => Burial::Queue,
                    Ending::Fails => Burial::Failed,
                    Ending::Final => Burial::Journal,
                };
                if burial != Burial::Failed {
                    *self.ended.entry(task.id.clone()).or_default() += 1;
                }
                self.step(Input::Buried { task: task.id, burial });
            }
            Some(Command::Resume { task }) => {
                let run = self.journal.runs.get(&task.run).cloned();
                self.step(Input::Resumed { task, run });
            }
            _ => {}
        }
    }

    /// Lets everything end well: no more faults, all the time that is needed.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            if !self.commits.is_empty() {
                self.happen(&Happening::Write);
            } else if !self.work.is_empty() {
                self.happen(&Happening::End(Ending::Good));
            } else if let Some(due) = self.core.next_wake() {
                self.now = self.now.max(due);
                self.step(Input::Tick);
            } else {
                break;
            }
        }
        assert!(self.core.is_idle(), "work is left: {:?}", self.core);
    }
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (0u8..6).prop_map(Happening::Offer),
        6 => Just(Happening::Write),
        1 => Just(Happening::WriteAndDie),
        1 => Just(Happening::Die),
        6 => prop_oneof![4 => Just(Ending::Good), 2 => Just(Ending::Fails), 1 => Just(Ending::Final)].prop_map(Happening::End),
        2 => (0u32..4000).prop_map(Happening::Pass),
        1 => (80_000u32..200_000).prop_map(Happening::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_run_is_lost_or_doubled(happenings in prop::collection::vec(happening(), 0..120)) {
        let mut world = World::new();
        for happening in &happenings {
            world.happen(happening);
        }
        let dead = world.journal.dead.len();
        world.settle();
        // Everything that a source was told is safe has led to everything that it must lead to.
        for number in world.acknowledged.clone() {
            for task in expected(number) {
                prop_assert!(world.ended.contains_key(&task), "lost: event {number}, {task:?}");
            }
        }
        // Nothing else was delivered, and a run starts once at most.
        let all: BTreeSet<TaskId> = (0..6).flat_map(expected).collect();
        prop_assert!(world.ended.keys().all(|task| all.contains(task)));
        prop_assert!(world.started.values().all(|times| *times == 1), "{:?}", world.started);
        // The journal is empty but for keys and dead letters.
        prop_assert!(world.journal.tasks.is_empty() && world.journal.runs.is_empty());
        prop_assert!(world.journal.dead.len() >= dead);
    }

    #[test]
    fn without_a_crash_every_delivery_is_made_once(numbers in prop::collection::vec(0u8..6, 0..20)) {
        let mut world = World::new();
        for number in &numbers {
            world.happen(&Happening::Offer(*number));
        }
        world.settle();
        let expected: BTreeMap<TaskId, u32> = numbers.iter().flat_map(|number| expected(*number)).map(|task| (task, 1)).collect();
        prop_assert_eq!(world.ended, expected);
    }
}

#[test]
fn nothing_is_acknowledged_before_the_journal_has_it() {
    let mut world = World::new();
    world.happen(&Happening::Offer(1));
    assert!(world.acknowledged.is_empty() && world.work.is_empty());
    world.happen(&Happening::Write);
    assert!(world.acknowledged.contains(&1) && !world.work.is_empty());
}

#[test]
fn a_deleted_trigger_takes_its_runs_with_it() {
    let mut world = World::new();
    world.happen(&Happening::Offer(1));
    world.happen(&Happening::Write);
    let mut documents = Documents::default();
    documents.claimed.insert("one".to_owned());
    world.definitions = Arc::new(Definitions::new(2, Scope::default(), documents, None));
    world.step(Input::Definitions(Arc::clone(&world.definitions)));
    world.settle();
    let delivered: BTreeSet<u32> = world.ended.keys().map(|task| task.action).collect();
    // Trigger `one` is still there (its document is not), so its run goes on; `two` is gone.
    assert_eq!((delivered, world.ended.len()), (BTreeSet::from([0, 2]), 3));
    assert!(world.journal.runs.is_empty() && world.journal.tasks.is_empty());
}

#[test]
fn a_run_of_a_trigger_deleted_while_nothing_ran_is_cancelled_at_the_start() {
    let mut world = World::new();
    world.happen(&Happening::Offer(0));
    world.happen(&Happening::Write);
    world.definitions = Arc::new(Definitions::new(2, Scope::default(), Documents::default(), None));
    world.happen(&Happening::Die);
    world.settle();
    assert!(world.ended.is_empty() && world.journal.tasks.is_empty());
}

#[test]
fn a_batch_that_overtakes_the_news_of_its_trigger_is_not_cancelled() {
    let mut world = World::new();
    let known = Arc::new(Definitions::new(1, Scope::default(), Documents::default(), None));
    world.definitions = known;
    world.happen(&Happening::Die);
    // The definitions of revision 2 come with the batch; the news of them comes later, and that of revision 1 later still.
    let mut newer = Documents::default();
    for trigger in definitions().triggers() {
        newer.triggers.insert(trigger.name.clone(), Ok(trigger.clone()));
    }
    let newer = Arc::new(Definitions::new(2, Scope::default(), newer, None));
    let older = std::mem::replace(&mut world.definitions, Arc::clone(&newer));
    world.happen(&Happening::Offer(1));
    world.step(Input::Definitions(older));
    world.happen(&Happening::Write);
    world.step(Input::Definitions(newer));
    world.settle();
    assert_eq!(world.ended.keys().cloned().collect::<BTreeSet<_>>(), expected(1).into_iter().collect());
}

#[test]
fn a_destination_that_asks_for_years_is_asked_again_within_the_day() {
    let mut world = World::new();
    world.happen(&Happening::Offer(0));
    world.happen(&Happening::Write);
    let Some(Command::Attempt { task }) = world.work.pop_front() else { panic!("{:?}", world.work) };
    let retry_after = Some(Duration::from_secs(100_000_000));
    world.step(Input::Tried { task: task.id.clone(), attempt: Attempt::Failed { reason: "busy".to_owned(), retry_after } });
    let begin = world.now;
    world.settle();
    assert_eq!(world.ended.len(), expected(0).len());
    assert!(world.now.duration_since(begin) <= SignedDuration::from_hours(24), "{}", world.now);
    assert!(world.journal.dead.is_empty());
}

#[test]
fn a_grave_is_looked_for_again_without_another_attempt() {
    let mut world = World::new();
    world.happen(&Happening::Offer(0));
    world.happen(&Happening::Write);
    world.happen(&Happening::End(Ending::Final));
    let buries = |world: &World| world.work.iter().filter(|command| matches!(command, Command::Bury { .. })).count();
    world.work.rotate_right(1);
    assert_eq!(buries(&world), 1);
    world.happen(&Happening::End(Ending::Fails));
    assert_eq!(buries(&world), 0);
    world.happen(&Happening::Pass(61));
    assert_eq!(buries(&world), 1);
}
