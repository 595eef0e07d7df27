//! The other sides: processes that measure one pass over the events for each line that they are sent.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The interpreter that has the packages of ../peers/requirements.txt; without it jmespath.py is not measured.
const PYTHON: &str = "TRAILWIRE_BENCH_PYTHON";

/// jmespath.py over orjson.
const JMESPATH_PY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../peers/jmespath_py.py");

/// A matcher of others.
pub struct Peer {
    /// As in the figure's name, and the word of its command.
    pub name: &'static str,
    /// What the figure's note says of it.
    pub note: &'static str,
    /// It sees one event in so many, by the number of triggers: the slow ones would take hours.
    pub one_in: fn(usize) -> usize,
    python: bool,
}

/// All of them.
pub const PEERS: [Peer; 3] = [
    Peer {
        name: "jmespath",
        note: "crate jmespath behind the same index",
        one_in: |size| if size >= 1_000 { 10 } else { 1 },
        python: false,
    },
    Peer {
        name: "quamina",
        note: "crate quamina on what event patterns can say of the triggers",
        one_in: |size| if size >= 1_000 { 10 } else { 1 },
        python: false,
    },
    Peer {
        name: "jmespath_py",
        note: "jmespath.py over orjson behind the same index",
        one_in: |size| match size {
            10_000.. => 100,
            1_000.. => 10,
            _ => 1,
        },
        python: true,
    },
];

/// Their processes.
pub struct Others {
    baseline: Process,
    python: Option<Process>,
}

impl Others {
    /// `baseline` is the program of ../baseline.
    pub fn start(baseline: &str, events: &Path, triggers: &Path) -> Self {
        let files = [events.as_os_str(), triggers.as_os_str()];
        let python = std::env::var_os(PYTHON).filter(|path| !path.is_empty());
        let python = python.map(|python| Process::start(&python, &[&[OsStr::new(JMESPATH_PY)], &files[..]].concat()));
        if python.is_none() {
            eprintln!("jmespath.py is not measured: {PYTHON} is not set");
        }
        Self { baseline: Process::start(OsStr::new(baseline), &files), python }
    }

    /// The nanoseconds of parsing every event.
    pub fn parse(&mut self) -> u64 {
        self.baseline.pass("parse").expect("parsing cannot be refused")
    }

    /// The nanoseconds that a peer takes for so many events; why not, where it cannot run.
    pub fn pass(&mut self, peer: &Peer, triggers: usize, events: usize) -> Result<u64, String> {
        let process = if peer.python { self.python.as_mut().ok_or("no Python")? } else { &mut self.baseline };
        process.pass(&format!("{} {triggers} {events}", peer.name))
    }
}

struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn start(program: &OsStr, arguments: &[&OsStr]) -> Self {
        let mut child =
            Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the peer's program");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, input, output }
    }

    /// An answer is `NANOSECONDS CHECKSUM`, or `refused: REASON`.
    fn pass(&mut self, command: &str) -> Result<u64, String> {
        writeln!(self.input.as_mut().expect("its input"), "{command}").expect("a command");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("an answer");
        if let Some(reason) = line.trim().strip_prefix("refused: ") {
            return Err(reason.to_owned());
        }
        let (time, _) = line.trim().split_once(' ').expect("two numbers");
        Ok(time.parse().expect("a number"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Without input it ends by itself.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}
