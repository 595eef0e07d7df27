//! The journal as a few maps: what the others must do, in the fewest words. Tests hold [`super::embedded`] against it, and drive the
//! core with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Change;
use crate::core::run::{Run, RunId, Task, TaskId};

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Model {
    pub(crate) keys: BTreeMap<RunId, jiff::Timestamp>,
    pub(crate) runs: BTreeMap<RunId, Arc<Run>>,
    pub(crate) tasks: BTreeMap<TaskId, Task>,
    pub(crate) dead: Vec<(TaskId, String)>,
    pub(crate) remembered: Option<String>,
}

impl Model {
    pub(crate) fn apply(&mut self, changes: &[Change]) -> Vec<bool> {
        changes.iter().map(|change| self.apply_one(change)).collect()
    }

    fn apply_one(&mut self, change: &Change) -> bool {
        match change {
            Change::Accept { run, tasks } => {
                let id = run.id();
                if self.keys.contains_key(&id) || self.runs.contains_key(&id) {
                    return false;
                }
                self.keys.insert(id, run.accepted);
                if !tasks.is_empty() {
                    self.runs.insert(id, run.clone());
                }
                self.tasks.extend(tasks.iter().map(|task| (task.id.clone(), task.clone())));
                true
            }
            Change::Finish { done, next } => {
                let there = self.tasks.remove(done).is_some();
                if there {
                    self.tasks.extend(next.iter().map(|task| (task.id.clone(), task.clone())));
                    self.end_run(done.run);
                }
                there
            }
            Change::Postpone(task) => match self.tasks.get_mut(&task.id) {
                Some(held) => {
                    *held = task.clone();
                    true
                }
                None => false,
            },
            Change::Bury { done, reason, .. } => {
                let there = self.tasks.remove(done).is_some();
                if there {
                    self.dead.push((done.clone(), reason.clone()));
                    self.end_run(done.run);
                }
                there
            }
            Change::Cancel(run) => {
                self.tasks.retain(|id, _| id.run != *run);
                self.runs.remove(run).is_some()
            }
            Change::Prune(before) => {
                self.keys.retain(|_, accepted| *accepted >= *before);
                true
            }
            Change::Remember(text) => {
                self.remembered = Some(text.clone());
                true
            }
        }
    }

    fn end_run(&mut self, run: RunId) {
        let open: BTreeSet<RunId> = self.tasks.keys().map(|id| id.run).collect();
        if !open.contains(&run) {
            self.runs.remove(&run);
        }
    }
}
