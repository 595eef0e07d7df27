//! `allow`: diagnostics that a trigger does not want to hear of, each with its reason.

use super::{Known, is_decided};
use crate::diagnostic::{Code, Diagnostic, Path};
use crate::trigger::Trigger;

/// What is left of the diagnostics, and what is wrong with `allow` itself.
///
/// As long as `allow` is not known, nothing is told that it may silence. That it silences nothing is told where everything is known, and
/// only of codes that the trigger alone decides.
pub(super) fn apply(trigger: &Trigger, is_known: Known<'_>, mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    if !is_known("allow") {
        diagnostics.retain(|diagnostic| !diagnostic.code.is_silenceable());
        return diagnostics;
    }
    // What cannot be read may hide what is allowed.
    let is_read = !diagnostics.iter().any(|diagnostic| diagnostic.is_error() && !diagnostic.code.is_silenceable());
    let is_whole = is_read && is_decided(is_known) && is_known("action") && is_known("test");
    let mut told = Vec::new();
    for (written, reason) in &trigger.allow {
        let path = Path::root("allow").key(written);
        match Code::parse(written) {
            None => told.push(unknown(written).at(path)),
            Some(code) if !code.is_silenceable() => {
                let message = format!("`{written}` cannot be silenced: what it tells of would not work");
                told.push(Diagnostic::error(Code::ALLOW_REFUSED, message).at(path).help("take it out, and correct what it tells of"));
            }
            Some(_) if reason.trim().is_empty() => {
                let help = "say in a few words why it is right here";
                told.push(Diagnostic::error(Code::ALLOW_REASON, format!("`allow` gives no reason for `{written}`")).at(path).help(help));
            }
            Some(code) => {
                let occurs = diagnostics.iter().any(|diagnostic| diagnostic.code == code);
                if !occurs && is_whole && code.is_told_alone() && code != Code::ALLOW_UNUSED {
                    let message = format!("`{written}` is allowed, and does not occur");
                    told.push(Diagnostic::warning(Code::ALLOW_UNUSED, message).at(path).help("take it out"));
                }
            }
        }
    }
    diagnostics.extend(told);
    diagnostics.retain(|diagnostic| !is_silenced(trigger, diagnostic.code));
    diagnostics
}

/// Whether a trigger silences a code, with a reason.
#[must_use]
pub fn is_silenced(trigger: &Trigger, code: Code) -> bool {
    code.is_silenceable() && trigger.allow.get(&code.to_string()).is_some_and(|reason| !reason.trim().is_empty())
}

fn unknown(written: &str) -> Diagnostic {
    let told = Diagnostic::error(Code::ALLOW_UNKNOWN, format!("`{written}` is not the code of a diagnostic"));
    let meant = written.trim().to_uppercase();
    match Code::parse(&meant).or_else(|| Code::parse(&format!("TW{meant}"))) {
        Some(code) => told.help(format!("did you mean `{code}`?")),
        None => told.help("a code stands in brackets in its message: `TW2404`"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{check_known, check_trigger};
    use super::*;
    use serde_json::{Value, json};

    fn trigger(allow: Value) -> Trigger {
        let document = json!({"name": "t", "event_names": ["ListUsers"], "event_sources": ["iam.amazonaws.com"],
            "action": [{"send": [{"destination": "d"}]}], "allow": allow});
        Trigger::from_value(&document).unwrap()
    }

    fn drawn(diagnostics: &[Diagnostic]) -> String {
        diagnostics.iter().map(Diagnostic::draw).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_is_allowed_is_not_told() {
        assert!(drawn(&check_trigger(&trigger(json!(null)))).starts_with("error[TW2404]"));
        assert_eq!(drawn(&check_trigger(&trigger(json!({"TW2404": "tests of the rule"})))), "");
    }

    #[test]
    fn what_is_wrong_with_it() {
        for (code, reason, expected) in [
            (
                "tw2404",
                "r",
                "error[TW1114]: `tw2404` is not the code of a diagnostic (in allow[\"tw2404\"])\n  = help: did you mean `TW2404`?",
            ),
            ("2404", "r", "error[TW1114]: `2404` is not the code of a diagnostic (in allow[\"2404\"])\n  = help: did you mean `TW2404`?"),
            (
                "all",
                "r",
                "error[TW1114]: `all` is not the code of a diagnostic (in allow[\"all\"])\n  = help: a code stands in brackets in its message: `TW2404`",
            ),
            (
                "TW2101",
                "r",
                "error[TW1115]: `TW2101` cannot be silenced: what it tells of would not work (in allow[\"TW2101\"])\n  = help: take it out, and correct what it tells of",
            ),
            (
                "TW2404",
                " ",
                "error[TW1116]: `allow` gives no reason for `TW2404` (in allow[\"TW2404\"])\n  = help: say in a few words why it is right here",
            ),
            ("TW2405", "r", "warning[TW1117]: `TW2405` is allowed, and does not occur (in allow[\"TW2405\"])\n  = help: take it out"),
            ("TW2407", "r", ""),
        ] {
            let found = check_trigger(&trigger(json!({code: reason})));
            let about: Vec<Diagnostic> = found.into_iter().filter(|diagnostic| diagnostic.code != Code::READ_ONLY_EVENT).collect();
            assert_eq!(drawn(&about), expected);
        }
    }

    #[test]
    fn an_unknown_allow_may_silence_anything() {
        assert_eq!(drawn(&check_known(&trigger(json!(null)), &|name| name != "allow")), "");
        let unused = trigger(json!({"TW2405": "r", "TW2404": "r"}));
        assert_eq!(drawn(&check_known(&unused, &|name| name != "test")), "");
    }
}
