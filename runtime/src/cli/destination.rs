//! `trailwire destination test`: a sample to a destination, to see that it arrives and what it looks like.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{ArgGroup, Args, Subcommand};
use futures::future::BoxFuture;
use jiff::Timestamp;

use super::{Failure, print};
use crate::action::{self, sample};
use crate::core::Attempt;
use crate::definitions::{Definitions, files};
use crate::destination::Sender;
use crate::hub::Hub;
use crate::secrets::Secrets;

/// Works with the destinations of a hub, or of documents.
#[derive(Debug, Args)]
pub(crate) struct DestinationArguments {
    #[command(subcommand)]
    command: DestinationCommand,
}

#[derive(Debug, Subcommand)]
enum DestinationCommand {
    /// Sends a sample to a destination, once, and tells what came of it.
    #[command(
        after_help = "Exit codes: 0 the destination has taken it; 1 it has not; 2 there is no such destination, or the definitions cannot be read."
    )]
    Test(TestArguments),
}

/// Sends a sample notification: somebody opened a security group. It runs with the rights, the secrets and the network of whoever calls it: where
/// the runtime's differ, so may the outcome.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("place").required(true).args(["hub", "definitions"])))]
struct TestArguments {
    /// The destination's name.
    name: String,
    /// The hub that has it. AWS access and the home region come from the environment and profiles, as for every AWS tool.
    #[arg(long, value_name = "NAME", value_parser = super::run::hub_name)]
    hub: Option<String>,
    /// Without a hub: a document, a directory of documents, or a plan as `terraform show -json` prints it.
    #[arg(long, value_name = "PATH")]
    definitions: Option<PathBuf>,
    /// Sends a whole event, as the action `send` does, in place of a notification.
    #[arg(long)]
    send: bool,
}

/// # Errors
///
/// [`Failure::Refused`] for a destination that is not there, or does not take what is sent; [`Failure::Broken`] when it has not taken it.
pub(crate) fn run(arguments: DestinationArguments) -> Result<(), Failure> {
    let DestinationCommand::Test(arguments) = arguments.command;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::broken)?;
    runtime.block_on(test(&arguments))
}

async fn test(arguments: &TestArguments) -> Result<(), Failure> {
    let (definitions, secrets) = match (&arguments.hub, &arguments.definitions) {
        (Some(hub), _) => of_hub(hub).await?,
        (None, Some(path)) => (Arc::new(files::load(path).map_err(Failure::refused)?), Secrets::default()),
        (None, None) => return Err(Failure::refused("`--hub` or `--definitions` is needed")),
    };
    let name = arguments.name.as_str();
    let Some(destination) = definitions.destination(name) else {
        let known = definitions.destinations().map(|destination| format!("`{}`", destination.name)).collect::<Vec<_>>().join(", ");
        let help = if known.is_empty() { "there are none".to_owned() } else { format!("there are {known}") };
        return Err(Failure::Refused(format!("there is no destination `{name}`; {help}")));
    };
    if let Some(refused) = destination.refuses_events().filter(|_| arguments.send) {
        return Err(Failure::Refused(refused.message));
    }
    let run = sample::run(name, Timestamp::now()).map_err(|_| Failure::refused(format!("`{name}` is not a name for a destination")))?;
    let content = action::content(&run, u32::from(arguments.send)).ok_or_else(|| Failure::broken("the sample delivers nothing"))?;
    let sender = Sender::new(secrets).map_err(Failure::broken)?;
    let mine = || -> BoxFuture<'_, Result<bool, Failure>> { Box::pin(std::future::ready(Ok(true))) };
    let Some(attempt) = sender.deliver(destination, &content, &id()?, &mine).await? else { return Ok(()) };
    match attempt {
        Attempt::Delivered => print(&format!("the destination `{name}` ({}) has taken a sample", destination.kind.name())),
        Attempt::Failed { reason, .. } => {
            Err(Failure::Broken(format!("the destination `{name}` ({}) has not taken the sample: {reason}", destination.kind.name())))
        }
        Attempt::Final { reason } => {
            Err(Failure::Broken(format!("the destination `{name}` ({}) refuses the sample for good: {reason}", destination.kind.name())))
        }
    }
}

async fn of_hub(name: &str) -> Result<(Arc<Definitions>, Secrets), Failure> {
    let (definitions, secrets) = Hub::definitions(name).await.map_err(Failure::refused)?;
    Ok((definitions.load().await.map_err(Failure::refused)?, secrets))
}

/// Every test is a delivery of its own: receivers drop what they know already.
fn id() -> Result<String, Failure> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(Failure::broken)?;
    Ok(format!("msg_{}", random.map(|byte| format!("{byte:02x}")).concat()))
}
