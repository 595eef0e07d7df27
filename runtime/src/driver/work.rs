//! The work that the core asks for: attempts, burials, runs to go on with. Each ends in one input for the core, or in a journal error.

use std::sync::{Arc, PoisonError, RwLock};

use futures::future::BoxFuture;
use jiff::Timestamp;
use trailwire_engine::trigger::Action;

use crate::action::{self, Content};
use crate::core::run::{Appointment, Run, Step, Task, TaskId};
use crate::core::{Attempt, Burial, Input};
use crate::definitions::Definitions;
use crate::destination::Sender;
use crate::journal::{Journal, JournalError};
use crate::query;
use crate::telemetry::traces;

/// Where deliveries go that were given up.
pub(crate) trait DeadLetters: Send + Sync {
    /// Takes one. The run is `None` where the journal does not have it any more.
    fn take(&self, task: Task, run: Option<Arc<Run>>, reason: String) -> BoxFuture<'_, Burial>;
}

/// Where the definitions in force are read.
pub(crate) trait Latest: Send + Sync {
    /// The definitions as they are at some time after this was called; `None` where they can not be read.
    fn latest(&self) -> BoxFuture<'_, Option<Arc<Definitions>>>;
}

/// Carries out work.
pub(crate) struct Worker<J> {
    journal: Arc<J>,
    sender: Sender,
    dead_letters: Option<Arc<dyn DeadLetters>>,
    latest: Option<Arc<dyn Latest>>,
    definitions: Arc<RwLock<Option<Arc<Definitions>>>>,
}

impl<J> Clone for Worker<J> {
    fn clone(&self) -> Self {
        Self {
            journal: Arc::clone(&self.journal),
            sender: self.sender.clone(),
            dead_letters: self.dead_letters.clone(),
            latest: self.latest.clone(),
            definitions: Arc::clone(&self.definitions),
        }
    }
}

impl<J: Journal> Worker<J> {
    /// `dead_letters` is `None` where the journal keeps them.
    pub(crate) fn new(journal: Arc<J>, sender: Sender, dead_letters: Option<Arc<dyn DeadLetters>>) -> Self {
        Self { journal, sender, dead_letters, latest: None, definitions: Arc::default() }
    }

    /// Work of others is taken over by definitions that are read here: theirs may be newer than those that are known.
    pub(crate) fn reading(self, latest: Arc<dyn Latest>) -> Self {
        Self { latest: Some(latest), ..self }
    }

    /// Takes over what nobody works on, no more than `most`.
    pub(crate) async fn sweep(&self, most: usize) -> Result<Input, JournalError> {
        let tasks = self.journal.sweep(most).await?;
        Ok(self.found(tasks).await)
    }

    /// Takes over a run whose bell rang, unless somebody works on it.
    pub(crate) async fn ring(&self, bell: Appointment) -> Result<Input, JournalError> {
        let tasks = self.journal.ring(bell).await?;
        Ok(self.found(tasks).await)
    }

    /// What was found to be done, with the definitions as they are now.
    pub(super) async fn found(&self, tasks: Vec<Task>) -> Input {
        let definitions = match &self.latest {
            Some(latest) if !tasks.is_empty() => latest.latest().await,
            _ => None,
        };
        Input::Found { tasks, definitions }
    }

    /// Destinations are looked up in these from now on.
    pub(crate) fn redefine(&self, definitions: Arc<Definitions>) {
        *self.definitions.write().unwrap_or_else(PoisonError::into_inner) = Some(definitions);
    }

    /// Makes one attempt at a delivery.
    pub(crate) async fn attempt(&self, task: Task) -> Result<Input, JournalError> {
        if !self.journal.hold(&task.id).await? {
            return Ok(Input::Lost(task.id));
        }
        let attempt = match self.journal.run(task.id.run).await? {
            // It was cancelled in the meantime, and the core knows; or it can not be read, and is buried.
            None => Attempt::Final { reason: "its run can not be read".to_owned() },
            Some(run) if matches!(task.id.step, Step::Query(_)) => return Ok(self.query(&run, task.id).await),
            Some(run) => {
                let began = Timestamp::now();
                let Some(attempt) = self.deliver(&run, &task).await? else { return Ok(Input::Lost(task.id)) };
                traces::attempted(&task, &attempt, began, Timestamp::now());
                attempt
            }
        };
        Ok(Input::Tried { task: task.id, attempt })
    }

    /// Asks what a query asks; its run goes on with the result.
    async fn query(&self, run: &Run, task: TaskId) -> Input {
        let definitions = self.definitions.read().unwrap_or_else(PoisonError::into_inner).clone();
        let hub = definitions.as_ref().and_then(|definitions| definitions.hub.as_ref());
        let Some(Action::Query(query)) = run.trigger.actions.get(task.action as usize) else {
            return Input::Tried { task, attempt: Attempt::Final { reason: "its action is no query".to_owned() } };
        };
        match query::ask(&self.sender, hub, run, query).await {
            Ok(result) => {
                let mut run = run.clone();
                run.results.insert(query.name.clone(), result);
                Input::Answered { task, run: Arc::new(run) }
            }
            Err(attempt) => Input::Tried { task, attempt },
        }
    }

    /// `None` where the task is somebody else's by now.
    async fn deliver(&self, run: &Run, task: &Task) -> Result<Option<Attempt>, JournalError> {
        let failed = |attempt| Ok(Some(attempt));
        let Step::Deliver(name) = &task.id.step else {
            return failed(Attempt::Final { reason: "it is no delivery".to_owned() });
        };
        let definitions = self.definitions.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(destination) = definitions.as_ref().and_then(|definitions| definitions.destination(name)) else {
            return failed(Attempt::Failed { reason: format!("there is no destination `{name}`"), retry_after: None });
        };
        let Some(content) = action::content(run, task.id.action) else {
            return failed(Attempt::Final { reason: "its action delivers nothing".to_owned() });
        };
        if let Content::Notification(notification) = &content {
            for fault in &notification.faults {
                tracing::warn!(trigger = run.trigger.name, run = %task.id.run, fault, "part of the notification could not be written");
            }
        }
        // What goes before the request may take its time: a secret, a role, the destination's pace.
        let hold = || self.journal.hold(&task.id);
        self.sender.deliver(destination, &content, &task.id.idempotency_key(), &hold).await
    }

    /// Finds a grave for a delivery that was given up.
    pub(crate) async fn bury(&self, task: Task, reason: String) -> Result<Input, JournalError> {
        let id = task.id.clone();
        if !self.journal.hold(&id).await? {
            return Ok(Input::Lost(id));
        }
        let burial = match &self.dead_letters {
            None => Burial::Journal,
            Some(dead_letters) => {
                let run = self.journal.run(id.run).await?;
                dead_letters.take(task, run, reason).await
            }
        };
        Ok(Input::Buried { task: id, burial })
    }

    /// Loads the run of a wait that is over.
    pub(crate) async fn resume(&self, task: TaskId) -> Result<Input, JournalError> {
        if !self.journal.hold(&task).await? {
            return Ok(Input::Lost(task));
        }
        let run = self.journal.run(task.run).await?;
        Ok(Input::Resumed { task, run })
    }
}
