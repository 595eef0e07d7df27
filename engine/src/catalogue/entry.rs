//! What is known of one event.

use std::fmt;

/// What is known of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// How it came to be known.
    pub origin: Origin,
    /// The `eventType` of its records, which decides their `detail-type` on EventBridge.
    pub event_type: EventType,
    /// The `readOnly` of its records: right for more than 99 % of those that carry it (`make catalogue-report`).
    pub read_only: bool,
    /// Whether it is a data event: recorded only where a trail's selectors ask for its resource type.
    pub data_event: bool,
    /// Whether it reaches EventBridge at all. Data events do where a trail records them; a rule in state ENABLED leaves out
    /// read-only management events besides.
    pub reaches_event_bridge: bool,
    /// Where it is recorded.
    pub regions: Regions,
}

/// How an event came to be known, and so how much can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// An operation of a published API.
    Api,
    /// An action that IAM knows and no published API has: a call of the console, or a permission that is no call. CloudTrail may
    /// never write it.
    Permission,
    /// The API's name for something that CloudTrail writes otherwise ([`super::written_as`]): no event has this name.
    Renamed,
    /// CloudTrail's spelling where it differs from the API's.
    Spelt,
    /// An event that no list of APIs has: made by a service, by a console, or by a call that is not published.
    Unlisted,
    /// A known name with a date behind it.
    Dated,
}

impl Origin {
    pub(super) fn of(number: u8) -> Option<Self> {
        [Self::Api, Self::Permission, Self::Renamed, Self::Spelt, Self::Unlisted].get(usize::from(number)).copied()
    }
}

/// The `eventType` of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventType {
    /// A call of an API.
    AwsApiCall,
    /// Something that a service did.
    AwsServiceEvent,
    /// Something that was done in a console and is no call of an API.
    AwsConsoleAction,
    /// A sign-in.
    AwsConsoleSignIn,
}

impl EventType {
    const ALL: [Self; 4] = [Self::AwsApiCall, Self::AwsServiceEvent, Self::AwsConsoleAction, Self::AwsConsoleSignIn];

    pub(super) fn of(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// As records carry it.
impl fmt::Display for EventType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

/// Where an event is recorded. The lists hold region names parted by blanks ([`Regions::names`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Regions {
    /// In the region that was called.
    Anywhere,
    /// In these only, one or more for each partition (global services, and those that have one region).
    Only(&'static str),
    /// In these first of all; in others, too.
    Often(&'static str),
}

impl Regions {
    pub(super) fn of(binding: u8, names: &'static str) -> Option<Self> {
        [Self::Anywhere, Self::Only(names), Self::Often(names)].get(usize::from(binding)).copied()
    }

    /// The regions that are named; none for [`Regions::Anywhere`].
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        match self {
            Self::Anywhere => "",
            Self::Only(names) | Self::Often(names) => names,
        }
        .split_whitespace()
    }
}
