//! What is wanted of a cell, and the work of an apply and a destroy in the order in which the provider does it.

use trailwire_engine::fanout::names::{Owner, TARGET_ID};
use trailwire_engine::fanout::objects::{Queue, Role};
use trailwire_engine::fanout::policy::{differing_attributes, same_document};
use trailwire_engine::fanout::rules::{Found, FoundTargets, Rule, RuleRequest, RuleState, Step, after, cell_rules, difference, removal};
use trailwire_engine::fanout::tags::Tags;

use crate::dice::Dice;
use crate::world::{ACCOUNT, Refused, World, cell, hub};

/// How much is read of what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// Which rules there are, and which of them send to the hub.
    Listed,
    /// Every target too.
    Deep,
}

#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    boundary: Option<String>,
    keeps_dead_letters: bool,
    triggers: Vec<Trigger>,
    tags: Tags,
}

#[derive(Clone, Debug)]
struct Trigger {
    owner: Owner<'static>,
    patterns: Vec<String>,
    state: RuleState,
}

/// What these dice want.
pub(crate) fn wanted(dice: &mut Dice) -> Wanted {
    let mut triggers = Vec::new();
    for owner in [Owner::trigger("a"), Owner::trigger("b"), Owner::trigger("a-0"), Owner::forwarder("a")] {
        if dice.are(0.5) {
            continue;
        }
        let pattern = |name: &str| format!(r#"{{"detail":{{"eventName":["{name}"]}}}}"#);
        // None at all, as a trigger has that relies on a forwarder; and one more than anything is found to have.
        let patterns = (0..dice.below(6)).map(|_| pattern(dice.one_of(&["a", "b"]))).collect();
        triggers.push(Trigger { owner, patterns, state: dice.one_of(&RuleState::ALL) });
    }
    let boundary = dice.are(0.3).then(|| "arn:boundary".to_owned());
    let tags = Tags::from([("team".to_owned(), dice.one_of(&["1", "2"]).to_owned())]);
    Wanted { boundary, keeps_dead_letters: dice.are(0.5), triggers, tags }
}

/// Counts the steps that are taken, and stops when there are enough.
struct Steps {
    left: usize,
    taken: usize,
}

/// The work is broken off, or a call was refused.
enum Ended {
    BrokenOff,
    Refused(Refused),
}

impl Steps {
    fn take(&mut self, call: impl FnOnce() -> Result<(), Refused>) -> Result<(), Ended> {
        self.left = self.left.checked_sub(1).ok_or(Ended::BrokenOff)?;
        self.taken += 1;
        call().map_err(Ended::Refused)
    }

    /// How many were taken, unless a call was refused.
    fn end(self, how: Result<(), Ended>) -> Result<usize, String> {
        match how {
            Err(Ended::Refused(refused)) => Err(format!("{refused:?}")),
            Ok(()) | Err(Ended::BrokenOff) => Ok(self.taken),
        }
    }
}

impl Wanted {
    fn role(&self) -> Role {
        Role::forward(hub(), ACCOUNT, self.boundary.clone())
    }

    fn queue(&self) -> Queue {
        Queue::of_forward_dead_letters(hub(), &cell())
    }

    fn rules(&self, trigger: &Trigger) -> Vec<Rule> {
        let request = RuleRequest { owner: trigger.owner, patterns: &trigger.patterns, state: trigger.state };
        cell_rules(hub(), request, &cell(), self.keeps_dead_letters)
    }

    /// Brings the world to what is wanted, with at most so many steps; tells how many it took.
    pub(crate) fn apply(&self, world: &mut World, view: View, most: usize) -> Result<usize, String> {
        let mut steps = Steps { left: most, taken: 0 };
        let how = self.try_apply(world, view, &mut steps);
        steps.end(how)
    }

    fn try_apply(&self, world: &mut World, view: View, steps: &mut Steps) -> Result<(), Ended> {
        let (role, queue) = (self.role(), self.queue());
        for step in role.faults(world.roles.get(&role.name)).into_iter().flat_map(|fault| fault.steps) {
            steps.take(|| world.role_step(&role.name, &step))?;
        }
        if self.keeps_dead_letters {
            for step in queue.fault(world.queues.get(&queue.name)).into_iter().flat_map(|fault| fault.steps) {
                steps.take(|| world.queue_step(&queue.name, &step))?;
            }
        }
        let mut found = world.see(view);
        for trigger in &self.triggers {
            let of_trigger = |name: &str| hub().owner_of_rule(name).is_some_and(|(of, _)| of == trigger.owner);
            let row: Found = found.iter().filter(|(name, _)| of_trigger(name)).map(|(name, rule)| (name.clone(), rule.clone())).collect();
            self.take(world, &mut found, difference(&self.rules(trigger), &row, |_| true), steps)?;
        }
        let orphans =
            |name: &str| hub().owner_of_rule(name).is_some_and(|(of, _)| !self.triggers.iter().any(|trigger| trigger.owner == of));
        let removals = difference(&[], &found, orphans);
        self.take(world, &mut found, removals, steps)?;
        assert!(world.is_as_remembered(&found), "{found:?} is remembered of {world:?}");
        if !self.keeps_dead_letters && world.queues.contains_key(&queue.name) {
            steps.take(|| world.remove_queue(&queue.name))?;
        }
        Ok(())
    }

    /// Removes everything of the hub, with at most so many steps.
    pub(crate) fn remove(&self, world: &mut World, view: View, most: usize) -> Result<usize, String> {
        let mut steps = Steps { left: most, taken: 0 };
        let how = self.try_remove(world, view, &mut steps);
        steps.end(how)
    }

    fn try_remove(&self, world: &mut World, view: View, steps: &mut Steps) -> Result<(), Ended> {
        let (role, queue) = (self.role(), self.queue());
        let mut found = world.see(view);
        let removals = difference(&[], &found, |name| hub().owner_of_rule(name).is_some());
        self.take(world, &mut found, removals, steps)?;
        steps.take(|| world.remove_queue(&queue.name))?;
        for step in Role::REMOVAL {
            steps.take(|| world.role_step(&role.name, &step))?;
        }
        Ok(())
    }

    /// Takes steps about rules. A list does not tell all targets: a rule that is refused for them is read and removed again.
    fn take(&self, world: &mut World, found: &mut Found, wanted: Vec<Step>, steps: &mut Steps) -> Result<(), Ended> {
        for step in wanted {
            match steps.take(|| world.rule_step(&step, &self.tags)) {
                Err(Ended::Refused(Refused::InUse)) => {
                    let targets = FoundTargets::Read(world.rules[step.rule()].targets.clone());
                    for step in removal(step.rule(), &targets) {
                        steps.take(|| world.rule_step(&step, &self.tags))?;
                    }
                }
                other => other?,
            }
            after(found, &step);
        }
        Ok(())
    }

    /// What of ours is not as wanted, as far as the view could tell.
    pub(crate) fn differences(&self, world: &World, view: View) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut expect = |holds: bool, what: &str| wrong.extend((!holds).then(|| what.to_owned()));
        let (role, queue) = (self.role(), self.queue());
        let there = world.roles.get(&role.name);
        expect(there.is_some_and(|there| there.boundary == self.boundary), "the role's boundary");
        expect(there.and_then(|there| there.trust.as_ref()).is_some_and(|trust| same_document(trust, &role.trust)), "the role's trust");
        expect(
            there.and_then(|there| there.policy.as_ref()).is_some_and(|policy| same_document(policy, &role.policy)),
            "the role's policy",
        );
        let attributes = world.queues.get(&queue.name);
        expect(attributes.is_some() == self.keeps_dead_letters, "whether there is a queue");
        expect(attributes.is_none_or(|found| differing_attributes(&queue.attributes, found).is_empty()), "the queue");
        let rules: Vec<Rule> = self.triggers.iter().flat_map(|trigger| self.rules(trigger)).collect();
        let ours = world.rules.keys().filter(|name| hub().owner_of_rule(name).is_some()).count();
        expect(ours == rules.len(), "the number of rules");
        for rule in &rules {
            let Some(there) = world.rules.get(&rule.name) else {
                expect(false, &rule.name);
                continue;
            };
            expect(there.description == rule.description && there.state == rule.state.as_str(), "a rule's description or state");
            expect(same_document(&there.pattern, &rule.pattern), "a rule's pattern");
            let targets = match view {
                View::Listed => there.targets.iter().any(|target| target.arn == rule.target.arn),
                View::Deep => there.targets == [rule.target.clone()] && rule.target.id == TARGET_ID,
            };
            expect(targets, "a rule's targets");
        }
        wrong
    }
}
