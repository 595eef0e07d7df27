//! Which triggers fire for an event.
//!
//! The rules, in this order and the same everywhere (run, test, replay, plan): the trigger is enabled; the envelope comes from
//! an AWS service via CloudTrail; account and region are in scope; unless `include_read_only`, it is not an event that a plain
//! ENABLED rule would not carry; unless `include_self`, the hub's own roles did not make it; the event's name; its source; the
//! match. What a completed record does not tell is not tested. The path an event took plays no part.

mod compiled;
mod rules;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use crate::diagnostic::{Diagnostic, Path};
use crate::eval::{EvalError, search, truthy};
use crate::event::Event;
use crate::expr::Expr;
use crate::text::Span;
use crate::trigger::{OnError, Trigger};

pub use compiled::{CompiledSet, Fired, Scratch, Verdict};
pub use rules::is_read_only_name;

/// What a hub watches. `None` stands for "everything" (a runtime without a hub).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// The account ids.
    pub accounts: Option<BTreeSet<String>>,
    /// The regions.
    pub regions: Option<BTreeSet<String>>,
    /// The ARNs of the hub's own roles, with their paths.
    pub own_role_arns: Vec<String>,
}

/// Why an event does not match a trigger: the first of the rules that says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The trigger is disabled.
    Disabled,
    /// The envelope's `source` does not begin with `aws.`, or its `detail-type` does not end with ` via CloudTrail`.
    NotCloudTrail,
    /// The account is not in scope.
    Account,
    /// The region is not in scope.
    Region,
    /// A read-only event that a plain ENABLED rule would not carry.
    ReadOnly,
    /// The hub's own roles made it.
    OwnRole,
    /// Another event name.
    EventName,
    /// Another event source.
    EventSource,
    /// The match is not true.
    Expression,
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Disabled => "the trigger is disabled",
            Self::NotCloudTrail => "it is not an event of an AWS service via CloudTrail",
            Self::Account => "its account is not in scope",
            Self::Region => "its region is not in scope",
            Self::ReadOnly => "it is a read-only event, and the trigger does not set include_read_only",
            Self::OwnRole => "the hub's own role made it, and the trigger does not set include_self",
            Self::EventName => "its event name is not one of the trigger's",
            Self::EventSource => "its event source is not one of the trigger's",
            Self::Expression => "the match is not true",
        })
    }
}

/// What came of one trigger and one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It matches.
    Match,
    /// It does not, and why.
    NoMatch(Reason),
    /// The match expression erred; the trigger's `on_error` decides what that means.
    Error(EvalError),
}

/// A trigger that is ready to judge.
#[derive(Debug, Clone)]
pub struct CompiledTrigger {
    trigger: Arc<Trigger>,
    tree: Tree,
}

/// The tree of a match.
#[derive(Debug, Clone)]
enum Tree {
    /// It was given, or there is no match.
    Given(Option<Box<Expr>>),
    /// It is read from the trigger. One that was let go is read again: most are not asked for once a set is compiled, and they take more
    /// memory than all else of a trigger. `again` counts those of the set that were read again and are held.
    Read { held: OnceLock<Option<Box<Expr>>>, again: Option<Arc<AtomicUsize>> },
}

/// So many trees that were let go are held when they were read again (for an event that the compiled set leaves to the oracle, or to say
/// why a match errs); more are read each time.
const MOST_HELD: usize = 1_000;

impl CompiledTrigger {
    /// Makes a trigger ready. One that is shared is not copied.
    ///
    /// # Errors
    /// The diagnostics of the match, with paths.
    pub fn new(trigger: impl Into<Arc<Trigger>>) -> Result<Self, Vec<Diagnostic>> {
        let trigger = trigger.into();
        let Some((language, text)) = trigger.matching() else { return Ok(Self { trigger, tree: Tree::Given(None) }) };
        match language.parse(text) {
            (Some(expression), _) => {
                Ok(Self { trigger, tree: Tree::Read { held: OnceLock::from(Some(Box::new(expression))), again: None } })
            }
            (None, diagnostics) => Err(diagnostics.into_iter().map(|diagnostic| diagnostic.at(Path::root(language.attribute()))).collect()),
        }
    }

    /// A trigger with a match that is a tree already, in place of what it says.
    #[must_use]
    pub fn with(trigger: impl Into<Arc<Trigger>>, expression: Option<Expr>) -> Self {
        Self { trigger: trigger.into(), tree: Tree::Given(expression.map(Box::new)) }
    }

    /// The trigger as it was declared.
    #[must_use]
    pub fn trigger(&self) -> &Trigger {
        &self.trigger
    }

    /// The tree of the match, if there is one. It may have to be read for it, once.
    #[must_use]
    pub fn expression(&self) -> Option<&Expr> {
        match &self.tree {
            Tree::Given(tree) => tree.as_deref(),
            Tree::Read { held, .. } => held.get_or_init(|| self.read()).as_deref(),
        }
    }

    fn read(&self) -> Option<Box<Expr>> {
        self.trigger.matching().and_then(|(language, text)| language.parse(text).0).map(Box::new)
    }

    /// Lets the tree go, if it can be read again; `again` is the count of its set.
    fn forget(&mut self, again: &Arc<AtomicUsize>) {
        if let Tree::Read { .. } = &self.tree {
            self.tree = Tree::Read { held: OnceLock::new(), again: Some(Arc::clone(again)) };
        }
    }

    /// Judges one event.
    #[must_use]
    pub fn judge(&self, event: &Event, scope: &Scope) -> Outcome {
        if let Some(reason) = rules::first_no(&self.trigger, event, scope) {
            return Outcome::NoMatch(reason);
        }
        self.judge_expression(event)
    }

    /// Judges by the match alone.
    fn judge_expression(&self, event: &Event) -> Outcome {
        let (held, again) = match &self.tree {
            Tree::Given(None) => return Outcome::Match,
            Tree::Given(Some(tree)) => return outcome(Some(tree), event),
            Tree::Read { held, again } => (held, again),
        };
        if held.get().is_none()
            && let Some(again) = again
            && again.fetch_add(1, Ordering::Relaxed) >= MOST_HELD
        {
            again.fetch_sub(1, Ordering::Relaxed);
            return outcome(self.read().as_deref(), event);
        }
        outcome(self.expression(), event)
    }
}

/// What a match makes of an event. Without a tree, which was read once and so can be read again, it errs.
fn outcome(tree: Option<&Expr>, event: &Event) -> Outcome {
    match tree.map(|tree| search(tree, event.envelope())) {
        Some(Ok(value)) if truthy(&value) => Outcome::Match,
        Some(Ok(_)) => Outcome::NoMatch(Reason::Expression),
        Some(Err(error)) => Outcome::Error(error),
        None => Outcome::Error(EvalError { span: Span::new(0, 0), message: "the match cannot be read again".to_owned() }),
    }
}

/// One trigger's verdict on an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement<'s> {
    /// The trigger.
    pub trigger: &'s Trigger,
    /// What came of it.
    pub outcome: Outcome,
}

impl Judgement<'_> {
    /// Whether the trigger's actions run: a match, or an error where `on_error` is `match`.
    #[must_use]
    pub fn fires(&self) -> bool {
        match self.outcome {
            Outcome::Match => true,
            Outcome::NoMatch(_) => false,
            Outcome::Error(_) => self.trigger.on_error == OnError::Match,
        }
    }
}

/// A trigger that was not taken into a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The trigger's name.
    pub name: String,
    /// Why.
    pub diagnostics: Vec<Diagnostic>,
}

/// Triggers that judge events together. Cost grows with the triggers that name the event, not with all of them.
#[derive(Debug, Clone, Default)]
pub struct TriggerSet {
    triggers: Vec<CompiledTrigger>,
    by_name: HashMap<String, Vec<usize>>,
    any_event: Vec<usize>,
}

impl TriggerSet {
    /// Makes the triggers ready; those that cannot be are left out and told.
    #[must_use]
    pub fn new(triggers: Vec<impl Into<Arc<Trigger>>>) -> (Self, Vec<Refused>) {
        Self::looked_at(triggers, |_| ())
    }

    /// The same; each trigger is handed to somebody before the next one is made ready.
    fn looked_at(triggers: Vec<impl Into<Arc<Trigger>>>, mut look: impl FnMut(&mut CompiledTrigger)) -> (Self, Vec<Refused>) {
        let mut compiled = Vec::with_capacity(triggers.len());
        let mut refused = Vec::new();
        for trigger in triggers.into_iter().map(Into::into) {
            let name = trigger.name.clone();
            match CompiledTrigger::new(trigger) {
                Ok(mut trigger) => {
                    look(&mut trigger);
                    compiled.push(trigger);
                }
                Err(diagnostics) => refused.push(Refused { name, diagnostics }),
            }
        }
        (Self::of(compiled), refused)
    }

    /// A set of triggers that are ready already.
    #[must_use]
    pub fn of(triggers: Vec<CompiledTrigger>) -> Self {
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        let mut any_event = Vec::new();
        for (index, compiled) in triggers.iter().enumerate() {
            let names: BTreeSet<&String> = compiled.trigger.event_names.iter().collect();
            for name in names {
                by_name.entry(name.clone()).or_default().push(index);
            }
            if compiled.trigger.any_event {
                any_event.push(index);
            }
        }
        Self { triggers, by_name, any_event }
    }

    /// The triggers of the set, in the order given.
    #[must_use]
    pub fn triggers(&self) -> &[CompiledTrigger] {
        &self.triggers
    }

    /// The verdicts of those triggers whose event names and sources fit, in the order given.
    #[must_use]
    pub fn judge(&self, event: &Event, scope: &Scope) -> Vec<Judgement<'_>> {
        self.outcomes(event, scope)
            .filter_map(|(index, outcome)| Some(Judgement { trigger: self.triggers.get(index)?.trigger(), outcome }))
            .collect()
    }

    /// The same, by the triggers' places.
    fn outcomes(&self, event: &Event, scope: &Scope) -> impl Iterator<Item = (usize, Outcome)> {
        let named = event.name().and_then(|name| self.by_name.get(name)).map_or(&[][..], Vec::as_slice);
        let mut candidates: Vec<usize> = named.iter().chain(&self.any_event).copied().collect();
        candidates.sort_unstable();
        candidates.dedup();
        candidates
            .into_iter()
            .filter_map(|index| Some((index, self.triggers.get(index)?)))
            .filter(|(_, compiled)| rules::source_fits(&compiled.trigger, event))
            .map(|(index, compiled)| (index, compiled.judge(event, scope)))
    }
}

#[cfg(test)]
mod tests;
