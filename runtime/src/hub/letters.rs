//! The dead letters of a hub: what its own dead-letter queue and those of its cells hold, looked at without taking it, and sent to the runtime
//! once more.
//!
//! SQS has no way to look into a queue: a letter is received, hidden from others for as long as all of them may take, and let go when they were read. Of a
//! queue that others read at the same time not everything is seen.

use std::collections::{BTreeMap, BTreeSet};

use aws_config::{Region, SdkConfig};
use aws_sdk_sqs::error::ProvideErrorMetadata as _;
use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName};
use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use serde_json::Value;
use trailwire_engine::fanout::names::Cell;
use trailwire_engine::fanout::objects::Queue;

use super::Look;
use super::aws::{describe, queue_client};
use crate::journal::aws::{self, DynamoTable};

/// Queues that are read side by side.
const AT_ONCE: usize = 32;
/// Letters in one receive, and in one change: the most that SQS takes.
const BATCH: usize = 10;
/// For how long so many letters are hidden from others while they are looked at, and perhaps sent: far longer than that takes.
const HOLD: (i32, usize) = (60, 250);
/// Letters of a queue that are sent side by side.
const SENT_AT_ONCE: usize = 8;
/// The longest that SQS hides a message: twelve hours.
const LONGEST_HOLD: i32 = 43_200;
/// How long a receive waits, so that every server of the queue is asked.
const WAIT_SECONDS: i32 = 1;

/// What a dead letter is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A delivery that the runtime gave up.
    Delivery,
    /// A message that no trigger could judge.
    Message,
    /// An event that its cell could not send to the hub.
    Forward,
    /// What the dead-letter queue or the table did not take; it lies in the hub's table.
    Kept,
}

impl Kind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Delivery => "delivery",
            Self::Message => "message",
            Self::Forward => "forward",
            Self::Kept => "kept",
        }
    }
}

/// A dead letter.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    /// SQS's id of the message.
    pub(crate) id: String,
    /// Where it lies.
    pub(crate) cell: Cell,
    pub(crate) queue: String,
    pub(crate) kind: Kind,
    /// When it came to lie there.
    pub(crate) sent: Option<Timestamp>,
    /// Why; empty where nothing says it, as for a message that SQS itself has moved after too many receives.
    pub(crate) reason: String,
    /// Of a delivery; else empty.
    pub(crate) trigger: String,
    pub(crate) destination: String,
    /// The event's name, or what is told of a body that is no event.
    pub(crate) event: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) body: String,
    handle: String,
}

impl Letter {
    fn read(queue: &Place, message: Message) -> Option<Self> {
        let attributes: BTreeMap<String, String> =
            message.message_attributes.into_iter().flatten().filter_map(|(name, value)| Some((name, value.string_value?))).collect();
        let body = message.body.unwrap_or_default();
        let value: Value = serde_json::from_str(&body).unwrap_or_default();
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let is_delivery = value.get("type").and_then(Value::as_str) == Some(DELIVERY);
        let kind = match () {
            () if !queue.is_home => Kind::Forward,
            () if is_delivery => Kind::Delivery,
            () => Kind::Message,
        };
        let given = |names: &[&str]| {
            let found: Vec<&str> = names.iter().filter_map(|name| attributes.get(*name).map(String::as_str)).collect();
            found.join(": ")
        };
        let sent = message.attributes.as_ref().and_then(|found| found.get(&MessageSystemAttributeName::SentTimestamp));
        let event = if is_delivery { text("/event/detail/eventName") } else { text("/detail/eventName") };
        Some(Self {
            id: message.message_id?,
            cell: queue.cell.clone(),
            queue: queue.name.clone(),
            kind,
            sent: sent.and_then(|millis| Timestamp::from_millisecond(millis.parse().ok()?).ok()),
            reason: if queue.is_home { given(&["reason"]) } else { given(&["ERROR_CODE", "ERROR_MESSAGE"]) },
            trigger: if is_delivery { text("/trigger") } else { String::new() },
            destination: if is_delivery { text("/destination") } else { String::new() },
            event: if event.is_empty() { "no event".to_owned() } else { event },
            attributes,
            body,
            handle: message.receipt_handle?,
        })
    }
}

/// The `type` of a delivery that was given up.
pub(crate) const DELIVERY: &str = "trailwire.dead_letter";

/// A queue of dead letters.
#[derive(Debug, Clone)]
struct Place {
    cell: Cell,
    name: String,
    is_home: bool,
    config: SdkConfig,
}

impl Place {
    fn client(&self) -> aws_sdk_sqs::Client {
        let config = self.config.clone().into_builder().region(Region::new(self.cell.region.clone())).build();
        queue_client(&config)
    }
}

/// A queue that was opened.
struct Opened {
    place: Place,
    client: aws_sdk_sqs::Client,
    url: String,
}

/// What was found, and what could not be looked at.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The oldest first.
    pub(crate) letters: Vec<Letter>,
    /// One sentence for each queue.
    pub(crate) unread: Vec<String>,
    /// The queues that hold more than was asked for.
    pub(crate) more: BTreeSet<String>,
}

/// What became of letters that were sent once more.
#[derive(Debug, Default)]
pub(crate) struct Redriven {
    pub(crate) sent: u64,
    /// The id and why.
    pub(crate) failed: Vec<(String, String)>,
}

impl Look {
    /// Looks at the dead letters, at most `limit` of each queue; `regions` leaves out others, `None` means all. `take` chooses those to send to the
    /// runtime once more: such a letter is on the hub's queue before it is deleted where it lay.
    pub(crate) async fn dead_letters(
        &self,
        regions: Option<&[String]>,
        limit: usize,
        take: impl Fn(&Letter) -> bool + Sync,
    ) -> (Found, Redriven) {
        let places = self.places(regions).await;
        let (mut found, mut redriven) = (Found::default(), Redriven::default());
        let read = stream::iter(places).map(|place| async {
            let place = place?;
            let opened = open(place).await?;
            let Some(opened) = opened else { return Ok((vec![], false, Redriven::default())) };
            let (letters, more) = opened.read(limit).await?;
            let done = self.redrive_all(&opened, letters.iter().filter(|letter| take(letter)).collect()).await;
            opened.let_go(&letters).await;
            Ok((letters, more, done))
        });
        let mut read = std::pin::pin!(read.buffer_unordered(AT_ONCE));
        while let Some(read) = read.next().await {
            match read {
                Ok((letters, more, done)) => {
                    found.more.extend(letters.first().filter(|_| more).map(|letter| letter.queue.clone()));
                    found.letters.extend(letters);
                    redriven.sent += done.sent;
                    redriven.failed.extend(done.failed);
                }
                Err(reason) => found.unread.push(reason),
            }
        }
        match self.kept(regions).await {
            Ok(kept) => found.letters.extend(kept),
            Err(reason) => found.unread.push(format!("what is kept in the hub's table can not be read: {reason}")),
        }
        found.letters.sort_by(|a, b| (a.sent, &a.id).cmp(&(b.sent, &b.id)));
        found.unread.sort();
        (found, redriven)
    }

    /// What lies in the hub's table.
    async fn kept(&self, regions: Option<&[String]>) -> Result<Vec<Letter>, String> {
        let home = self.hub.home();
        if regions.is_some_and(|regions| !regions.contains(&home.region)) {
            return Ok(vec![]);
        }
        let table = DynamoTable::new(aws_sdk_dynamodb::Client::new(&self.config), self.hub.table_name());
        let letters = aws::dead_letters(&table).await?.into_iter().map(|(place, letter)| Letter {
            id: place.split_once('/').map_or(place.as_str(), |(_, rest)| rest).to_owned(),
            cell: home.clone(),
            queue: format!("journal/dead of table {}", self.hub.table_name()),
            kind: Kind::Kept,
            sent: Some(letter.at),
            reason: letter.reason.clone(),
            trigger: letter.trigger.clone(),
            destination: letter.destination.clone().unwrap_or_default(),
            event: "an event".to_owned(),
            attributes: BTreeMap::from([("place".to_owned(), place)]),
            body: serde_json::to_string(&letter).unwrap_or_default(),
            handle: String::new(),
        });
        Ok(letters.collect())
    }

    /// The hub's dead-letter queue and those of the cells; a sentence for each account that can not be entered.
    async fn places(&self, regions: Option<&[String]>) -> Vec<Result<Place, String>> {
        let is_asked = |region: &str| regions.is_none_or(|regions| regions.iter().any(|asked| asked == region));
        let home = self.hub.home().clone();
        let name = Queue::of_dead_letters(&self.hub).name;
        let home = is_asked(&home.region).then(|| Place { cell: home, name, is_home: true, config: self.config.clone() });
        let mut places: Vec<Result<Place, String>> = home.into_iter().map(Ok).collect();
        if !self.record.forward_dead_letter {
            return places;
        }
        let accounts = stream::iter(&self.record.accounts).map(|account| async move { (account, self.enter(account).await) });
        let accounts: BTreeMap<&String, Result<SdkConfig, String>> = accounts.buffer_unordered(AT_ONCE).collect().await;
        places.extend(accounts.values().filter_map(|config| config.as_ref().err().cloned().map(Err)));
        for cell in self.record.cells().into_iter().filter(|cell| is_asked(&cell.region)) {
            let name = Queue::of_forward_dead_letters(&self.hub, &cell).name;
            let config = accounts.get(&cell.account).and_then(|config| config.as_ref().ok());
            places.extend(config.map(|config| Ok(Place { cell, name, is_home: false, config: config.clone() })));
        }
        places
    }

    async fn redrive_all(&self, from: &Opened, letters: Vec<&Letter>) -> Redriven {
        let sent = stream::iter(letters).map(|letter| async move { (letter, self.redrive(from, letter).await) });
        let mut done = Redriven::default();
        for (letter, sent) in sent.buffer_unordered(SENT_AT_ONCE).collect::<Vec<_>>().await {
            match sent {
                Ok(()) => done.sent += 1,
                Err(reason) => done.failed.push((letter.id.clone(), reason)),
            }
        }
        done
    }

    /// Puts a letter on the hub's queue, then takes it from where it lay.
    async fn redrive(&self, from: &Opened, letter: &Letter) -> Result<(), String> {
        let send = queue_client(&self.config).send_message().queue_url(&self.record.queue_url).message_body(&letter.body);
        send.send().await.map_err(|error| describe(&error))?;
        let delete = from.client.delete_message().queue_url(&from.url).receipt_handle(&letter.handle).send().await;
        // The runtime knows a copy when it sees one.
        delete.map(drop).map_err(|error| format!("it is on the hub's queue, and could not be deleted where it lay: {}", describe(&error)))
    }
}

/// Opens a queue; `None` where there is none.
async fn open(place: Place) -> Result<Option<Opened>, String> {
    let client = place.client();
    match client.get_queue_url().queue_name(&place.name).send().await {
        Ok(answer) => Ok(answer.queue_url.map(|url| Opened { place, client, url })),
        Err(error) if matches!(error.code(), Some("AWS.SimpleQueueService.NonExistentQueue" | "QueueDoesNotExist")) => Ok(None),
        Err(error) => Err(format!("queue {} in {} can not be read: {}", place.name, place.cell, describe(&error))),
    }
}

impl Opened {
    /// Receives letters until there are no more, or as many as asked for; whether there were more is told.
    async fn read(&self, limit: usize) -> Result<(Vec<Letter>, bool), String> {
        let mut letters: BTreeMap<String, Letter> = BTreeMap::new();
        let hold = i32::try_from(limit.div_ceil(HOLD.1)).unwrap_or(i32::MAX).saturating_mul(HOLD.0).min(LONGEST_HOLD);
        loop {
            let wanted = (limit - letters.len()).min(BATCH);
            if wanted == 0 {
                return Ok((letters.into_values().collect(), true));
            }
            let receive = self.client.receive_message().queue_url(&self.url).max_number_of_messages(i32::try_from(wanted).unwrap_or(1));
            let receive = receive.wait_time_seconds(WAIT_SECONDS).visibility_timeout(hold);
            let receive = receive.message_attribute_names("All").message_system_attribute_names(MessageSystemAttributeName::SentTimestamp);
            let answer = match receive.send().await {
                Ok(answer) => answer.messages.unwrap_or_default(),
                Err(error) => {
                    self.let_go(&letters.into_values().collect::<Vec<_>>()).await;
                    return Err(format!("queue {} in {} can not be read: {}", self.place.name, self.place.cell, describe(&error)));
                }
            };
            if answer.is_empty() {
                return Ok((letters.into_values().collect(), false));
            }
            let read = answer.into_iter().filter_map(|message| Letter::read(&self.place, message));
            let before = letters.len();
            letters.extend(read.map(|letter| (letter.id.clone(), letter)));
            // Those that were read first come again: whether there are others nobody can say.
            if letters.len() == before {
                return Ok((letters.into_values().collect(), true));
            }
        }
    }

    /// Shows letters to others again. One that can not be let go is hidden until its time is over, and one that was deleted needs no letting go.
    async fn let_go(&self, letters: &[Letter]) {
        for letters in letters.chunks(BATCH) {
            let entries = letters.iter().enumerate().filter_map(|(index, letter)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string()).receipt_handle(&letter.handle);
                entry.visibility_timeout(0).build().ok()
            });
            let change = self.client.change_message_visibility_batch().queue_url(&self.url).set_entries(Some(entries.collect()));
            if let Err(error) = change.send().await {
                tracing::debug!(reason = describe(&error), queue = self.place.name, "letters stay hidden for a while");
            }
        }
    }
}
