//! The dead letters in the state directory of a runtime that is stopped.

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::{Failure, escaped, print};
use super::{Command, delivery, lines};
use crate::journal::codec::DeadLetter;
use crate::journal::embedded::Embedded;

/// # Errors
///
/// [`Failure::Refused`] for a directory that holds no journal, or one that a runtime works with, and for a letter that is not there.
pub(super) fn run(dir: &Path, command: Command) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::broken)?;
    runtime.block_on(async {
        if !Embedded::is_in(dir) {
            return Err(Failure::refused(format!("there is no journal in {}", dir.display())));
        }
        let journal =
            Embedded::open(dir).map_err(|error| Failure::refused(format!("{error}; a runtime that works has to be stopped first")))?;
        let letters = journal.dead_letters().await.map_err(Failure::broken)?;
        match command {
            Command::List(list) => {
                let now = Timestamp::now();
                let row = |(number, letter): &(u64, DeadLetter)| {
                    if list.json { as_json(*number, letter).to_string() } else { row(*number, letter, now) }
                };
                letters.iter().map(row).try_for_each(|line| print(&escaped(&line)))
            }
            Command::Show(show) => {
                let (number, letter) = one(&letters, &show.id)?;
                let told = json!({"letter": as_json(*number, letter), "run": letter.run, "raw": letter.raw});
                print(&escaped(&serde_json::to_string_pretty(&told).map_err(Failure::broken)?))
            }
            Command::Redrive(redrive) => {
                let chosen = match redrive.ids.as_slice() {
                    [] => letters.iter().collect(),
                    ids => ids.iter().map(|id| one(&letters, id)).collect::<Result<Vec<_>, _>>()?,
                };
                let (mut begun, mut unread) = (0, Vec::new());
                for (number, letter) in chosen {
                    match journal.begin_again(*number, letter, Timestamp::now()).await.map_err(Failure::broken)? {
                        true => begun += 1,
                        false => unread.push(number.to_string()),
                    }
                }
                print(&format!("{begun} will be delivered when the runtime starts"))?;
                match unread.as_slice() {
                    [] => Ok(()),
                    unread => Err(Failure::Broken(format!("what is written of {} can not be read by this version", unread.join(", ")))),
                }
            }
        }
    })
}

fn one<'a>(letters: &'a [(u64, DeadLetter)], id: &str) -> Result<&'a (u64, DeadLetter), Failure> {
    let found = letters.iter().find(|(number, _)| number.to_string() == id);
    found.ok_or_else(|| Failure::Refused(format!("there is no dead letter `{id}`: `trailwire dlq list` shows those there are")))
}

fn text(letter: &DeadLetter, pointer: &str) -> String {
    let found = letter.run.as_ref().and_then(|run| run.event.pointer(pointer)).and_then(Value::as_str);
    found.unwrap_or_default().to_owned()
}

fn as_json(number: u64, letter: &DeadLetter) -> Value {
    json!({
        "id": number.to_string(),
        "kind": "delivery",
        "account": text(letter, "/account"),
        "region": text(letter, "/region"),
        "queue": "",
        "sent": letter.at.to_string(),
        "event": text(letter, "/detail/eventName"),
        "trigger": letter.trigger,
        "destination": letter.destination.as_deref().unwrap_or_default(),
        "reason": letter.reason,
    })
}

fn row(number: u64, letter: &DeadLetter, now: Timestamp) -> String {
    let what = delivery(&text(letter, "/detail/eventName"), &letter.trigger, letter.destination.as_deref().unwrap_or_default());
    let cell = format!("{}/{}", text(letter, "/account"), text(letter, "/region"));
    lines(&[&number.to_string(), "delivery", &cell], Some(letter.at), now, &what, &letter.reason)
}
