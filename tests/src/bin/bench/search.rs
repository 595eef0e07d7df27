//! `trailwire search` in place, and DuckDB over the same packed logs for the same question.

use std::path::Path;
use std::process::{Command, Stdio};

use trailwire_tests::venv;

use super::replay::{NAMES, PASSES, peak, run};
use super::{Failure, Figure, Promise, watch};

/// Plain gigabytes that one core searches in a second, at least.
const SPEED: f64 = 0.7;

/// One side: a command, and what it took.
struct Side {
    command: Command,
    seconds: f64,
    processor: f64,
    lines: usize,
}

impl Side {
    fn new(mut command: Command) -> Self {
        command.stderr(Stdio::null());
        Self { command, seconds: f64::MAX, processor: f64::MAX, lines: 0 }
    }

    /// Runs once more; the least counts.
    fn pass(&mut self) -> Result<(), Failure> {
        let taken = || watch::children().ok_or("/proc does not tell processor times");
        let before = taken()?;
        let (seconds, lines) = run(&mut self.command)?;
        self.processor = self.processor.min(taken()? - before);
        self.seconds = self.seconds.min(seconds);
        self.lines = lines;
        Ok(())
    }
}

/// The figures of searching logs of so many plain bytes.
pub(super) fn figures(program: &Path, logs: &Path, plain: usize) -> Result<Vec<Figure>, Failure> {
    let search = |query: &str| {
        let mut command = Command::new(program);
        command.args(["search", query]).arg(logs).args(["--format", "json"]);
        Side::new(command)
    };
    let [(first, ..), (second, ..), ..] = NAMES;
    let mut name = search(&format!("event:{first} OR event:{second}"));
    // Not there, and sought in every text of every record.
    let mut text = search("i-0a1b2c3d4e5f60718");
    let program = venv::duckdb().inspect_err(|error| eprintln!("bench: DuckDB is not here, and is not measured: {error}")).ok();
    let mut duckdb = program.map(|program| {
        let question = format!(
            "SELECT record.eventID, record.eventName FROM (SELECT unnest(Records) AS record FROM read_json('{}/*.json.gz', maximum_object_size = 104857600, \
             columns = {{Records: 'STRUCT(eventID VARCHAR, eventName VARCHAR)[]'}})) WHERE record.eventName IN ('{first}', '{second}')",
            logs.display()
        );
        let mut command = Command::new(program);
        command.args(["-csv", "-noheader", "-c", &question]);
        Side::new(command)
    });
    let mut memory = 0.0_f64;
    for _ in 0..PASSES {
        name.pass()?;
        text.pass()?;
        if let Some(duckdb) = &mut duckdb {
            duckdb.pass()?;
        }
        memory = memory.max(peak(&mut name.command)?.resident);
    }
    let giga = plain as f64 / 1e9;
    let figure =
        |name: &str, value: f64, unit: &str, note: String, promise| Figure { name: name.into(), value, unit: unit.into(), note, promise };
    let note = |side: &Side| format!("a core; {:.2} s on all, {} found", side.seconds, side.lines);
    let mut figures = vec![
        figure("search_scan_gb_per_s", giga / name.processor, "GB/s", note(&name), Some(Promise::AtLeast(SPEED))),
        figure("search_text_gb_per_s", giga / text.processor, "GB/s", note(&text), None),
        figure("search_rss_mb", memory, "MB", "peak, over the same".to_owned(), None),
    ];
    if let Some(duckdb) = duckdb {
        if duckdb.lines != name.lines {
            return Err(format!("search found {} and DuckDB {}", name.lines, duckdb.lines).into());
        }
        let note = format!(
            "{:.2} s against {:.2} s; {:.1} times the processor's",
            name.seconds,
            duckdb.seconds,
            duckdb.processor / name.processor
        );
        figures.push(figure("duckdb_over_search_scan", duckdb.seconds / name.seconds, "x", note, None));
    }
    Ok(figures)
}
