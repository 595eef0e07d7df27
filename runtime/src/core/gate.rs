//! What stands between a match and its run: `threshold` and `suppress`.
//!
//! The decision needs what is remembered of the matches before, and changes it; several runtimes may share that. So the journal makes it, in the same
//! commit as keys and runs, by the functions here: they are pure, and see the windows through [`Windows`].

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use trailwire_engine::event::Event;
use trailwire_engine::trigger::{Action, Trigger};
use trailwire_engine::{eval, lang};

use super::run::{Occasion, Run, Step, Task, short_hash};
use super::window::{Census, Counted, Passage, Rule, Silenced, Window};

/// Windows that a trigger can have for its threshold, and as many for its `suppress`.
pub(crate) const GROUPS: u32 = 1_000;
/// How soon after a look for places that are free again the next one is worth it, in milliseconds.
const LOOK_AGAIN: i64 = 60_000;
/// Windows that are forgotten in one look. A match may look twice, for its threshold and for `suppress`, and all that comes of it must fit into one
/// write of the journal: DynamoDB takes a hundred items.
const FORGOTTEN: usize = 32;
/// Characters of a group's value that are shown.
const SHOWN: usize = 200;

/// What a window is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A threshold's group.
    Threshold,
    /// A key of `suppress`.
    Suppress,
}

impl Kind {
    /// Its name in the journal.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Threshold => "threshold",
            Self::Suppress => "suppress",
        }
    }
}

/// Names a window.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WindowId {
    /// The trigger's name.
    pub(crate) trigger: String,
    /// What it is for.
    pub(crate) kind: Kind,
    /// A hash of rule and group: an edited rule begins anew.
    pub(crate) group: [u8; 16],
}

/// The group of a [`Census`].
pub(crate) const CENSUS: [u8; 16] = [0; 16];
/// The group of all groups for which there is no place.
const OTHERS: [u8; 16] = [0xff; 16];

/// The windows as the journal holds them in the middle of a commit.
pub(crate) trait Windows {
    /// Why they can not be read.
    type Error;

    /// A window, as the changes before in this commit left it.
    fn get(&mut self, id: &WindowId) -> Result<Option<Window>, Self::Error>;

    /// Keeps a window, or forgets it.
    fn put(&mut self, id: &WindowId, window: Option<Window>) -> Result<(), Self::Error>;

    /// Every window of a trigger's threshold, or of its `suppress`.
    fn all(&mut self, trigger: &str, kind: Kind) -> Result<Vec<(WindowId, Window)>, Self::Error>;
}

/// Windows in memory.
impl Windows for BTreeMap<WindowId, Window> {
    type Error = Infallible;

    fn get(&mut self, id: &WindowId) -> Result<Option<Window>, Infallible> {
        Ok(Self::get(self, id).cloned())
    }

    fn put(&mut self, id: &WindowId, window: Option<Window>) -> Result<(), Infallible> {
        match window {
            Some(window) => self.insert(id.clone(), window),
            None => self.remove(id),
        };
        Ok(())
    }

    fn all(&mut self, trigger: &str, kind: Kind) -> Result<Vec<(WindowId, Window)>, Infallible> {
        let all = self.iter().filter(|(id, _)| id.trigger == trigger && id.kind == kind);
        Ok(all.map(|(id, window)| (id.clone(), window.clone())).collect())
    }
}

/// What of an event the restraints of its trigger go by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Gate {
    /// The threshold's group.
    threshold: Option<Group>,
    /// The key of `suppress`.
    suppress: Option<Group>,
    /// When it happened; `None` where it does not say so.
    pub(crate) at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq)]
struct Group {
    hash: [u8; 16],
    shown: String,
}

/// The gate of an event; `None` where its trigger runs for each.
pub(crate) fn gate(trigger: &Trigger, event: &Event) -> Option<Gate> {
    let threshold = trigger.threshold.as_ref().map(|threshold| {
        let rule = format!("{}/{}/{:?}", threshold.count, threshold.window.text, threshold.group_by);
        group(&rule, threshold.group_by.as_deref(), event)
    });
    let suppress = trigger.suppress.as_ref().map(|suppress| {
        let rule = format!("{}/{:?}", suppress.window.text, suppress.key);
        group(&rule, suppress.key.as_deref(), event)
    });
    let at = event.time().and_then(|time| time.parse().ok());
    (threshold.is_some() || suppress.is_some()).then_some(Gate { threshold, suppress, at })
}

/// The group of an event by an expression: an error is null, and so is no expression at all.
fn group(rule: &str, expression: Option<&str>, event: &Event) -> Group {
    let value = expression.and_then(|expression| {
        let parsed = lang::jmespath::parse(expression).0?;
        eval::search(&parsed, event.envelope()).ok()
    });
    let text = canonical(&value.unwrap_or_default());
    let shown = match expression {
        None => "all events".to_owned(),
        Some(_) if text.chars().count() <= SHOWN => text.clone(),
        Some(_) => text.chars().take(SHOWN - 1).chain(['…']).collect(),
    };
    Group { hash: short_hash(&[rule.as_bytes(), text.as_bytes()]), shown }
}

/// JSON that is the same for equal values: members in the order of their names, whole numbers without a fraction.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            let members = members.iter().map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), canonical(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(values) => format!("[{}]", values.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 9e15 => format!("{float:.0}").replace("-0", "0"),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

/// What becomes of a match.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Decision {
    /// Whether it runs; it is counted otherwise.
    pub(crate) runs: bool,
    /// Everything that begins by it, each with its first tasks: its run, and what has to be told later.
    pub(crate) begins: Vec<(Arc<Run>, Vec<Task>)>,
}

/// Decides about a match whose event was not known.
pub(crate) fn judge<W: Windows>(gate: &Gate, run: &Arc<Run>, tasks: &[Task], windows: &mut W) -> Result<Decision, W::Error> {
    let now = run.accepted.as_millisecond();
    let mut run = Arc::clone(run);
    let mut later = None;
    if let (Some(threshold), Some(group)) = (run.trigger.threshold.clone(), &gate.threshold) {
        let rule = Rule { count: usize::try_from(threshold.count).unwrap_or(1), window: millis(threshold.window.duration) };
        let (id, shown) = match place(&run.trigger.name, Kind::Threshold, group, now, windows)? {
            Some(id) => (id, group.shown.clone()),
            None => (WindowId { trigger: run.trigger.name.clone(), kind: Kind::Threshold, group: OTHERS }, "all others".to_owned()),
        };
        let mut window = match windows.get(&id)? {
            Some(Window::Counted(window)) => window,
            _ => Counted::new(shown.clone()),
        };
        let fires = window.add(rule, gate.at.map_or(now, Timestamp::as_millisecond), now);
        let until = window.alarm(now).map_or(now, |alarm| alarm.until);
        windows.put(&id, Some(Window::Counted(window)))?;
        if !fires {
            return Ok(Decision::default());
        }
        let group = threshold.group_by.is_some().then_some(shown);
        let occasion = Occasion::Alarm { count: threshold.count, window: threshold.window.text, group };
        run = Arc::new(Run { occasion, ..Run::clone(&run) });
        later = threshold.notify_recovery.then(|| watch(&run, &id, until));
    }
    let mut decision = Decision { runs: true, begins: Vec::new() };
    if let (Some(suppress), Some(group)) = (run.trigger.suppress.as_ref(), &gate.suppress)
        // Without a place nothing is hidden: the first of a key is always told.
        && let Some(id) = place(&run.trigger.name, Kind::Suppress, group, now, windows)?
    {
        let mut window = match windows.get(&id)? {
            Some(Window::Silenced(window)) => window,
            _ => Silenced::new(group.shown.clone()),
        };
        let passage = window.pass(millis(suppress.window.duration), now);
        if passage == Passage::FirstHidden {
            decision.begins.push(watch(&run, &id, window.until));
        }
        decision.runs = passage == Passage::Runs;
        windows.put(&id, Some(Window::Silenced(window)))?;
    }
    if decision.runs {
        decision.begins.push((run, tasks.to_vec()));
        decision.begins.extend(later);
    }
    Ok(decision)
}

/// The window of a group, new or known; `None` when there is no place for another. Places of windows that say nothing any more are free, some of
/// them at a time.
fn place<W: Windows>(trigger: &str, kind: Kind, group: &Group, now: i64, windows: &mut W) -> Result<Option<WindowId>, W::Error> {
    let id = |group| WindowId { trigger: trigger.to_owned(), kind, group };
    if windows.get(&id(group.hash))?.is_some() {
        return Ok(Some(id(group.hash)));
    }
    let mut census = match windows.get(&id(CENSUS))? {
        Some(Window::Census(census)) => census,
        _ => Census::default(),
    };
    if census.windows >= GROUPS && census.look_again <= now {
        let mut all = windows.all(trigger, kind)?;
        all.retain(|(id, _)| id.group != CENSUS && id.group != OTHERS);
        let stale: Vec<&WindowId> = all.iter().filter(|(_, window)| window.is_stale(now)).map(|(id, _)| id).collect();
        for id in stale.iter().take(FORGOTTEN) {
            windows.put(id, None)?;
        }
        census.windows = u32::try_from(all.len() - stale.len().min(FORGOTTEN)).unwrap_or(u32::MAX);
        census.look_again = if stale.len() > FORGOTTEN { now } else { now.saturating_add(LOOK_AGAIN) };
    }
    let is_place = census.windows < GROUPS;
    if is_place {
        census.windows += 1;
    } else {
        census.overflow = census.overflow.saturating_add(1);
    }
    windows.put(&id(CENSUS), Some(Window::Census(census)))?;
    Ok(is_place.then(|| id(group.hash)))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A run that looks at a window when it is over, and then tells what there is to tell.
fn watch(run: &Arc<Run>, id: &WindowId, until: i64) -> (Arc<Run>, Vec<Task>) {
    let event_key = format!("{}#{}", run.event_key, id.kind.as_str());
    let occasion = Occasion::Watch { kind: id.kind.as_str().to_owned(), group: id.group };
    let watch = Run { occasion, event_key, ..Run::clone(run) };
    let due = Timestamp::from_millisecond(until).unwrap_or(Timestamp::MAX);
    let task = Task::new(watch.id(), &watch.trigger.name, 0, Step::Continue, due);
    (Arc::new(watch), vec![task])
}

/// What comes of a watch when its time has come.
#[derive(Debug, PartialEq)]
pub(crate) enum Closing {
    /// It is not over yet: look again then.
    Later(Timestamp),
    /// There is something to tell.
    Tell(Arc<Run>, Vec<Task>),
    /// There is nothing to tell.
    Nothing,
}

/// Looks at the window of a watch.
pub(crate) fn close<W: Windows>(run: &Run, at: Timestamp, windows: &mut W) -> Result<Closing, W::Error> {
    let now = at.as_millisecond();
    let Occasion::Watch { kind, group } = &run.occasion else { return Ok(Closing::Nothing) };
    let kind = if kind == Kind::Suppress.as_str() { Kind::Suppress } else { Kind::Threshold };
    let id = WindowId { trigger: run.trigger.name.clone(), kind, group: *group };
    let occasion = match windows.get(&id)? {
        Some(Window::Counted(window)) => match window.alarm(now) {
            Some(alarm) => return Ok(Closing::Later(Timestamp::from_millisecond(alarm.until).unwrap_or(Timestamp::MAX))),
            None => {
                let by = run.trigger.threshold.as_ref().and_then(|threshold| threshold.group_by.as_ref());
                Occasion::Recovered { group: by.map(|_| window.group) }
            }
        },
        Some(Window::Silenced(window)) if window.hidden > 0 => {
            let suppress = run.trigger.suppress.as_ref();
            let length = suppress.map(|suppress| suppress.window.text.clone()).unwrap_or_default();
            let told = Silenced { hidden: 0, ..window.clone() };
            windows.put(&id, Some(Window::Silenced(told)))?;
            let group = suppress.and_then(|suppress| suppress.key.as_ref()).map(|_| window.group);
            Occasion::Hidden { count: window.hidden, window: length, group }
        }
        _ => return Ok(Closing::Nothing),
    };
    let run = Run { occasion, ..run.clone() };
    let tasks = notifications(&run, at);
    Ok(if tasks.is_empty() { Closing::Nothing } else { Closing::Tell(Arc::new(run), tasks) })
}

/// The trigger's notifications, all at once: what is told later is only told.
fn notifications(run: &Run, now: Timestamp) -> Vec<Task> {
    let mut tasks = Vec::new();
    for (index, action) in (0u32..).zip(&run.trigger.actions) {
        let Action::Notify(notify) = action else { continue };
        let deliver = |destination: &String| Task::new(run.id(), &run.trigger.name, index, Step::Deliver(destination.clone()), now);
        tasks.extend(notify.destinations.iter().map(deliver));
    }
    tasks.dedup_by(|a, b| a.id == b.id);
    tasks
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::core::run::event_key;
    use crate::journal::model::Model;

    fn trigger(more: Value) -> Trigger {
        let mut document = json!({"name": "t", "event_names": ["E"], "action": [
            {"notify": [{"destinations": ["a", "a", "b"]}]}, {"wait": [{"duration": "1h"}]}, {"send": [{"destination": "c"}]}, {"notify": [{"destinations": ["a"]}]}]});
        document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Trigger::from_value(&document).unwrap()
    }

    fn event(number: usize, who: &Value) -> Event {
        Event::from_value(json!({"eventName": "E", "eventID": number.to_string(), "who": who})).unwrap()
    }

    /// A match at a second: whether it runs, and what begins.
    fn matched(model: &mut Model, trigger: &Trigger, number: usize, who: &Value, second: i64) -> Decision {
        let event = event(number, who);
        let (accepted, occasion) = (Timestamp::from_second(second).unwrap(), Occasion::Event);
        let run = Run {
            trigger: trigger.clone(),
            event: event.envelope().clone(),
            event_key: event_key(&event),
            assumed_by: vec![],
            accepted,
            occasion,
            results: std::collections::BTreeMap::new(),
        };
        let Ok(decision) = judge(&gate(trigger, &event).unwrap(), &Arc::new(run), &[], &mut model.windows);
        decision
    }

    #[test]
    fn groups_are_values() {
        let trigger = trigger(json!({"threshold": [{"count": 2, "window": "1m", "group_by": "detail.who"}]}));
        let group = |who: Value| gate(&trigger, &event(1, &who)).unwrap().threshold.unwrap();
        assert_eq!(group(json!({"b": [1, 2.0], "a": null})), group(json!({"a": null, "b": [1.0, 2]})));
        assert_eq!(group(json!({"b": [1, 2.0], "a": null})).shown, r#"{"a":null,"b":[1,2]}"#);
        assert_ne!(group(json!("1")).hash, group(json!(1)).hash);
        assert_eq!(group(json!("x".repeat(300))).shown.chars().count(), 200);
        assert_ne!(group(json!("x".repeat(300))).hash, group(json!("x".repeat(301))).hash);
        // An error is null, and so is what is not there.
        let failing = self::trigger(json!({"suppress": [{"window": "1m", "key": "starts_with(detail.who, 'a')"}]}));
        assert_eq!(gate(&failing, &event(1, &json!(1))).unwrap().suppress.unwrap().shown, "null");
        assert_eq!(gate(&self::trigger(json!({})), &event(1, &json!(1))), None);
    }

    #[test]
    fn more_groups_than_there_is_room_for_are_counted_together() {
        let mut model = Model::default();
        let trigger = trigger(json!({"threshold": [{"count": 2, "window": "1m", "group_by": "detail.who"}]}));
        for number in 0..GROUPS as usize {
            assert!(!matched(&mut model, &trigger, number, &json!(number), 1000).runs);
        }
        let room = model.windows.len();
        assert!(!matched(&mut model, &trigger, 5000, &json!("x"), 1001).runs);
        // Another one of those without a place: together they are two.
        let crossed = matched(&mut model, &trigger, 5001, &json!("y"), 1002);
        assert_eq!(
            crossed.begins[0].0.occasion,
            Occasion::Alarm { count: 2, window: "1m".to_owned(), group: Some("all others".to_owned()) }
        );
        for number in 6000..6500 {
            matched(&mut model, &trigger, number, &json!(number), 1003);
        }
        assert_eq!(model.windows.len(), room + 1);
        let census = Windows::get(&mut model.windows, &WindowId { trigger: "t".to_owned(), kind: Kind::Threshold, group: CENSUS });
        assert!(matches!(census, Ok(Some(Window::Census(census))) if census.overflow == 502), "{census:?}");
        // Those that have a place have their own count, and places become free.
        assert!(matched(&mut model, &trigger, 7000, &json!(7), 1004).runs);
        assert!(!matched(&mut model, &trigger, 7001, &json!("z"), 1004 + 3600).runs);
        assert_eq!(model.windows.len(), room + 1 - FORGOTTEN + 1);
        // Some at a time: those that it takes to make a place, as often as it takes.
        for number in 8000..8100 {
            let before = model.windows.clone();
            matched(&mut model, &trigger, number, &json!(number), 1004 + 3600);
            let changed = before.iter().filter(|(id, window)| model.windows.get(*id) != Some(*window)).count();
            assert!(changed <= FORGOTTEN + 2 && model.windows.len() <= room + 1, "{number}: {changed}");
        }
        let census = Windows::get(&mut model.windows, &WindowId { trigger: "t".to_owned(), kind: Kind::Threshold, group: CENSUS });
        let Ok(Some(Window::Census(census))) = census else { panic!("{census:?}") };
        assert_eq!((census.windows, census.overflow), (GROUPS - 4 * FORGOTTEN as u32 + 101, 502));
    }

    #[test]
    fn the_first_is_never_hidden() {
        let mut model = Model::default();
        let trigger = trigger(json!({"suppress": [{"window": "1m", "key": "detail.who"}]}));
        for number in 0..2 * GROUPS as usize {
            assert!(matched(&mut model, &trigger, number, &json!(number), 1000).runs);
        }
        // Those for which there was no place are not hidden at all.
        assert!(!matched(&mut model, &trigger, 5000, &json!(0), 1001).runs && matched(&mut model, &trigger, 5001, &json!(1999), 1001).runs);
        assert!(matched(&mut model, &trigger, 5002, &json!(0), 1060).runs);
    }

    #[test]
    fn what_is_told_later_is_notified_and_nothing_else() {
        let mut model = Model::default();
        let trigger =
            trigger(json!({"suppress": [{"window": "1m"}], "threshold": [{"count": 1, "window": "10s", "notify_recovery": true}]}));
        let first = matched(&mut model, &trigger, 0, &json!(1), 1000);
        let hidden = matched(&mut model, &trigger, 1, &json!(1), 1020);
        assert!(first.runs && first.begins.len() == 2 && !hidden.runs && hidden.begins.len() == 1);
        let closed =
            |model: &mut Model, run: &Run, second| close(run, Timestamp::from_second(second).unwrap(), &mut model.windows).unwrap();
        // The alarm of the second crossing was hidden, and keeps the first up.
        assert_eq!(closed(&mut model, &first.begins[1].0, 1029), Closing::Later(Timestamp::from_second(1030).unwrap()));
        let Closing::Tell(over, _) = closed(&mut model, &first.begins[1].0, 1030) else { panic!("nothing is told") };
        assert_eq!(over.occasion, Occasion::Recovered { group: None });
        let Closing::Tell(told, tasks) = closed(&mut model, &hidden.begins[0].0, 1060) else { panic!("nothing is told") };
        assert_eq!(told.occasion, Occasion::Hidden { count: 1, window: "1m".to_owned(), group: None });
        let to: Vec<(u32, Step)> = tasks.into_iter().map(|task| (task.id.action, task.id.step)).collect();
        let deliver = |name: &str| Step::Deliver(name.to_owned());
        assert_eq!(to, [(0, deliver("a")), (0, deliver("b")), (3, deliver("a"))]);
        assert_eq!(closed(&mut model, &hidden.begins[0].0, 1061), Closing::Nothing);
    }
}
