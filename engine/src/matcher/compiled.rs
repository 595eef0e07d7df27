//! Many triggers judged together, straight from an event's bytes.
//!
//! [`CompiledSet`] gives the outcome that [`TriggerSet`](super::TriggerSet), the oracle, gives, and does not make a value of the
//! event for it:
//!
//! 1. `scan` finds the event's structure and checks it whole.
//! 2. `quick` tells the events that name no trigger of the set.
//! 3. `extract` takes out the fields that somebody reads, each object walked once and only when it is needed; `trail` spares it to look
//!    up names that follow each other as they did before.
//! 4. `group` tells from the event's name and a few look-ups which triggers can match at all; `plan` filed them so.
//! 5. `program` evaluates those, on predicates (`atom`) that `lower` made of the expressions; equal predicates of different
//!    triggers are one. What is asked of an array's elements is told where these stand (`sequence`). A sub-expression that has no
//!    predicate of its own goes to the oracle, with the fields that it reads.
//!
//! `build` makes a set of triggers, and lets their trees go.
//!
//! Whatever looks odd on the way (bytes that are not JSON where they are read, a bare record, a very long event) is judged by
//! the oracle from the start, so that there is one truth about it.
//!
//! A set never changes. Whoever has new triggers makes a new set beside the old one and swaps the pointer
//! (`Arc<CompiledSet>`); the [`Scratch`] goes on with either.

mod atom;
mod build;
mod extract;
mod fields;
mod grammar;
mod group;
mod hash;
mod judge;
mod lower;
mod members;
mod numbers;
mod plan;
mod program;
mod quick;
mod reads;
mod received;
mod scan;
mod sequence;
mod trail;

use std::sync::Arc;

use super::{CompiledTrigger, Outcome, Refused, Scope, TriggerSet};
use crate::event::InvalidEvent;
use crate::trigger::Trigger;
use build::Build;
use fields::{FieldId, Fields};
use group::{Group, Table};
use hash::Names;
use judge::{Check, Judging};
use lower::Atoms;
use program::{Code, Place};
use scan::Tape;

/// What a trigger other than "no match" has to say about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fired {
    /// It matches.
    Match,
    /// Its expression errs; the trigger's `on_error` decides what that means. [`CompiledTrigger::judge`] tells the error.
    Error,
}

/// One trigger's verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The trigger's place in [`CompiledSet::triggers`].
    pub trigger: u32,
    /// What came of it.
    pub fired: Fired,
}

/// The buffers of one thread: they grow to the largest event and the largest set, and are then used again and again.
#[derive(Debug, Default)]
pub struct Scratch {
    tape: Tape,
    stripped: Vec<u8>,
    judging: Judging,
    verdicts: Vec<Verdict>,
}

/// Triggers made ready to judge events from their bytes. Its verdicts never change; `Send` and `Sync`.
///
/// It holds the triggers as declared and its own tables, not the trees of their matches: these are read again, and up to a thousand of
/// them then held, where an event is left to the oracle or an error is told.
#[derive(Debug)]
pub struct CompiledSet {
    oracle: TriggerSet,
    programs: Vec<Program>,
    narrow: Vec<Narrow>,
    /// The shortest of their safe lengths.
    safe_length: u64,
    /// Whether any trigger leaves out what an enabled rule does not carry.
    leaves_out: bool,
    code: Code,
    atoms: Atoms,
    fields: Fields,
    known: KnownFields,
    /// The event sources that any trigger names.
    sources: Names,
    /// The groups of the event names.
    by_name: Names,
    groups: Vec<Group>,
    any_event: Option<Group>,
    table: Table,
}

/// A trigger after compilation, as small as can be: a set has many, and few of them are looked at for one event.
#[derive(Debug, Clone, Copy)]
struct Program {
    /// Where its code begins; [`NO_CODE`] matches every event that comes so far.
    code: Place,
    include_read_only: bool,
    include_self: bool,
    /// Whether it narrows event sources, regions or accounts: then [`Narrow`] has more.
    narrow: bool,
}

const NO_CODE: Place = Place::MAX;

/// What is seldom asked of a trigger.
#[derive(Debug)]
struct Narrow {
    /// Longer events are the oracle's.
    safe_length: u64,
    /// Empty: any.
    sources: Box<[u32]>,
    /// Whether the trigger narrows regions or accounts.
    places: bool,
}

/// The fields that the rules before the match read.
#[derive(Debug)]
struct KnownFields {
    detail: FieldId,
    source: FieldId,
    detail_type: FieldId,
    account: FieldId,
    region: FieldId,
    event_name: FieldId,
    event_source: FieldId,
    read_only: FieldId,
    arn: FieldId,
    issuer: FieldId,
}

impl CompiledSet {
    /// Makes the triggers ready; those that cannot be are left out and told.
    ///
    /// ```
    /// use trailwire_engine::matcher::{CompiledSet, Fired, Scope, Scratch};
    /// use trailwire_engine::trigger::Trigger;
    /// let trigger = Trigger::parse(r#"{"name": "root", "event_names": ["CreateUser"], "match_expression":
    ///     "detail.userIdentity.type == 'Root'", "action": [{"send": [{"destination": "d"}]}]}"#).unwrap();
    /// let (set, refused) = CompiledSet::new(vec![trigger]);
    /// assert!(refused.is_empty());
    /// let event = br#"{"source":"aws.iam","detail-type":"AWS API Call via CloudTrail","account":"1","region":"us-east-1",
    ///     "detail":{"eventName":"CreateUser","userIdentity":{"type":"Root"}}}"#;
    /// let mut scratch = Scratch::default();
    /// let verdicts = set.judge(event, &Scope::default(), &mut scratch)?;
    /// assert_eq!(verdicts.iter().map(|verdict| verdict.fired).collect::<Vec<_>>(), [Fired::Match]);
    /// # Ok::<(), trailwire_engine::event::InvalidEvent>(())
    /// ```
    #[must_use]
    pub fn new(triggers: Vec<impl Into<Arc<Trigger>>>) -> (Self, Vec<Refused>) {
        let mut build = Build::new();
        let (oracle, refused) = TriggerSet::looked_at(triggers, |trigger| build.add(trigger));
        (build.set(oracle), refused)
    }

    /// Compiles a set of triggers.
    #[must_use]
    pub fn of(mut oracle: TriggerSet) -> Self {
        let mut build = Build::new();
        oracle.triggers.iter_mut().for_each(|trigger| build.add(trigger));
        build.set(oracle)
    }

    /// The triggers of the set, in the order given.
    #[must_use]
    pub fn triggers(&self) -> &[CompiledTrigger] {
        self.oracle.triggers()
    }

    /// The oracle of the same triggers.
    #[must_use]
    pub fn oracle(&self) -> &TriggerSet {
        &self.oracle
    }

    /// The verdicts on one event: of all triggers that match or err, in the order of the set. All others do not match.
    ///
    /// The structure of the event is checked whole; members passed and values read are checked by the grammar. Values that
    /// nobody reads are skipped: where one of them is faulty the event is judged as if it were null, or refused.
    ///
    /// # Errors
    /// [`InvalidEvent`] where the bytes are no event.
    pub fn judge<'s>(&self, event: &[u8], scope: &Scope, scratch: &'s mut Scratch) -> Result<&'s [Verdict], InvalidEvent> {
        self.judge_with(Check::Structure, event, scope, scratch)
    }

    /// As [`CompiledSet::judge`], but refuses every text that is not JSON, as reading it whole would.
    ///
    /// # Errors
    /// [`InvalidEvent`] where the bytes are not JSON, or no event.
    pub fn judge_checked<'s>(&self, event: &[u8], scope: &Scope, scratch: &'s mut Scratch) -> Result<&'s [Verdict], InvalidEvent> {
        self.judge_with(Check::Grammar, event, scope, scratch)
    }
}

fn fired(outcome: &Outcome) -> Option<Fired> {
    match outcome {
        Outcome::Match => Some(Fired::Match),
        Outcome::NoMatch(_) => None,
        Outcome::Error(_) => Some(Fired::Error),
    }
}

#[cfg(test)]
mod tests;
