//! What rules carry, in the attributes of a state and as the hub's table has it.

use serde_json::Value;
use trailwire_engine::fanout::names::Carrier;
use trailwire_engine::fanout::pattern::PatternTooLong;
use trailwire_engine::fanout::pushed::{Pushed, sha256};
use trailwire_engine::fanout::table::Definition;
use trailwire_engine::fanout::wanted::Rules;

use super::Settings;
use crate::resource::common::optional_text;
use crate::value::Dynamic;

/// The rules that a stored definition wants, and its settings. `None` of a document that cannot be read.
pub(crate) fn stored(definition: &Definition) -> Option<Result<(Rules, Settings), PatternTooLong>> {
    let rules = Rules::of(definition)?;
    Some(rules.map(|rules| (rules, Settings::read(definition.settings.as_deref()))))
}

/// Sets the attributes that tell what the rules carry.
pub(crate) fn set_pushed(state: &mut Dynamic, carrier: Carrier, pushed: &Pushed) {
    let read = |pattern: &String| serde_json::from_str::<Value>(pattern).unwrap_or_default();
    let pattern = match pushed.patterns.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        several => Some(several.iter().map(read).collect::<Value>().to_string()),
    };
    state.set("pattern_sha256", optional_text(pattern.as_deref().map(sha256).as_deref()));
    state.set("pushed_pattern", optional_text(pattern.as_deref()));
    if carrier == Carrier::Trigger {
        state.set("residual", optional_text(pushed.residual.as_deref()));
    }
}

/// What a state says that the rules carry; the reverse of [`set_pushed`]. `None` where there are no rules.
pub(crate) fn pushed_of(state: &Dynamic) -> Option<Pushed> {
    let pattern = state.get_str("pushed_pattern")?;
    let patterns = match serde_json::from_str(pattern) {
        Ok(Value::Array(several)) => several.iter().map(Value::to_string).collect(),
        _ => vec![pattern.to_owned()],
    };
    Some(Pushed { patterns, residual: state.get_str("residual").map(str::to_owned) })
}
