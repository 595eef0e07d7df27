//! Events from the hub's queue.
//!
//! Receivers poll side by side. A message stays invisible to others for as long as it is held here, and is deleted when its event is judged
//! and what matched is durable. A message that is no CloudTrail event of the hub's accounts goes to the dead-letter queue with the reason,
//! then it is deleted. When definitions can not be read nothing is deleted: the messages come back.

pub(crate) mod judge;
pub(crate) mod message;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message};
use tokio_util::sync::CancellationToken;

use crate::definitions::Definitions;
use crate::driver::Intake;
use crate::hub::Hub;
use crate::hub::aws::describe;
use crate::telemetry::health::{Health, Part};
use judge::{Delivered, Fate};

/// Receivers side by side.
pub(crate) const RECEIVERS: usize = 4;
/// Messages in one receive: the most that the queue gives.
const BATCH: i32 = 10;
/// How long one receive waits for messages.
const WAIT: Duration = Duration::from_secs(20);
/// For how long a message is held, renewed well before that is over.
const HOLD: Duration = Duration::from_secs(60);
const RENEW: Duration = Duration::from_secs(20);
/// After a fault: the first and the longest pause.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(15));

/// Receives until it is told to stop; what was received by then is finished.
pub(crate) async fn receive(hub: Arc<Hub>, intake: Intake, until_idle: Option<Duration>, stop: CancellationToken) {
    let seen = intake.receiver();
    let wait = until_idle.map_or(WAIT, |idle| idle.clamp(Duration::from_secs(1), WAIT));
    let mut pause = PAUSES.0;
    while !stop.is_cancelled() {
        if intake.is_full() {
            tokio::time::sleep(PAUSES.0).await;
            continue;
        }
        let received = match until_idle {
            // The wait is short and its answer may hold messages: nobody else would see them before their hold is over.
            Some(_) => poll(&hub, wait).await,
            None => tokio::select! {
                received = poll(&hub, wait) => received,
                () = stop.cancelled() => return,
            },
        };
        let done = match received {
            Err(reason) => {
                seen.unknown();
                intake.meters().health.fails(Part::Queue, &reason);
                Err(format!("the queue can not be read: {reason}"))
            }
            Ok(messages) if messages.is_empty() => {
                intake.meters().health.works(Part::Queue);
                seen.empty();
                Ok(())
            }
            Ok(messages) => {
                intake.meters().health.works(Part::Queue);
                seen.unknown();
                handle(&hub, &intake, messages, &stop).await
            }
        };
        match done {
            Ok(()) => pause = PAUSES.0,
            Err(reason) => {
                tracing::error!(reason, "nothing was deleted; trying again");
                rest(&mut pause, &stop).await;
            }
        }
    }
}

/// Lets the pause pass, and makes the next one longer.
async fn rest(pause: &mut Duration, stop: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(*pause) => {}
        () = stop.cancelled() => {}
    }
    *pause = (*pause * 2).min(PAUSES.1);
}

async fn poll(hub: &Hub, wait: Duration) -> Result<Vec<Message>, String> {
    let seconds = |duration: Duration| i32::try_from(duration.as_secs()).unwrap_or(i32::MAX);
    let receive = hub.queue.receive_message().queue_url(&hub.record.queue_url).max_number_of_messages(BATCH);
    let receive = receive.wait_time_seconds(seconds(wait)).visibility_timeout(seconds(HOLD));
    let answer = receive.send().await.map_err(|error| describe(&error))?;
    Ok(answer.messages.unwrap_or_default())
}

/// Judges messages and deletes what is safe, holding them meanwhile.
async fn handle(hub: &Hub, intake: &Intake, messages: Vec<Message>, stop: &CancellationToken) -> Result<(), String> {
    let handles: Vec<String> = messages.iter().filter_map(|message| message.receipt_handle.clone()).collect();
    tokio::select! {
        done = judge(hub, intake, messages, stop) => {
            if let Ok(Fate::Stopping) = done {
                // Whoever comes next need not wait until their hold is over.
                hold(hub, &handles, Duration::ZERO).await;
            }
            done.map(drop)
        }
        () = keep_holding(hub, &handles) => Ok(()),
    }
}

/// The definitions, read now. While they can not be read the messages are held here: were they let go, each return to the queue would count
/// as a receive, and after so many the queue itself would make them dead letters. `None` when the runtime stops before they can.
async fn definitions(hub: &Hub, health: &Health, stop: &CancellationToken) -> Option<Arc<Definitions>> {
    let mut pause = PAUSES.0;
    loop {
        match hub.definitions.load().await {
            Ok(definitions) => {
                health.works(Part::Definitions);
                return Some(definitions);
            }
            Err(error) => {
                let reason = error.to_string();
                health.fails(Part::Definitions, &reason);
                tracing::error!(reason, "no event is judged and nothing is deleted; trying again");
            }
        }
        rest(&mut pause, stop).await;
        if stop.is_cancelled() {
            return None;
        }
    }
}

async fn judge(hub: &Hub, intake: &Intake, messages: Vec<Message>, stop: &CancellationToken) -> Result<Fate, String> {
    // Read after the messages were received: an event is never judged by older definitions than those that let it through.
    let Some(definitions) = definitions(hub, &intake.meters().health, stop).await else { return Ok(Fate::Stopping) };
    let delivered = messages.into_iter().filter_map(|message| {
        let (id, body) = (message.message_id.unwrap_or_default(), message.body.unwrap_or_default());
        Some(Delivered { handle: message.receipt_handle?, id, body })
    });
    let mut safe = Vec::new();
    let done = judge::judge(hub, intake, definitions, delivered.collect(), &mut safe).await;
    if done != Ok(Fate::Stopping) {
        delete(hub, safe).await;
    }
    done
}

/// Deletes messages that are safe. One that can not be deleted comes back and is known as a copy.
async fn delete(hub: &Hub, handles: Vec<String>) {
    let entries = handles.into_iter().enumerate();
    let entries: Vec<_> = entries
        .filter_map(|(index, handle)| DeleteMessageBatchRequestEntry::builder().id(index.to_string()).receipt_handle(handle).build().ok())
        .collect();
    if entries.is_empty() {
        return;
    }
    let deletion = hub.queue.delete_message_batch().queue_url(&hub.record.queue_url).set_entries(Some(entries)).send().await;
    match deletion {
        Ok(answer) => {
            for failure in answer.failed() {
                tracing::warn!(code = failure.code(), "a message could not be deleted; it will come back as a copy");
            }
        }
        Err(error) => tracing::warn!(reason = describe(&error), "messages could not be deleted; they will come back as copies"),
    }
}

/// Keeps messages invisible to others; never ends.
async fn keep_holding(hub: &Hub, handles: &[String]) {
    loop {
        tokio::time::sleep(RENEW).await;
        hold(hub, handles, HOLD).await;
    }
}

async fn hold(hub: &Hub, handles: &[String], time: Duration) {
    let seconds = i32::try_from(time.as_secs()).unwrap_or(i32::MAX);
    let entry = |(index, handle): (usize, &String)| {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string()).receipt_handle(handle);
        entry.visibility_timeout(seconds).build().ok()
    };
    let entries = handles.iter().enumerate().filter_map(entry).collect();
    let change = hub.queue.change_message_visibility_batch().queue_url(&hub.record.queue_url).set_entries(Some(entries)).send().await;
    if let Err(error) = change {
        tracing::warn!(reason = describe(&error), "messages can not be held longer; they may be received twice");
    }
}
