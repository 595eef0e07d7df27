//! A driver of the runtime, `trailwire`.

use std::path::Path;
use std::process::Command;

use crate::process::{Program, built};
use crate::stand::Stand;

/// The command, with this environment alone between it and the stand.
pub fn command(stand: &Stand, account: &str, region: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(built("trailwire"));
    command.args(arguments).envs(stand.environment(account, region));
    command
}

/// Starts `trailwire run --hub HUB` with its journal in `state`.
pub fn start(stand: &Stand, account: &str, region: &str, hub: &str, state: &Path) -> Program {
    let mut command = command(stand, account, region, &["run", "--hub", hub]);
    command.env("TRAILWIRE_STATE_DIR", state);
    Program::start(command)
}
