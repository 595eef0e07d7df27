//! How many rules a bus takes.
//!
//! Source: the EventBridge user guide, "Amazon EventBridge quotas": rules of a bus 300, in some regions 100, which AWS raises on request; rules with
//! wildcards of a bus 30, which it does not.

use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic};

/// The most rules with wildcards of a bus.
pub const MOST_WILDCARD_RULES: usize = 30;

/// The share of a quota, in percent, from which on a bus is nearly full.
const NEARLY: usize = 90;

/// The most rules of a bus in a region, unless AWS has raised it.
#[must_use]
pub fn most_rules(region: &str) -> usize {
    if matches!(region, "af-south-1" | "eu-south-1") { 100 } else { 300 }
}

/// Some rules of a bus.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rules {
    /// All of them.
    pub all: usize,
    /// Those whose patterns have wildcards.
    pub wildcard: usize,
}

impl Rules {
    /// The rules of these patterns.
    #[must_use]
    pub fn of<'p>(patterns: impl IntoIterator<Item = &'p str>) -> Self {
        patterns
            .into_iter()
            .fold(Self::default(), |rules, pattern| rules.and(Self { all: 1, wildcard: usize::from(has_wildcard(pattern)) }))
    }

    /// Both together.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        Self { all: self.all + more.all, wildcard: self.wildcard + more.wildcard }
    }

    /// What is here and not there.
    #[must_use]
    pub fn beyond(self, there: Self) -> Self {
        Self { all: self.all.saturating_sub(there.all), wildcard: self.wildcard.saturating_sub(there.wildcard) }
    }

    /// Which quotas these rules are beyond, or near to, in a region.
    #[must_use]
    pub fn pressed(self, region: &str) -> Vec<Pressed> {
        let mut pressed = Vec::new();
        if self.wildcard > MOST_WILDCARD_RULES {
            pressed.push(Pressed::Wildcards);
        }
        let most = most_rules(region);
        if self.all > most {
            pressed.push(Pressed::Full);
        } else if self.all * 100 > most * NEARLY {
            pressed.push(Pressed::NearlyFull);
        }
        pressed
    }
}

/// A quota that is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pressed {
    /// More than 30 rules with wildcards.
    Wildcards,
    /// More rules than the bus takes.
    Full,
    /// More than nine tenths of the rules that it takes.
    NearlyFull,
}

impl Pressed {
    /// What is told of it. `bus` says which bus and what was counted, such as `the default bus of 111122223333/eu-west-1 with what it has and what this plan
    /// adds`; it is in `region`.
    #[must_use]
    pub fn diagnostic(self, bus: &str, region: &str) -> Diagnostic {
        let most = most_rules(region);
        let merge = "let a `trailwire_forwarder` carry the events of many triggers (`forwarder = \"NAME\"` in each), write triggers that tell the same destination as one, or narrow them by `regions`";
        match self {
            Self::Wildcards => Diagnostic::error(
                Code::WILDCARD_RULES,
                format!("{bus} would hold more than {MOST_WILDCARD_RULES} rules with wildcards, and AWS takes no more"),
            )
            .help("leave `push_down = \"full\"` out of some triggers: the runtime decides what their rules then do not"),
            Self::Full => Diagnostic::error(Code::BUS_FULL, format!("{bus} would hold more than the {most} rules that it takes"))
                .help(format!("{merge}; where AWS has raised the quota, say so: `allow = {{ {} = \"raised\" }}`", Code::BUS_FULL)),
            Self::NearlyFull => Diagnostic::warning(
                Code::BUS_NEARLY_FULL,
                format!("{bus} would hold more than {} of the {most} rules that it takes", most * NEARLY / 100),
            )
            .help(merge),
        }
    }
}

/// Whether a pattern has wildcards, within `anything-but` too. What is no JSON has none.
#[must_use]
pub fn has_wildcard(pattern: &str) -> bool {
    serde_json::from_str(pattern).is_ok_and(|pattern: Value| in_fields(&pattern))
}

/// Tests are the objects of arrays; a field may be called `wildcard`, too.
fn in_fields(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.values().any(in_fields),
        Value::Array(tests) => tests.iter().any(|test| in_test(test) || in_fields(test)),
        _ => false,
    }
}

fn in_test(test: &Value) -> bool {
    let Value::Object(members) = test else { return false };
    members.iter().any(|(name, operand)| match operand {
        Value::String(_) | Value::Array(_) if name == "wildcard" => true,
        operand => name == "anything-but" && in_test(operand),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fanout::names::{Cell, Hub, Owner};

    #[test]
    fn wildcards_are_operators_not_fields() {
        for (pattern, wanted) in [
            (r#"{"a":[{"wildcard":"x*"}]}"#, true),
            (r#"{"a":{"b":["x",{"anything-but":{"wildcard":["x*"]}}]}}"#, true),
            (r#"{"$or":[{"a":["x"]},{"b":[{"wildcard":"*"}]}]}"#, true),
            (r#"{"wildcard":["x"]}"#, false),
            (r#"{"a":[{"prefix":"x"}]}"#, false),
            ("{", false),
        ] {
            assert_eq!(has_wildcard(pattern), wanted, "{pattern}");
        }
    }

    #[test]
    fn the_quotas() {
        use Pressed::{Full, NearlyFull, Wildcards};
        for (all, wildcard, region, wanted) in [
            (270, 30, "eu-west-1", &[][..]),
            (271, 0, "eu-west-1", &[NearlyFull]),
            (300, 31, "eu-west-1", &[Wildcards, NearlyFull]),
            (301, 0, "eu-west-1", &[Full]),
            (90, 0, "eu-south-1", &[]),
            (91, 0, "eu-south-1", &[NearlyFull]),
            (101, 31, "af-south-1", &[Wildcards, Full]),
        ] {
            assert_eq!(Rules { all, wildcard }.pressed(region), wanted, "{all} {wildcard} {region}");
        }
        let drawn = Full.diagnostic("the default bus of 1/eu-south-1", "eu-south-1").draw();
        assert!(
            drawn.starts_with("error[TW2421]: the default bus of 1/eu-south-1 would hold more than the 100 rules that it takes\n"),
            "{drawn}"
        );
    }

    /// The other quotas of a rule cannot be reached: its name is never too long, and it has one target.
    #[test]
    fn no_rule_has_a_name_that_is_too_long() {
        let hub = Hub::new("h".repeat(32), Cell::new("111122223333", "us-east-1"));
        assert!(hub.rule_name(Owner::trigger(&"t".repeat(40)), 9_999_999_999).len() <= 64);
    }
}
