//! Which triggers need to be looked at for an event: those of its name, and of these only the ones of which one necessary
//! predicate holds.
//!
//! Each trigger is filed (`group`) under one operand of its top-level `&&` (the *access*): a text that a field must equal, begin with, end
//! with or contain, a network, at least its presence, or several such of which one must hold. Where the access fails the trigger does not match, provided that no
//! operand before it could have ended the evaluation otherwise: none whose truth differs by place (`[]` fires), none that errs.
//! An operand that errs only on what is no string is allowed before it: then the trigger is looked at, too, for each event in
//! which that field is no string (a *guard*).
//!
//! The access is the one with the fewest hits to expect: on the field for which the set's triggers ask for the most different
//! texts. A trigger without access is looked at for each event of its name.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use super::atom::{Atom, Test};
use super::fields::FieldId;
use super::hash::hash;
use super::lower::{AtomId, Atoms, Errs, Node};
use crate::expr::Network;
use crate::value::Value;

/// How a text must lie in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Way {
    Equal,
    Prefix,
    Suffix,
    Inside,
    /// It is an address in a network.
    Network,
    /// It is there, whatever it is.
    Present,
}

/// The share of events, in millionths, in which a field is expected to be there.
const PRESENT: u64 = 300_000;

/// The share in which a field is expected to be no string though it is taken for one.
const TEXTLESS: u64 = 60_000;

/// A text that must be in a field in some way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) field: FieldId,
    pub(super) way: Way,
    /// Of a prefix or suffix its length, of a network that of its mask.
    pub(super) length: u32,
    pub(super) text: Box<[u8]>,
    /// The predicate that it is of.
    pub(super) atom: AtomId,
}

impl Key {
    fn new(atom: AtomId, field: FieldId, way: Way, text: &[u8]) -> Self {
        let length = if matches!(way, Way::Prefix | Way::Suffix) { text.len() } else { 0 };
        Self { field, way, length: u32::try_from(length).unwrap_or(u32::MAX), text: text.into(), atom }
    }
}

/// A network as it is filed: the length of its mask, more than 128 for IPv6, and the address in 16 bytes.
fn network_key(atom: AtomId, field: FieldId, network: &Network) -> Key {
    let length = network.mask.count_ones() + if network.v4 { 0 } else { 256 };
    Key { field, way: Way::Network, length, text: network.address.to_be_bytes().into(), atom }
}

/// The hash under which the networks of a mask's length that hold an address are filed; none of the other version does.
pub(super) fn network_hash(address: IpAddr, length: u32) -> Option<u64> {
    let (bits, width, ones) = match address.to_canonical() {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32, length),
        IpAddr::V6(address) => (address.to_bits(), 128, length.checked_sub(256)?),
    };
    let shift = u32::checked_sub(width, ones)?;
    Some(hash(&bits.checked_shr(shift).and_then(|bits| bits.checked_shl(shift)).unwrap_or(0).to_be_bytes()))
}

/// Under what a trigger is filed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Access {
    /// One of these must hold.
    pub(super) keys: Vec<Key>,
    /// Or one of these must be no string.
    pub(super) guards: Vec<FieldId>,
}

/// How many different texts the set asks for, by field and way.
#[derive(Debug, Default)]
pub(super) struct Spread(HashMap<(FieldId, Way), BTreeSet<Box<[u8]>>>);

impl Spread {
    pub(super) fn of(atoms: &Atoms) -> Self {
        let mut spread = Self::default();
        for (id, atom) in (0..).zip(&atoms.atoms) {
            for key in keys_of(id, atom).unwrap_or_default() {
                spread.0.entry((key.field, key.way)).or_default().insert(key.text);
            }
        }
        spread
    }

    /// The share of events to expect to hit one of the keys, in millionths. Texts that are asked for often are common ones.
    fn share(&self, keys: &[Key]) -> u64 {
        let of = |key: &Key| match key.way {
            Way::Present => PRESENT,
            way => 1_000_000 / (1 + self.0.get(&(key.field, way)).map_or(0, |texts| texts.len() as u64)),
        };
        keys.iter().map(of).sum()
    }

    /// How early an operand should be evaluated: those that hold seldom and cost little first.
    pub(super) fn cost(&self, node: &Node, atoms: &Atoms) -> u32 {
        let price = match node {
            Node::Atom(id) => match atoms.get(*id) {
                Some(Atom::Oracle(_)) => 8_000_000,
                Some(Atom::Pair(..) | Atom::Test(_, Test::Regex(_) | Test::Contains(..))) => 2_000_000,
                _ => 0,
            },
            _ => 1_000_000,
        };
        let share = access_of(node, atoms, self).map_or(1_000_000, |keys| self.share(&keys));
        price + u32::try_from(share).unwrap_or(4_000_000).min(4_000_000)
    }
}

/// Keys of which one holds wherever the predicate is true.
fn keys_of(id: AtomId, atom: &Atom) -> Option<Vec<Key>> {
    let (field, test) = match atom {
        Atom::Test(field, test) => (*field, test),
        Atom::Pair(..) => return None,
        Atom::Oracle(sub) => return sub.needs_any().map(|fields| fields.map(|field| Key::new(id, field, Way::Present, b"")).collect()),
    };
    let key = |way: Way, text: &[u8]| {
        // Every string has the empty one in it.
        Some(if text.is_empty() && way != Way::Equal { Key::new(id, field, Way::Present, b"") } else { Key::new(id, field, way, text) })
    };
    let one = match test {
        Test::Equal(true, Value::String(text)) => key(Way::Equal, text.as_bytes()),
        Test::Equal(true, Value::Null) | Test::Truth => None,
        Test::Equal(true, _) | Test::Equal(false, Value::Null) | Test::Order(..) | Test::Regex(_) => key(Way::Present, b""),
        Test::Equal(false, _) => None,
        Test::Within(literals) => {
            let equal = |literal: &Value| Some(Key::new(id, field, Way::Equal, literal.as_str()?.as_bytes()));
            return literals.iter().map(equal).collect();
        }
        Test::StartsWith(text) => key(Way::Prefix, text),
        Test::EndsWith(text) => key(Way::Suffix, text),
        Test::Contains(Value::String(text), _) => key(Way::Inside, text.as_bytes()),
        Test::Contains(..) => key(Way::Present, b""),
        Test::Network(network) => Some(network_key(id, field, network)),
    };
    one.map(|key| vec![key])
}

/// Keys of which one holds wherever the node is true and the fields that it takes for strings are strings.
fn access_of(node: &Node, atoms: &Atoms, spread: &Spread) -> Option<Vec<Key>> {
    match node {
        Node::Atom(id) => keys_of(*id, atoms.get(*id)?),
        Node::Always(truth) => (!truth.inside).then(Vec::new),
        Node::And(nodes) => nodes.iter().filter_map(|node| access_of(node, atoms, spread)).min_by_key(|keys| spread.share(keys)),
        Node::Or(nodes) => {
            let all: Option<Vec<Vec<Key>>> = nodes.iter().map(|node| access_of(node, atoms, spread)).collect();
            all.map(|keys| keys.concat())
        }
        Node::Fails | Node::Not(_) => None,
    }
}

/// The best access of a trigger's expression.
pub(super) fn access(node: &Node, atoms: &Atoms, spread: &Spread) -> Option<Access> {
    let operands = if let Node::And(operands) = node { operands } else { std::slice::from_ref(node) };
    let mut errs = Errs::Never;
    let mut best: Option<(u64, Access)> = None;
    for operand in operands {
        errs = errs.and(atoms.errs(operand));
        let guards = match &errs {
            Errs::Never => Vec::new(),
            Errs::WithoutText(fields) => fields.clone(),
            Errs::Perhaps => break,
        };
        if !atoms.is_plain(operand) {
            break;
        }
        if let Some(mut keys) = access_of(operand, atoms, spread) {
            keys.sort();
            keys.dedup();
            let share = spread.share(&keys) + TEXTLESS * guards.len() as u64;
            if best.as_ref().is_none_or(|(least, _)| share < *least) {
                best = Some((share, Access { keys, guards }));
            }
        }
    }
    best.map(|(_, access)| access)
}
