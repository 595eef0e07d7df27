//! The same laws for the alarms of a hub, which are in its home region alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use trailwire_engine::fanout::alarms::{ACTIONS_MAX, Alarm, AlarmStep, faults, names, wanted};

use crate::dice::Dice;
use crate::world::hub;

/// Alarms by name.
type Alarms = BTreeMap<String, Value>;

/// The alarms that have so many actions, made once.
fn with_actions(count: usize) -> &'static [Alarm] {
    static ALARMS: LazyLock<Vec<Vec<Alarm>>> = LazyLock::new(|| {
        let action = |number: usize| format!("arn:aws:sns:eu-west-1:111122223333:{number}");
        (0..=ACTIONS_MAX).map(|count| wanted(hub(), &(0..count).map(action).collect::<Vec<_>>())).collect()
    });
    &ALARMS[count]
}

/// Each of the hub's alarms or not, as it should be or changed, with what only AWS says; and one that somebody named as if it were ours.
fn found(dice: &mut Dice) -> Alarms {
    let mut found = Alarms::from([(format!("{}somebody-elses", hub().own_prefix()), json!({}))]);
    for Alarm { name, mut settings } in with_actions(dice.below(ACTIONS_MAX + 1)).iter().cloned() {
        match dice.below(6) {
            0 => continue,
            1 => settings["ActionsEnabled"] = json!(false),
            2 => settings["Threshold"] = json!(77),
            3 => settings["StateValue"] = json!("ALARM"),
            4 => drop(settings.as_object_mut().unwrap().remove("AlarmActions")),
            _ => {}
        }
        found.insert(name, settings);
    }
    found
}

/// Takes at most so many steps towards the alarms with so many actions; tells how many it took.
fn apply(there: &mut Alarms, actions: usize, most: usize) -> usize {
    let steps = faults(hub(), with_actions(actions), there).into_iter().flat_map(|fault| fault.steps).take(most);
    let steps: Vec<AlarmStep> = steps.collect();
    let taken = steps.len();
    for step in steps {
        match step {
            AlarmStep::Put(alarm) => drop(there.insert(alarm.name, alarm.settings)),
            AlarmStep::Remove(names) => there.retain(|name, _| !names.contains(name)),
        }
    }
    taken
}

proptest! {
    #![proptest_config(crate::testing::cases())]

    #[test]
    fn alarms_come_to_what_is_wanted_from_wherever_the_work_was_broken_off(
        seed in any::<u64>(), first in 0..=ACTIONS_MAX, then in 0..=ACTIONS_MAX, steps in 0_usize..4,
    ) {
        let start = found(&mut Dice(seed));
        let mut there = start.clone();
        apply(&mut there, first, steps);
        apply(&mut there, then, usize::MAX);
        prop_assert_eq!(apply(&mut there, then, usize::MAX), 0, "something is done twice");
        let ours: BTreeSet<String> = names(hub()).into_iter().collect();
        for Alarm { name, settings } in with_actions(then) {
            let told = there[name].as_object().unwrap();
            let differs = settings.as_object().unwrap().iter().find(|(member, value)| told.get(*member) != Some(value));
            prop_assert_eq!(differs, None, "{}", name);
        }
        prop_assert_eq!(there.keys().filter(|name| ours.contains(*name)).count(), with_actions(then).len());
        let others = |alarms: &Alarms| alarms.iter().filter(|(name, _)| !ours.contains(*name)).map(|(name, alarm)| (name.clone(), alarm.clone())).collect();
        let (before, after): (Alarms, Alarms) = (others(&start), others(&there));
        prop_assert_eq!(before, after, "something of somebody else changed");
    }
}
