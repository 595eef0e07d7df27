//! Explanations as text for people and as JSON for programs.

use super::because::shorten;
use super::{Explanation, Part, TriggerExplanation};
use crate::eval::{EvalError, truthy};
use crate::value::Value;
use serde_json::json;

/// How many values of one part the text shows.
const MOST_SHOWN: usize = 3;

impl Explanation {
    /// The verdict, what decided, and every part, a line each.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut lines = vec![format!("the match is {}", self.verdict())];
        lines.extend(self.because.iter().map(|sentence| format!("  because {sentence}")));
        lines.extend(self.parts.iter().map(Part::line));
        lines.join("\n")
    }

    /// `{"match", "value", "error", "because", "parts": [{"text", "start", "end", "depth", "reached", "outcomes"}]}`
    #[must_use]
    pub fn to_json(&self) -> Value {
        let (value, error) = halves(&self.outcome);
        json!({
            "match": self.outcome.as_ref().is_ok_and(truthy),
            "value": value,
            "error": error,
            "because": self.because,
            "parts": self.parts.iter().map(Part::to_json).collect::<Vec<_>>(),
        })
    }
}

impl TriggerExplanation {
    /// The verdict with its reason, then the match.
    #[must_use]
    pub fn to_text(&self) -> String {
        let says = if self.fires { "fires" } else { "does not fire" };
        let mut text = format!("trigger {} {says}: {}", self.trigger, self.reason);
        if let Some(matching) = &self.matching {
            for line in matching.to_text().lines() {
                text.push_str("\n  ");
                text.push_str(line);
            }
        }
        text
    }

    /// `{"trigger", "fires", "reason", "match"}`; `match` is null where it was not asked.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let matching = self.matching.as_ref().map(Explanation::to_json);
        json!({"trigger": self.trigger, "fires": self.fires, "reason": self.reason, "match": matching})
    }
}

impl Part {
    fn line(&self) -> String {
        let mut shown: Vec<String> = self.outcomes.iter().take(MOST_SHOWN).map(outcome).collect();
        if self.reached == 0 {
            shown.push("not reached".to_owned());
        }
        if self.reached > MOST_SHOWN {
            shown.push(format!("and {} more", self.reached - MOST_SHOWN));
        }
        let text = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("  {}{text} -> {}", "  ".repeat(self.depth), shown.join(", "))
    }

    fn to_json(&self) -> Value {
        let outcomes: Vec<Value> = self
            .outcomes
            .iter()
            .map(|outcome| {
                let (value, error) = halves(outcome);
                json!({"value": value, "error": error})
            })
            .collect();
        json!({
            "text": self.text, "start": self.span.start, "end": self.span.end, "depth": self.depth,
            "reached": self.reached, "outcomes": outcomes,
        })
    }
}

fn outcome(outcome: &Result<Value, EvalError>) -> String {
    match outcome {
        Ok(value) => shorten(&value.to_string()),
        Err(error) => format!("error: {error}"),
    }
}

fn halves(outcome: &Result<Value, EvalError>) -> (Option<&Value>, Option<&str>) {
    match outcome {
        Ok(value) => (Some(value), None),
        Err(error) => (None, Some(&error.message)),
    }
}
