//! What a hub has beside rules: the role by which the rules of an account send, and queues. What is wanted of them, what differs from what is there, and
//! the steps that repair it, in order.
//!
//! *Invariants*: a fault names what differs and has the steps that end it; there are no faults exactly when nothing differs; after the steps nothing does.

use std::collections::BTreeMap;

use super::function::FUNCTION_POLICY_NAME;
use super::function::Function;
use super::names::{Cell, Hub, is_account_id};
use super::policy::{
    FORWARD_POLICY_NAME, READ_POLICY_NAME, dead_letter_queue_attributes, differing_attributes, forward_dead_letter_queue_attributes,
    forward_policy, forward_trust_policy, function_policy, function_trust_policy, queue_attributes, read_policy, read_trust_policy,
    same_document,
};

/// Something that is not as wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault<S> {
    /// What differs, in words.
    pub reason: String,
    /// What ends it.
    pub steps: Vec<S>,
}

impl<S> Fault<S> {
    fn new(reason: String, steps: impl IntoIterator<Item = S>) -> Self {
        Self { reason, steps: steps.into_iter().collect() }
    }
}

/// A role as it should be, with its only policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The name, unique in the account.
    pub name: String,
    /// What a person reads in the console.
    pub description: String,
    /// Who may take it, JSON.
    pub trust: String,
    /// The name of its policy.
    pub policy_name: &'static str,
    /// What it may do, JSON.
    pub policy: String,
    /// The ARN of a policy that bounds it.
    pub boundary: Option<String>,
}

/// A role that is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundRole {
    /// As AWS tells it.
    pub trust: Option<String>,
    /// As AWS tells it.
    pub boundary: Option<String>,
    /// Our policy in it, if it is there.
    pub policy: Option<String>,
}

/// One call about a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleStep {
    /// Makes the role, without its policy.
    Create(Role),
    /// Replaces who may take it.
    ChangeTrust(String),
    /// Sets or removes what bounds it.
    ChangeBoundary(Option<String>),
    /// Makes or replaces its policy.
    PutPolicy(String),
    /// Removes its policy.
    RemovePolicy,
    /// Removes the role, whose policy is removed.
    Remove,
}

impl Role {
    /// What removes a role of ours, whatever of it is there.
    pub const REMOVAL: [RoleStep; 2] = [RoleStep::RemovePolicy, RoleStep::Remove];

    /// The role by which the rules of an account send to the hub. A policy that bounds it is the one of this name in the role's own account.
    #[must_use]
    pub fn forward(hub: &Hub, account: &str, boundary: Option<String>) -> Self {
        Self {
            name: hub.forward_role_name(),
            description: format!("Trailwire: forwards events to hub {}", hub.name()),
            trust: forward_trust_policy(hub, account),
            policy_name: FORWARD_POLICY_NAME,
            policy: forward_policy(hub),
            boundary: boundary.map(|arn| boundary_in(&arn, account)),
        }
    }

    /// The role of the hub's Lambda function.
    #[must_use]
    pub fn function(hub: &Hub, queries: bool, boundary: Option<String>) -> Self {
        Self {
            name: hub.runtime_role_name(),
            description: format!("Trailwire: the runtime of hub {}", hub.name()),
            trust: function_trust_policy(),
            policy_name: FUNCTION_POLICY_NAME,
            policy: function_policy(hub, queries),
            boundary,
        }
    }

    /// The role by which the runtime asks for queries in an account, for these operations.
    #[must_use]
    pub fn read(hub: &Hub, account: &str, query_operations: &[String], boundary: Option<String>) -> Self {
        Self {
            name: hub.read_role_name(),
            description: format!("Trailwire: answers queries of hub {}", hub.name()),
            trust: read_trust_policy(hub),
            policy_name: READ_POLICY_NAME,
            policy: read_policy(query_operations),
            boundary: boundary.map(|arn| boundary_in(&arn, account)),
        }
    }

    /// What is not as wanted.
    #[must_use]
    pub fn faults(&self, found: Option<&FoundRole>) -> Vec<Fault<RoleStep>> {
        let name = &self.name;
        let put_policy = RoleStep::PutPolicy(self.policy.clone());
        let Some(found) = found else {
            return vec![Fault::new(format!("role {name} is missing"), [RoleStep::Create(self.clone()), put_policy])];
        };
        let says = |found: &Option<String>, wanted: &str| found.as_ref().is_some_and(|found| same_document(found, wanted));
        let mut faults = Vec::new();
        if !says(&found.trust, &self.trust) {
            faults.push(Fault::new(format!("role {name} trusts somebody else"), [RoleStep::ChangeTrust(self.trust.clone())]));
        }
        if found.boundary != self.boundary {
            let step = RoleStep::ChangeBoundary(self.boundary.clone());
            faults.push(Fault::new(format!("role {name} has another permissions boundary"), [step]));
        }
        if !says(&found.policy, &self.policy) {
            faults.push(Fault::new(format!("role {name} has another policy"), [put_policy]));
        }
        faults
    }
}

/// The ARN of a policy as it is in another account: IAM bounds a role by a policy of the role's own account, or by one of AWS's.
///
/// ```
/// use trailwire_engine::fanout::objects::boundary_in;
/// assert_eq!(boundary_in("arn:aws:iam::111122223333:policy/team/bound", "444455556666"), "arn:aws:iam::444455556666:policy/team/bound");
/// assert_eq!(boundary_in("arn:aws:iam::aws:policy/PowerUserAccess", "444455556666"), "arn:aws:iam::aws:policy/PowerUserAccess");
/// ```
#[must_use]
pub fn boundary_in(arn: &str, account: &str) -> String {
    match arn.splitn(6, ':').collect::<Vec<_>>().as_slice() {
        ["arn", partition, "iam", "", of, policy] if is_account_id(of) => format!("arn:{partition}:iam::{account}:{policy}"),
        _ => arn.to_owned(),
    }
}

/// A queue as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// The name, unique in the cell.
    pub name: String,
    /// Every attribute that matters.
    pub attributes: BTreeMap<String, String>,
}

/// One call about a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueStep {
    /// Makes the queue.
    Create(Queue),
    /// Changes these attributes and leaves the others.
    SetAttributes(BTreeMap<String, String>),
}

impl Queue {
    /// The queue that the runtime reads; `function` where it is read by the hub's own.
    #[must_use]
    pub fn of_hub(hub: &Hub, function: Option<&Function>) -> Self {
        Self { name: hub.queue_name(), attributes: queue_attributes(hub, function) }
    }

    /// That queue's dead-letter queue.
    #[must_use]
    pub fn of_dead_letters(hub: &Hub) -> Self {
        Self { name: hub.dead_letter_queue_name(), attributes: dead_letter_queue_attributes(hub) }
    }

    /// The queue of a cell that keeps what its rules could not send to the hub.
    #[must_use]
    pub fn of_forward_dead_letters(hub: &Hub, cell: &Cell) -> Self {
        Self { name: hub.forward_dead_letter_queue_name(), attributes: forward_dead_letter_queue_attributes(hub, cell) }
    }

    /// What is not as wanted, by the attributes of the queue that is there.
    #[must_use]
    pub fn fault(&self, found: Option<&BTreeMap<String, String>>) -> Option<Fault<QueueStep>> {
        let name = &self.name;
        let Some(found) = found else {
            return Some(Fault::new(format!("queue {name} is missing"), [QueueStep::Create(self.clone())]));
        };
        let differing = differing_attributes(&self.attributes, found);
        let step = QueueStep::SetAttributes(self.attributes.clone());
        (!differing.is_empty()).then(|| Fault::new(format!("queue {name} differs in {}", differing.join(", ")), [step]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub() -> Hub {
        Hub::new("security", Cell::new("111122223333", "eu-west-1"))
    }

    #[test]
    fn each_fault_of_a_role_is_named_and_has_its_step() {
        let role = Role::forward(&hub(), "444455556666", Some("b".to_owned()));
        let name = &role.name;
        let good = FoundRole { trust: Some(role.trust.clone()), boundary: role.boundary.clone(), policy: Some(role.policy.clone()) };
        let changed = |edit: &dyn Fn(&mut FoundRole)| {
            let mut found = good.clone();
            edit(&mut found);
            Some(found)
        };
        let trust = RoleStep::ChangeTrust(role.trust.clone());
        let boundary = RoleStep::ChangeBoundary(Some("b".to_owned()));
        let policy = RoleStep::PutPolicy(role.policy.clone());
        for (found, wanted) in [
            (Some(good.clone()), vec![]),
            (None, vec![(format!("role {name} is missing"), vec![RoleStep::Create(role.clone()), policy.clone()])]),
            (
                changed(&|found| *found = FoundRole::default()),
                vec![
                    (format!("role {name} trusts somebody else"), vec![trust]),
                    (format!("role {name} has another permissions boundary"), vec![boundary.clone()]),
                    (format!("role {name} has another policy"), vec![policy]),
                ],
            ),
            (
                changed(&|found| found.boundary = Some("other".to_owned())),
                vec![(format!("role {name} has another permissions boundary"), vec![boundary])],
            ),
        ] {
            let faults = role.faults(found.as_ref()).into_iter().map(|fault| (fault.reason, fault.steps)).collect::<Vec<_>>();
            assert_eq!(faults, wanted);
        }
    }

    #[test]
    fn a_queue_is_made_or_corrected() {
        let queue = Queue::of_forward_dead_letters(&hub(), &Cell::new("111122223333", "us-east-1"));
        let name = &queue.name;
        assert_eq!(queue.fault(Some(&queue.attributes)), None);
        let missing = Fault::new(format!("queue {name} is missing"), [QueueStep::Create(queue.clone())]);
        assert_eq!(queue.fault(None), Some(missing));
        let mut found = queue.attributes.clone();
        found.remove("Policy");
        found.insert("Foreign".to_owned(), "1".to_owned());
        let differs = Fault::new(format!("queue {name} differs in Policy"), [QueueStep::SetAttributes(queue.attributes.clone())]);
        assert_eq!(queue.fault(Some(&found)), Some(differs));
    }
}
