//! What the rules of a trigger carry: its names and sources, cut into as many patterns as they need, each narrowed by as much of the match as
//! EventBridge can decide.
//!
//! *Invariants*: push-down never changes how many rules there are, so that a change of the match alone changes patterns in place; a pattern
//! that is deployed already stays as it is for as long as the trigger does, if the present version of push-down finds nothing against it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::pattern::{Narrowing, PatternTooLong, packed, pieces_of};
use super::rules::RuleState;
use crate::lang::Language;
use crate::pattern::Pattern;
use crate::pushdown::{Asked, Written, push_down};
use crate::trigger::{Forwarder, Trigger};

/// The patterns and what they leave to the runtime. The provider keeps it with the trigger's definition.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pushed {
    /// One for each rule, in the order of the rules.
    pub patterns: Vec<String>,
    /// What of the match the runtime decides, as written; `None` where the patterns decide all of it.
    pub residual: Option<String>,
}

/// What the rules of a trigger carry: nothing where it relies on a forwarder, as then there are no rules.
///
/// # Errors
/// As [`kept`].
pub fn pushed(trigger: &Trigger) -> Result<Pushed, PatternTooLong> {
    match trigger.forwarder {
        None => kept(trigger),
        Some(_) => Ok(Pushed { patterns: Vec::new(), residual: trigger.matching().map(|(_, text)| text.to_owned()) }),
    }
}

/// What the rules of a trigger carry when it has some: every event that fires it. A match that cannot be read narrows nothing. Where nothing can ever match, the
/// rules carry what they would without a match.
///
/// # Errors
/// When a single name or source fits into no pattern.
pub fn kept(trigger: &Trigger) -> Result<Pushed, PatternTooLong> {
    let matching = trigger.matching();
    let tree = matching.and_then(|(language, text)| Some((language.parse(text).0?, text)));
    let asked = trigger.asked(tree.as_ref().map(|(tree, text)| Written { tree, text }));
    let narrowing = Narrowing { names: &trigger.event_names, sources: &trigger.event_sources };
    let mut patterns = Vec::new();
    let (mut left, mut undecided) = (Vec::new(), false);
    for piece in pieces_of(narrowing)? {
        let pushed = push_down(Asked { names: &piece.names, sources: &piece.sources, ..asked });
        undecided |= pushed.never.is_some();
        patterns.push(pushed.pattern.unwrap_or(piece.pattern));
        left.extend(pushed.residual);
    }
    let residual = matching.and_then(|(language, text)| if undecided { Some(text.to_owned()) } else { residual(language, &left) });
    Ok(Pushed { patterns, residual })
}

/// The same for a trigger whose rules carry `deployed` already: that, as long as it is certain that it keeps whatever push-down would
/// keep today.
///
/// # Errors
/// As [`pushed`].
pub fn pushed_after(trigger: &Trigger, deployed: Option<&Pushed>) -> Result<Pushed, PatternTooLong> {
    Ok(or_deployed(pushed(trigger)?, deployed))
}

/// What the rules of a forwarder carry, in as few of them as possible: what is deployed already, on the same terms.
///
/// # Errors
/// When a single name or source fits into no pattern.
pub fn forwarded_after(forwarder: &Forwarder, deployed: Option<&Pushed>) -> Result<Pushed, PatternTooLong> {
    let narrowing = Narrowing { names: &forwarder.event_names, sources: &forwarder.event_sources };
    Ok(or_deployed(Pushed { patterns: packed(narrowing)?, residual: None }, deployed))
}

fn or_deployed(today: Pushed, deployed: Option<&Pushed>) -> Pushed {
    let kept = deployed.filter(|deployed| {
        let pairs = deployed.patterns.iter().zip(&today.patterns);
        deployed.patterns.len() == today.patterns.len() && pairs.into_iter().all(|(deployed, today)| is_sound(deployed, today))
    });
    kept.cloned().unwrap_or(today)
}

fn is_sound(deployed: &str, today: &str) -> bool {
    match (Pattern::parse(deployed).0, Pattern::parse(today).0) {
        (Some(deployed), Some(today)) => today.implies(&deployed),
        _ => false,
    }
}

/// The SHA-256 of a text, in hexadecimal digits.
#[must_use]
pub fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Conjuncts that are left, written as one text of their language; each once. `None` where nothing is left.
#[must_use]
pub fn residual(language: Language, conjuncts: &[String]) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in conjuncts {
        if !parts.contains(&part.as_str()) {
            parts.push(part);
        }
    }
    match (parts.as_slice(), language) {
        ([], _) => None,
        ([whole], Language::FilterPattern) if whole.trim_start().starts_with('{') => Some((*whole).to_owned()),
        (parts, Language::FilterPattern) => Some(format!("{{ {} }}", parts.join(" && "))),
        (parts, _) => Some(parts.join(" && ")),
    }
}

/// The state of a trigger's rules. A plain ENABLED rule drops read-only events, and so does the runtime unless the trigger asks for them.
#[must_use]
pub fn rule_state(trigger: &Trigger) -> RuleState {
    match (trigger.enabled, trigger.include_read_only) {
        (false, _) => RuleState::Disabled,
        (true, true) => RuleState::EnabledWithReads,
        (true, false) => RuleState::Enabled,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fanout::pattern::{PATTERN_MAX, patterns};
    use crate::pattern::{Pattern, length};
    use crate::value::Value;

    fn trigger(names: &[String], more: &[(&str, Value)]) -> Trigger {
        let mut document = json!({"name": "t", "event_names": names, "action": [{"send": [{"destination": "d"}]}]});
        for (name, value) in more {
            document[name] = value.clone();
        }
        Trigger::from_value(&document).unwrap()
    }

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|at| format!("AnEventNameThatIsLong{at}")).collect()
    }

    #[test]
    fn without_push_down_the_patterns_are_those_of_names_and_sources() {
        for count in [1, 2, 200] {
            for more in [vec![], vec![("push_down", json!("names")), ("match_expression", json!("detail.errorCode == 'x'"))]] {
                let trigger = trigger(&names(count), &more);
                let wanted = patterns(Narrowing { names: &trigger.event_names, sources: &[] }).unwrap();
                assert_eq!(pushed(&trigger).unwrap().patterns, wanted);
            }
        }
    }

    #[test]
    fn every_rule_is_narrowed_where_there_is_room() {
        let trigger = trigger(&names(200), &[("match_expression", json!("detail.errorCode == 'x' && detail.a == detail.b"))]);
        let without = patterns(Narrowing { names: &trigger.event_names, sources: &[] }).unwrap();
        let with = pushed(&trigger).unwrap();
        assert_eq!(with.patterns.len(), without.len());
        assert!(with.patterns.iter().all(|pattern| length(pattern) <= PATTERN_MAX && Pattern::parse(pattern).0.is_some()));
        assert!(with.patterns.last().unwrap().contains(r#""errorCode":["x"]"#), "the last has room");
        assert_eq!(with.residual.as_deref(), Some("detail.a == detail.b"));
    }

    #[test]
    fn the_three_languages() {
        for (attribute, text) in [
            ("match_expression", "detail.userIdentity.type == 'Root'"),
            ("filter_pattern", "{ $.userIdentity.type = \"Root\" }"),
            ("event_pattern", r#"{"detail":{"userIdentity":{"type":["Root"]}}}"#),
        ] {
            let pushed = pushed(&trigger(&names(1), &[(attribute, json!(text))])).unwrap();
            assert!(pushed.patterns[0].ends_with(r#","userIdentity":{"type":["Root"]}}}"#), "{:?}", pushed.patterns);
            assert_eq!(pushed.residual, None, "{attribute}");
        }
    }

    #[test]
    fn what_is_left_is_written_in_its_language() {
        for (attribute, text, expected) in [
            ("match_expression", "detail.a == detail.b && detail.errorCode == 'x'", "detail.a == detail.b"),
            (
                "match_expression",
                "(detail.a == detail.b || detail.c) && detail.d == detail.e",
                "(detail.a == detail.b || detail.c) && detail.d == detail.e",
            ),
            ("filter_pattern", "{ $.a = \"*x*y*\" && $.errorCode = \"z\" }", "{ $.a = \"*x*y*\" }"),
        ] {
            assert_eq!(pushed(&trigger(&names(1), &[(attribute, json!(text))])).unwrap().residual.as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_is_deployed_stays_while_it_is_sound() {
        let trigger = trigger(&names(1), &[("match_expression", json!("detail.errorCode == 'x' && detail.awsRegion == 'us-east-1'"))]);
        let today = pushed(&trigger).unwrap();
        let deployed = |change: &dyn Fn(&str) -> String| Pushed {
            patterns: today.patterns.iter().map(|pattern| change(pattern)).collect(),
            residual: Some("r".to_owned()),
        };
        // An earlier version that pushed less, or wrote the same in another way.
        for kept in [
            deployed(&|pattern| pattern.replace(r#","awsRegion":["us-east-1"]"#, "")),
            deployed(&|pattern| pattern.replace(r#"["x"]"#, r#"["y","x"]"#)),
            deployed(&str::to_owned),
        ] {
            assert_ne!(kept.patterns[0], "");
            assert_eq!(pushed_after(&trigger, Some(&kept)).unwrap(), kept);
        }
        // One that pushed what is not pushed today, another number of rules, or something that is no pattern.
        for given_up in [
            deployed(&|pattern| pattern.replace(r#""errorCode":["x"]"#, r#""errorCode":["x"],"userAgent":["z"]"#)),
            deployed(&|pattern| pattern.replace(r#"["x"]"#, r#"["y"]"#)),
            Pushed { patterns: Vec::new(), residual: None },
            deployed(&|_| "{".to_owned()),
        ] {
            assert_eq!(pushed_after(&trigger, Some(&given_up)).unwrap(), today, "{given_up:?}");
        }
        assert_eq!(pushed_after(&trigger, None).unwrap(), today);
    }

    #[test]
    fn what_never_matches_keeps_its_rules() {
        let trigger = trigger(&names(1), &[("match_expression", json!("detail.eventName == 'Other'"))]);
        let pushed = pushed(&trigger).unwrap();
        assert_eq!(pushed.patterns, patterns(Narrowing { names: &trigger.event_names, sources: &[] }).unwrap());
        assert_eq!(pushed.residual.as_deref(), Some("detail.eventName == 'Other'"));
    }
}
