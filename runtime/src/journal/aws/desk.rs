//! Where changes are applied before they are written: the rows that they touch, as they were read and as they become. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::codec::{self, to_json};
use super::super::{Applied, Change};
use super::rows::{self, RunState, STATE, packed};
use super::store::{Expect, Item, Write};
use crate::core::gate::{self, Closing, Kind, WindowId, Windows};
use crate::core::run::{Appointment, Run, RunId, Task, TaskId};
use crate::core::window::Window;

/// What has to be read before a change can be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Missing {
    Run(RunId),
    Window(WindowId),
    Windows(String, Kind),
}

/// A row as it was read, and as it is now.
#[derive(Debug, Clone)]
struct Row<T> {
    version: Option<u64>,
    before: Option<T>,
    now: Option<T>,
}

/// The rows on the desk.
#[derive(Debug)]
pub(super) struct Desk {
    me: String,
    now: i64,
    runs: BTreeMap<RunId, Row<RunState>>,
    windows: BTreeMap<WindowId, Row<Window>>,
    /// All windows of these were read.
    complete: BTreeSet<(String, Kind)>,
    bodies: BTreeMap<RunId, Arc<Run>>,
    dead: BTreeMap<String, Vec<u8>>,
}

/// What a desk wants written, and what is known when it is.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) writes: Vec<Write>,
    /// Runs that were changed, with their new version.
    pub(super) runs: Vec<(RunId, u64, RunState)>,
}

impl Desk {
    pub(super) fn new(me: &str, now: i64) -> Self {
        let (runs, windows, complete) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        Self { me: me.to_owned(), now, runs, windows, complete, bodies: BTreeMap::new(), dead: BTreeMap::new() }
    }

    /// Lays a run on the desk.
    pub(super) fn lay_run(&mut self, run: RunId, found: Option<(u64, RunState)>) {
        let (version, state) = found.unzip();
        self.runs.insert(run, Row { version, before: state.clone(), now: state });
    }

    /// Lays a window on the desk; one that is there already stays as it is.
    pub(super) fn lay_window(&mut self, id: WindowId, found: Option<(u64, Window)>) {
        let (version, window) = found.unzip();
        self.windows.entry(id).or_insert(Row { version, before: window.clone(), now: window });
    }

    /// Notes that all windows of a trigger's kind are on the desk.
    pub(super) fn lay_all(&mut self, trigger: &str, kind: Kind) {
        self.complete.insert((trigger.to_owned(), kind));
    }

    /// Takes back what was not written, so that the same changes can be applied again.
    pub(super) fn start_again(&mut self) {
        for row in self.runs.values_mut() {
            row.now.clone_from(&row.before);
        }
        for row in self.windows.values_mut() {
            row.now.clone_from(&row.before);
        }
        self.bodies.clear();
        self.dead.clear();
    }

    /// Applies a change. After [`Missing`] the desk must be begun with again.
    pub(super) fn apply(&mut self, change: &Change) -> Result<Applied, Missing> {
        match change {
            Change::Accept { run, tasks, gate } => {
                if self.run(run.id())?.is_some() {
                    return Ok(Applied::Not);
                }
                self.begin(run, &[]);
                let Some(gate) = gate else {
                    self.begin(run, tasks);
                    return Ok(Applied::Now(tasks.clone()));
                };
                let decision = gate::judge(gate, run, tasks, self)?;
                let mut begun = Vec::new();
                for (run, tasks) in &decision.begins {
                    self.run(run.id())?;
                    self.begin(run, tasks);
                    begun.extend_from_slice(tasks);
                }
                Ok(if decision.runs { Applied::Now(begun) } else { Applied::Counted(begun) })
            }
            Change::Finish { done, next } => self.task(done, |state| {
                state.remove(done);
                state.put(next);
                Applied::Now(next.clone())
            }),
            Change::Answer { done, run, next } => {
                let answered = self.task(done, |state| {
                    state.remove(done);
                    state.put(next);
                    Applied::Now(next.clone())
                })?;
                if answered != Applied::Not {
                    self.bodies.insert(done.run, Arc::clone(run));
                }
                Ok(answered)
            }
            Change::Close { done, run, at } => {
                let Some(task) = self.own(done.run)?.and_then(|state| state.task(done)) else { return Ok(Applied::Not) };
                let next = match gate::close(run, *at, self)? {
                    Closing::Nothing => vec![],
                    Closing::Later(due) => vec![Task { due, ..task }],
                    Closing::Tell(run, tasks) => {
                        self.bodies.insert(done.run, run);
                        tasks
                    }
                };
                self.task(done, |state| {
                    state.remove(done);
                    state.put(&next);
                    Applied::Now(next.clone())
                })
            }
            Change::Redeliver { run, task } => self.redeliver(run, task),
            Change::Postpone(task) => self.task(&task.id, |state| {
                state.put(std::slice::from_ref(task));
                Applied::Now(vec![task.clone()])
            }),
            Change::Bury { done, reason, at } => self.bury(done, reason, *at),
            Change::Cancel(run) => Ok(match self.own(*run)? {
                Some(state) if !state.is_over() => {
                    state.clear();
                    Applied::Now(vec![])
                }
                _ => Applied::Not,
            }),
            // These are no rows of runs or windows; the journal sees to them.
            Change::Prune(_) | Change::Remember(_) | Change::Enable { .. } | Change::Exhume(_) => Ok(Applied::Now(vec![])),
        }
    }

    /// Takes a run over, if its time has come or it is ours; gives its tasks.
    pub(super) fn claim(&mut self, run: RunId, task: Option<&TaskId>) -> Result<Option<RunState>, Missing> {
        let (me, now) = (self.me.clone(), self.now);
        let Some(state) = self.run(run)?.filter(|state| state.owner == me || state.wake <= now) else { return Ok(None) };
        if state.is_over() {
            // Its key has been kept for long enough.
            if state.wake <= now
                && let Some(row) = self.runs.get_mut(&run)
            {
                row.now = None;
            }
            return Ok(None);
        }
        if task.is_some_and(|task| state.task(task).is_none()) {
            return Ok(None);
        }
        state.owner = me;
        state.wake = now.saturating_add(rows::LEASE);
        Ok(Some(state.clone()))
    }

    /// Gives a run up until then, if it is ours and not over.
    pub(super) fn release(&mut self, until: Appointment) -> Result<(), Missing> {
        let me = self.me.clone();
        if let Some(state) = self.run(until.run)?.filter(|state| state.owner == me && !state.is_over()) {
            state.give_up(until.at.as_millisecond());
        }
        Ok(())
    }

    /// Whether nobody works on a run, and it is to be looked at just then.
    pub(super) fn sleeps_until(&self, bell: Appointment) -> bool {
        let state = self.runs.get(&bell.run).and_then(|row| row.now.as_ref());
        state.is_some_and(|state| !state.is_over() && state.owner.is_empty() && state.wake == bell.at.as_millisecond())
    }

    fn begin(&mut self, run: &Arc<Run>, tasks: &[Task]) {
        let Some(row) = self.runs.get_mut(&run.id()) else { return };
        row.now.get_or_insert_with(|| RunState::new(&run.trigger.name, run.accepted)).put(tasks);
        if !tasks.is_empty() {
            self.bodies.insert(run.id(), Arc::clone(run));
        }
    }

    fn run(&mut self, run: RunId) -> Result<Option<&mut RunState>, Missing> {
        self.runs.get_mut(&run).map(|row| row.now.as_mut()).ok_or(Missing::Run(run))
    }

    /// A run that nobody else works on.
    fn own(&mut self, run: RunId) -> Result<Option<&mut RunState>, Missing> {
        let (me, now) = (self.me.clone(), self.now);
        Ok(self.run(run)?.filter(|state| state.is_open_to(&me, now)))
    }

    fn task(&mut self, id: &TaskId, change: impl FnOnce(&mut RunState) -> Applied) -> Result<Applied, Missing> {
        Ok(match self.own(id.run)?.filter(|state| state.task(id).is_some()) {
            Some(state) => change(state),
            None => Applied::Not,
        })
    }

    /// What somebody asks for again is done by whoever works on the run; where nobody does, all of the run comes with it.
    fn redeliver(&mut self, run: &Arc<Run>, task: &Task) -> Result<Applied, Missing> {
        let (me, now, id) = (self.me.clone(), self.now, run.id());
        let found = self.run(id)?;
        if found.as_ref().is_some_and(|state| state.task(&task.id).is_some()) {
            return Ok(Applied::Not);
        }
        let has_body = found.as_ref().is_some_and(|state| state.parts > 0);
        let is_theirs = found.as_ref().is_some_and(|state| !state.is_open_to(&me, now));
        let mut tasks = found.filter(|state| state.owner != me).map_or_else(Vec::new, |state| state.tasks(id));
        self.begin(run, std::slice::from_ref(task));
        if has_body {
            self.bodies.remove(&id);
        }
        tasks.push(task.clone());
        Ok(Applied::Now(if is_theirs { vec![] } else { tasks }))
    }

    fn bury(&mut self, done: &TaskId, reason: &str, at: jiff::Timestamp) -> Result<Applied, Missing> {
        let Some(state) = self.own(done.run)? else { return Ok(Applied::Not) };
        let Some(task) = state.remove(done) else { return Ok(Applied::Not) };
        state.keep = true;
        let destination = done.step.lane();
        // The run's body stays beside it for as long as its key.
        let letter = codec::DeadLetter {
            trigger: task.trigger,
            destination,
            action: done.action,
            attempts: task.attempts,
            reason: reason.to_owned(),
            at,
            run: None,
            raw: None,
        };
        let sk = format!("{}/{}/{}", rows::moment(at.as_millisecond()), done.run, done.idempotency_key());
        self.dead.insert(sk, to_json(&letter));
        Ok(Applied::Now(vec![]))
    }

    /// The runs on the desk.
    pub(super) fn runs(&self) -> impl Iterator<Item = &RunId> {
        self.runs.keys()
    }

    /// Everything that the changes come to.
    pub(super) fn done(&mut self) -> Done {
        let mut done = Done::default();
        for (id, row) in &mut self.runs {
            if row.now == row.before && !self.bodies.contains_key(id) {
                continue;
            }
            let before = row.before.as_ref().map(|state| rows::index_key(*id, state));
            let Some(state) = &mut row.now else {
                done.writes.push(Write::Delete(rows::run_key(*id), STATE.to_owned(), expected(row.version)));
                let parts = row.before.as_ref().map_or(0, |state| state.parts);
                done.writes.extend(bodies(*id, 0..parts));
                done.writes.extend(before.map(|(pk, sk)| Write::Delete(pk, sk, Expect::Anything)));
                continue;
            };
            // A claim has said itself whose it is, and what comes to a run of somebody else's leaves it theirs.
            let may_settle = |before: &RunState| before.is_open_to(&self.me, self.now) && before.tasks(*id) != state.tasks(*id);
            if row.before.as_ref().is_none_or(may_settle) {
                state.settle(&self.me, self.now);
            }
            let parts_before = row.before.as_ref().map_or(0, |state| state.parts);
            let body = if state.is_over() { None } else { self.bodies.get(id).map(|run| packed(&codec::run_value(run))) };
            match body {
                Some(parts) => {
                    state.parts = parts.len();
                    done.writes.extend(bodies(*id, parts.len()..parts_before));
                    done.writes.extend(parts.into_iter().enumerate().map(|(part, data)| {
                        Write::Put(Item { pk: rows::run_key(*id), sk: format!("body/{part}"), version: 1, data }, Expect::Anything)
                    }));
                }
                None if state.is_over() && !state.keep => {
                    state.parts = 0;
                    done.writes.extend(bodies(*id, 0..parts_before));
                }
                None => {}
            }
            let version = row.version.map_or(1, |version| version.saturating_add(1));
            let due = rows::index_key(*id, state);
            done.writes.extend(before.filter(|before| *before != due).map(|(pk, sk)| Write::Delete(pk, sk, Expect::Anything)));
            let data = state.owner.clone().into_bytes();
            done.writes.push(Write::Put(Item { pk: due.0, sk: due.1, version, data }, Expect::Anything));
            let item = Item { pk: rows::run_key(*id), sk: STATE.to_owned(), version, data: to_json(&*state) };
            done.writes.push(Write::Put(item, expected(row.version)));
            done.runs.push((*id, version, state.clone()));
        }
        for (id, row) in self.windows.iter().filter(|(_, row)| row.now != row.before) {
            let (pk, sk) = (rows::windows_key(&id.trigger, id.kind), crate::core::run::RunId(id.group).to_string());
            done.writes.push(match &row.now {
                None => Write::Delete(pk, sk, expected(row.version)),
                Some(window) => {
                    let version = row.version.map_or(1, |version| version.saturating_add(1));
                    Write::Put(Item { pk, sk, version, data: to_json(window) }, expected(row.version))
                }
            });
        }
        let dead = std::mem::take(&mut self.dead).into_iter();
        done.writes.extend(dead.map(|(sk, data)| Write::Put(Item { pk: rows::DEAD.to_owned(), sk, version: 1, data }, Expect::Anything)));
        done
    }
}

fn bodies(run: RunId, parts: std::ops::Range<usize>) -> impl Iterator<Item = Write> {
    parts.map(move |part| Write::Delete(rows::run_key(run), format!("body/{part}"), Expect::Anything))
}

/// A row is written, or forgotten, as it was read: what somebody else has made of it meanwhile is not lost.
fn expected(version: Option<u64>) -> Expect {
    version.map_or(Expect::Absent, Expect::Version)
}

impl Windows for Desk {
    type Error = Missing;

    fn get(&mut self, id: &WindowId) -> Result<Option<Window>, Missing> {
        match self.windows.get(id) {
            Some(row) => Ok(row.now.clone()),
            None if self.complete.contains(&(id.trigger.clone(), id.kind)) => Ok(None),
            None => Err(Missing::Window(id.clone())),
        }
    }

    fn put(&mut self, id: &WindowId, window: Option<Window>) -> Result<(), Missing> {
        let row = self.windows.entry(id.clone()).or_insert(Row { version: None, before: None, now: None });
        row.now = window;
        Ok(())
    }

    fn all(&mut self, trigger: &str, kind: Kind) -> Result<Vec<(WindowId, Window)>, Missing> {
        if !self.complete.contains(&(trigger.to_owned(), kind)) {
            return Err(Missing::Windows(trigger.to_owned(), kind));
        }
        let all = self.windows.iter().filter(|(id, _)| id.trigger == trigger && id.kind == kind);
        Ok(all.filter_map(|(id, row)| Some((id.clone(), row.now.clone()?))).collect())
    }
}
