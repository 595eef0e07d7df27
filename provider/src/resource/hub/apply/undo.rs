//! Taking back a create that failed.

use trailwire_engine::fanout::names::Cell;

use super::Work;
use super::create::Begun;
use crate::apply::cells::Outcome;
use crate::resource::hub::column::Columns;
use crate::resource::hub::destroy::{refuse_while_holding, remove_all};
use crate::resource::hub::home::Home;
use crate::resource::hub::made::Thing;
use crate::store::{Lease, StoreError};

impl Work<'_> {
    /// Whether all is as it was before. What this create found stays, with what its queues hold: a hub whose table was lost is found so. Where it adopted the
    /// claim of one that was killed, who made what cannot be told, and all goes if no queue holds anything.
    pub(super) async fn undo(&self, begun: &Begun, cells: Vec<Cell>, lease: &Lease) -> bool {
        let columns = Columns { force: true, ..self.columns() };
        let home = Home { settings: &begun.settings, ..self.home() };
        if begun.adopted {
            let holding = refuse_while_holding(&self.session, &self.hub, &cells.iter().cloned().collect()).await;
            return holding.is_ok() && remove_all(&columns, &home, cells).await.is_ok();
        }
        self.undo_columns(&columns, &home, &cells).await.failed.is_empty() && self.undo_home(&home, begun, lease).await.is_ok()
    }

    async fn undo_columns(&self, columns: &Columns<'_>, home: &Home<'_>, cells: &[Cell]) -> Outcome {
        let queue = self.hub.forward_dead_letter_queue_name();
        let canaries = columns.remove_made_canaries(cells).await;
        let queues = cells.iter().filter(|cell| self.made.has(&Thing::Queue((*cell).clone(), queue.clone())));
        let queues = queues.filter(|cell| !canaries.failed.contains_key(*cell)).cloned().collect::<Vec<_>>();
        let gone = canaries.and(columns.remove_dead_letters(queues).await);
        gone.and(home.remove_made_roles(&self.accounts.iter().cloned().collect()).await)
    }

    async fn undo_home(&self, home: &Home<'_>, begun: &Begun, lease: &Lease) -> Result<(), StoreError> {
        home.remove(|thing| self.made.has(thing)).await?;
        if begun.made_table {
            return Ok(home.remove_table().await?);
        }
        self.store.withdraw_hub(lease).await
    }
}
