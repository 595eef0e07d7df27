//! `trailwire-stand`: a local AWS with faults, and a place for notifications, until it is interrupted.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use trailwire_tests::stand::{Stand, UNWANTED_VARIABLES};
use trailwire_tests::terraform;

/// Starts the stand and prints the environment to export; ends it, workers included, when it is interrupted.
#[derive(Parser)]
#[command(name = "trailwire-stand")]
struct Arguments {
    /// The account to be; every twelve digits are one.
    #[arg(long, default_value = "111122223333")]
    account: String,
    /// The region to be in.
    #[arg(long, default_value = "us-east-1")]
    region: String,
    /// Run this command inside the environment, with everything after it, and end with it.
    #[arg(long, num_args = 1.., allow_hyphen_values = true, value_name = "COMMAND")]
    run: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve(Arguments::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("trailwire-stand: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let stand = Stand::start()?;
    let environment = environment(&stand, &arguments)?;
    let stopped = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    };
    let Some((program, rest)) = arguments.run.split_first() else {
        for name in UNWANTED_VARIABLES {
            println!("unset {name}");
        }
        for (name, value) in &environment {
            println!("export {name}='{value}'");
        }
        eprintln!("stand: ready; Ctrl-C ends it");
        stopped.await;
        return Ok(ExitCode::SUCCESS);
    };
    let mut command = tokio::process::Command::new(program);
    command.args(rest).envs(environment).kill_on_drop(true);
    for name in UNWANTED_VARIABLES {
        command.env_remove(name);
    }
    let mut child = command.spawn().map_err(|error| format!("cannot run {program}: {error}"))?;
    tokio::select! {
        status = child.wait() => Ok(ExitCode::from(u8::try_from(status?.code().unwrap_or(1)).unwrap_or(1))),
        () = stopped => {
            // The terminal has told the command too: it gets the time to end well.
            let _ = tokio::time::timeout(std::time::Duration::from_secs(30), child.wait()).await;
            Ok(ExitCode::FAILURE)
        }
    }
}

fn environment(stand: &Stand, arguments: &Arguments) -> Result<Vec<(String, String)>, Box<dyn std::error::Error>> {
    let mut environment = stand.environment(&arguments.account, &arguments.region);
    environment.push(("TRAILWIRE_SINK_URL".to_owned(), stand.sink().url().to_owned()));
    let own = std::env::current_exe()?;
    if let Some(built) = own.parent() {
        environment.extend(terraform::environment(built, &stand.scratch().join("terraform.rc"))?);
    }
    Ok(environment)
}
