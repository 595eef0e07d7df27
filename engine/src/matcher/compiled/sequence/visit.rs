//! The elements of an array, visited where they stand.

use super::super::extract::{Raw, Source, raw};
use super::super::scan::Token;
use super::{Condition, Stretch, Unsure, Values};
use crate::matcher::compiled::atom::Test;

/// Whether to go on to the next element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    GoOn,
    Stop,
}

/// What is done with an element.
type Each<'f> = dyn FnMut(Stretch) -> Result<Next, Unsure> + 'f;

/// An event and the array in it that is visited.
#[derive(Clone, Copy)]
pub(super) struct Visit<'e> {
    pub(super) source: Source<'e>,
    pub(super) array: Stretch,
}

impl<'e> Visit<'e> {
    /// Whether the array is one. Where there are escapes in it, or perhaps, somebody else has to look.
    pub(super) fn is_array(self) -> Result<bool, Unsure> {
        let (first_escape, last_escape) = self.source.tape.escapes();
        if self.array.end > first_escape && self.array.start < last_escape {
            return Err(Unsure);
        }
        Ok(self.raw(self.array)?.is_container() && self.begins_with(self.array, b'['))
    }

    /// Hands on one element after the other.
    pub(super) fn values(self, values: &Values, each: &mut Each<'_>) -> Result<Next, Unsure> {
        match values {
            Values::Elements => self.elements(self.array, each),
            Values::Flat(inner) => {
                self.values(inner, &mut |value| if self.begins_with(value, b'[') { self.elements(value, each) } else { each(value) })
            }
            Values::Each(inner, condition, path) => self.values(inner, &mut |value| {
                if let Some(condition) = condition
                    && !self.holds(condition, value)?
                {
                    return Ok(Next::GoOn);
                }
                match self.at(path, value)? {
                    Some(value) if self.raw(value)? != Raw::Null => each(value),
                    _ => Ok(Next::GoOn),
                }
            }),
        }
    }

    /// Whether an element fulfils a condition.
    fn holds(self, condition: &Condition, value: Stretch) -> Result<bool, Unsure> {
        match condition {
            Condition::Test(path, test) => self.fulfils(test, self.at(path, value)?),
            Condition::Not(inner) => self.holds(inner, value).map(|holds| !holds),
            Condition::All(all) => self.first(all, value, false),
            Condition::Any(any) => self.first(any, value, true),
        }
    }

    /// Whether any of some conditions is what is wanted: then it is, else it is not.
    fn first(self, conditions: &[Condition], value: Stretch, wanted: bool) -> Result<bool, Unsure> {
        for condition in conditions {
            if self.holds(condition, value)? == wanted {
                return Ok(wanted);
            }
        }
        Ok(!wanted)
    }

    /// Whether a value, or its absence, fulfils a test.
    pub(super) fn fulfils(self, test: &Test, value: Option<Stretch>) -> Result<bool, Unsure> {
        let raw = value.map_or(Ok(Raw::Null), |value| self.raw(value))?;
        test.run(raw).map(|truth| truth.inside).map_err(|_| Unsure)
    }

    /// What stands there.
    fn raw(self, Stretch { start, end, .. }: Stretch) -> Result<Raw<'e>, Unsure> {
        Ok(raw(self.source.event.get(start as usize..end as usize).ok_or(Unsure)?)?)
    }

    fn begins_with(self, value: Stretch, byte: u8) -> bool {
        self.source.event.get(value.start as usize) == Some(&byte)
    }

    /// The member at a path, if there is one.
    fn at(self, path: &[String], mut value: Stretch) -> Result<Option<Stretch>, Unsure> {
        for name in path {
            match self.member(value, name)? {
                Some(member) => value = member,
                None => return Ok(None),
            }
        }
        Ok(Some(value))
    }

    /// The last member of a name, if the value is an object and has one.
    fn member(self, object: Stretch, name: &str) -> Result<Option<Stretch>, Unsure> {
        if !self.begins_with(object, b'{') {
            return Ok(None);
        }
        let mut found = None;
        let mut parts = Parts::of(self.source, object)?;
        while let Some((before, colon)) = parts.name()? {
            let value = parts.value(colon.position)?;
            let written = self.source.event.get(before as usize..colon.position as usize);
            let Some([b'"', written @ .., b'"']) = written else { return Err(Unsure) };
            if written == name.as_bytes() {
                found = Some(value);
            }
        }
        Ok(found)
    }

    /// Hands on the elements of an array.
    fn elements(self, array: Stretch, each: &mut Each<'_>) -> Result<Next, Unsure> {
        let mut parts = Parts::of(self.source, array)?;
        while let Some(before) = parts.before() {
            let value = parts.value(before)?;
            if each(value)? == Next::Stop {
                return Ok(Next::Stop);
            }
        }
        Ok(Next::GoOn)
    }
}

/// What is between two brackets and was not looked at yet.
struct Parts<'e> {
    source: Source<'e>,
    /// Where the opening bracket or the comma before it stands.
    position: u32,
    /// The number of the structural character behind that.
    token: u32,
    /// That of the closing bracket; less than `token` where nothing is left.
    closing: u32,
}

impl<'e> Parts<'e> {
    /// Of an array or object.
    fn of(source: Source<'e>, of: Stretch) -> Result<Self, Unsure> {
        let opening = source.tape.tokens().get(of.token as usize);
        let opening = opening.filter(|token| token.position == of.start && token.skip != 0).ok_or(Unsure)?;
        let (token, closing) = (of.token + 1, of.token + opening.skip - 1);
        let is_empty = of.end - of.start == 2;
        Ok(Self { source, position: of.start, token: if is_empty { closing + 1 } else { token }, closing })
    }

    fn structural(&self, number: u32) -> Result<Token, Unsure> {
        self.source.tape.tokens().get(number as usize).copied().ok_or(Unsure)
    }

    /// Where the character before the next element stands, if there is one.
    fn before(&self) -> Option<u32> {
        (self.token <= self.closing).then_some(self.position)
    }

    /// Where the next member's name begins, and the colon behind it, which is passed.
    fn name(&mut self) -> Result<Option<(u32, Token)>, Unsure> {
        let Some(before) = self.before() else { return Ok(None) };
        let colon = self.structural(self.token)?;
        if self.source.event.get(colon.position as usize) != Some(&b':') {
            return Err(Unsure);
        }
        self.token += 1;
        Ok(Some((before + 1, colon)))
    }

    /// The value that begins behind the character at `before`, which is the one before `token`. It and the comma or closing bracket
    /// behind it are passed.
    fn value(&mut self, before: u32) -> Result<Stretch, Unsure> {
        let (start, token) = (before + 1, self.token);
        let first = self.structural(token)?;
        // Of anything but a bracket that opens it is 0, and then the value has no structural characters.
        let behind = token + first.skip;
        let end = self.structural(behind)?;
        let is_closed = first.skip == 0 || first.position == start && self.structural(behind - 1)?.position + 1 == end.position;
        let is_followed = match self.source.event.get(end.position as usize) {
            Some(b',') => behind < self.closing,
            Some(b']' | b'}') => behind == self.closing,
            _ => false,
        };
        if !is_closed || !is_followed {
            return Err(Unsure);
        }
        (self.position, self.token) = (end.position, behind + 1);
        Ok(Stretch { start, end: end.position, token })
    }
}
