//! Expressions as straight code: one operation a predicate, each with the places to go on at if it is true and if it is not.
//!
//! `!`, `&&` and `||` are only such places, so there is no tree to climb; all programs lie one behind the other, and the usual
//! predicate, a field compared with a text, is decided without a look at anything else.

use super::atom::{Atom, Evaluated, Failure, Test, Truth};
use super::extract::{Extract, Raw, Source};
use super::fields::{FieldId, NOWHERE};
use super::lower::{AtomId, Atoms, Errs, Node};
use crate::value::Value;

/// A place in the code, or one of the ends below.
pub(super) type Place = u32;

/// The verdict is that of the predicate that was evaluated last.
const VERDICT: Place = u32::MAX;
const TRUE: Place = u32::MAX - 1;
const FALSE: Place = u32::MAX - 2;
const FAILS: Place = u32::MAX - 3;

/// All programs of a set.
#[derive(Debug, Default)]
pub(super) struct Code {
    operations: Vec<Operation>,
}

#[derive(Debug, Clone, Copy)]
struct Operation {
    /// Of a text that the field, or a part of it, is compared with: its first and its last eight bytes, or twice all of it, and its length.
    head: u64,
    tail: u64,
    length: u32,
    field: FieldId,
    atom: AtomId,
    yes: Place,
    no: Place,
    kind: Kind,
    /// What it gives where the field is missing, which is frequent; unless the field is [`NOWHERE`].
    of_nothing: Evaluated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Any,
    /// Its outcome is remembered.
    Costly,
    EqualText,
    OtherText,
    StartsWith,
    EndsWith,
}

impl Code {
    /// Appends a program; tells where it begins.
    pub(super) fn add(&mut self, node: &Node, atoms: &Atoms) -> Place {
        let start = self.operations.len();
        // Made from its end, because each operation needs the places behind it; then turned round.
        let mut backwards = Vec::new();
        let entry = emit(node, VERDICT, VERDICT, atoms, &mut backwards);
        let count = backwards.len();
        let turned = |place: Place| match count.checked_sub(1 + place as usize) {
            Some(distance) => u32::try_from(start + distance).unwrap_or(FAILS),
            None => place,
        };
        self.operations.extend(backwards.into_iter().rev().map(|operation| Operation {
            yes: turned(operation.yes),
            no: turned(operation.no),
            ..operation
        }));
        turned(entry)
    }

    /// Asks for the memory of a program's first operations.
    #[inline]
    pub(super) fn prefetch(&self, place: Place) {
        let place = place as usize;
        super::scan::prefetch(self.operations.get(place..place.saturating_add(2)).unwrap_or_default());
    }
}

/// The operations of a node, last ones first; tells the place at which it begins.
fn emit(node: &Node, yes: Place, no: Place, atoms: &Atoms, into: &mut Vec<Operation>) -> Place {
    let constant = |truth: bool| if truth { TRUE } else { FALSE };
    match node {
        Node::Always(truth) => match if truth.inside { yes } else { no } {
            VERDICT => constant(truth.verdict),
            place => place,
        },
        Node::Fails => FAILS,
        Node::Atom(id) => {
            into.push(Operation::new(*id, yes, no, atoms));
            u32::try_from(into.len() - 1).unwrap_or(FAILS)
        }
        Node::Not(inner) => {
            // Its value is a boolean, whatever that of the inner one is.
            let boolean = |place: Place, truth: bool| if place == VERDICT { constant(truth) } else { place };
            emit(inner, boolean(no, false), boolean(yes, true), atoms, into)
        }
        Node::And(nodes) => join(nodes, yes, no, |node, next, into| emit(node, next, no, atoms, into), atoms, into),
        Node::Or(nodes) => join(nodes, yes, no, |node, next, into| emit(node, yes, next, atoms, into), atoms, into),
    }
}

/// Each but the last goes on to the next one.
fn join(
    nodes: &[Node],
    yes: Place,
    no: Place,
    each: impl Fn(&Node, Place, &mut Vec<Operation>) -> Place,
    atoms: &Atoms,
    into: &mut Vec<Operation>,
) -> Place {
    let Some((last, others)) = nodes.split_last() else { return FALSE };
    let end = emit(last, yes, no, atoms, into);
    others.iter().rev().fold(end, |next, node| each(node, next, into))
}

impl Operation {
    fn new(id: AtomId, yes: Place, no: Place, atoms: &Atoms) -> Self {
        let kind = if atoms.get(id).is_some_and(Atom::is_costly) { Kind::Costly } else { Kind::Any };
        let (field, kind, text) = match atoms.get(id) {
            Some(Atom::Test(field, test)) => {
                let kind = match test {
                    Test::Equal(true, Value::String(_)) => Kind::EqualText,
                    Test::Equal(false, Value::String(_)) => Kind::OtherText,
                    Test::StartsWith(_) => Kind::StartsWith,
                    Test::EndsWith(_) => Kind::EndsWith,
                    _ => kind,
                };
                (*field, kind, test.literal_text())
            }
            _ => (NOWHERE, kind, &[][..]),
        };
        let of_nothing = atoms.get(id).map_or(Err(Failure::Error), Atom::of_nothing);
        // Beyond 4 GiB no event has such a text.
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        Self { head: head(text), tail: tail(text), length, field, atom: id, yes, no, kind, of_nothing }
    }

    /// Whether a text is the operation's.
    #[inline(always)]
    fn has(&self, text: &[u8], atoms: &Atoms) -> bool {
        if text.len() != self.length as usize || tail(text) != self.tail || head(text) != self.head {
            return false;
        }
        // Of up to 16 bytes head and tail are all.
        text.len() <= 16 || matches!(atoms.get(self.atom), Some(Atom::Test(_, test)) if test.literal_text() == text)
    }
}

/// The first eight bytes of a text, or all of it.
#[inline(always)]
fn head(text: &[u8]) -> u64 {
    text.first_chunk::<8>().map_or_else(|| tail(text), |first| u64::from_le_bytes(*first))
}

/// The last eight bytes of a text, or all of it.
#[inline(always)]
fn tail(text: &[u8]) -> u64 {
    match text.last_chunk::<8>() {
        Some(last) => u64::from_le_bytes(*last),
        None => text.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

/// What the predicates gave for the current event, each stamped with it.
#[derive(Debug, Default)]
pub(super) struct Memo {
    results: Vec<(u32, Option<Evaluated>)>,
    now: u32,
}

impl Memo {
    /// Forgets the last event.
    pub(super) fn begin(&mut self, atoms: usize) {
        self.now = self.now.wrapping_add(1);
        if self.now == 0 {
            self.results.clear();
            self.now = 1;
        }
        if self.results.len() < atoms {
            self.results.resize(atoms, (0, None));
        }
    }
}

impl Memo {
    #[inline(always)]
    fn get(&self, id: AtomId) -> Option<Evaluated> {
        let (stamp, result) = self.results.get(id as usize)?;
        result.filter(|_| *stamp == self.now)
    }

    /// Remembers what a predicate gives for the current event.
    #[inline(always)]
    pub(super) fn put(&mut self, id: AtomId, result: Evaluated) {
        if let Some(place) = self.results.get_mut(id as usize) {
            *place = (self.now, Some(result));
        }
    }
}

/// What an evaluation needs besides the program.
pub(super) struct Context<'c> {
    pub(super) source: Source<'c>,
    pub(super) extract: &'c mut Extract,
    pub(super) memo: &'c mut Memo,
    pub(super) atoms: &'c Atoms,
}

impl Context<'_> {
    /// The verdict of a program, with the short circuit of the oracle.
    pub(super) fn run(&mut self, code: &Code, mut place: Place) -> Result<bool, Failure> {
        while let Some(operation) = code.operations.get(place as usize) {
            let is_missing = operation.field != NOWHERE && self.extract.is_missing(self.source, operation.field)?;
            let truth = match operation.kind {
                _ if is_missing => operation.of_nothing?,
                Kind::Any => self.atom(operation.atom)?,
                Kind::Costly => self.once(operation.atom)?,
                Kind::EqualText => Truth::of(self.is_text(operation)?),
                Kind::OtherText => Truth::of(!self.is_text(operation)?),
                Kind::StartsWith | Kind::EndsWith => match self.has_text(operation)? {
                    Some(truth) => Truth::of(truth),
                    None => self.atom(operation.atom)?,
                },
            };
            place = if truth.inside { operation.yes } else { operation.no };
            if place == VERDICT {
                return Ok(truth.verdict);
            }
        }
        match place {
            TRUE => Ok(true),
            FALSE => Ok(false),
            _ => Err(Failure::Error),
        }
    }

    /// Whether a field is the operation's text.
    #[inline(always)]
    fn is_text(&mut self, operation: &Operation) -> Result<bool, Failure> {
        let Raw::Text(text) = self.extract.get(self.source, operation.field)? else { return Ok(false) };
        Ok(operation.has(text, self.atoms))
    }

    /// Whether a field begins or ends with the operation's text; `None` where it is no string.
    #[inline(always)]
    fn has_text(&mut self, operation: &Operation) -> Result<Option<bool>, Failure> {
        let Raw::Text(text) = self.extract.get(self.source, operation.field)? else { return Ok(None) };
        let length = operation.length as usize;
        let part = if operation.kind == Kind::StartsWith { text.get(..length) } else { text.get(text.len().wrapping_sub(length)..) };
        Ok(Some(part.is_some_and(|part| operation.has(part, self.atoms))))
    }

    fn atom(&mut self, id: AtomId) -> Evaluated {
        self.atoms.get(id).map_or(Err(Failure::Error), |atom| atom.run(self.source, self.extract))
    }

    /// The same, evaluated once an event.
    #[inline]
    fn once(&mut self, id: AtomId) -> Evaluated {
        if let Some(result) = self.memo.get(id) {
            return result;
        }
        let result = self.atom(id);
        self.memo.put(id, result);
        result
    }
}

/// Puts the operands of the top-level `&&` into the order in which they are cheapest, where that cannot change an outcome: only
/// among neighbours that never err and have the same truth in both places. All others keep their places.
pub(super) fn reorder(node: Node, atoms: &Atoms, cost: impl Fn(&Node) -> u32) -> Node {
    let Node::And(nodes) = node else { return node };
    let mut nodes = nodes.into_vec();
    for run in nodes.chunk_by_mut(|a, b| is_movable(a, atoms) && is_movable(b, atoms)) {
        run.sort_by_key(&cost);
    }
    Node::And(nodes.into())
}

fn is_movable(node: &Node, atoms: &Atoms) -> bool {
    atoms.is_plain(node) && atoms.errs(node) == Errs::Never
}
