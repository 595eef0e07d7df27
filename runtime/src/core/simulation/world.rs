//! A process with the model journal, and the world around it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::json;
use trailwire_engine::matcher::Scope;
use trailwire_engine::trigger::Action;

use super::super::*;
use crate::definitions::Documents;
use crate::journal::model::Model;

pub(super) const BEGIN: Timestamp = Timestamp::constant(1_700_000_000, 0);

/// What happens next.
#[derive(Debug, Clone)]
pub(super) enum Happening {
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
    /// What the journal has is found, known or not.
    Find,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Ending {
    Good,
    Fails,
    Final,
}

/// A process, the journal and the world around it.
pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) definitions: Arc<Definitions>,
    pub(super) core: Core,
    pub(super) journal: Model,
    pub(super) commits: VecDeque<(u64, Vec<Change>)>,
    pub(super) work: VecDeque<Command>,
    pub(super) offered: BTreeMap<u64, u8>,
    pub(super) last_batch: u64,
    /// Events that the source need not offer again.
    pub(super) acknowledged: BTreeSet<u8>,
    /// Deliveries that a destination took, or that are dead letters, with how often.
    pub(super) ended: BTreeMap<TaskId, u32>,
    pub(super) started: BTreeMap<RunId, u32>,
    /// Every event that a restrained trigger counted or ran for, in the order of the journal: trigger, event, when it was accepted.
    pub(super) judged: Vec<(String, u8, Timestamp)>,
    /// What runs told that were hidden, by run.
    pub(super) hidden: BTreeMap<RunId, u64>,
    /// What must not be is noted here.
    pub(super) wrong: Vec<String>,
    /// How often AWS was asked.
    asked: u32,
    /// What attempts after a query have seen.
    results: BTreeMap<RunId, serde_json::Value>,
}

/// Trigger `one` notifies a and b, waits, then notifies a; trigger `two` asks AWS about odd events, and sends them to c.
pub(super) fn definitions() -> Arc<Definitions> {
    let one = json!({"name": "one", "event_names": ["E"], "action": [
        {"notify": [{"destinations": ["a", "b"]}]}, {"wait": [{"duration": "10m"}]}, {"notify": [{"destinations": ["a"]}]}]});
    let two = json!({"name": "two", "event_names": ["E"], "match_expression": "detail.requestParameters.odd",
        "action": [{"wait": [{"duration": "1s"}]}, {"query": [{"service": "ec2", "operation": "DescribeInstances", "as": "found"}]},
            {"send": [{"destination": "c"}]}, {"wait": [{"duration": "1h"}]}]});
    of(&[one, two])
}

/// The same with triggers that do not run for each: `three` counts to three within a minute and tells of the end, `quiet` runs once in ten
/// minutes for the even events and the odd ones.
pub(super) fn restrained() -> Arc<Definitions> {
    let three = json!({"name": "three", "event_names": ["E"], "action": [{"notify": [{"destinations": ["a"]}]}],
        "threshold": [{"count": 3, "window": "1m", "notify_recovery": true}]});
    let quiet = json!({"name": "quiet", "event_names": ["E"], "action": [{"notify": [{"destinations": ["b"]}]}, {"send": [{"destination": "c"}]}],
        "suppress": [{"window": "10m", "key": "detail.requestParameters.odd"}]});
    let mut all: Vec<serde_json::Value> = definitions().triggers().map(|trigger| serde_json::to_value(trigger).unwrap()).collect();
    all.extend([three, quiet]);
    of(&all)
}

pub(super) fn of(triggers: &[serde_json::Value]) -> Arc<Definitions> {
    let mut documents = Documents::default();
    for trigger in triggers {
        let trigger = Trigger::from_value(trigger).unwrap();
        documents.triggers.insert(trigger.name.clone(), Ok(trigger));
    }
    Arc::new(Definitions::new(1, Scope::default(), documents, None))
}

pub(super) fn event(number: u8) -> Event {
    let time = BEGIN.saturating_add(SignedDuration::from_secs(i64::from(number) * 25)).unwrap().to_string();
    let event = json!({"source": "aws.x", "detail-type": "AWS API Call via CloudTrail", "account": "1", "region": "r",
        "detail": {"eventName": "E", "eventSource": "x.amazonaws.com", "eventID": number.to_string(), "eventTime": time, "requestParameters": {"odd": number % 2 == 1}}});
    Event::from_value(event).unwrap()
}

/// Every delivery that an event must lead to.
pub(super) fn expected(number: u8) -> Vec<TaskId> {
    let key = event_key(&event(number));
    let task = |trigger: &str, action, destination: &str| TaskId {
        run: RunId::new(trigger, &key),
        action,
        step: run::Step::Deliver(destination.to_owned()),
    };
    let mut tasks = vec![task("one", 0, "a"), task("one", 0, "b"), task("one", 2, "a")];
    tasks.extend((number % 2 == 1).then(|| task("two", 2, "c")));
    tasks
}

/// The query that an odd event leads to.
pub(super) fn query(number: u8) -> TaskId {
    TaskId { run: RunId::new("two", &event_key(&event(number))), action: 1, step: run::Step::Query("two".to_owned()) }
}

impl World {
    pub(super) fn new(definitions: Arc<Definitions>) -> Self {
        let mut world = Self {
            now: BEGIN,
            definitions,
            core: Core::default(),
            journal: Model::default(),
            commits: VecDeque::new(),
            work: VecDeque::new(),
            offered: BTreeMap::new(),
            last_batch: 0,
            acknowledged: BTreeSet::new(),
            ended: BTreeMap::new(),
            started: BTreeMap::new(),
            judged: Vec::new(),
            hidden: BTreeMap::new(),
            asked: 0,
            results: BTreeMap::new(),
            wrong: Vec::new(),
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
        while matches!(self.commits.front(), Some((_, changes)) if matches!(changes[..], [Change::Enable { .. }])) {
            self.happen(&Happening::Write);
        }
        self.step(Input::Restored(self.journal.tasks.values().cloned().collect()));
    }

    /// The journal writes a commit.
    fn write(&mut self, changes: &[Change]) -> Vec<Applied> {
        let applied = self.journal.apply(changes);
        for (change, applied) in changes.iter().zip(&applied) {
            if let (Change::Accept { run, gate: Some(_), .. }, true) = (change, *applied != Applied::Not) {
                let number = run.event["detail"]["eventID"].as_str().unwrap().parse().unwrap();
                self.judged.push((run.trigger.name.clone(), number, run.accepted));
            }
        }
        applied
    }

    pub(super) fn step(&mut self, input: Input) {
        for command in self.core.step(self.now, input) {
            match command {
                Command::Commit { commit, changes } => self.commits.push_back((commit, changes)),
                Command::Acknowledge { batch, .. } => {
                    self.acknowledged.extend(self.offered.remove(&batch));
                }
                Command::Note(Note::Started(run)) => *self.started.entry(run.id()).or_default() += 1,
                Command::Note(_) => {}
                work => self.work.push_back(work),
            }
        }
    }

    pub(super) fn happen(&mut self, happening: &Happening) {
        match happening {
            Happening::Offer(number) => {
                self.last_batch += 1;
                self.offered.insert(self.last_batch, *number);
                let definitions = Arc::clone(&self.definitions);
                self.step(Input::Batch { batch: self.last_batch, events: vec![event(*number).into()], definitions });
            }
            Happening::Write => {
                if let Some((commit, changes)) = self.commits.pop_front() {
                    let applied = self.write(&changes);
                    self.step(Input::Committed { commit, applied });
                }
            }
            Happening::WriteAndDie => {
                if let Some((_, changes)) = self.commits.pop_front() {
                    self.write(&changes);
                }
                self.start();
            }
            Happening::Find => {
                let (tasks, definitions) = (self.journal.tasks.values().cloned().collect(), Some(Arc::clone(&self.definitions)));
                self.step(Input::Found { tasks, definitions });
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
                self.look_at(&task);
                if let (run::Step::Query(_), Ending::Good) = (&task.id.step, ending) {
                    return self.answer(task.id);
                }
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
                self.note_hidden(&task);
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

    /// AWS answers with the event's number and how often it was asked.
    fn answer(&mut self, task: TaskId) {
        let Some(run) = self.journal.runs.get(&task.run) else { return };
        let mut run = Run::clone(run);
        self.asked += 1;
        run.results.insert("found".to_owned(), json!([run.event["detail"]["eventID"], self.asked]));
        self.step(Input::Answered { task, run: Arc::new(run) });
    }

    /// An attempt that is made: no wait before it was shortened, and what it tells is noted.
    fn look_at(&mut self, task: &Task) {
        let Some(run) = self.journal.runs.get(&task.id.run) else { return };
        let before = run.trigger.actions.iter().take(task.id.action as usize);
        let waited: Duration = before.map(|action| if let Action::Wait(wait) = action { wait.duration } else { Duration::ZERO }).sum();
        let is_plain = run.occasion == Occasion::Event;
        if is_plain && self.now.duration_since(run.accepted) < SignedDuration::try_from(waited).unwrap() {
            self.wrong.push(format!("{task:?} of a run of {} came early, at {}", run.accepted, self.now));
        }
        // What comes after a query sees its result, and the same at every attempt.
        if (run.trigger.name.as_str(), task.id.action) == ("two", 2) {
            let found = run.results.get("found").cloned().unwrap_or_default();
            let before = self.results.entry(task.id.run).or_insert_with(|| found.clone());
            if found[0] != run.event["detail"]["eventID"] || found != *before {
                self.wrong.push(format!("{task:?} sees {found}, and saw {before}"));
            }
        }
        self.note_hidden(task);
    }

    /// An attempt tells how many were hidden; so does the letter of one that was given up without any.
    fn note_hidden(&mut self, task: &Task) {
        if let Some(Occasion::Hidden { count, .. }) = self.journal.runs.get(&task.id.run).map(|run| run.occasion.clone()) {
            self.hidden.insert(task.id.run, count);
        }
    }

    /// Lets everything end well: no more faults, all the time that is needed.
    pub(super) fn settle(&mut self) {
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
