//! What the rules of a trigger carry: its names and sources, cut into as many patterns as they need, each narrowed by as much of the match as
//! EventBridge can decide.
//!
//! *Invariant*: push-down never changes how many rules there are, so that a change of the match alone changes patterns in place.

use super::pattern::{Narrowing, PatternTooLong, pieces_of};
use crate::pushdown::{Asked, Errors, Mode, Written, push_down};
use crate::trigger::{OnError, PushDown, Trigger};

/// The patterns and what they leave to the runtime.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pushed {
    /// One for each rule, in the order of the rules.
    pub patterns: Vec<String>,
    /// Whether everything that the rules carry matches.
    pub exact: bool,
    /// The conjuncts of the match that the runtime decides, as written.
    pub residual: Vec<String>,
    /// Why no event can ever match.
    pub never: Option<String>,
    /// Why each of them stays.
    pub notes: Vec<String>,
}

/// What the rules of a trigger carry. A match that cannot be read narrows nothing. Where nothing can ever match, the rules carry what
/// they would without a match.
///
/// # Errors
/// When a single name or source fits into no pattern.
pub fn pushed(trigger: &Trigger) -> Result<Pushed, PatternTooLong> {
    let matching = trigger.matching();
    let tree = matching.and_then(|(language, text)| Some((language.parse(text).0?, text)));
    let asked = Asked {
        expression: tree.as_ref().map(|(tree, text)| Written { tree, text }),
        errors: if trigger.on_error == OnError::Match { Errors::Match } else { Errors::NoMatch },
        mode: match trigger.push_down {
            PushDown::Names => Mode::Names,
            PushDown::Safe => Mode::Safe,
            PushDown::Full => Mode::Full,
        },
        ..Asked::default()
    };
    let narrowing = Narrowing { names: &trigger.event_names, sources: &trigger.event_sources };
    let mut all = Pushed { exact: true, ..Pushed::default() };
    let mut nevers = Vec::new();
    for piece in pieces_of(narrowing)? {
        let pushed = push_down(Asked { names: &piece.names, sources: &piece.sources, ..asked });
        all.patterns.push(pushed.pattern.unwrap_or(piece.pattern));
        all.exact &= pushed.exact;
        for (residual, note) in pushed.residual.into_iter().zip(pushed.notes) {
            if !all.residual.contains(&residual) {
                all.residual.push(residual);
                all.notes.push(note);
            }
        }
        nevers.push(pushed.never);
    }
    all.never = nevers.into_iter().collect::<Option<Vec<_>>>().and_then(|reasons| reasons.into_iter().next());
    Ok(all)
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
        assert_eq!(with.residual.last().unwrap(), "detail.a == detail.b");
        assert!(!with.exact);
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
            assert!(pushed.exact, "{attribute}");
        }
    }

    #[test]
    fn what_never_matches_keeps_its_rules() {
        let trigger = trigger(&names(1), &[("match_expression", json!("detail.eventName == 'Other'"))]);
        let pushed = pushed(&trigger).unwrap();
        assert_eq!(pushed.patterns, patterns(Narrowing { names: &trigger.event_names, sources: &[] }).unwrap());
        assert_eq!(pushed.never.as_deref(), Some("`detail.eventName == 'Other'`: it cannot hold together with the rest"));
    }
}
