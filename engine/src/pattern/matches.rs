//! The matcher: slow and obvious, and the judge of EventBridge's semantics.
//!
//! An event becomes its leaves. Each combination of `$or` alternatives is a list of paths with tests. The paths are taken in
//! order; for each a leaf is chosen that satisfies a test and stands in the same array elements as the leaves chosen before, or,
//! where `exists: false` is among the tests, it is seen that there is no leaf of this path in those elements.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::tests_of_values::satisfies;
use super::validate::joined;
use super::{Entry, Group, MOST_COMBINATIONS, Pattern, Test};
use crate::value::{Map, Value};

/// The pattern and the event together are too much: the event was not judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the event pattern takes too many steps on this event")]
pub struct TooMuchWork;

/// Which element of which array; arrays are numbered in the order in which the event is walked.
type Membership = BTreeMap<usize, usize>;

/// A value that is neither object nor array.
struct Leaf<'e> {
    value: &'e Value,
    /// The array elements that it stands in. An element that is the leaf itself does not count: `[1, 2]` holds together.
    membership: Membership,
}

/// The steps that a kept leaf costs: its path and membership are copied.
const KEPT: u64 = 8;

type Leaves<'e> = BTreeMap<String, Vec<Leaf<'e>>>;

/// The tests by path: one combination of alternatives.
type Combination<'p> = BTreeMap<&'p str, &'p [Test]>;

impl Pattern {
    /// As [`Pattern::matches`], with the work that may be done; what was done is taken off.
    ///
    /// # Errors
    /// [`TooMuchWork`] where the steps do not suffice.
    pub fn matches_within(&self, event: &Value, steps: &mut u64) -> Result<bool, TooMuchWork> {
        let Value::Object(members) = event else { return Ok(false) };
        let wanted = paths_of(&self.root);
        let mut walk = Walk { wanted: &wanted, leaves: Leaves::new(), arrays: 0, steps };
        walk.object(members, "", &Membership::new())?;
        let leaves = walk.leaves;
        for combination in combinations(&self.root) {
            let combination: Combination<'_> = combination.iter().map(|(path, tests)| (path.as_str(), *tests)).collect();
            if Search::new(&combination, &leaves, steps).hold(0, &Membership::new())? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn take(steps: &mut u64, count: u64) -> Result<(), TooMuchWork> {
    *steps = steps.checked_sub(count).ok_or(TooMuchWork)?;
    Ok(())
}

/// Lays the leaves open.
struct Walk<'e, 's> {
    wanted: &'s BTreeSet<String>,
    leaves: Leaves<'e>,
    arrays: usize,
    steps: &'s mut u64,
}

impl<'e> Walk<'e, '_> {
    fn object(&mut self, members: &'e Map<String, Value>, at: &str, membership: &Membership) -> Result<(), TooMuchWork> {
        for (name, value) in members {
            self.value(value, &joined(at, name), membership)?;
        }
        Ok(())
    }

    fn value(&mut self, value: &'e Value, at: &str, membership: &Membership) -> Result<(), TooMuchWork> {
        take(self.steps, 1)?;
        match value {
            Value::Object(members) => self.object(members, at, membership),
            Value::Array(elements) => self.array(elements, at, membership),
            leaf if self.wanted.contains(at) => {
                take(self.steps, KEPT)?;
                self.leaves.entry(at.to_owned()).or_default().push(Leaf { value: leaf, membership: membership.clone() });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn array(&mut self, elements: &'e [Value], at: &str, membership: &Membership) -> Result<(), TooMuchWork> {
        let array = self.arrays;
        self.arrays += 1;
        for (index, element) in elements.iter().enumerate() {
            if element.is_object() || element.is_array() {
                let mut inside = membership.clone();
                inside.insert(array, index);
                self.value(element, at, &inside)?;
            } else {
                self.value(element, at, membership)?;
            }
        }
        Ok(())
    }
}

/// The search for leaves that hold together.
struct Search<'a, 'e> {
    /// In the order in which EventBridge takes them, which shows where `exists: false` meets arrays.
    keys: Vec<(&'a str, &'a [Test])>,
    leaves: &'a Leaves<'e>,
    /// The arrays that leaves of this key or a later one stand in: nothing else of a membership can matter any more.
    relevant: Vec<BTreeSet<usize>>,
    /// What was tried without success.
    tried: BTreeSet<(usize, Membership)>,
    steps: &'a mut u64,
}

impl<'a, 'e> Search<'a, 'e> {
    fn new(combination: &Combination<'a>, leaves: &'a Leaves<'e>, steps: &'a mut u64) -> Self {
        let mut keys: Vec<(&str, &[Test])> = combination.iter().map(|(path, tests)| (*path, *tests)).collect();
        keys.sort_by(|(a, _), (b, _)| utf16(a, b));
        let mut relevant: Vec<BTreeSet<usize>> = Vec::new();
        for (path, _) in keys.iter().rev() {
            let here = leaves.get(*path).into_iter().flatten().flat_map(|leaf| leaf.membership.keys().copied());
            let all = here.chain(relevant.last().into_iter().flatten().copied()).collect();
            relevant.push(all);
        }
        relevant.reverse();
        Self { keys, leaves, relevant, tried: BTreeSet::new(), steps }
    }

    /// Whether the keys from `at` on hold in these array elements.
    fn hold(&mut self, at: usize, membership: &Membership) -> Result<bool, TooMuchWork> {
        take(self.steps, 1)?;
        let Some(&(path, tests)) = self.keys.get(at) else { return Ok(true) };
        let relevant = self.relevant.get(at);
        let membership: Membership = membership
            .iter()
            .filter(|(array, _)| relevant.is_some_and(|relevant| relevant.contains(array)))
            .map(|(array, index)| (*array, *index))
            .collect();
        if !self.tried.insert((at, membership.clone())) {
            return Ok(false);
        }
        let mut absent = true;
        for leaf in self.leaves.get(path).into_iter().flatten() {
            take(self.steps, 1)?;
            let Some(together) = merged(&membership, &leaf.membership) else { continue };
            absent = false;
            if tests.iter().any(|test| satisfies(leaf.value, test)) && self.hold(at + 1, &together)? {
                return Ok(true);
            }
        }
        if absent && tests.contains(&Test::Exists(false)) { self.hold(at + 1, &membership) } else { Ok(false) }
    }
}

/// Both, unless they stand in different elements of one array.
fn merged(a: &Membership, b: &Membership) -> Option<Membership> {
    let mut both = a.clone();
    for (array, index) in b {
        if *both.entry(*array).or_insert(*index) != *index {
            return None;
        }
    }
    Some(both)
}

/// The order of Java's strings.
fn utf16(a: &str, b: &str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

fn paths_of(root: &Group) -> BTreeSet<String> {
    fn collect(group: &Group, at: &str, found: &mut BTreeSet<String>) {
        for entry in &group.entries {
            match entry {
                Entry::Field(name, _) => {
                    found.insert(joined(at, name));
                }
                Entry::Object(name, inner) => collect(inner, &joined(at, name), found),
                Entry::Or(groups) => groups.iter().for_each(|group| collect(group, at, found)),
            }
        }
    }
    let mut found = BTreeSet::new();
    collect(root, "", &mut found);
    found
}

/// Every combination of alternatives; no more than EventBridge's own bound, which [`Pattern::parse`] holds.
fn combinations(root: &Group) -> Vec<Vec<(String, &[Test])>> {
    fn extend<'p>(group: &'p Group, at: &str, done: Vec<Vec<(String, &'p [Test])>>) -> Vec<Vec<(String, &'p [Test])>> {
        let mut done = done;
        for entry in &group.entries {
            done = match entry {
                Entry::Field(name, tests) => {
                    let path = joined(at, name);
                    done.iter_mut().for_each(|combination| combination.push((path.clone(), tests.as_slice())));
                    done
                }
                Entry::Object(name, inner) => extend(inner, &joined(at, name), done),
                Entry::Or(groups) => groups.iter().flat_map(|group| extend(group, at, done.clone())).take(MOST_COMBINATIONS).collect(),
            };
        }
        done
    }
    extend(root, "", vec![Vec::new()])
}
