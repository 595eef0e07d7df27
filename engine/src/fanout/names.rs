//! The names of everything that a hub owns in AWS, derived from the hub alone.
//!
//! Every name of an object that lives beside other people's objects (rules on the default bus, roles) carries `h8`, eight hexadecimal
//! digits of a hash of the hub's ARN, so that two hubs never touch each other's objects.

use std::fmt;

use sha2::{Digest, Sha256};

use super::table::Kind;
pub use crate::catalogue::partition;

/// The longest name that a hub may have; `trailwire-NAME-dlq` then stays within the 80 characters of a queue name.
pub const HUB_NAME_MAX: usize = 32;
/// The longest name of a definition; `tw-<h8>-fwd.NAME-<k>` then stays within the 64 characters of a rule name.
pub const DEFINITION_NAME_MAX: usize = 40;
/// The IAM path of every role that Trailwire makes.
pub const ROLE_PATH: &str = "/trailwire/";
/// The only target of a trigger's rule, and of the hub's rule.
pub const TARGET_ID: &str = "trailwire";

/// What the name of a forwarder's rule has before the forwarder's: no name of a trigger holds a dot.
const FORWARDER_MARK: &str = "fwd.";
const PREFIX: &str = "trailwire-";
const DEAD_LETTER_SUFFIX: &str = "-dlq";

/// A name that cannot be used; the text says why, without the name itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct InvalidName {
    reason: String,
}

/// Checks a hub's name: `^[a-z][a-z0-9-]{0,31}$`, and not ending in `-dlq`, because `trailwire-a-dlq` is the dead-letter queue of hub `a`.
///
/// # Errors
/// Says what the name must look like.
pub fn check_hub_name(name: &str) -> Result<(), InvalidName> {
    check("a hub's name", name, HUB_NAME_MAX)?;
    if name.ends_with(DEAD_LETTER_SUFFIX) {
        return Err(InvalidName {
            reason: "a hub's name must not end in `-dlq`: that queue name belongs to another hub's dead letters".to_owned(),
        });
    }
    Ok(())
}

/// Checks the name of a trigger: `^[a-z][a-z0-9-]{0,39}$`.
///
/// # Errors
/// Says what the name must look like.
pub fn check_trigger_name(name: &str) -> Result<(), InvalidName> {
    check("a trigger's name", name, DEFINITION_NAME_MAX)
}

/// Checks the name of a destination: `^[a-z][a-z0-9-]{0,39}$`.
///
/// # Errors
/// Says what the name must look like.
pub fn check_destination_name(name: &str) -> Result<(), InvalidName> {
    check("a destination's name", name, DEFINITION_NAME_MAX)
}

fn check(what: &str, name: &str, max: usize) -> Result<(), InvalidName> {
    let starts = name.chars().next().is_some_and(|c| c.is_ascii_lowercase());
    let rest = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if starts && rest && name.len() <= max {
        return Ok(());
    }
    Err(InvalidName {
        reason: format!(
            "{what} starts with a lower-case letter, holds lower-case letters, digits and `-` only, and is at most {max} characters long"
        ),
    })
}

/// Whether the text is an AWS account id: twelve digits.
#[must_use]
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether the text has the form of a region name, such as `eu-west-1` or `us-gov-west-1`; says nothing about its existence.
#[must_use]
pub fn is_region_name(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    match parts.as_slice() {
        [words @ .., number] => {
            words.len() >= 2 && words.iter().all(word) && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
        }
        [] => false,
    }
}

/// What has rules on the default bus of cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carrier {
    /// A trigger: rules for its own events.
    Trigger,
    /// A forwarder: rules for the events of many triggers.
    Forwarder,
}

impl Carrier {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Trigger, Self::Forwarder];

    /// That of a definition; `None` of one that has no rules.
    #[must_use]
    pub fn of(kind: Kind) -> Option<Self> {
        Self::ALL.into_iter().find(|carrier| carrier.kind() == kind)
    }

    /// What its definition is.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Trigger => Kind::Trigger,
            Self::Forwarder => Kind::Forwarder,
        }
    }
}

/// Whose a rule is. Shown as `trigger NAME` or `forwarder NAME`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner<'a> {
    /// What it is.
    pub carrier: Carrier,
    /// Its name.
    pub name: &'a str,
}

impl<'a> Owner<'a> {
    /// The trigger of this name.
    #[must_use]
    pub fn trigger(name: &'a str) -> Self {
        Self { carrier: Carrier::Trigger, name }
    }

    /// The forwarder of this name.
    #[must_use]
    pub fn forwarder(name: &'a str) -> Self {
        Self { carrier: Carrier::Forwarder, name }
    }
}

impl fmt::Display for Owner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.carrier.kind().as_str(), self.name)
    }
}

/// One place where rules live: an account and a region. Shown as `account/region`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// The account's twelve digits.
    pub account: String,
    /// The region's name.
    pub region: String,
}

impl Cell {
    /// A cell of this account and region.
    pub fn new(account: impl Into<String>, region: impl Into<String>) -> Self {
        Self { account: account.into(), region: region.into() }
    }

    /// Reads `account/region`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (account, region) = text.split_once('/')?;
        (is_account_id(account) && is_region_name(region)).then(|| Self::new(account, region))
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

/// A hub as every name sees it: its own name, its account and its home region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hub {
    name: String,
    home: Cell,
    /// Follows from the other two. Kept, because every name of a rule asks for it.
    h8: String,
}

impl Hub {
    /// The hub of this name in this home cell. The name is taken as it is: see [`check_hub_name`].
    pub fn new(name: impl Into<String>, home: Cell) -> Self {
        let mut hub = Self { name: name.into(), home, h8: String::new() };
        hub.h8 = Sha256::digest(hub.arn().as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        hub
    }

    /// Reads a hub's ARN, `arn:P:events:R:A:event-bus/trailwire-NAME`; nothing else is a hub's ARN.
    #[must_use]
    pub fn from_arn(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", found_partition, "events", region, account, resource] = parts.as_slice() else {
            return None;
        };
        let name = resource.strip_prefix("event-bus/")?.strip_prefix(PREFIX)?;
        let fits =
            is_account_id(account) && is_region_name(region) && partition(region) == *found_partition && check_hub_name(name).is_ok();
        fits.then(|| Self::new(name, Cell::new(*account, *region)))
    }

    /// The hub's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The cell that holds the bus, the queues and the table.
    #[must_use]
    pub fn home(&self) -> &Cell {
        &self.home
    }

    /// The partition of the hub and of all its cells.
    #[must_use]
    pub fn partition(&self) -> &'static str {
        partition(&self.home.region)
    }

    /// The hub's ARN, which is its bus's.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:{}:events:{}:{}:event-bus/{}", self.partition(), self.home.region, self.home.account, self.bus_name())
    }

    /// The first eight hexadecimal digits of the SHA-256 of the hub's ARN.
    #[must_use]
    pub fn h8(&self) -> &str {
        &self.h8
    }

    /// The bus in the home region.
    #[must_use]
    pub fn bus_name(&self) -> String {
        format!("{PREFIX}{}", self.name)
    }

    /// The table in the home region.
    #[must_use]
    pub fn table_name(&self) -> String {
        format!("{PREFIX}{}", self.name)
    }

    /// The queue in the home region that the runtime reads.
    #[must_use]
    pub fn queue_name(&self) -> String {
        format!("{PREFIX}{}", self.name)
    }

    /// The dead-letter queue of that queue.
    #[must_use]
    pub fn dead_letter_queue_name(&self) -> String {
        format!("{PREFIX}{}{DEAD_LETTER_SUFFIX}", self.name)
    }

    /// What every rule, role and forward dead-letter queue of this hub begins with.
    #[must_use]
    pub fn own_prefix(&self) -> String {
        format!("tw-{}-", self.h8())
    }

    /// The rule on the hub's bus that fills the queue.
    #[must_use]
    pub fn hub_rule_name(&self) -> String {
        format!("{}hub", self.own_prefix())
    }

    /// The ARN of that rule. Rules of a bus that is not the default one carry the bus's name.
    #[must_use]
    pub fn hub_rule_arn(&self) -> String {
        format!(
            "arn:{}:events:{}:{}:rule/{}/{}",
            self.partition(),
            self.home.region,
            self.home.account,
            self.bus_name(),
            self.hub_rule_name()
        )
    }

    /// The rule of each cell whose tagging makes an event; no trigger's rule ends so.
    #[must_use]
    pub fn canary_rule_name(&self) -> String {
        format!("{}canary", self.own_prefix())
    }

    /// The rule number `k` of a trigger or forwarder, the same name in every cell: `tw-<h8>-NAME-k`, `tw-<h8>-fwd.NAME-k`.
    #[must_use]
    pub fn rule_name(&self, owner: Owner<'_>, k: usize) -> String {
        format!("{}{k}", self.owner_prefix(owner))
    }

    /// The ARN of a rule on the default bus of a cell.
    #[must_use]
    pub fn rule_arn(&self, cell: &Cell, rule: &str) -> String {
        format!("arn:{}:events:{}:{}:rule/{rule}", self.partition(), cell.region, cell.account)
    }

    /// What the names of an owner's rules begin with; those of some others do, too.
    #[must_use]
    pub fn owner_prefix(&self, owner: Owner<'_>) -> String {
        let mark = match owner.carrier {
            Carrier::Trigger => "",
            Carrier::Forwarder => FORWARDER_MARK,
        };
        format!("{}{mark}{}-", self.own_prefix(), owner.name)
    }

    /// Whose a rule is by its name, and its number; `None` for a rule that no trigger or forwarder of this hub has.
    #[must_use]
    pub fn owner_of_rule<'a>(&self, rule: &'a str) -> Option<(Owner<'a>, usize)> {
        let (name, k) = rule.strip_prefix("tw-")?.strip_prefix(&self.h8)?.strip_prefix('-')?.rsplit_once('-')?;
        let canonical = k == "0" || !k.starts_with('0');
        let k = k.parse().ok().filter(|_| canonical)?;
        let owner = name.strip_prefix(FORWARDER_MARK).map_or_else(|| Owner::trigger(name), Owner::forwarder);
        check_trigger_name(owner.name).ok().map(|()| (owner, k))
    }

    /// The role that lets EventBridge put events on the hub's bus; one for each account.
    #[must_use]
    pub fn forward_role_name(&self) -> String {
        format!("{}forward", self.own_prefix())
    }

    /// The ARN of the forwarding role in an account of the hub's partition.
    #[must_use]
    pub fn forward_role_arn(&self, account: &str) -> String {
        format!("arn:{}:iam::{account}:role{ROLE_PATH}{}", self.partition(), self.forward_role_name())
    }

    /// The role by which the runtime asks AWS for the queries of triggers; one for each account, where the hub allows any.
    #[must_use]
    pub fn read_role_name(&self) -> String {
        format!("{}read", self.own_prefix())
    }

    /// The ARN of the reading role in an account of the hub's partition.
    #[must_use]
    pub fn read_role_arn(&self, account: &str) -> String {
        format!("arn:{}:iam::{account}:role{ROLE_PATH}{}", self.partition(), self.read_role_name())
    }

    /// The queue in every cell that keeps what could not be forwarded from there.
    #[must_use]
    pub fn forward_dead_letter_queue_name(&self) -> String {
        format!("{}forward-dlq", self.own_prefix())
    }

    /// The ARN of a queue in a cell of the hub's partition.
    #[must_use]
    pub fn queue_arn(&self, cell: &Cell, queue: &str) -> String {
        format!("arn:{}:sqs:{}:{}:{queue}", self.partition(), cell.region, cell.account)
    }

    /// The secret that keeps one write-only value of a destination, such as `trailwire/security/chat/slack-webhook-url`.
    #[must_use]
    pub fn secret_name(&self, destination: &str, field: &str) -> String {
        format!("trailwire/{}/{destination}/{field}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub() -> Hub {
        Hub::new("security", Cell::new("111122223333", "eu-west-1"))
    }

    #[test]
    fn names_are_those_of_the_design() {
        let hub = hub();
        assert_eq!(hub.arn(), "arn:aws:events:eu-west-1:111122223333:event-bus/trailwire-security");
        // printf '%s' ARN | sha256sum | cut -c1-8
        assert_eq!(hub.h8(), "755b7686");
        assert_eq!(hub.rule_name(Owner::trigger("sg-opened"), 0), "tw-755b7686-sg-opened-0");
        assert_eq!(hub.rule_name(Owner::forwarder("all-writes"), 2), "tw-755b7686-fwd.all-writes-2");
        assert_eq!(hub.hub_rule_arn(), "arn:aws:events:eu-west-1:111122223333:rule/trailwire-security/tw-755b7686-hub");
        assert_eq!(hub.forward_role_arn("444455556666"), "arn:aws:iam::444455556666:role/trailwire/tw-755b7686-forward");
        assert_eq!(hub.read_role_arn("444455556666"), "arn:aws:iam::444455556666:role/trailwire/tw-755b7686-read");
        assert_eq!(hub.secret_name("chat", "slack-webhook-url"), "trailwire/security/chat/slack-webhook-url");
        assert_eq!(Hub::from_arn(&hub.arn()), Some(hub));
    }

    #[test]
    fn a_rule_name_tells_its_owner() {
        let hub = hub();
        let mut names = std::collections::BTreeSet::new();
        for (name, k) in [("a", 0), ("a-0", 0), ("a-0-1", 12), ("hub", 3), ("forward", 0), ("fwd", 0), ("fwd-a", 0)] {
            for owner in Carrier::ALL.map(|carrier| Owner { carrier, name }) {
                let rule = hub.rule_name(owner, k);
                assert_eq!(hub.owner_of_rule(&rule), Some((owner, k)));
                assert!(names.insert(rule), "{owner} shares a rule");
            }
        }
        let prefix = hub.own_prefix();
        for foreign in [
            "tw-00000000-a-0".to_owned(),
            format!("{prefix}hub"),
            hub.canary_rule_name(),
            format!("{prefix}a-00"),
            format!("{prefix}A-0"),
            "mine".to_owned(),
            format!("{prefix}fwd.-0"),
            format!("{prefix}fwd.fwd.a-0"),
            format!("{prefix}a.b-0"),
        ] {
            assert_eq!(hub.owner_of_rule(&foreign), None, "{foreign}");
        }
    }

    #[test]
    fn the_longest_names_fit_the_limits_of_aws() {
        let hub = Hub::new("h".repeat(HUB_NAME_MAX), Cell::new("111122223333", "eu-west-1"));
        let name = "t".repeat(DEFINITION_NAME_MAX);
        for carrier in Carrier::ALL {
            assert!(hub.rule_name(Owner { carrier, name: &name }, 999).len() <= 64);
        }
        assert!(hub.dead_letter_queue_name().len() <= 80);
        assert!(hub.forward_role_name().len() <= 64);
    }

    #[test]
    fn names_are_checked() {
        for good in ["a", "security", "a-1", &"a".repeat(32)] {
            assert!(check_hub_name(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "1a", "-a", "a_b", "a.b", "ä", "a-dlq", &"a".repeat(33)] {
            assert!(check_hub_name(bad).is_err(), "{bad}");
        }
        assert!(check_trigger_name(&"a".repeat(40)).is_ok());
        assert!(check_trigger_name(&"a".repeat(41)).is_err());
        assert!(check_destination_name("chat-dlq").is_ok());
    }

    #[test]
    fn regions_and_partitions() {
        for (region, is, partition_name) in [
            ("eu-west-1", true, "aws"),
            ("us-gov-west-1", true, "aws-us-gov"),
            ("cn-north-1", true, "aws-cn"),
            ("eusc-de-east-1", true, "aws-eusc"),
            ("us-isob-east-1", true, "aws-iso-b"),
            ("mx-central-1", true, "aws"),
            ("eu-west", false, "aws"),
            ("", false, "aws"),
            ("EU-WEST-1", false, "aws"),
        ] {
            assert_eq!(is_region_name(region), is, "{region}");
            assert_eq!(partition(region), partition_name, "{region}");
        }
    }

    #[test]
    fn what_is_not_a_hub_arn() {
        for text in [
            "security",
            "arn:aws:events:eu-west-1:111122223333:event-bus/default",
            "arn:aws-cn:events:eu-west-1:111122223333:event-bus/trailwire-a",
            "arn:aws:events:eu-west-1:1111:event-bus/trailwire-a",
            "arn:aws:sqs:eu-west-1:111122223333:trailwire-a",
        ] {
            assert_eq!(Hub::from_arn(text), None, "{text}");
        }
    }
}
