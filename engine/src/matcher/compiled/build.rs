//! How a set comes from triggers: one after the other, so that no more than one trigger's tree is held at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::fields::Fields;
use super::group::Table;
use super::hash::Names;
use super::lower::{self, Atoms, Node};
use super::program::{self, Code};
use super::{CompiledSet, KnownFields, NO_CODE, Narrow, Program, plan};
use crate::matcher::{CompiledTrigger, TriggerSet};

/// What the triggers added so far ask.
pub(super) struct Build {
    fields: Fields,
    known: KnownFields,
    atoms: Atoms,
    sources: Names,
    programs: Vec<Program>,
    narrow: Vec<Narrow>,
    nodes: Vec<Option<Node>>,
    /// How many trees of the set were read again and are held.
    again: Arc<AtomicUsize>,
}

impl Build {
    pub(super) fn new() -> Self {
        let mut fields = Fields::new();
        let known = KnownFields::of(&mut fields);
        Self {
            fields,
            known,
            atoms: Atoms::default(),
            sources: Names::default(),
            programs: Vec::new(),
            narrow: Vec::new(),
            nodes: Vec::new(),
            again: Arc::default(),
        }
    }

    /// Adds the next trigger of the set, whose tree is then no longer needed.
    pub(super) fn add(&mut self, compiled: &mut CompiledTrigger) {
        let trigger = compiled.trigger();
        self.nodes.push(compiled.expression().map(|expr| lower::lower(expr, &mut self.atoms, &mut self.fields)));
        let places = !(trigger.regions.is_empty() && trigger.exclude_regions.is_empty() && trigger.account_ids.is_empty());
        self.narrow.push(Narrow {
            safe_length: compiled.expression().map_or(u64::MAX, lower::safe_length),
            sources: trigger.event_sources.iter().map(|source| self.sources.intern(source.as_bytes())).collect(),
            places,
        });
        self.programs.push(Program {
            code: NO_CODE,
            include_read_only: trigger.include_read_only,
            include_self: trigger.include_self,
            narrow: places || !trigger.event_sources.is_empty(),
        });
        compiled.forget(&self.again);
    }

    /// The set, when all of the oracle's triggers were added in their order.
    pub(super) fn set(self, oracle: TriggerSet) -> CompiledSet {
        let Self { mut fields, known, mut atoms, sources, mut programs, narrow, nodes, again: _ } = self;
        atoms.seal();
        let spread = plan::Spread::of(&atoms);
        let mut code = Code::default();
        let mut accesses: Vec<Option<plan::Access>> = Vec::with_capacity(nodes.len());
        for (program, node) in programs.iter_mut().zip(nodes) {
            accesses.push(node.as_ref().and_then(|node| plan::access(node, &atoms, &spread)));
            let ordered = node.map(|node| program::reorder(node, &atoms, |node| spread.cost(node, &atoms)));
            program.code = ordered.map_or(NO_CODE, |node| code.add(&node, &atoms));
        }
        fields.seal();
        let mut table = Table::default();
        let member = |index: u32| {
            let safe_length = narrow.get(index as usize).map_or(0, |narrow| narrow.safe_length);
            (index, accesses.get(index as usize).and_then(Option::as_ref), safe_length)
        };
        let (named, any) = by_name(&oracle);
        let mut by_name = Names::default();
        let mut groups = Vec::new();
        for (name, members) in named {
            by_name.intern(name.as_bytes());
            groups.push(table.file(members.into_iter().map(member), &fields));
        }
        let any_event = (!any.is_empty()).then(|| table.file(any.into_iter().map(member), &fields));
        let safe_length = narrow.iter().map(|narrow| narrow.safe_length).min().unwrap_or(u64::MAX);
        let leaves_out = programs.iter().any(|program| !program.include_read_only);
        CompiledSet {
            table,
            oracle,
            programs,
            narrow,
            safe_length,
            leaves_out,
            code,
            atoms,
            fields,
            known,
            sources,
            by_name,
            groups,
            any_event,
        }
    }
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

/// The numbers of the enabled triggers by event name, and of those for every event.
fn by_name(oracle: &TriggerSet) -> (BTreeMap<String, BTreeSet<u32>>, Vec<u32>) {
    let mut named: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
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
