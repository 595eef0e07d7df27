//! The hub's table: one item for the hub, one for each trigger and destination, one for each runtime that has been seen.
//!
//! Items are given in a neutral form ([`Item`]), so that this page knows what an item holds and nobody's client library. A reader
//! ignores attributes that it does not know; a writer that only changes some attributes leaves the others alone.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::names::{Cell, Hub};

/// The hash key, a string.
pub const PK: &str = "pk";
/// The range key, a string.
pub const SK: &str = "sk";
/// Both keys of the hub's own item.
pub const HUB_KEY: &str = "hub";
/// The hash key of runtimes that have been seen; the range key is the runtime's id.
pub const RUNTIME_PK: &str = "runtime";
/// The hash key of canaries that have arrived; the range key is the cell.
pub const CANARY_PK: &str = "canary";
/// What tells one canary of a cell from another.
pub const NONCE: &str = "nonce";
/// When a canary arrived, in milliseconds since the epoch.
pub const ARRIVED: &str = "arrived";
/// What the hash keys of the runtimes' journal begin with.
pub const JOURNAL_PK: &str = "journal/";
/// JSON of a [`HubRecord`], or of a runtime's heartbeat.
pub const RECORD: &str = "record";
/// On the hub's item: a counter that every change of the hub or of a definition raises by one. On a definition: a counter of its own changes.
pub const REVISION: &str = "revision";
/// JSON of one trigger or destination.
pub const DOCUMENT: &str = "document";
/// `creating`, `live` or `deleting`.
pub const STATE: &str = "state";
/// Who holds the lease while the state is `creating`.
pub const OWNER: &str = "owner";
/// When that lease ends, in seconds since the epoch by its holder's clock. Every renewal raises it.
pub const LEASE_UNTIL: &str = "lease_until";
/// What only the provider keeps with a definition, JSON: settings that are no part of the document but must survive an import.
pub const SETTINGS: &str = "settings";
/// When a runtime was seen last, in seconds since the epoch.
pub const SEEN: &str = "seen";
/// JSON of the documents that a runtime refused, with the reasons.
pub const REFUSED: &str = "refused";
/// JSON of what a runtime does: states of triggers, what is open, what was done.
pub const STATUS: &str = "status";
/// How long a claim holds without being renewed.
pub const LEASE_SECONDS: u64 = 60;
/// How far apart the clocks of two machines that both talk to AWS can be, and more: AWS refuses requests that are more than five minutes off.
pub const CLOCKS_APART_SECONDS: u64 = 15 * 60;
/// The format of records and documents that this version writes and reads.
pub const FORMAT_VERSION: u64 = 1;

/// One attribute of an item: DynamoDB's `S` or `N`. Nothing else is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// A string, `S`.
    Text(String),
    /// A whole number, `N`.
    Number(u64),
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Attribute {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Attribute {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

/// An item, attribute by attribute, keys included.
pub type Item = BTreeMap<String, Attribute>;

/// An item that does not have the form of this page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the item `{key}` of the hub's table {reason}")]
pub struct InvalidItem {
    key: String,
    reason: String,
}

impl InvalidItem {
    fn new(item: &Item, reason: impl Into<String>) -> Self {
        let part = |name| text(item, name).unwrap_or("?");
        Self { key: format!("{}/{}", part(PK), part(SK)), reason: reason.into() }
    }
}

fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    match item.get(name) {
        Some(Attribute::Text(text)) => Some(text),
        _ => None,
    }
}

fn number(item: &Item, name: &str) -> Option<u64> {
    match item.get(name) {
        Some(Attribute::Number(number)) => Some(*number),
        _ => None,
    }
}

fn required<'a>(item: &'a Item, name: &str) -> Result<&'a str, InvalidItem> {
    text(item, name).ok_or_else(|| InvalidItem::new(item, format!("has no text `{name}`")))
}

/// Where the making or unmaking of an item stands. Whoever judges events takes every item, whatever its state: a definition is there
/// before its rules, and goes after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Claimed; its objects are being made. Without a renewed lease, whoever comes next takes it over.
    Creating,
    /// Made.
    Live,
    /// Its objects are being removed.
    Deleting,
}

impl State {
    /// The text in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Live => "live",
            Self::Deleting => "deleting",
        }
    }

    fn read(item: &Item) -> Result<Self, InvalidItem> {
        match required(item, STATE)? {
            "creating" => Ok(Self::Creating),
            "live" => Ok(Self::Live),
            "deleting" => Ok(Self::Deleting),
            other => Err(InvalidItem::new(item, format!("has the unknown state `{other}`"))),
        }
    }
}

/// Who claimed an item and until when. A live item has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Where the item stands.
    pub state: State,
    /// The random id of whoever makes it; empty when nobody does.
    pub owner: String,
    /// The end of the lease in seconds since the epoch; 0 when nobody holds it.
    pub lease_until: u64,
}

impl Claim {
    /// Of an item that is made.
    #[must_use]
    pub fn live() -> Self {
        Self { state: State::Live, owner: String::new(), lease_until: 0 }
    }

    /// Of an item that `owner` begins to make.
    #[must_use]
    pub fn creating(owner: &str, lease_until: u64) -> Self {
        Self { state: State::Creating, owner: owner.to_owned(), lease_until }
    }

    /// Whether its making was begun and given up so long ago that no difference between clocks can explain it. A younger claim is given up
    /// when it does not change while somebody watches it for as long as a lease is.
    #[must_use]
    pub fn is_long_over(&self, now: u64) -> bool {
        self.state == State::Creating && self.lease_until.saturating_add(CLOCKS_APART_SECONDS) < now
    }

    fn read(item: &Item) -> Result<Self, InvalidItem> {
        Ok(Self {
            state: State::read(item)?,
            owner: text(item, OWNER).unwrap_or_default().to_owned(),
            lease_until: number(item, LEASE_UNTIL).unwrap_or(0),
        })
    }

    /// Writes state, owner and lease into the item.
    pub fn write(&self, item: &mut Item) {
        item.insert(STATE.to_owned(), self.state.as_str().into());
        item.insert(OWNER.to_owned(), self.owner.as_str().into());
        item.insert(LEASE_UNTIL.to_owned(), self.lease_until.into());
    }
}

/// What the hub tells everyone who reads its table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubRecord {
    /// [`FORMAT_VERSION`] of the writer; a reader that is older refuses the record.
    pub format_version: u64,
    /// The hub's name.
    pub name: String,
    /// The home region.
    pub region: String,
    /// The hub's own account.
    pub account_id: String,
    /// The bus, which is also the hub's ARN.
    pub bus_arn: String,
    /// The queue that the runtime reads.
    pub queue_url: String,
    /// Its ARN.
    pub queue_arn: String,
    /// The queue of messages that could not be judged or delivered.
    pub dead_letter_queue_url: String,
    /// The forwarding role of the hub's own account.
    pub forward_role_arn: String,
    /// Every region in scope, resolved, in order.
    pub regions: Vec<String>,
    /// Every account in scope, the hub's own included, in order.
    pub accounts: Vec<String>,
    /// By account, those of the regions that are not covered in it, as they are not enabled there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub without: BTreeMap<String, Vec<String>>,
    /// Accounts that were given up: what may still be in them is not looked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub abandoned: Vec<String>,
    /// The roles, beside the forwarding role of each account, whose doings are not reported to triggers without `include_self`.
    pub own_role_arns: Vec<String>,
    /// Whether every cell keeps what could not be forwarded.
    pub forward_dead_letter: bool,
    /// The operations that queries of triggers may call, such as `ec2:DescribeInstances`. Where there are any, every account has a reading role.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query_operations: Vec<String>,
}

impl HubRecord {
    /// Every cell in scope, account by account, in order.
    #[must_use]
    pub fn cells(&self) -> Vec<Cell> {
        let of = |account: &String| {
            let without = self.without.get(account).map(Vec::as_slice).unwrap_or_default();
            let regions = self.regions.iter().filter(|region| !without.contains(region));
            regions.map(|region| Cell::new(account, region)).collect::<Vec<_>>()
        };
        self.accounts.iter().flat_map(of).collect()
    }

    /// The same record with these cells in scope, whatever their order.
    #[must_use]
    pub fn covering(self, cells: &BTreeSet<Cell>) -> Self {
        let accounts: BTreeSet<&String> = cells.iter().map(|cell| &cell.account).collect();
        let regions: BTreeSet<&String> = cells.iter().map(|cell| &cell.region).collect();
        let without = |account: &String| {
            let missing = regions.iter().filter(|region| !cells.contains(&Cell::new(account, region.as_str())));
            let missing: Vec<String> = missing.map(|region| (*region).clone()).collect();
            (!missing.is_empty()).then(|| (account.clone(), missing))
        };
        let without = accounts.iter().filter_map(|account| without(account)).collect();
        let owned = |names: BTreeSet<&String>| names.into_iter().cloned().collect();
        Self { accounts: owned(accounts), regions: owned(regions), without, ..self }
    }

    /// Every role whose doings are not reported to triggers without `include_self`.
    #[must_use]
    pub fn own_roles(&self) -> BTreeSet<String> {
        let hub = Hub::new(&self.name, Cell::new(&self.account_id, &self.region));
        let reading = if self.query_operations.is_empty() { &[][..] } else { &self.accounts };
        let reading = reading.iter().map(|account| hub.read_role_arn(account));
        let forwarding = self.accounts.iter().map(|account| hub.forward_role_arn(account));
        self.own_role_arns.iter().cloned().chain(forwarding).chain(reading).collect()
    }
}

/// The hub's own item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubItem {
    /// What the hub tells; absent from the claim until everything is made.
    pub record: Option<HubRecord>,
    /// Raised by one with every change of any definition or of the hub.
    pub revision: u64,
    /// What only the provider keeps, JSON.
    pub settings: Option<String>,
    /// Where the hub's making stands.
    pub claim: Claim,
}

impl HubItem {
    /// Reads the hub's item.
    ///
    /// # Errors
    /// When an attribute is missing or malformed, or the record was written by a newer format.
    pub fn read(item: &Item) -> Result<Self, InvalidItem> {
        let record = match text(item, RECORD) {
            None => None,
            Some(json) => {
                let invalid = |why: String| InvalidItem::new(item, why);
                let newer = |version: u64| {
                    invalid(format!("has format {version}, newer than {FORMAT_VERSION}, the newest that this version reads"))
                };
                let value: serde_json::Value =
                    serde_json::from_str(json).map_err(|error| invalid(format!("has a malformed record: {error}")))?;
                match value.get("format_version").and_then(serde_json::Value::as_u64) {
                    Some(version) if version > FORMAT_VERSION => return Err(newer(version)),
                    _ => Some(serde_json::from_value(value).map_err(|error| invalid(format!("has a malformed record: {error}")))?),
                }
            }
        };
        let settings = text(item, SETTINGS).map(str::to_owned);
        Ok(Self { record, revision: number(item, REVISION).unwrap_or(0), settings, claim: Claim::read(item)? })
    }

    /// The item, keys included.
    #[must_use]
    pub fn write(&self) -> Item {
        let mut item = key(HUB_KEY, HUB_KEY);
        if let Some(json) = self.record.as_ref().and_then(|record| serde_json::to_string(record).ok()) {
            item.insert(RECORD.to_owned(), json.into());
        }
        if let Some(settings) = &self.settings {
            item.insert(SETTINGS.to_owned(), settings.as_str().into());
        }
        item.insert(REVISION.to_owned(), self.revision.into());
        self.claim.write(&mut item);
        item
    }
}

/// What a definition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A trigger.
    Trigger,
    /// A destination.
    Destination,
    /// A forwarder. The runtime has no use for it: the path that an event took plays no part.
    Forwarder,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Trigger, Self::Destination, Self::Forwarder];

    /// The hash key of the kind's items, and its name in messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Destination => "destination",
            Self::Forwarder => "forwarder",
        }
    }
}

/// One trigger, destination or forwarder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// What it is.
    pub kind: Kind,
    /// Its name, the range key.
    pub name: String,
    /// Its JSON document; absent while a name is claimed whose document is not known yet. Nothing is judged by such an item.
    pub document: Option<String>,
    /// What only the provider keeps, JSON.
    pub settings: Option<String>,
    /// Where its making stands.
    pub claim: Claim,
    /// Raised by one with every change of this definition.
    pub revision: u64,
}

impl Definition {
    /// Reads the item of a definition.
    ///
    /// # Errors
    /// When an attribute is missing or malformed, or the hash key is no kind's. The document's text is not read.
    pub fn read(item: &Item) -> Result<Self, InvalidItem> {
        let pk = required(item, PK)?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == pk).ok_or_else(|| InvalidItem::new(item, "is no definition"))?;
        Ok(Self {
            kind,
            name: required(item, SK)?.to_owned(),
            document: text(item, DOCUMENT).map(str::to_owned),
            settings: text(item, SETTINGS).map(str::to_owned),
            claim: Claim::read(item)?,
            revision: number(item, REVISION).unwrap_or(0),
        })
    }

    /// The item, keys included.
    #[must_use]
    pub fn write(&self) -> Item {
        let mut item = key(self.kind.as_str(), &self.name);
        for (name, value) in [(DOCUMENT, &self.document), (SETTINGS, &self.settings)] {
            if let Some(value) = value {
                item.insert(name.to_owned(), value.as_str().into());
            }
        }
        item.insert(REVISION.to_owned(), self.revision.into());
        self.claim.write(&mut item);
        item
    }
}

/// The two keys of an item.
#[must_use]
pub fn key(pk: &str, sk: &str) -> Item {
    Item::from([(PK.to_owned(), pk.into()), (SK.to_owned(), sk.into())])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> HubRecord {
        HubRecord {
            format_version: FORMAT_VERSION,
            name: "security".to_owned(),
            region: "eu-west-1".to_owned(),
            account_id: "111122223333".to_owned(),
            bus_arn: "arn:aws:events:eu-west-1:111122223333:event-bus/trailwire-security".to_owned(),
            queue_url: "https://sqs/q".to_owned(),
            queue_arn: "arn:aws:sqs:eu-west-1:111122223333:trailwire-security".to_owned(),
            dead_letter_queue_url: "https://sqs/q-dlq".to_owned(),
            forward_role_arn: "arn:aws:iam::111122223333:role/trailwire/tw-0-forward".to_owned(),
            regions: vec!["eu-west-1".to_owned()],
            accounts: vec!["111122223333".to_owned()],
            without: BTreeMap::new(),
            abandoned: vec![],
            own_role_arns: vec![],
            query_operations: vec![],
            forward_dead_letter: true,
        }
    }

    #[test]
    fn a_record_covers_the_cells_that_it_was_given() {
        let cell = |account: char, region: &str| Cell::new(String::from(account).repeat(12), region);
        for (cells, json) in [
            (vec![cell('1', "a-b-1"), cell('1', "a-b-2"), cell('2', "a-b-1"), cell('2', "a-b-2")], "{}"),
            (vec![cell('1', "a-b-1"), cell('2', "a-b-2")], r#"{"111111111111":["a-b-2"],"222222222222":["a-b-1"]}"#),
        ] {
            let covering = record().covering(&cells.iter().cloned().collect());
            assert_eq!(covering.cells(), cells);
            assert_eq!(serde_json::to_string(&covering.without).unwrap(), json);
        }
        let roles = record().covering(&[cell('2', "a-b-1")].into()).own_roles();
        assert_eq!(roles.into_iter().collect::<Vec<_>>(), ["arn:aws:iam::222222222222:role/trailwire/tw-755b7686-forward"]);
    }

    #[test]
    fn a_hub_item_is_read_as_it_was_written() {
        for hub in [
            HubItem { record: Some(record()), revision: 7, settings: Some("{}".to_owned()), claim: Claim::live() },
            HubItem { record: None, revision: 0, settings: None, claim: Claim::creating("o", 12) },
        ] {
            assert_eq!(HubItem::read(&hub.write()), Ok(hub));
        }
    }

    #[test]
    fn unknown_attributes_are_ignored_and_a_newer_format_is_refused() {
        let mut item = HubItem { record: Some(record()), revision: 7, settings: None, claim: Claim::live() }.write();
        item.insert("later".to_owned(), "x".into());
        item.insert(RECORD.to_owned(), serde_json::to_string(&record()).unwrap().replacen('{', r#"{"later":1,"#, 1).into());
        assert!(HubItem::read(&item).is_ok());
        item.insert(RECORD.to_owned(), r#"{"format_version":2}"#.into());
        let error = HubItem::read(&item).unwrap_err().to_string();
        assert_eq!(error, "the item `hub/hub` of the hub's table has format 2, newer than 1, the newest that this version reads");
    }

    #[test]
    fn a_definition_is_read_as_it_was_written() {
        for kind in Kind::ALL {
            for document in [None, Some("{}".to_owned())] {
                let definition =
                    Definition { kind, name: "a".to_owned(), document, settings: None, claim: Claim::creating("me", 5), revision: 3 };
                assert_eq!(Definition::read(&definition.write()), Ok(definition));
            }
        }
    }

    #[test]
    fn malformed_items_say_what_is_wrong() {
        let good =
            Definition { kind: Kind::Trigger, name: "a".to_owned(), document: None, settings: None, claim: Claim::live(), revision: 3 }
                .write();
        for (attribute, value, expected) in [
            (STATE, Some(Attribute::from("odd")), "the item `trigger/a` of the hub's table has the unknown state `odd`"),
            (STATE, None, "the item `trigger/a` of the hub's table has no text `state`"),
            (PK, Some(Attribute::from("other")), "the item `other/a` of the hub's table is no definition"),
            (SK, Some(Attribute::Number(1)), "the item `trigger/?` of the hub's table has no text `sk`"),
        ] {
            let mut item = good.clone();
            item.remove(attribute);
            item.extend(value.map(|value| (attribute.to_owned(), value)));
            assert_eq!(Definition::read(&item).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_claim_is_long_over_only_when_no_difference_between_clocks_explains_it() {
        let claim = Claim::creating("o", 100);
        assert!(!claim.is_long_over(100 + CLOCKS_APART_SECONDS));
        assert!(claim.is_long_over(101 + CLOCKS_APART_SECONDS));
        assert!(!Claim::live().is_long_over(u64::MAX));
    }
}
