//! Whether a forwarder carries every event of a trigger that relies on it.
//!
//! It is decided by what both say, whatever the hub covers, so that it still holds when the hub grows.

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic, Path};
use crate::matcher::is_read_only_name;
use crate::trigger::{Forwarder, Trigger};

/// The attributes of a trigger that decide it.
pub const DECIDES: [&str; 8] =
    ["forwarder", "event_names", "any_event", "event_sources", "include_read_only", "regions", "exclude_regions", "account_ids"];
/// How many triggers, names or regions a message tells.
const TOLD: usize = 10;

/// That the forwarder lacks events of a trigger that relies on it, told of the trigger.
///
/// ```
/// use trailwire_engine::{fanout::cover::check, trigger::{Forwarder, Trigger}};
/// let trigger = Trigger::from_value(&serde_json::json!({"name": "t", "event_names": ["RunInstances"], "forwarder": "iam",
///     "action": [{"send": [{"destination": "d"}]}]})).unwrap();
/// let forwarder = Forwarder::from_value(&serde_json::json!({"name": "iam", "event_sources": ["iam.amazonaws.com"]})).unwrap();
/// assert_eq!(check(&trigger, &forwarder).unwrap().message, "forwarder `iam` lacks events of this trigger: those of every source but its own");
/// ```
#[must_use]
pub fn check(trigger: &Trigger, forwarder: &Forwarder) -> Option<Diagnostic> {
    let lacking = lacking(trigger, forwarder);
    let message = format!("forwarder `{}` lacks events of this trigger: {}", forwarder.name, lacking.join("; "));
    let help = "add them to the forwarder, name less here, or take `forwarder` out: the trigger then has rules of its own";
    (!lacking.is_empty()).then(|| Diagnostic::error(Code::NOT_FORWARDED, message).at(Path::root("forwarder")).help(help))
}

/// That triggers rely on what a forwarder will not carry, or, without one, that it goes; told of the forwarder. `triggers` are those of its hub.
#[must_use]
pub fn check_relied<'t>(name: &str, forwarder: Option<&Forwarder>, triggers: impl IntoIterator<Item = &'t Trigger>) -> Option<Diagnostic> {
    let relying = triggers.into_iter().filter(|trigger| trigger.forwarder.as_deref() == Some(name));
    let lines: Vec<String> = relying
        .filter_map(|trigger| match forwarder {
            None => Some(format!("`{}`", trigger.name)),
            Some(forwarder) => {
                let lacking = lacking(trigger, forwarder);
                (!lacking.is_empty()).then(|| format!("`{}` (it needs {})", trigger.name, lacking.join("; ")))
            }
        })
        .collect();
    let (message, help) = match forwarder {
        None => (format!("forwarder `{name}` is relied on by {}", some(&lines)), "destroy these triggers, or give them rules of their own"),
        Some(_) => {
            (format!("forwarder `{name}` would lack events of {}", some(&lines)), "change these triggers first, in an apply of their own")
        }
    };
    (!lines.is_empty()).then(|| Diagnostic::error(Code::IN_USE, message).help(help))
}

/// What of the trigger's events is not carried, in words; empty where all of them are.
#[must_use]
pub fn lacking(trigger: &Trigger, forwarder: &Forwarder) -> Vec<String> {
    let mut lacking = Vec::new();
    let names: &[String] = if trigger.any_event { &[] } else { &trigger.event_names };
    lacking.extend(beyond(names, &forwarder.event_names, "the event names", "those of every name but its own"));
    lacking.extend(beyond(&trigger.event_sources, &forwarder.event_sources, "the event sources", "those of every source but its own"));
    let reads = trigger.any_event || trigger.event_names.iter().any(|name| may_be_left_out(name, &trigger.event_sources));
    if trigger.include_read_only && !forwarder.include_read_only && reads {
        lacking.push("read-only events".to_owned());
    }
    lacking.extend(regions(trigger, forwarder));
    lacking.extend(beyond(&trigger.account_ids, &forwarder.account_ids, "the accounts", "those of every account but its own"));
    lacking
}

/// What a list that may be everything, when it is empty, has beyond another.
fn beyond(wanted: &[String], carried: &[String], words: &str, everything: &str) -> Option<String> {
    if carried.is_empty() {
        return None;
    }
    if wanted.is_empty() {
        return Some(everything.to_owned());
    }
    let carried: BTreeSet<&String> = carried.iter().collect();
    told(words, wanted.iter().filter(|one| !carried.contains(one)))
}

fn regions(trigger: &Trigger, forwarder: &Forwarder) -> Option<String> {
    let wanted = trigger.regions.iter().filter(|region| !trigger.exclude_regions.contains(region));
    let is_carried = |region: &&String| {
        (forwarder.regions.is_empty() || forwarder.regions.contains(region)) && !forwarder.exclude_regions.contains(region)
    };
    if !trigger.regions.is_empty() {
        told("the regions", wanted.filter(|region| !is_carried(region)))
    } else if !forwarder.regions.is_empty() {
        Some("those of every region but its own".to_owned())
    } else {
        told("the regions", forwarder.exclude_regions.iter().filter(|region| !trigger.exclude_regions.contains(region)))
    }
}

fn told<'t>(words: &str, lacking: impl Iterator<Item = &'t String>) -> Option<String> {
    let lacking: BTreeSet<String> = lacking.map(|one| format!("`{one}`")).collect();
    let lacking: Vec<String> = lacking.into_iter().collect();
    (!lacking.is_empty()).then(|| format!("{words} {}", some(&lacking)))
}

/// The first of them.
fn some(all: &[String]) -> String {
    let more = all.len().saturating_sub(TOLD);
    let first = all.iter().take(TOLD).map(String::as_str).collect::<Vec<_>>().join(", ");
    if more == 0 { first } else { format!("{first} and {more} more") }
}

/// Whether a plain ENABLED rule may leave events of this name out.
fn may_be_left_out(name: &str, sources: &[String]) -> bool {
    if sources.is_empty() { is_read_only_name(name, None) } else { sources.iter().any(|source| is_read_only_name(name, Some(source))) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn trigger(more: &Value) -> Trigger {
        let mut document =
            json!({"name": "t", "forwarder": "f", "event_names": ["CreateUser"], "action": [{"send": [{"destination": "d"}]}]});
        document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Trigger::from_value(&document).unwrap()
    }

    fn forwarder(more: &Value) -> Forwarder {
        let mut document = json!({"name": "f"});
        document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Forwarder::from_value(&document).unwrap()
    }

    #[test]
    fn what_is_lacking_is_named() {
        let any = json!({"event_names": null, "any_event": true});
        for (wanted, carried, expected) in [
            (json!({}), json!({"all": true}), ""),
            (any.clone(), json!({"all": true}), ""),
            (json!({}), json!({"event_names": ["DeleteUser", "CreateUser"]}), ""),
            (json!({"event_names": ["B", "A"]}), json!({"event_names": ["CreateUser"]}), "the event names `A`, `B`"),
            (any.clone(), json!({"event_names": ["CreateUser"]}), "those of every name but its own"),
            (json!({}), json!({"event_sources": ["iam.amazonaws.com"]}), "those of every source but its own"),
            (json!({"event_sources": ["iam.amazonaws.com"]}), json!({"event_sources": ["iam.amazonaws.com"]}), ""),
            (
                json!({"event_sources": ["iam.amazonaws.com", "sts.amazonaws.com"]}),
                json!({"event_sources": ["iam.amazonaws.com"], "event_names": ["CreateUser"]}),
                "the event sources `sts.amazonaws.com`",
            ),
            // Only names that a plain rule leaves out need more.
            (json!({"include_read_only": true}), json!({"all": true}), ""),
            (json!({"include_read_only": true, "event_names": ["GetUser"]}), json!({"all": true}), "read-only events"),
            (json!({"event_names": ["GetUser"]}), json!({"all": true}), ""),
            (json!({"include_read_only": true, "event_names": ["GetUser"]}), json!({"all": true, "include_read_only": true}), ""),
            (
                json!({"include_read_only": true, "event_names": ["GetSessionToken"], "event_sources": ["sts.amazonaws.com"]}),
                json!({"all": true}),
                "",
            ),
            (json!({"include_read_only": true, "event_names": null, "any_event": true}), json!({"all": true}), "read-only events"),
            // Regions, whatever the hub has.
            (json!({}), json!({"all": true, "regions": ["eu-west-1"]}), "those of every region but its own"),
            (json!({"regions": ["eu-west-1"]}), json!({"all": true, "regions": ["eu-west-1", "eu-west-2"]}), ""),
            (json!({"regions": ["eu-west-1", "eu-west-3"]}), json!({"all": true, "regions": ["eu-west-1"]}), "the regions `eu-west-3`"),
            (
                json!({"regions": ["eu-west-1", "eu-west-3"], "exclude_regions": ["eu-west-3"]}),
                json!({"all": true, "regions": ["eu-west-1"]}),
                "",
            ),
            (json!({"regions": ["eu-west-1"]}), json!({"all": true, "exclude_regions": ["eu-west-1"]}), "the regions `eu-west-1`"),
            (json!({}), json!({"all": true, "exclude_regions": ["eu-west-1"]}), "the regions `eu-west-1`"),
            (json!({"exclude_regions": ["eu-west-1"]}), json!({"all": true, "exclude_regions": ["eu-west-1"]}), ""),
            (json!({}), json!({"all": true, "account_ids": ["111122223333"]}), "those of every account but its own"),
            (
                json!({"account_ids": ["444455556666"]}),
                json!({"all": true, "account_ids": ["111122223333"]}),
                "the accounts `444455556666`",
            ),
        ] {
            let (trigger, forwarder) = (trigger(&wanted), forwarder(&carried));
            assert_eq!(lacking(&trigger, &forwarder).join("; "), expected, "{wanted} by {carried}");
            assert_eq!(check(&trigger, &forwarder).is_some(), !expected.is_empty());
        }
    }

    #[test]
    fn who_relies_on_it_is_named() {
        let triggers =
            [trigger(&json!({"name": "a"})), trigger(&json!({"name": "b", "event_names": ["X"]})), trigger(&json!({"forwarder": "g"}))];
        let told = |forwarder: Option<&Forwarder>| check_relied("f", forwarder, &triggers).map(|told| told.draw());
        assert_eq!(
            told(None).as_deref(),
            Some(
                "error[TW4007]: forwarder `f` is relied on by `a`, `b`\n  = help: destroy these triggers, or give them rules of their own"
            )
        );
        assert_eq!(
            told(Some(&forwarder(&json!({"event_names": ["CreateUser"]})))).as_deref(),
            Some(
                "error[TW4007]: forwarder `f` would lack events of `b` (it needs the event names `X`)\n  \
                 = help: change these triggers first, in an apply of their own"
            )
        );
        assert_eq!(told(Some(&forwarder(&json!({"all": true})))), None);
        assert_eq!(check_relied("other", None, &triggers), None);
    }
}
