//! Events from a file or from standard input: JSON lines, log files (`{"Records": […]}`), one JSON text over many lines, all of it
//! compressed or not. What can not be read is refused with its place and the reason, and the rest goes on.

use std::io::BufRead;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::mpsc;
use trailwire_engine::event::{self, Event};

use crate::definitions::Definitions;
use crate::driver::{Intake, Stopped};

/// Events in one batch: one commit and one write to the disk for all of them.
const BATCH: usize = 200;
/// The longest line. CloudTrail's log files are one line of some megabytes.
const LONGEST: usize = 256 * 1024 * 1024;

/// What was read and what was refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Read {
    /// Events and refused pieces together.
    pub(crate) read: u64,
    /// Pieces that are no events.
    pub(crate) refused: u64,
}

/// One piece of input: an event, or the reason why it is none.
pub(crate) type Piece = Result<Event, String>;

/// Feeds everything that `input` holds to the driver, batch after batch.
///
/// # Errors
///
/// [`Stopped`] when the driver ended before the input.
pub(crate) async fn feed(input: Box<dyn BufRead + Send>, intake: &Intake, definitions: &Arc<Definitions>) -> Result<Read, Stopped> {
    let (pieces, mut incoming) = mpsc::channel(2 * BATCH);
    let reader = std::thread::Builder::new().name("input".to_owned());
    let reading = reader.spawn(move || pieces_of(input, &mut |piece| pieces.blocking_send(piece).is_ok()));
    drop(reading);
    let mut total = Read::default();
    let mut batch = Vec::new();
    while incoming.recv_many(&mut batch, BATCH).await > 0 {
        let mut events = Vec::with_capacity(batch.len());
        for piece in batch.drain(..) {
            total.read += 1;
            match piece {
                Ok(event) => events.push(event.into()),
                Err(reason) => {
                    total.refused += 1;
                    tracing::warn!(reason, "refused");
                }
            }
        }
        while intake.is_full() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        if !events.is_empty() {
            intake.offer(events, Arc::clone(definitions)).await?;
        }
    }
    Ok(total)
}

/// Reads pieces and hands each to `take`, until the input ends or `take` says no.
pub(crate) fn pieces_of(mut input: Box<dyn BufRead + Send>, take: &mut dyn FnMut(Piece) -> bool) {
    let mut number = 0;
    let mut line = Vec::new();
    loop {
        line.clear();
        number += 1;
        let ended = match read_line(&mut *input, &mut line) {
            Ok(read) => read == 0,
            Err(error) => {
                take(Err(format!("line {number}: {error}")));
                return;
            }
        };
        if ended {
            return;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let value = match serde_json::from_slice::<Value>(&line) {
            Ok(value) => Ok(value),
            // A text over many lines: it begins on this one and ends with the input.
            Err(error) if error.is_eof() && number == 1 => {
                let first = line.len();
                let whole = rest(&mut *input, &mut line);
                if whole.is_err() {
                    // Or only this line is broken, and the others are lines of their own.
                    let others = line.split_off(first);
                    if others.split(|byte| *byte == b'\n').any(is_object) {
                        input = Box::new(std::io::Cursor::new(others));
                    }
                }
                whole
            }
            Err(error) => Err(format!("not JSON: {error}")),
        };
        let more = match value {
            Err(reason) => take(Err(format!("line {number}: {reason}"))),
            Ok(value) => events_of(value, number).into_iter().all(&mut *take),
        };
        if !more {
            return;
        }
    }
}

fn read_line(input: &mut dyn BufRead, line: &mut Vec<u8>) -> Result<usize, String> {
    let read = std::io::Read::take(&mut *input, LONGEST as u64).read_until(b'\n', line).map_err(|error| error.to_string())?;
    if read == LONGEST { Err("the line is too long".to_owned()) } else { Ok(read) }
}

fn rest(input: &mut dyn BufRead, text: &mut Vec<u8>) -> Result<Value, String> {
    let mut input = std::io::Read::take(&mut *input, LONGEST as u64);
    std::io::Read::read_to_end(&mut input, text).map_err(|error| error.to_string())?;
    serde_json::from_slice(text).map_err(|error| format!("not JSON: {error}"))
}

fn is_object(line: &[u8]) -> bool {
    matches!(serde_json::from_slice(line), Ok(Value::Object(_)))
}

/// The events of one JSON text: a log file's records, an array's elements, or itself.
pub(crate) fn events_of(value: Value, line: usize) -> Vec<Piece> {
    let values = match value {
        Value::Array(values) => values,
        value => event::split(value),
    };
    let single = values.len() == 1;
    let place = |index: usize| if single { format!("line {line}") } else { format!("line {line}, record {}", index + 1) };
    let events = values.into_iter().enumerate();
    events.map(|(index, value)| super::event(value).map_err(|error| format!("{}: {error}", place(index)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Result<String, String>> {
        let mut pieces = Vec::new();
        pieces_of(Box::new(std::io::Cursor::new(text.as_bytes().to_vec())), &mut |piece| {
            pieces.push(piece.map(|event| event.name().unwrap_or_default().to_owned()));
            true
        });
        pieces
    }

    #[test]
    fn every_form_is_read() {
        let good = |names: &[&str]| names.iter().map(|name| Ok((*name).to_owned())).collect::<Vec<_>>();
        let cases = [
            ("", vec![]),
            ("\n \n", vec![]),
            ("{\"eventName\":\"A\"}\n{\"detail\":{\"eventName\":\"B\"}}", good(&["A", "B"])),
            ("{\"eventName\":\"A\"}\r\n\r\n{\"eventName\":\"B\"}\r\n", good(&["A", "B"])),
            ("{\"Records\":[{\"eventName\":\"A\"},{\"eventName\":\"B\"}]}", good(&["A", "B"])),
            ("[{\"eventName\":\"A\"},{\"eventName\":\"B\"}]", good(&["A", "B"])),
            ("{\n  \"eventName\":\n \"A\"\n}\n", good(&["A"])),
            ("{\n \"Records\": [\n{\"eventName\":\"A\"}\n]}", good(&["A"])),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn a_first_line_that_is_cut_off_costs_no_other() {
        let read = read("{\"eventName\":\"A\"\n{\"eventName\":\"B\"}\n{\"eventName\":\"C\"}\n");
        let reasons: Vec<&str> = read.iter().filter_map(|piece| piece.as_ref().err()).map(String::as_str).collect();
        assert_eq!(reasons.len(), 1, "{reasons:?}");
        assert!(reasons[0].starts_with("line 1: not JSON"), "{reasons:?}");
        let names: Vec<&str> = read.iter().flatten().map(String::as_str).collect();
        assert_eq!(names, ["B", "C"]);
    }

    #[test]
    fn what_is_no_event_is_told_and_the_rest_goes_on() {
        let text = "{\"eventName\":\"A\"}\n{oops\n7\n{\"detail\":1}\n{\"Records\":[{\"eventName\":\"B\"},null]}\n{\"eventName\":\"C\"}";
        let read = read(text);
        let reasons: Vec<&str> = read.iter().filter_map(|piece| piece.as_ref().err()).map(String::as_str).collect();
        assert_eq!(read.iter().filter(|piece| piece.is_ok()).count(), 3);
        assert!(reasons[0].starts_with("line 2: not JSON: key must be a string"), "{reasons:?}");
        assert_eq!(reasons[1], "line 3: an event is an object, this is a number");
        assert_eq!(reasons[2], "line 4: an event's `detail` is an object, this is a number");
        assert_eq!(reasons[3], "line 5, record 2: an event is an object, this is null");
        assert_eq!(reasons.len(), 4);
    }
}
