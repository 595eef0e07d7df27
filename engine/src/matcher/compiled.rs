//! Many triggers judged together, straight from an event's bytes.
//!
//! [`CompiledSet`] gives the outcome that [`TriggerSet`](super::TriggerSet), the oracle, gives, and does not make a value of the
//! event for it:
//!
//! 1. `scan` finds the event's structure and checks it whole.
//! 2. `extract` takes out the fields that somebody reads, each object walked once and only when it is needed.
//! 3. `plan` tells from the event's name and a few look-ups which triggers can match at all.
//! 4. `program` evaluates those, on predicates (`atom`) that `lower` made of the expressions; equal predicates of different
//!    triggers are one. A sub-expression that has no predicate of its own goes to the oracle, with the fields that it reads.
//!
//! Whatever looks odd on the way (bytes that are not JSON where they are read, a bare record, a very long event) is judged by
//! the oracle from the start, so that there is one truth about it.
//!
//! A set never changes. Whoever has new triggers makes a new set beside the old one and swaps the pointer
//! (`Arc<CompiledSet>`); the [`Scratch`] goes on with either.

mod atom;
mod extract;
mod grammar;
mod hash;
mod lower;
mod plan;
mod program;
mod quick;
mod reads;
mod received;
mod scan;

use std::collections::BTreeSet;

use super::rules;
use super::{CompiledTrigger, Outcome, Refused, Scope, TriggerSet};
use crate::event::{DETAIL_TYPE_SUFFIX, Event, InvalidEvent, SOURCE_PREFIX};
use crate::trigger::Trigger;
use crate::value::Value;
use atom::Failure;
use extract::{Extract, Faulty, FieldId, Fields, ROOT, Raw, Source};
use hash::Names;
use lower::{Atoms, Node};
use plan::{Filing, Group, Table, Way};
use program::{Context, Memo};
use scan::{Form, Tape};

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

/// What is known of the event that is being judged.
#[derive(Debug, Default)]
struct Judging {
    extract: Extract,
    memo: Memo,
    /// The event for which each trigger was looked at last.
    seen: Vec<u32>,
    now: u32,
    /// The event as the oracle sees it, if it had to be asked.
    whole: Option<Event>,
}

/// Triggers made ready to judge events from their bytes. Immutable, `Send` and `Sync`.
#[derive(Debug)]
pub struct CompiledSet {
    oracle: TriggerSet,
    programs: Vec<Program>,
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

/// A trigger after compilation.
#[derive(Debug)]
struct Program {
    /// `None` matches every event that comes so far.
    node: Option<Node>,
    safe_length: u64,
    /// Empty: any.
    sources: Box<[u32]>,
    include_read_only: bool,
    include_self: bool,
    /// Whether the trigger narrows regions or accounts.
    narrow: bool,
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

impl KnownFields {
    fn of(fields: &mut Fields) -> Self {
        let mut field = |path: &[&str]| fields.intern(&path.iter().map(ToString::to_string).collect::<Vec<_>>());
        Self {
            detail: field(&["detail"]),
            source: field(&["source"]),
            detail_type: field(&["detail-type"]),
            account: field(&["account"]),
            region: field(&["region"]),
            event_name: field(&["detail", "eventName"]),
            event_source: field(&["detail", "eventSource"]),
            read_only: field(&["detail", "readOnly"]),
            arn: field(&["detail", "userIdentity", "arn"]),
            issuer: field(&["detail", "userIdentity", "sessionContext", "sessionIssuer", "arn"]),
        }
    }
}

/// What the rules before the match say about an event, for the triggers of a set.
struct Gate {
    source: Option<u32>,
    is_left_out_by_enabled_rule: bool,
    is_own: bool,
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
    pub fn new(triggers: Vec<Trigger>) -> (Self, Vec<Refused>) {
        let (oracle, refused) = TriggerSet::new(triggers);
        (Self::of(oracle), refused)
    }

    /// Compiles a set of triggers.
    #[must_use]
    pub fn of(oracle: TriggerSet) -> Self {
        let mut fields = Fields::new();
        let known = KnownFields::of(&mut fields);
        let mut atoms = Atoms::default();
        let mut sources = Names::default();
        let mut programs: Vec<Program> = Vec::with_capacity(oracle.triggers().len());
        for compiled in oracle.triggers() {
            let trigger = compiled.trigger();
            programs.push(Program {
                node: compiled.expression().map(|expr| lower::lower(expr, &mut atoms, &mut fields)),
                safe_length: compiled.expression().map_or(u64::MAX, lower::safe_length),
                sources: trigger.event_sources.iter().map(|source| sources.intern(source.as_bytes())).collect(),
                include_read_only: trigger.include_read_only,
                include_self: trigger.include_self,
                narrow: !(trigger.regions.is_empty() && trigger.exclude_regions.is_empty() && trigger.account_ids.is_empty()),
            });
        }
        let spread = plan::Spread::of(&atoms);
        let accesses: Vec<Option<plan::Access>> =
            programs.iter().map(|program| plan::access(program.node.as_ref()?, &atoms, &spread)).collect();
        for program in &mut programs {
            program.node = program.node.take().map(|node| program::reorder(node, &atoms, |node| spread.cost(node, &atoms)));
        }
        let mut filing = Filing::default();
        let member = |index: u32| {
            let safe_length = programs.get(index as usize).map_or(0, |program| program.safe_length);
            (index, accesses.get(index as usize).and_then(Option::as_ref), safe_length)
        };
        let (named, any) = by_name(&oracle);
        let mut by_name = Names::default();
        let mut groups = Vec::new();
        for (name, members) in named {
            by_name.intern(name.as_bytes());
            groups.push(filing.group(members.into_iter().map(member)));
        }
        let any_event = (!any.is_empty()).then(|| filing.group(any.into_iter().map(member)));
        Self { table: filing.table(), oracle, programs, atoms, fields, known, sources, by_name, groups, any_event }
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

    fn judge_with<'s>(&self, check: Check, event: &[u8], scope: &Scope, scratch: &'s mut Scratch) -> Result<&'s [Verdict], InvalidEvent> {
        scan::prefetch(event);
        let Scratch { tape, stripped, judging, verdicts } = scratch;
        verdicts.clear();
        judging.whole = None;
        let mut event = trimmed(event);
        let mut form = Form::Other;
        if u32::try_from(event.len()).is_ok() {
            form = tape.scan(event);
            if form == Form::Other {
                scan::strip(event, stripped);
                if stripped.len() < event.len() {
                    event = stripped;
                    form = tape.scan(event);
                }
            }
        }
        if form == Form::Compact {
            let judged = self.judge_compact(check, event, tape, scope, judging, verdicts);
            if judged == Ok(Judged::Done) {
                verdicts.sort_unstable_by_key(|verdict| verdict.trigger);
                return Ok(verdicts);
            }
            verdicts.clear();
        }
        self.judge_whole(event, scope, verdicts)?;
        Ok(verdicts)
    }

    fn judge_compact(
        &self,
        check: Check,
        event: &[u8],
        tape: &mut Tape,
        scope: &Scope,
        judging: &mut Judging,
        verdicts: &mut Vec<Verdict>,
    ) -> Result<Judged, Faulty> {
        if check == Check::Grammar {
            tape.flatten(event);
            if !grammar::is_json(event, tape) {
                return Err(Faulty);
            }
        }
        if self.any_event.is_none() && quick::names_nobody(event, tape, &self.by_name) {
            return Ok(Judged::Done);
        }
        if check == Check::Structure {
            tape.flatten(event);
        }
        judging.begin(self, event.len());
        let source = Source { event, tape, fields: &self.fields };
        let known = &self.known;
        if !judging.extract.is_object(source, known.detail)? {
            return Ok(Judged::Odd);
        }
        let name = judging.extract.get(source, known.event_name)?;
        let named =
            if let Raw::Text(name) = name { self.by_name.get(name).and_then(|group| self.groups.get(group as usize)) } else { None };
        if named.is_none() && self.any_event.is_none() {
            return Ok(Judged::Done);
        }
        let Some(gate) = self.gate(source, scope, judging)? else { return Ok(Judged::Done) };
        for group in named.into_iter().chain(&self.any_event) {
            self.judge_group(group, source, &gate, judging, verdicts)?;
        }
        Ok(Judged::Done)
    }

    /// What the rules say that are the same for all triggers; `None` where they say no.
    fn gate(&self, source: Source<'_>, scope: &Scope, judging: &mut Judging) -> Result<Option<Gate>, Faulty> {
        let known = &self.known;
        let extract = &mut judging.extract;
        let mut text_is = |field: FieldId, holds: &dyn Fn(&[u8]) -> bool| -> Result<bool, Faulty> {
            Ok(matches!(extract.get(source, field)?, Raw::Text(text) if holds(text)))
        };
        let fits = |of: &Option<BTreeSet<String>>, value: &[u8]| {
            of.as_ref().is_none_or(|set| std::str::from_utf8(value).is_ok_and(|value| set.contains(value)))
        };
        let passes = text_is(known.source, &|source| source.starts_with(SOURCE_PREFIX.as_bytes()))?
            && text_is(known.detail_type, &|detail_type| detail_type.ends_with(DETAIL_TYPE_SUFFIX.as_bytes()))?
            && text_is(known.account, &|account| fits(&scope.accounts, account))?
            && text_is(known.region, &|region| fits(&scope.regions, region))?;
        if !passes {
            return Ok(None);
        }
        let number = match extract.get(source, known.event_source)? {
            Raw::Text(text) => self.sources.get(text),
            _ => None,
        };
        let is_read_only = extract.get(source, known.read_only)? == Raw::Bool(true);
        let is_left_out_by_enabled_rule = is_read_only && {
            let (name, source) = extract.pair(source, known.event_name, known.event_source)?;
            text(name)?.zip(Some(text(source)?)).is_some_and(|(name, source)| rules::is_read_only_name(name, source))
        };
        let is_own = !scope.own_role_arns.is_empty() && {
            extract.get(source, known.issuer)?;
            let (arn, issuer) = extract.pair(source, known.arn, known.issuer)?;
            rules::is_of_role(text(arn)?, text(issuer)?, &scope.own_role_arns)
        };
        Ok(Some(Gate { source: number, is_left_out_by_enabled_rule, is_own }))
    }

    fn judge_group(
        &self,
        group: &Group,
        source: Source<'_>,
        gate: &Gate,
        judging: &mut Judging,
        verdicts: &mut Vec<Verdict>,
    ) -> Result<(), Faulty> {
        let mut look = |judging: &mut Judging, triggers: &[u32]| -> Result<(), Faulty> {
            triggers.iter().try_for_each(|trigger| self.look_at(*trigger, source, gate, judging, verdicts))
        };
        if source.event.len() as u64 > group.safe_length {
            return look(judging, &group.all);
        }
        look(judging, &group.always)?;
        for (field, triggers) in &group.guards {
            if !matches!(judging.extract.get(source, *field)?, Raw::Text(_)) {
                look(judging, triggers)?;
            }
        }
        let mut equal = (ROOT, 0);
        let mut address = (ROOT, None);
        for probe in &group.probes {
            let text = match judging.extract.get(source, probe.field)? {
                Raw::Null => continue,
                Raw::Text(text) => text,
                _ if probe.way == Way::Present => b"",
                _ => continue,
            };
            let length = probe.length as usize;
            let hashed = match probe.way {
                Way::Present => hash::hash(b""),
                Way::Equal if equal.0 == probe.field => equal.1,
                Way::Equal => {
                    equal = (probe.field, hash::hash(text));
                    equal.1
                }
                Way::Network => {
                    if address.0 != probe.field {
                        address = (probe.field, atom::address(text));
                    }
                    let Some(hashed) = address.1.and_then(|address| plan::network_hash(address, probe.length)) else { continue };
                    hashed
                }
                Way::Prefix => {
                    let Some(prefix) = text.get(..length) else { continue };
                    hash::hash(prefix)
                }
                _ => {
                    let Some(suffix) = text.len().checked_sub(length).and_then(|start| text.get(start..)) else { continue };
                    hash::hash(suffix)
                }
            };
            look(judging, self.table.find(probe, hashed))?;
        }
        for needles in &group.needles {
            let mut found = Vec::new();
            if let Raw::Text(text) = judging.extract.get(source, needles.field)? {
                needles.find(text, |triggers| found.extend_from_slice(triggers));
            }
            look(judging, &found)?;
        }
        Ok(())
    }

    /// Judges by one trigger, once.
    fn look_at(
        &self,
        trigger: u32,
        source: Source<'_>,
        gate: &Gate,
        judging: &mut Judging,
        verdicts: &mut Vec<Verdict>,
    ) -> Result<(), Faulty> {
        let Some(seen) = judging.seen.get_mut(trigger as usize) else { return Ok(()) };
        if std::mem::replace(seen, judging.now) == judging.now {
            return Ok(());
        }
        let Some(program) = self.programs.get(trigger as usize) else { return Ok(()) };
        if !program.sources.is_empty() && gate.source.is_none_or(|source| !program.sources.contains(&source))
            || gate.is_left_out_by_enabled_rule && !program.include_read_only
            || gate.is_own && !program.include_self
            || program.narrow && !self.is_in_place(trigger, source, judging)?
        {
            return Ok(());
        }
        let evaluated = match &program.node {
            None => Ok(atom::Truth::TRUE),
            Some(_) if source.event.len() as u64 > program.safe_length => Err(Failure::Heavy),
            Some(node) => {
                let Judging { extract, memo, .. } = judging;
                Context { source, extract, memo, atoms: &self.atoms }.run(node)
            }
        };
        let fired = match evaluated {
            Ok(truth) => truth.verdict.then_some(Fired::Match),
            Err(Failure::Error) => Some(Fired::Error),
            Err(Failure::Faulty) => return Err(Faulty),
            Err(Failure::Heavy) => self.ask_oracle(trigger, source, judging)?,
        };
        verdicts.extend(fired.map(|fired| Verdict { trigger, fired }));
        Ok(())
    }

    /// Whether region and account are among the trigger's own.
    fn is_in_place(&self, trigger: u32, source: Source<'_>, judging: &mut Judging) -> Result<bool, Faulty> {
        let Some(trigger) = self.oracle.triggers().get(trigger as usize).map(CompiledTrigger::trigger) else { return Ok(false) };
        let (region, account) = judging.extract.pair(source, self.known.region, self.known.account)?;
        let (Some(region), Some(account)) = (text(region)?, text(account)?) else { return Ok(false) };
        Ok(rules::region_is_wanted(trigger, region) && rules::account_is_wanted(trigger, account))
    }

    /// The outcome of the expression alone, by the oracle; the rules before it have been asked.
    fn ask_oracle(&self, trigger: u32, source: Source<'_>, judging: &mut Judging) -> Result<Option<Fired>, Faulty> {
        if judging.whole.is_none() {
            let value: Value = serde_json::from_slice(source.event).map_err(|_| Faulty)?;
            judging.whole = Some(Event::from_value(value).map_err(|_| Faulty)?);
        }
        let (Some(event), Some(compiled)) = (&judging.whole, self.oracle.triggers().get(trigger as usize)) else { return Ok(None) };
        Ok(fired(&compiled.judge_expression(event)))
    }

    /// Judges all by the oracle.
    fn judge_whole(&self, event: &[u8], scope: &Scope, verdicts: &mut Vec<Verdict>) -> Result<(), InvalidEvent> {
        let value: Value = serde_json::from_slice(event).map_err(|error| InvalidEvent::NotJson(error.to_string()))?;
        let event = Event::from_value(value)?;
        for (trigger, outcome) in self.oracle.outcomes(&event, scope) {
            verdicts.extend(fired(&outcome).map(|fired| Verdict { trigger: u32::try_from(trigger).unwrap_or(u32::MAX), fired }));
        }
        Ok(())
    }
}

/// How much of an event is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    Structure,
    Grammar,
}

/// How far an event came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judged {
    Done,
    /// It is no envelope: the oracle knows what else it may be.
    Odd,
}

impl Judging {
    fn begin(&mut self, set: &CompiledSet, length: usize) {
        self.now = self.now.wrapping_add(1);
        if self.now == 0 {
            self.seen.clear();
            self.now = 1;
        }
        if self.seen.len() < set.programs.len() {
            self.seen.resize(set.programs.len(), 0);
        }
        self.extract.begin(&set.fields, length);
        self.memo.begin(set.atoms.atoms.len());
    }
}

/// The numbers of the enabled triggers by event name, and of those for every event.
fn by_name(oracle: &TriggerSet) -> (std::collections::BTreeMap<String, BTreeSet<u32>>, Vec<u32>) {
    let mut named: std::collections::BTreeMap<String, BTreeSet<u32>> = std::collections::BTreeMap::new();
    let mut any = Vec::new();
    for (index, compiled) in (0_u32..).zip(oracle.triggers()) {
        let trigger = compiled.trigger();
        if !trigger.enabled {
            continue;
        }
        if trigger.any_event {
            any.push(index);
            continue;
        }
        for name in &trigger.event_names {
            named.entry(name.clone()).or_default().insert(index);
        }
    }
    (named, any)
}

/// Without JSON's white space at both ends.
fn trimmed(mut event: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] | [rest @ .., b' ' | b'\t' | b'\n' | b'\r'] = event {
        event = rest;
    }
    event
}

fn fired(outcome: &Outcome) -> Option<Fired> {
    match outcome {
        Outcome::Match => Some(Fired::Match),
        Outcome::NoMatch(_) => None,
        Outcome::Error(_) => Some(Fired::Error),
    }
}

fn text(raw: Raw<'_>) -> Result<Option<&str>, Faulty> {
    match raw {
        Raw::Text(text) => std::str::from_utf8(text).map(Some).map_err(|_| Faulty),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests;
