//! What was given up and lies in the file: looked at, and begun again.

use std::sync::Arc;

use jiff::Timestamp;
use redb::ReadableTable as _;

use super::super::codec::{self, DeadLetter};
use super::super::{Applied, Change, Journal as _, JournalError};
use super::{Embedded, tables};
use crate::core::run::{Step, Task};

impl Embedded {
    /// Everything that was given up, by its number, oldest first.
    pub(crate) async fn dead_letters(&self) -> Result<Vec<(u64, DeadLetter)>, JournalError> {
        self.read(|transaction| {
            let table = transaction.open_table(tables::DEAD)?;
            let rows = table.iter()?.map(|row| {
                let (number, letter) = row?;
                Ok(serde_json::from_slice(letter.value()).ok().map(|letter| (number.value(), letter)))
            });
            Ok(rows.collect::<Result<Vec<Option<(u64, DeadLetter)>>, redb::Error>>()?.into_iter().flatten().collect())
        })
        .await
    }

    /// Has a delivery made again that was given up, by whoever opens the journal next; `false` where what is written of its run can not be read.
    pub(crate) async fn begin_again(&self, number: u64, letter: &DeadLetter, now: Timestamp) -> Result<bool, JournalError> {
        let Some(run) = letter.run.clone().and_then(codec::of_row) else { return Ok(false) };
        let step = Step::of_text(letter.destination.as_deref().unwrap_or_default());
        let task = Task::new(run.id(), &letter.trigger, letter.action, step, now);
        let applied = self.commit(vec![Change::Exhume(number), Change::Redeliver { run: Arc::new(run), task }]).await?;
        Ok(applied.first() == Some(&Applied::Now(vec![])))
    }
}
