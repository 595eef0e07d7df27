//! The emulator's process.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde::Deserialize;
use tempfile::TempDir;

use crate::process;
use crate::stand::StandError;
use crate::venv;

/// A running emulator. It ends, with the workers it started, when this is dropped, and by itself when the process that holds it is gone:
/// it watches the pipe to its standard input.
#[derive(Debug)]
pub(crate) struct Emulator {
    child: Child,
    port: u16,
    state: TempDir,
}

#[derive(Deserialize)]
struct Greeting {
    port: u16,
}

impl Emulator {
    /// Starts the emulator. Queue URLs name `public_port`, so that clients that follow them come through the proxy; 0 stands for its own.
    pub(crate) fn start(public_port: u16, options: &[&str]) -> Result<Self, StandError> {
        let python = venv::python()?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("stand/emulator.py");
        let state = tempfile::Builder::new()
            .prefix("trailwire-stand-")
            .tempdir()
            .map_err(|error| StandError::new(format!("cannot make a directory for the emulator: {error}")))?;
        let mut child = Command::new(python)
            .arg("-B")
            .arg(script)
            .arg(public_port.to_string())
            .arg(state.path())
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| StandError::new(format!("cannot start the emulator: {error}")))?;
        match greeting(&mut child) {
            Some(Greeting { port }) => Ok(Self { child, port, state }),
            None => {
                end_group(&mut child);
                Err(StandError::new("the emulator ended before it listened; its complaint is on standard error"))
            }
        }
    }

    /// A directory that goes when the emulator ends, even when the process that holds it was killed.
    pub(crate) fn scratch(&self) -> &Path {
        self.state.path()
    }

    /// The loopback port that the emulator listens on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        end_group(&mut self.child);
    }
}

fn greeting(child: &mut Child) -> Option<Greeting> {
    let mut line = String::new();
    BufReader::new(child.stdout.take()?).read_line(&mut line).ok()?;
    serde_json::from_str(&line).ok()
}

/// Ends the process group that the child leads. The workers of the emulator's Lambda are in it.
fn end_group(child: &mut Child) {
    process::signal_group("KILL", child.id());
    let _ = child.kill();
    let _ = child.wait();
}
