//! What every journal must do, tried on each of them beside the model.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;
use trailwire_engine::event::Event;
use trailwire_engine::trigger::Trigger;

use super::model::Model;
use super::{Applied, Change, Journal};
use crate::core::gate;
use crate::core::run::{Occasion, Run, Step, Task, TaskId};
use crate::definitions::Restraints;
use crate::driver::FULL;

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

pub(super) fn run(number: u8) -> Arc<Run> {
    let trigger = json!({"name": "t", "event_names": ["E"], "action": [{"send": [{"destination": "d"}]}]});
    let trigger = Trigger::from_value(&trigger).unwrap();
    Arc::new(Run {
        trigger,
        event: json!({"n": number}),
        event_key: number.to_string(),
        assumed_by: vec!["alice (IAM user)".to_owned()],
        accepted: at(i64::from(number)),
        occasion: Occasion::Event,
        results: std::collections::BTreeMap::new(),
    })
}

/// The run of a task with a result.
fn answered(task: &TaskId, found: u32) -> Arc<Run> {
    let number = (0..4).find(|number| run(*number).id() == task.run).unwrap();
    let mut run = Run::clone(&run(number));
    run.results.insert("found".to_owned(), json!({"n": found}));
    Arc::new(run)
}

pub(super) fn task(number: u8, action: u32, destination: Option<&str>) -> Task {
    let step = destination.map_or(Step::Continue, |name| Step::Deliver(name.to_owned()));
    Task::new(run(number).id(), "t", action, step, at(5))
}

pub(super) fn change() -> impl Strategy<Value = Change> {
    let id = (0u8..4, 0u32..2, prop_oneof![Just(None), Just(Some("a")), Just(Some("b"))]);
    let task = id.prop_map(|(number, action, destination)| task(number, action, destination));
    let tasks = |number: u8| {
        prop::collection::vec((0u32..2, prop_oneof![Just(None), Just(Some("a"))]), 0..3)
            .prop_map(move |list| list.into_iter().map(|(action, destination)| self::task(number, action, destination)).collect::<Vec<_>>())
    };
    prop_oneof![
        4 => (0u8..4).prop_flat_map(move |number| tasks(number).prop_map(move |tasks| Change::Accept { run: run(number), tasks, gate: None })),
        3 => (task.clone(), 0u32..2).prop_map(|(done, action)| {
            let next = vec![Task { id: TaskId { action: action + 2, ..done.id.clone() }, ..done.clone() }];
            Change::Finish { done: done.id, next: if action == 0 { next } else { vec![] } }
        }),
        2 => (task.clone(), 0u32..3).prop_map(|(done, found)| {
            let asked = Task { id: TaskId { action: 3, step: Step::Query("t".to_owned()), ..done.id.clone() }, ..done.clone() };
            let next = if found == 0 { vec![] } else { vec![asked] };
            Change::Answer { run: answered(&done.id, found), done: done.id, next }
        }),
        1 => (0u8..4, 0u32..2).prop_map(|(number, action)| Change::Redeliver { run: run(number), task: self::task(number, action, Some("a")) }),
        2 => (task.clone(), 1u32..9).prop_map(|(task, attempts)| Change::Postpone(Task { attempts, due: at(9), ..task })),
        1 => task.clone().prop_map(|task| Change::Bury { done: task.id, reason: "why".to_owned(), at: at(7) }),
        1 => (0u8..4).prop_map(|number| Change::Cancel(run(number).id())),
        1 => (0i64..5).prop_map(|second| Change::Prune(at(second))),
    ]
}

/// What the journal has is what the model has.
pub(super) async fn compare(journal: &impl Journal, model: &Model) {
    let tasks: BTreeMap<TaskId, Task> = journal.tasks(FULL).await.unwrap().into_iter().map(|task| (task.id.clone(), task)).collect();
    assert_eq!(tasks, model.tasks);
    for number in 0..4 {
        let id = run(number).id();
        assert_eq!(journal.run(id).await.unwrap(), model.runs.get(&id).cloned());
    }
}

/// Matches of a trigger with a threshold and `suppress`, and what comes of their watches.
pub(super) async fn restraints(journal: &impl Journal) {
    let trigger = json!({"name": "r", "event_names": ["E"], "action": [{"notify": [{"destinations": ["d"]}]}],
        "threshold": [{"count": 2, "window": "1m", "group_by": "detail.who", "notify_recovery": true}], "suppress": [{"window": "5m"}]});
    let trigger = Trigger::from_value(&trigger).unwrap();
    let mut model = Model::default();
    let enabled = BTreeMap::from([("r".to_owned(), ("rule".to_owned(), Some(60_000)))]);
    let known = ["r".to_owned()].into();
    let mut script = vec![Change::Enable { restraints: Restraints { revision: 3, enabled, known }, at: at(0) }];
    for (number, who, second) in [(0, 1, 1), (1, 2, 2), (1, 2, 3), (2, 1, 4), (3, 2, 5), (4, 2, 100), (5, 2, 101), (6, 3, 400), (7, 3, 401)]
    {
        let event = Event::from_value(json!({"eventName": "E", "eventID": number.to_string(), "who": who})).unwrap();
        let run = Run {
            trigger: trigger.clone(),
            event: event.envelope().clone(),
            event_key: format!("r{number}"),
            assumed_by: vec!["alice (IAM user)".to_owned()],
            accepted: at(second),
            occasion: Occasion::Event,
            results: std::collections::BTreeMap::new(),
        };
        let tasks = vec![Task::new(run.id(), "r", 0, Step::Deliver("d".to_owned()), at(second))];
        script.push(Change::Accept { run: Arc::new(run), tasks, gate: gate::gate(&trigger, &event) });
    }
    let mut watches = Vec::new();
    let mut outcomes = Vec::new();
    for change in script {
        let applied = journal.commit(vec![change.clone()]).await.unwrap();
        assert_eq!(applied, model.apply(&[change]));
        outcomes.push(match &applied[0] {
            Applied::Not => 'n',
            Applied::Now(_) => 'r',
            Applied::Counted(_) => 'c',
        });
        if let [Applied::Now(tasks) | Applied::Counted(tasks)] = &applied[..] {
            watches.extend(tasks.iter().filter(|task| task.id.step == Step::Continue).cloned());
        }
    }
    // Enabled, below, below, known, alarm of 1, alarm of 2 but suppressed, kept up by nothing, alarm of 2 again and suppressed, …
    assert_eq!(outcomes.iter().collect::<String>(), "rccnrcccc".to_owned() + "r");
    assert_eq!(watches.len(), 3, "{watches:?}");
    for watch in watches {
        let run = journal.run(watch.id.run).await.unwrap().unwrap();
        let change = Change::Close { done: watch.id, run, at: at(3_000) };
        let applied = journal.commit(vec![change.clone()]).await.unwrap();
        assert_eq!(applied, model.apply(&[change]));
        let told = journal.run(match &applied[0] {
            Applied::Now(tasks) => tasks[0].id.run,
            other => panic!("{other:?}"),
        });
        assert!(matches!(told.await.unwrap().unwrap().occasion, Occasion::Recovered { .. } | Occasion::Hidden { count: 2, .. }));
    }
    compare(journal, &model).await;
    for second in [30, 90, 430, 4_000] {
        assert_eq!(journal.states(at(second)).await.unwrap(), model.states(at(second)));
    }
    // A trigger that is gone leaves nothing.
    let gone = Change::Enable { restraints: Restraints { revision: 4, ..Restraints::default() }, at: at(5_000) };
    assert_eq!(journal.commit(vec![gone.clone()]).await.unwrap(), model.apply(&[gone]));
    assert!(journal.states(at(5_001)).await.unwrap().is_empty() && model.windows.is_empty());
}
