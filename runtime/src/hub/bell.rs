//! The alarm clock of the journal in AWS: a message of the hub's queue that comes after a delay.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use super::Hub;
use super::aws::describe;
use crate::core::run::Appointment;
use crate::journal::aws::Bell;
use crate::source::sqs::message::of_bell;

/// The longest delay that the queue knows. Whoever gets a message that comes too early for its run sets the clock again.
const LONGEST: i32 = 900;

/// Rings by the hub's queue.
#[derive(Debug)]
pub(crate) struct QueueBell {
    hub: Arc<Hub>,
    /// Messages that are being sent.
    under_way: watch::Sender<usize>,
}

impl QueueBell {
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        Self { hub, under_way: watch::Sender::new(0) }
    }

    /// Waits until every clock that was set so far is.
    pub(crate) async fn is_set(&self) {
        drop(self.under_way.subscribe().wait_for(|under_way| *under_way == 0).await);
    }
}

impl Bell for QueueBell {
    fn set(&self, bell: Appointment) {
        let (hub, under_way) = (Arc::clone(&self.hub), self.under_way.clone());
        under_way.send_modify(|under_way| *under_way += 1);
        tokio::spawn(async move {
            // Up, not down: a message that comes too early is sent again.
            let wait = bell.at.duration_since(Timestamp::now()).as_millis().max(0) / 1000 + 1;
            let delay = i32::try_from(wait).unwrap_or(i32::MAX).min(LONGEST);
            let sent = hub.queue.send_message().queue_url(&hub.record.queue_url).message_body(of_bell(bell)).delay_seconds(delay);
            if let Err(error) = sent.send().await {
                tracing::warn!(reason = describe(&error), "an alarm clock can not be set; what is due is found without it, a little later");
            }
            under_way.send_modify(|under_way| *under_way -= 1);
        });
    }
}
