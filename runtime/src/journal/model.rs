//! The journal as a few maps: what the others must do, in the fewest words. Tests hold [`super::embedded`] against it, and drive the
//! core with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::states::{self, Enabled};
use super::{Applied, Change, TriggerState};
use crate::core::gate::{self, Closing, WindowId};
use crate::core::run::{Run, RunId, Task, TaskId};
use crate::core::window::Window;
use crate::definitions::Restraints;

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Model {
    pub(crate) keys: BTreeMap<RunId, jiff::Timestamp>,
    pub(crate) runs: BTreeMap<RunId, Arc<Run>>,
    pub(crate) tasks: BTreeMap<TaskId, Task>,
    pub(crate) dead: Vec<(TaskId, String)>,
    pub(crate) remembered: Option<String>,
    pub(crate) windows: BTreeMap<WindowId, Window>,
    enabled: BTreeMap<String, Enabled>,
}

impl Model {
    pub(crate) fn apply(&mut self, changes: &[Change]) -> Vec<Applied> {
        changes.iter().map(|change| self.apply_one(change)).collect()
    }

    fn apply_one(&mut self, change: &Change) -> Applied {
        match change {
            Change::Accept { run, tasks, gate } => {
                let id = run.id();
                if self.keys.contains_key(&id) || self.runs.contains_key(&id) {
                    return Applied::Not;
                }
                self.keys.insert(id, run.accepted);
                let Some(gate) = gate else { return Applied::Now(self.begin(run, tasks)) };
                let Ok(decision) = gate::judge(gate, run, tasks, &mut self.windows);
                let tasks = decision.begins.iter().flat_map(|(run, tasks)| self.begin(run, tasks)).collect();
                if decision.runs { Applied::Now(tasks) } else { Applied::Counted(tasks) }
            }
            Change::Finish { done, next } => match self.tasks.remove(done) {
                Some(_) => self.go_on(done, next),
                None => Applied::Not,
            },
            Change::Answer { done, run, next } => match self.tasks.remove(done) {
                Some(_) => {
                    self.runs.insert(done.run, Arc::clone(run));
                    self.go_on(done, next)
                }
                None => Applied::Not,
            },
            Change::Close { done, run, at } => {
                let Some(task) = self.tasks.remove(done) else { return Applied::Not };
                match gate::close(run, *at, &mut self.windows) {
                    Ok(Closing::Nothing) => self.go_on(done, &[]),
                    Ok(Closing::Later(due)) => self.go_on(done, &[Task { due, ..task }]),
                    Ok(Closing::Tell(run, tasks)) => {
                        self.runs.insert(done.run, run);
                        self.go_on(done, &tasks)
                    }
                }
            }
            Change::Redeliver { run, task } => {
                if self.tasks.contains_key(&task.id) {
                    return Applied::Not;
                }
                self.runs.entry(run.id()).or_insert_with(|| Arc::clone(run));
                self.tasks.insert(task.id.clone(), task.clone());
                Applied::Now(vec![task.clone()])
            }
            Change::Postpone(task) => match self.tasks.get_mut(&task.id) {
                Some(held) => {
                    *held = task.clone();
                    Applied::Now(vec![task.clone()])
                }
                None => Applied::Not,
            },
            Change::Bury { done, reason, .. } => {
                let there = self.tasks.remove(done).is_some();
                if there {
                    self.dead.push((done.clone(), reason.clone()));
                    self.end_run(done.run);
                }
                Applied::of(there)
            }
            Change::Cancel(run) => {
                self.tasks.retain(|id, _| id.run != *run);
                Applied::of(self.runs.remove(run).is_some())
            }
            Change::Prune(before) => {
                self.keys.retain(|_, accepted| *accepted >= *before);
                Applied::of(true)
            }
            Change::Exhume(_) => Applied::Not,
            Change::Remember(text) => {
                self.remembered = Some(text.clone());
                Applied::of(true)
            }
            Change::Enable { restraints, at } => {
                self.enable(restraints, at.as_millisecond());
                Applied::of(true)
            }
        }
    }

    pub(crate) fn states(&self, now: jiff::Timestamp) -> Vec<TriggerState> {
        states::states(self.enabled.clone().into_iter(), self.windows.clone().into_iter(), now)
    }

    fn enable(&mut self, restraints: &Restraints, now: i64) {
        self.windows.retain(|id, _| restraints.known.contains(&id.trigger));
        let before = std::mem::take(&mut self.enabled);
        for (trigger, (rule, window)) in &restraints.enabled {
            let since = before.get(trigger).filter(|before| before.rule == *rule).map_or(now, |before| before.since);
            self.enabled.insert(trigger.clone(), Enabled { rule: rule.clone(), window: *window, since });
        }
    }

    fn begin(&mut self, run: &Arc<Run>, tasks: &[Task]) -> Vec<Task> {
        if !tasks.is_empty() {
            self.runs.insert(run.id(), run.clone());
        }
        self.tasks.extend(tasks.iter().map(|task| (task.id.clone(), task.clone())));
        tasks.to_vec()
    }

    fn go_on(&mut self, done: &TaskId, next: &[Task]) -> Applied {
        self.tasks.extend(next.iter().map(|task| (task.id.clone(), task.clone())));
        self.end_run(done.run);
        Applied::Now(next.to_vec())
    }

    fn end_run(&mut self, run: RunId) {
        let open: BTreeSet<RunId> = self.tasks.keys().map(|id| id.run).collect();
        if !open.contains(&run) {
            self.runs.remove(&run);
        }
    }
}
