//! Evaluating what [`super::lower`] made.

use super::atom::{Evaluated, Failure, Truth};
use super::extract::{Extract, Source};
use super::lower::{AtomId, Atoms, Errs, Node};

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

/// What an evaluation needs besides the program.
pub(super) struct Context<'c> {
    pub(super) source: Source<'c>,
    pub(super) extract: &'c mut Extract,
    pub(super) memo: &'c mut Memo,
    pub(super) atoms: &'c Atoms,
}

impl Context<'_> {
    /// The truth of a node, with the short circuit of the oracle.
    pub(super) fn run(&mut self, node: &Node) -> Evaluated {
        match node {
            Node::Always(truth) => Ok(*truth),
            Node::Fails => Err(Failure::Error),
            Node::Atom(id) => self.atom(*id),
            Node::Not(inner) => Ok(Truth::of(!self.run(inner)?.inside)),
            Node::And(nodes) => self.first_that(nodes, false),
            Node::Or(nodes) => self.first_that(nodes, true),
        }
    }

    fn first_that(&mut self, nodes: &[Node], wanted: bool) -> Evaluated {
        let mut last = Truth::FALSE;
        for node in nodes {
            last = self.run(node)?;
            if last.inside == wanted {
                break;
            }
        }
        Ok(last)
    }

    #[inline]
    fn atom(&mut self, id: AtomId) -> Evaluated {
        let Some(atom) = self.atoms.get(id) else { return Err(Failure::Error) };
        if !atom.is_costly() {
            return atom.run(self.source, self.extract);
        }
        let now = self.memo.now;
        if let Some((stamp, Some(result))) = self.memo.results.get(id as usize)
            && *stamp == now
        {
            return *result;
        }
        let result = atom.run(self.source, self.extract);
        if let Some(place) = self.memo.results.get_mut(id as usize) {
            *place = (now, Some(result));
        }
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
