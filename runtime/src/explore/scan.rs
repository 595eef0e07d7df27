//! One file cut into records: those of which their bytes say that nobody wants them are passed over, the others are read.

use trailwire_engine::event::{self, Event};

use super::log_file::LogFile;
use super::records::{self, Piece};
use super::unpack;
use crate::source;

/// What the bytes of a record say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sifted {
    /// It is not wanted.
    No,
    /// It may be wanted: whoever reads it finds out.
    Unsure,
    /// It is wanted.
    Yes,
}

/// So many faults of a file are told.
const MOST_FAULTS: usize = 100;
/// A file has at most so many records. Those of CloudTrail have some hundred bytes each at least, so its files have fewer.
const MOST_RECORDS: u64 = 4_000_000;

/// What was read of a file.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    /// Its records.
    pub(super) records: u64,
    /// What of it could not be read, each with its place.
    pub(super) faults: Vec<String>,
}

impl Scanned {
    /// Notes what is wrong with the record that was just counted.
    pub(super) fn fault(&mut self, reason: &str) {
        match self.faults.len() {
            few if few < MOST_FAULTS => self.faults.push(format!("record {}: {reason}", self.records)),
            MOST_FAULTS => self.faults.push("there were too many faults: no more are told".to_owned()),
            _ => {}
        }
    }
}

/// Hands over every event of a file that may be wanted. `text` is used again and again, and holds the file's text afterwards; of a large one `come` waits
/// for its turn.
pub(super) fn scan(
    file: &LogFile,
    text: &mut Vec<u8>,
    come: &dyn Fn() -> bool,
    sift: &mut dyn FnMut(&[u8]) -> Sifted,
    take: &mut dyn FnMut(Event, Sifted, &mut Scanned),
) -> Scanned {
    let mut scanned = Scanned::default();
    if let Err(fault) = unpack::read(file, text, come) {
        scanned.faults.push(fault);
        text.clear();
        return scanned;
    }
    let mut read = |value, sifted, scanned: &mut Scanned| match source::event(value) {
        Ok(event) => take(event, sifted, scanned),
        Err(reason) => scanned.fault(&reason),
    };
    let mut too_many = false;
    records::pieces(text, &mut |piece| match piece {
        Piece::Fault(at, reason) => scanned.faults.push(format!("byte {at}: {reason}")),
        Piece::Record(_) | Piece::Unsure(_) if scanned.records >= MOST_RECORDS => {
            if !too_many {
                scanned.faults.push(format!("it has more than {MOST_RECORDS} records: the rest is not read"));
            }
            too_many = true;
        }
        Piece::Record(record) => {
            scanned.records += 1;
            let sifted = sift(record);
            if sifted != Sifted::No {
                match serde_json::from_slice(record) {
                    Ok(value) => read(value, sifted, &mut scanned),
                    Err(error) => scanned.fault(&format!("not JSON: {error}")),
                }
            }
        }
        Piece::Unsure(object) => match serde_json::from_slice(object) {
            Ok(value) => {
                for value in event::split(value) {
                    scanned.records += 1;
                    read(value, Sifted::Unsure, &mut scanned);
                }
            }
            Err(error) => scanned.faults.push(format!("not JSON: {error}")),
        },
    });
    scanned
}
