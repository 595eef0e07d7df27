//! Which triggers need to be looked at for an event: those of its name, and of these only the ones of which one necessary
//! predicate holds.
//!
//! Each trigger is filed under one operand of its top-level `&&` (the *access*): a text that a field must equal, begin with, end
//! with or contain, a network, at least its presence, or several such of which one must hold. Where the access fails the trigger does not match, provided that no
//! operand before it could have ended the evaluation otherwise: none whose truth differs by place (`[]` fires), none that errs.
//! An operand that errs only on what is no string is allowed before it: then the trigger is looked at, too, for each event in
//! which that field is no string (a *guard*).
//!
//! The access is the one with the fewest hits to expect: on the field for which the set's triggers ask for the most different
//! texts. A trigger without access is looked at for each event of its name.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use aho_corasick::{AhoCorasick, AhoCorasickKind, packed};

use super::atom::{Atom, Test};
use super::extract::FieldId;
use super::hash::{hash, mix};
use super::lower::{Atoms, Errs, Node};
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
    field: FieldId,
    way: Way,
    /// Of a prefix or suffix its length, of a network that of its mask.
    length: u32,
    text: Box<[u8]>,
}

impl Key {
    fn new(field: FieldId, way: Way, text: &[u8]) -> Self {
        let length = if matches!(way, Way::Prefix | Way::Suffix) { text.len() } else { 0 };
        Self { field, way, length: u32::try_from(length).unwrap_or(u32::MAX), text: text.into() }
    }
}

/// A network as it is filed: the length of its mask, more than 128 for IPv6, and the address in 16 bytes.
fn network_key(field: FieldId, network: &Network) -> Key {
    let length = network.mask.count_ones() + if network.v4 { 0 } else { 256 };
    Key { field, way: Way::Network, length, text: network.address.to_be_bytes().into() }
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
    keys: Vec<Key>,
    /// Or one of these must be no string.
    guards: Vec<FieldId>,
}

/// How many different texts the set asks for, by field and way.
#[derive(Debug, Default)]
pub(super) struct Spread(HashMap<(FieldId, Way), BTreeSet<Box<[u8]>>>);

impl Spread {
    pub(super) fn of(atoms: &Atoms) -> Self {
        let mut spread = Self::default();
        for atom in &atoms.atoms {
            for key in keys_of(atom).unwrap_or_default() {
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
fn keys_of(atom: &Atom) -> Option<Vec<Key>> {
    let (field, test) = match atom {
        Atom::Test(field, test) => (*field, test),
        Atom::Pair(..) => return None,
        Atom::Oracle(sub) => return sub.needs_any().map(|fields| fields.map(|field| Key::new(field, Way::Present, b"")).collect()),
    };
    let key = |way: Way, text: &[u8]| {
        // Every string has the empty one in it.
        Some(if text.is_empty() && way != Way::Equal { Key::new(field, Way::Present, b"") } else { Key::new(field, way, text) })
    };
    let one = match test {
        Test::Equal(true, Value::String(text)) => key(Way::Equal, text.as_bytes()),
        Test::Equal(true, Value::Null) | Test::Truth => None,
        Test::Equal(true, _) | Test::Equal(false, Value::Null) | Test::Order(..) | Test::Regex(_) => key(Way::Present, b""),
        Test::Equal(false, _) => None,
        Test::Within(literals) => {
            let equal = |literal: &Value| Some(Key::new(field, Way::Equal, literal.as_str()?.as_bytes()));
            return literals.iter().map(equal).collect();
        }
        Test::StartsWith(text) => key(Way::Prefix, text),
        Test::EndsWith(text) => key(Way::Suffix, text),
        Test::Contains(Value::String(text), _) => key(Way::Inside, text.as_bytes()),
        Test::Contains(..) => key(Way::Present, b""),
        Test::Network(network) => Some(network_key(field, network)),
    };
    one.map(|key| vec![key])
}

/// Keys of which one holds wherever the node is true and the fields that it takes for strings are strings.
fn access_of(node: &Node, atoms: &Atoms, spread: &Spread) -> Option<Vec<Key>> {
    match node {
        Node::Atom(id) => keys_of(atoms.get(*id)?),
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

/// A look-up that a group does: the text of a field, or a part of it, in the table.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) field: FieldId,
    pub(super) way: Way,
    pub(super) length: u32,
    salt: u64,
    /// A bit for each sixty-fourth of the hashes that are in the table for this probe.
    filter: u64,
}

/// The texts that a group looks for inside a field.
#[derive(Debug)]
pub(super) struct Needles {
    pub(super) field: FieldId,
    /// Tells quickly that nothing is there, which is the usual case; not every set of texts has one.
    quick: Option<packed::Searcher>,
    automaton: AhoCorasick,
    triggers: Vec<Vec<u32>>,
}

/// The triggers of one event name (or of all), by how they are reached.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Looked at for every event of the name.
    pub(super) always: Vec<u32>,
    /// Looked at where the field is no string.
    pub(super) guards: Vec<(FieldId, Vec<u32>)>,
    /// In the order of the fields.
    pub(super) probes: Vec<Probe>,
    pub(super) needles: Vec<Needles>,
    /// All of them.
    pub(super) all: Vec<u32>,
    /// The shortest of their [`super::lower::safe_length`]s.
    pub(super) safe_length: u64,
}

/// Up to this many triggers are looked at one after the other.
const FEW: usize = 2;

/// The table of all groups' probes.
#[derive(Debug, Default)]
pub(super) struct Table {
    places: Vec<(u64, u32, u32)>,
    triggers: Vec<u32>,
}

impl Table {
    /// The triggers that are filed under a text, and perhaps others.
    #[inline]
    pub(super) fn find(&self, probe: &Probe, hashed: u64) -> &[u32] {
        let key = mix(hashed ^ probe.salt).max(1);
        if probe.filter >> (key >> 58) & 1 == 0 {
            return &[];
        }
        let mask = self.places.len().wrapping_sub(1);
        #[expect(clippy::cast_possible_truncation, reason = "the low bits will do")]
        let mut at = key as usize & mask;
        while let Some((other, start, count)) = self.places.get(at) {
            if *other == key {
                return self.triggers.get(*start as usize..(*start + *count) as usize).unwrap_or(&[]);
            }
            if *other == 0 {
                break;
            }
            at = (at + 1) & mask;
        }
        &[]
    }
}

impl Needles {
    /// Tells the triggers of each text found, perhaps several times.
    pub(super) fn find(&self, text: &[u8], mut tell: impl FnMut(&[u32])) {
        if self.quick.as_ref().is_some_and(|quick| quick.find(text).is_none()) {
            return;
        }
        for found in self.automaton.find_overlapping_iter(text) {
            tell(self.triggers.get(found.pattern().as_usize()).map_or(&[], Vec::as_slice));
        }
    }
}

/// Triggers by the text under which they are filed.
type ByText<'t> = BTreeMap<&'t [u8], Vec<u32>>;

/// What is filed while groups are made.
#[derive(Debug, Default)]
pub(super) struct Filing {
    entries: BTreeMap<u64, Vec<u32>>,
    groups: u64,
}

impl Filing {
    /// Files the triggers of one group, each with its access.
    pub(super) fn group<'a>(&mut self, members: impl Iterator<Item = (u32, Option<&'a Access>, u64)>) -> Group {
        let members: Vec<_> = members.collect();
        let mut group = Group { safe_length: u64::MAX, ..Group::default() };
        self.groups += 1;
        let mut guards: BTreeMap<FieldId, Vec<u32>> = BTreeMap::new();
        let mut probes: BTreeMap<(FieldId, Way, u32), ByText<'_>> = BTreeMap::new();
        let mut needles: BTreeMap<FieldId, ByText<'_>> = BTreeMap::new();
        for (trigger, access, safe_length) in &members {
            group.all.push(*trigger);
            group.safe_length = group.safe_length.min(*safe_length);
            let Some(access) = access.filter(|_| members.len() > FEW) else {
                group.always.push(*trigger);
                continue;
            };
            for field in &access.guards {
                guards.entry(*field).or_default().push(*trigger);
            }
            for key in &access.keys {
                let filed = match key.way {
                    Way::Inside => needles.entry(key.field).or_default(),
                    way => probes.entry((key.field, way, key.length)).or_default(),
                };
                filed.entry(&key.text).or_default().push(*trigger);
            }
        }
        group.guards = guards.into_iter().collect();
        for ((field, way, length), texts) in probes {
            let salt = mix(mix(self.groups) ^ mix(u64::from(field) << 34 | u64::from(length) << 3 | way as u64));
            let mut probe = Probe { field, way, length, salt, filter: 0 };
            for (text, triggers) in texts {
                let key = mix(hash(text) ^ salt).max(1);
                probe.filter |= 1 << (key >> 58);
                self.entries.entry(key).or_default().extend(triggers);
            }
            group.probes.push(probe);
        }
        for (field, texts) in needles {
            let automaton = AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(texts.keys());
            match automaton {
                Ok(automaton) => {
                    let quick = packed::Searcher::new(texts.keys());
                    group.needles.push(Needles { field, quick, automaton, triggers: texts.into_values().collect() });
                }
                Err(_) => group.always.extend(texts.into_values().flatten()),
            }
        }
        group
    }

    /// The table of everything filed.
    pub(super) fn table(self) -> Table {
        let mut table = Table { places: vec![(0, 0, 0); (self.entries.len() * 2 + 1).next_power_of_two()], triggers: Vec::new() };
        let mask = table.places.len() - 1;
        for (key, triggers) in self.entries {
            let start = u32::try_from(table.triggers.len()).unwrap_or(u32::MAX);
            let count = u32::try_from(triggers.len()).unwrap_or(u32::MAX);
            table.triggers.extend(triggers);
            #[expect(clippy::cast_possible_truncation, reason = "the low bits will do")]
            let mut at = key as usize & mask;
            while table.places.get(at).is_some_and(|(taken, _, _)| *taken != 0) {
                at = (at + 1) & mask;
            }
            if let Some(place) = table.places.get_mut(at) {
                *place = (key, start, count);
            }
        }
        table
    }
}
