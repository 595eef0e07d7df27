//! States of triggers, from what a journal holds.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{State, TriggerState};
use crate::core::gate::{Kind, WindowId};
use crate::core::window::Window;

/// Since when a trigger counts by a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Enabled {
    /// The rule; another one begins anew.
    pub(super) rule: String,
    /// The threshold's window in milliseconds; `None` for a trigger that has none.
    pub(super) window: Option<i64>,
    /// In milliseconds since the epoch.
    pub(super) since: i64,
}

/// The state of every trigger with a threshold.
pub(super) fn states(
    enabled: impl Iterator<Item = (String, Enabled)>,
    windows: impl Iterator<Item = (WindowId, Window)>,
    now: Timestamp,
) -> Vec<TriggerState> {
    let now = now.as_millisecond();
    let mut states: BTreeMap<String, TriggerState> = BTreeMap::new();
    for (trigger, enabled) in enabled {
        if let Some(window) = enabled.window {
            let state = if now < enabled.since.saturating_add(window) { State::InsufficientData } else { State::Ok };
            states.insert(trigger.clone(), TriggerState { trigger, state, alarms: BTreeMap::new(), overflow: 0 });
        }
    }
    for (id, window) in windows.filter(|(id, _)| id.kind == Kind::Threshold) {
        let Some(state) = states.get_mut(&id.trigger) else { continue };
        match window {
            Window::Counted(counted) => {
                if let Some(alarm) = counted.alarm(now) {
                    state.state = State::Alarm;
                    state.alarms.insert(counted.group, Timestamp::from_millisecond(alarm.since).unwrap_or_default());
                }
            }
            Window::Census(census) => state.overflow = census.overflow,
            Window::Silenced(_) => {}
        }
    }
    states.into_values().collect()
}
