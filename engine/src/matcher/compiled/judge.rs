//! One event judged by a set: its structure, its name, the rules that are the same for all triggers, the triggers that may match,
//! and each of these.

use std::collections::BTreeSet;

use super::atom::{Failure, Truth};
use super::extract::{Extract, Faulty, Raw, Source};
use super::fields::FieldId;
use super::group::{Candidates, Group};
use super::program::{Context, Memo};
use super::scan::{self, Form, Tape};
use super::{CompiledSet, Fired, NO_CODE, Scratch, Verdict, fired, grammar, quick};
use crate::event::{DETAIL_TYPE_SUFFIX, Event, InvalidEvent, SOURCE_PREFIX};
use crate::matcher::{CompiledTrigger, Scope, rules};
use crate::value::Value;

/// How much of an event is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
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

/// What is known of the event that is being judged.
#[derive(Debug, Default)]
pub(super) struct Judging {
    extract: Extract,
    memo: Memo,
    candidates: Candidates,
    /// The event as the oracle sees it, if it had to be asked.
    whole: Option<Event>,
}

/// What the rules before the match say about an event, for the triggers of a set.
struct Gate {
    source: Option<u32>,
    is_left_out_by_enabled_rule: bool,
    is_own: bool,
}

impl CompiledSet {
    pub(super) fn judge_with<'s>(
        &self,
        check: Check,
        event: &[u8],
        scope: &Scope,
        scratch: &'s mut Scratch,
    ) -> Result<&'s [Verdict], InvalidEvent> {
        scan::prefetch(event);
        let Scratch { tape, stripped, judging, verdicts } = scratch;
        verdicts.clear();
        judging.whole = None;
        let mut event = trimmed(event);
        let mut form = Form::Other;
        if event.len() <= scan::LONGEST {
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
        if check == Check::Grammar && !(tape.flatten(event) && grammar::is_json(event, tape)) {
            return Err(Faulty);
        }
        if self.any_event.is_none() && quick::names_nobody(event, tape, &self.by_name) {
            return Ok(Judged::Done);
        }
        if let Some(group) = quick::likely_name(event, tape).and_then(|name| self.group(name)) {
            self.table.prefetch(group);
        }
        if check == Check::Structure && !tape.flatten(event) {
            return Err(Faulty);
        }
        judging.begin(self);
        let source = Source { event, tape, fields: &self.fields };
        let known = &self.known;
        if !judging.extract.is_object(source, known.detail)? {
            return Ok(Judged::Odd);
        }
        let name = judging.extract.get(source, known.event_name)?;
        let named = if let Raw::Text(name) = name { self.group(name) } else { None };
        if named.is_none() && self.any_event.is_none() {
            return Ok(Judged::Done);
        }
        let Some(gate) = self.gate(source, scope, judging)? else { return Ok(Judged::Done) };
        for group in named.into_iter().chain(&self.any_event) {
            self.table.find(group, source, &mut judging.extract, &mut judging.candidates)?;
        }
        judging.candidates.held.iter().for_each(|atom| judging.memo.put(*atom, Ok(Truth::of(true))));
        let found = std::mem::take(&mut judging.candidates.found);
        let code = || found.iter().filter_map(|trigger| self.programs.get(*trigger as usize)).map(|program| program.code);
        code().for_each(|place| self.code.prefetch(place));
        let looked = found.iter().try_for_each(|trigger| self.look_at(*trigger, source, &gate, judging, verdicts));
        judging.candidates.found = found;
        looked.map(|()| Judged::Done)
    }

    /// The triggers of an event name.
    #[inline]
    fn group(&self, name: &[u8]) -> Option<&Group> {
        self.groups.get(self.by_name.get(name)? as usize)
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
            Raw::Text(text) if !self.sources.is_empty() => self.sources.get(text),
            _ => None,
        };
        let is_read_only = self.leaves_out && extract.get(source, known.read_only)? == Raw::Bool(true);
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

    /// Judges by one trigger.
    fn look_at(
        &self,
        trigger: u32,
        source: Source<'_>,
        gate: &Gate,
        judging: &mut Judging,
        verdicts: &mut Vec<Verdict>,
    ) -> Result<(), Faulty> {
        let Some(program) = self.programs.get(trigger as usize) else { return Ok(()) };
        if gate.is_left_out_by_enabled_rule && !program.include_read_only
            || gate.is_own && !program.include_self
            || program.narrow && !self.is_in_place(trigger, source, gate, judging)?
        {
            return Ok(());
        }
        let evaluated = if program.code == NO_CODE {
            Ok(true)
        } else if source.event.len() as u64 > self.safe_length && self.is_too_long(trigger, source) {
            Err(Failure::Heavy)
        } else {
            let Judging { extract, memo, .. } = judging;
            Context { source, extract, memo, atoms: &self.atoms }.run(&self.code, program.code)
        };
        let fired = match evaluated {
            Ok(verdict) => verdict.then_some(Fired::Match),
            Err(Failure::Error) => Some(Fired::Error),
            Err(Failure::Faulty) => return Err(Faulty),
            Err(Failure::Heavy) => self.ask_oracle(trigger, source, judging)?,
        };
        verdicts.extend(fired.map(|fired| Verdict { trigger, fired }));
        Ok(())
    }

    /// Whether the event is beyond the trigger's safe length.
    #[cold]
    fn is_too_long(&self, trigger: u32, source: Source<'_>) -> bool {
        self.narrow.get(trigger as usize).is_none_or(|narrow| source.event.len() as u64 > narrow.safe_length)
    }

    /// Whether event source, region and account are among the trigger's own.
    fn is_in_place(&self, trigger: u32, source: Source<'_>, gate: &Gate, judging: &mut Judging) -> Result<bool, Faulty> {
        let Some(narrow) = self.narrow.get(trigger as usize) else { return Ok(false) };
        if !narrow.sources.is_empty() && gate.source.is_none_or(|source| !narrow.sources.contains(&source)) {
            return Ok(false);
        }
        if !narrow.places {
            return Ok(true);
        }
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
    pub(super) fn judge_whole(&self, event: &[u8], scope: &Scope, verdicts: &mut Vec<Verdict>) -> Result<(), InvalidEvent> {
        let value: Value = serde_json::from_slice(event).map_err(|error| InvalidEvent::NotJson(error.to_string()))?;
        let event = Event::from_value(value)?;
        for (trigger, outcome) in self.oracle.outcomes(&event, scope) {
            verdicts.extend(fired(&outcome).map(|fired| Verdict { trigger: u32::try_from(trigger).unwrap_or(u32::MAX), fired }));
        }
        Ok(())
    }
}

impl Judging {
    fn begin(&mut self, set: &CompiledSet) {
        self.candidates.begin(set.programs.len());
        self.extract.begin(&set.fields);
        self.memo.begin(set.atoms.atoms.len());
    }
}

/// Without JSON's white space at both ends.
fn trimmed(mut event: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] | [rest @ .., b' ' | b'\t' | b'\n' | b'\r'] = event {
        event = rest;
    }
    event
}

fn text(raw: Raw<'_>) -> Result<Option<&str>, Faulty> {
    match raw {
        Raw::Text(text) => std::str::from_utf8(text).map(Some).map_err(|_| Faulty),
        _ => Ok(None),
    }
}
