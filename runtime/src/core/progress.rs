//! How a run goes on: which tasks its actions give.

use jiff::{SignedDuration, Timestamp};
use trailwire_engine::trigger::{Action, Trigger};

use super::run::{RunId, Step, Task};

/// The tasks of a run from its action `from` on, up to and with the first wait or query. Empty when there is nothing left to do.
///
/// Deliveries are due at once and in the order of the actions; the run does not wait for them, so the wait after a notification
/// begins when the notification is due and not when a slow destination has taken it.
pub(crate) fn tasks(trigger: &Trigger, run: RunId, from: u32, now: Timestamp) -> Vec<Task> {
    let mut tasks: Vec<Task> = Vec::new();
    for (action, index) in trigger.actions.iter().zip(0u32..).skip(from as usize) {
        let deliver = |destination: &String| Task::new(run, &trigger.name, index, Step::Deliver(destination.clone()), now);
        match action {
            Action::Notify(notify) => tasks.extend(notify.destinations.iter().map(deliver)),
            Action::Send(send) => tasks.push(deliver(&send.destination)),
            Action::Query(_) => {
                tasks.push(Task::new(run, &trigger.name, index, Step::Query(trigger.name.clone()), now));
                break;
            }
            Action::Wait(wait) => {
                let length = SignedDuration::try_from(wait.duration).unwrap_or(SignedDuration::MAX);
                let due = now.saturating_add(length).unwrap_or(Timestamp::MAX);
                tasks.push(Task::new(run, &trigger.name, index.saturating_add(1), Step::Continue, due));
                break;
            }
        }
    }
    // A destination named twice in one action is told once.
    tasks.dedup_by(|a, b| a.id == b.id);
    tasks
}
