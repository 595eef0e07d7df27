//! `trailwire status`: states of triggers, runs, lag.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{ArgGroup, Args};
use serde_json::json;

use super::{Failure, print};
use crate::hub;
use crate::journal::{State, TriggerState};
use crate::status::{FILE, Status};

/// Shows what runtimes are doing: the state of every trigger with a threshold, what was done since each process started, how much is open
/// and how late it is.
///
/// A runtime tells it every few seconds: to `status.json` in its state directory, and, at a hub, twice a minute to the hub's table.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("place").required(true).args(["hub", "state"])))]
pub(crate) struct StatusArguments {
    /// The runtimes of this hub. AWS access and the home region come from the environment and profiles, as for every AWS tool.
    #[arg(long, value_name = "NAME", value_parser = super::run::hub_name)]
    hub: Option<String>,
    /// The runtime with this state directory.
    #[arg(long, value_name = "DIR", env = "TRAILWIRE_STATE_DIR")]
    state: Option<PathBuf>,
    /// One JSON object in place of the tables:
    /// `{"runtimes":[{"version","seen","open","oldest_due","done":{…}}],"triggers":[{"trigger","state","alarms":{GROUP:SINCE},"overflow"}]}`.
    #[arg(long)]
    json: bool,
}

/// # Errors
///
/// [`Failure::Refused`] for a hub that can not be found, and where no runtime has told anything.
pub(crate) fn run(arguments: &StatusArguments) -> Result<(), Failure> {
    let statuses = match (&arguments.hub, &arguments.state) {
        (Some(hub), _) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::broken)?;
            runtime.block_on(hub::statuses(hub)).map_err(Failure::refused)?
        }
        (None, Some(state)) => vec![from_file(&state.join(FILE))?],
        (None, None) => Vec::new(),
    };
    if statuses.is_empty() {
        return Err(Failure::refused("no runtime has told its status"));
    }
    let triggers = merged(&statuses);
    if arguments.json {
        let runtimes: Vec<Status> = statuses.into_iter().map(|status| Status { triggers: vec![], ..status }).collect();
        return print(&json!({"runtimes": runtimes, "triggers": triggers}).to_string());
    }
    table(&statuses, &triggers).iter().try_for_each(|line| print(line))
}

fn from_file(path: &std::path::Path) -> Result<Status, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::refused(format!("cannot read {}: {error}", path.display())))?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::refused(format!("{} is no status that this version reads: {error}", path.display())))
}

/// Each trigger once: runtimes with a journal of their own count apart, and the worst of their states is the trigger's.
fn merged(statuses: &[Status]) -> Vec<TriggerState> {
    let rank = |state: State| match state {
        State::InsufficientData => 0,
        State::Ok => 1,
        State::Alarm => 2,
    };
    let mut triggers: BTreeMap<&str, TriggerState> = BTreeMap::new();
    for state in statuses.iter().flat_map(|status| &status.triggers) {
        let known = triggers.entry(&state.trigger).or_insert_with(|| state.clone());
        if rank(state.state) > rank(known.state) {
            known.state = state.state;
        }
        known.alarms.extend(state.alarms.clone());
        known.overflow = known.overflow.max(state.overflow);
    }
    let mut triggers: Vec<TriggerState> = triggers.into_values().collect();
    triggers.sort_by_key(|trigger| trigger.state != State::Alarm);
    triggers
}

fn table(statuses: &[Status], triggers: &[TriggerState]) -> Vec<String> {
    let mut lines = Vec::new();
    for status in statuses {
        let lag = status.oldest_due.map_or(0, |due| status.seen.duration_since(due).as_secs());
        let done = status.done;
        lines.push(format!(
            "runtime {} at {}: {} open, {lag} s late; {} matched, {} runs, {} counted, {} delivered, {} dead letters",
            status.version,
            status.seen.strftime("%Y-%m-%d %H:%M:%S UTC"),
            status.open,
            done.matched,
            done.runs,
            done.counted,
            done.delivered,
            done.dead_letters,
        ));
    }
    let width = triggers.iter().map(|trigger| trigger.trigger.len()).max().unwrap_or_default();
    for trigger in triggers {
        let state = match trigger.state {
            State::InsufficientData => "INSUFFICIENT_DATA",
            State::Ok => "OK",
            State::Alarm => "ALARM",
        };
        lines.push(format!("{:width$}  {state}", trigger.trigger).trim_end().to_owned());
        let shown = |group: &str| group.chars().filter(|c| crate::action::is_shown(*c) && *c != '\n').collect::<String>();
        let since = |(group, since): (&String, &jiff::Timestamp)| {
            format!("{:width$}    since {} for {}", "", since.strftime("%Y-%m-%d %H:%M:%S UTC"), shown(group))
        };
        lines.extend(trigger.alarms.iter().map(since));
        if trigger.overflow > 0 {
            lines.push(format!("{:width$}    {} events of groups beyond the first 1000 were counted together", "", trigger.overflow));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Done;

    #[test]
    fn states_of_many_runtimes_are_one_table() {
        let at: jiff::Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let state = |trigger: &str, state, group: Option<&str>| {
            let alarms = group.map(|group| (group.to_owned(), at)).into_iter().collect();
            TriggerState { trigger: trigger.to_owned(), state, alarms, overflow: 0 }
        };
        let status = |triggers| {
            let done = Done { matched: 9, runs: 2, counted: 7, delivered: 2, ..Done::default() };
            let oldest_due = "2026-03-01T11:59:48Z".parse().ok();
            Status { version: "1.0.0".to_owned(), seen: at, open: 1, oldest_due, done, triggers }
        };
        let statuses = [
            status(vec![state("b", State::Ok, None), state("root-logins", State::InsufficientData, None)]),
            status(vec![state("b", State::InsufficientData, None), state("root-logins", State::Alarm, Some("\"al\nice\""))]),
        ];
        let expected = "\
runtime 1.0.0 at 2026-03-01 12:00:00 UTC: 1 open, 12 s late; 9 matched, 2 runs, 7 counted, 2 delivered, 0 dead letters
runtime 1.0.0 at 2026-03-01 12:00:00 UTC: 1 open, 12 s late; 9 matched, 2 runs, 7 counted, 2 delivered, 0 dead letters
root-logins  ALARM
               since 2026-03-01 12:00:00 UTC for \"alice\"
b            OK";
        assert_eq!(table(&statuses, &merged(&statuses)).join("\n"), expected);
    }
}
