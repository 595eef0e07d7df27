//! Worlds to start from: things of ours as wanted, half made, or changed by somebody, beside things of another hub and of other people.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use trailwire_engine::fanout::names::{Carrier, Cell, Hub, Owner, TARGET_ID};
use trailwire_engine::fanout::objects::{FoundRole, Queue, Role};
use trailwire_engine::fanout::rules::Target;
use trailwire_engine::fanout::tags::Tags;

use crate::dice::Dice;
use crate::world::{ACCOUNT, Rule, World, cell, hub};

/// The most targets of a rule.
const MOST_TARGETS: usize = 5;

fn other_hub() -> &'static Hub {
    static HUB: LazyLock<Hub> = LazyLock::new(|| Hub::new("audit", Cell::new(ACCOUNT, "eu-west-1")));
    &HUB
}

/// A world that these dice make.
pub(crate) fn world(dice: &mut Dice) -> World {
    let mut world = World::default();
    for _ in 0..dice.below(8) {
        world.rules.insert(rule_name(dice), rule(dice));
    }
    if dice.are(0.7) {
        let (name, mut role) = role_of(hub());
        match dice.below(5) {
            0 => role.trust = Some("{}".to_owned()),
            1 => role.policy = None,
            2 => role.boundary = Some("arn:other".to_owned()),
            3 => role.policy = Some("{}".to_owned()),
            _ => {}
        }
        world.roles.insert(name, role);
    }
    if dice.are(0.7) {
        let mut queue = Queue::of_forward_dead_letters(hub(), &cell());
        match dice.below(3) {
            0 => drop(queue.attributes.remove("Policy")),
            1 => drop(queue.attributes.insert("DelaySeconds".to_owned(), "9".to_owned())),
            _ => {}
        }
        world.queues.insert(queue.name, queue.attributes);
    }
    if dice.are(0.5) {
        world.roles.extend([role_of(other_hub())]);
        let queue = Queue::of_forward_dead_letters(other_hub(), &cell());
        world.queues.insert(queue.name, queue.attributes);
    }
    world.queues.insert("somebody-elses".to_owned(), BTreeMap::new());
    world.roles.insert("somebody-elses".to_owned(), FoundRole::default());
    world
}

fn role_of(hub: &Hub) -> (String, FoundRole) {
    let wanted = Role::forward(hub, ACCOUNT, None);
    (wanted.name, FoundRole { trust: Some(wanted.trust), boundary: None, policy: Some(wanted.policy) })
}

/// Names of rules: ours, of triggers and forwarders that may or may not be wanted; another hub's; and those of other people.
fn rule_name(dice: &mut Dice) -> String {
    let (name, k) = (dice.one_of(&["a", "b", "a-0", "gone"]), dice.below(4));
    let owner = Owner { carrier: dice.one_of(&Carrier::ALL), name };
    match dice.below(5) {
        0 => dice.one_of(&["tw-mine-0", "sb-else"]).to_owned(),
        1 => other_hub().rule_name(owner, k),
        _ => hub().rule_name(owner, k),
    }
}

fn rule(dice: &mut Dice) -> Rule {
    let known = r#"{ "detail": {"eventName": ["a"]} }"#;
    let mut text = || if dice.are(0.5) { known.to_owned() } else { format!("Trailwire: trigger a of hub {}", hub().name()) };
    let (description, pattern) = (text(), text());
    let state = dice.one_of(&["ENABLED", "DISABLED"]).to_owned();
    Rule { description, pattern, state, targets: targets(dice), tags: Tags::new() }
}

/// Each id once: ours as it should be or nearly, and those of other people, which may send to the hub as well.
fn targets(dice: &mut Dice) -> Vec<Target> {
    let mut targets: BTreeMap<String, Target> = BTreeMap::new();
    for _ in 0..dice.below(9) {
        let id = if dice.are(0.4) { TARGET_ID } else { dice.one_of(&["a", "b", "c", "d", "e", "z"]) }.to_owned();
        let arn = match dice.below(4) {
            0 => other_hub().arn(),
            1 => "arn:aws:sqs:us-east-1:111122223333:q".to_owned(),
            _ => hub().arn(),
        };
        let role_arn = dice.are(0.7).then(|| hub().forward_role_arn(ACCOUNT));
        let dead_letter_arn = dice.are(0.5).then(|| hub().queue_arn(&cell(), &hub().forward_dead_letter_queue_name()));
        targets.insert(id.clone(), Target { id, arn, role_arn, dead_letter_arn, altered: dice.are(0.2) });
    }
    targets.into_values().take(MOST_TARGETS).collect()
}

impl World {
    /// A list of rules does not tell that somebody has taken all places of a rule's targets; AWS then refuses ours, and the user reads so.
    pub(crate) fn with_room_for_targets(mut self) -> Self {
        self.rules.values_mut().for_each(|rule| rule.targets.truncate(MOST_TARGETS - 1));
        self
    }
}
