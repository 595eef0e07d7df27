//! `trailwire dlq`: the dead letters of a hub and of its cells, or of a runtime without one.

mod state;

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Failure, escaped, print};
use crate::hub::letters::{Found, Kind, Letter, Redriven};
use crate::hub::{Look, MemberRole};

/// The longest reason in a table.
const LONGEST_REASON: usize = 300;

/// Lists, shows and redrives dead letters: deliveries that the runtime gave up, messages that no trigger could judge, and events that a cell
/// could not send to the hub. With `--state` the deliveries that a runtime with an embedded journal gave up and that lie in its state directory: for fifteen
/// days, the last 10,000 of them.
#[derive(Debug, Args)]
pub(crate) struct DlqArguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists them, the oldest first.
    ///
    /// SQS has no way to look into a queue: each letter is received, and so hidden from others for some seconds. What it needs: sqs:GetQueueUrl,
    /// sqs:ReceiveMessage and sqs:ChangeMessageVisibility on the queues, dynamodb:GetItem and dynamodb:Query on the hub's table, where that lies which the
    /// dead-letter queue did not take (`kept`).
    List(ListArguments),
    /// Shows one whole, as JSON: with the event, the trigger as it was, and everything that AWS says of it.
    Show(ShowArguments),
    /// Sends them to the runtime once more, and deletes them where they lay.
    ///
    /// A delivery is tried again under its first idempotency key, by the destination as it is defined now; an event is judged by the triggers as they
    /// are now. What was delivered already is known as a copy. It needs sqs:SendMessage on the hub's queue and sqs:DeleteMessage on the others, too. What is
    /// `kept` no queue takes: it is not sent. With `--state` the runtime makes the deliveries when it is started.
    Redrive(RedriveArguments),
}

/// Which hub, and which of its queues.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("where").required(true).args(["hub", "state"])))]
struct Place {
    /// The hub. AWS access and the home region come from the environment and profiles, as for every AWS tool.
    #[arg(long, value_name = "NAME", value_parser = super::run::hub_name)]
    hub: Option<String>,
    /// The state directory of a runtime that is stopped, in place of a hub.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["regions", "limit", "member_role_name", "member_external_id"])]
    state: Option<PathBuf>,
    /// Only the queues of this region; may be given more than once. Omitted: of all.
    #[arg(long = "region", value_name = "REGION")]
    regions: Vec<String>,
    /// At most so many letters of each queue.
    #[arg(long, value_name = "COUNT", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// The role by which other accounts of the hub are entered, as `member_role_name` of the provider.
    #[arg(long, value_name = "NAME", default_value = "trailwire-deploy")]
    member_role_name: String,
    /// What that role's trust policy asks for.
    #[arg(long, value_name = "ID")]
    member_external_id: Option<String>,
}

#[derive(Debug, Args)]
struct ListArguments {
    #[command(flatten)]
    place: Place,
    /// A line of JSON for each: `{"id","kind","account","region","queue","sent","event","trigger","destination","reason"}`.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct ShowArguments {
    /// Its id, or the beginning of it; the whole id with --state.
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct RedriveArguments {
    /// Their ids, or the beginnings of them; whole ids with --state.
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<String>,
    /// Every one that `list` shows.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    place: Place,
}

/// # Errors
///
/// [`Failure::Refused`] for a hub or a letter that can not be found; [`Failure::Broken`] where a queue can not be read, or a letter not sent.
pub(crate) fn run(arguments: DlqArguments) -> Result<(), Failure> {
    let (Command::List(ListArguments { place, .. })
    | Command::Show(ShowArguments { place, .. })
    | Command::Redrive(RedriveArguments { place, .. })) = &arguments.command;
    if let Some(dir) = place.state.clone() {
        return state::run(&dir, arguments.command);
    }
    match arguments.command {
        Command::List(ListArguments { place, json }) => {
            let (found, _) = look(&place, |_| false)?;
            let now = Timestamp::now();
            let lines: Vec<String> =
                found.letters.iter().map(|letter| if json { as_json(letter).to_string() } else { row(letter, now) }).collect();
            lines.iter().try_for_each(|line| print(&escaped(line)))?;
            whole(&found)
        }
        Command::Show(ShowArguments { id, place }) => {
            let (found, _) = look(&place, |_| false)?;
            let letter = one(&found, &id)?;
            let body: Value = serde_json::from_str(&letter.body).unwrap_or_else(|_| json!(letter.body));
            let told = json!({"letter": as_json(letter), "attributes": letter.attributes, "body": body});
            print(&escaped(&serde_json::to_string_pretty(&told).map_err(Failure::broken)?))
        }
        Command::Redrive(RedriveArguments { ids, all: _, place }) => redrive(&ids, &place),
    }
}

fn redrive(ids: &[String], place: &Place) -> Result<(), Failure> {
    let chosen: Option<BTreeSet<String>> = match ids {
        [] => None,
        ids => {
            let (found, _) = look(place, |_| false)?;
            Some(ids.iter().map(|id| one(&found, id).map(|letter| letter.id.clone())).collect::<Result<_, _>>()?)
        }
    };
    let is_chosen = |letter: &Letter| chosen.as_ref().is_some_and(|chosen| chosen.contains(&letter.id));
    let (found, Redriven { sent, failed }) = look(place, |letter| chosen.is_none() || is_chosen(letter))?;
    print(&format!("{sent} sent to the runtime"))?;
    if let [(id, reason), ..] = failed.as_slice() {
        return Err(Failure::Broken(format!("{} could not be sent; of {id}: {reason}", failed.len())));
    }
    if let Some(letter) = found.letters.iter().find(|letter| letter.kind == Kind::Kept && is_chosen(letter)) {
        return Err(Failure::Refused(format!(
            "{} lies in the hub's table because no queue takes it, and is not sent: {}",
            letter.id, letter.reason
        )));
    }
    let missed = chosen.map_or(0, |chosen| chosen.len()).saturating_sub(usize::try_from(sent).unwrap_or(usize::MAX));
    if missed > 0 {
        return Err(Failure::Broken(format!("{missed} were not there any more: somebody else reads the queue")));
    }
    whole(&found)
}

fn look(place: &Place, take: impl Fn(&Letter) -> bool + Sync) -> Result<(Found, Redriven), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::broken)?;
    let member_role = MemberRole { name: place.member_role_name.clone(), external_id: place.member_external_id.clone() };
    let regions = Some(place.regions.as_slice()).filter(|regions| !regions.is_empty());
    let limit = usize::try_from(place.limit).unwrap_or(usize::MAX);
    runtime.block_on(async {
        let look = Look::at(place.hub.as_deref().unwrap_or_default(), member_role).await.map_err(Failure::refused)?;
        Ok(look.dead_letters(regions, limit, take).await)
    })
}

/// The letter whose id begins so.
fn one<'a>(found: &'a Found, id: &str) -> Result<&'a Letter, Failure> {
    let matching: Vec<&Letter> = found.letters.iter().filter(|letter| letter.id.starts_with(id)).collect();
    match matching.as_slice() {
        [letter] => Ok(letter),
        [] => {
            whole(found)?;
            Err(Failure::Refused(format!("there is no dead letter `{id}`: `trailwire dlq list` shows those there are")))
        }
        several => Err(Failure::Refused(format!("{} dead letters begin with `{id}`: write more of the id", several.len()))),
    }
}

/// An error where not everything was seen.
fn whole(found: &Found) -> Result<(), Failure> {
    if !found.unread.is_empty() {
        return Err(Failure::Broken(found.unread.join("\n")));
    }
    match found.more.first() {
        Some(queue) => Err(Failure::Broken(format!("{queue} holds more than were looked at: raise --limit"))),
        None => Ok(()),
    }
}

fn as_json(letter: &Letter) -> Value {
    json!({
        "id": letter.id,
        "kind": letter.kind.word(),
        "account": letter.cell.account,
        "region": letter.cell.region,
        "queue": letter.queue,
        "sent": letter.sent.map(|sent| sent.to_string()),
        "event": letter.event,
        "trigger": letter.trigger,
        "destination": letter.destination,
        "reason": letter.reason,
    })
}

/// A line, and one with the reason.
fn row(letter: &Letter, now: Timestamp) -> String {
    let what = match letter.kind {
        Kind::Delivery | Kind::Kept => delivery(&letter.event, &letter.trigger, &letter.destination),
        Kind::Message | Kind::Forward => letter.event.clone(),
    };
    let reason = if letter.reason.is_empty() { "no reason is given: it was received too often" } else { &letter.reason };
    lines(&[&letter.id, letter.kind.word(), &letter.cell.to_string()], letter.sent, now, &what, reason)
}

/// What was to be told; no destination where all that the trigger does is meant.
fn delivery(event: &str, trigger: &str, destination: &str) -> String {
    let to = if destination.is_empty() { String::new() } else { format!(" to {destination}") };
    format!("{event} of trigger {trigger}{to}")
}

/// A line of what is known, and one of the reason.
fn lines([id, kind, cell]: &[&str; 3], sent: Option<Timestamp>, now: Timestamp, what: &str, reason: &str) -> String {
    let age = sent.map_or_else(|| "?".to_owned(), |sent| age(now.duration_since(sent).as_secs()));
    let in_line = |text: &str| text.replace(['\n', '\t'], " ");
    let reason: String = reason.chars().take(LONGEST_REASON).collect();
    format!("{id}  {kind:8}  {cell}  {age:>4}  {}\n          {}", in_line(what), in_line(&reason))
}

/// A length of time in its largest unit.
fn age(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{}s", seconds.max(0)),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_short() {
        for (seconds, expected) in [(-5, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h"), (86_399, "23h"), (86_400 * 14, "14d")]
        {
            assert_eq!(age(seconds), expected);
        }
    }
}
