//! The binary that Terraform starts.

#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use trailwire_provider::handshake::{self, Invitation, Refusal};
use trailwire_provider::server::{Server, install_panic_hook};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--version" | "-v"] => writeln!(io::stdout(), "terraform-provider-trailwire {}", env!("CARGO_PKG_VERSION")),
        ["--debug" | "-debug"] => start(None),
        [] => match Invitation::from_environment() {
            Ok(invitation) => start(Some(invitation)),
            Err(refusal) => Err(io::Error::other(refusal)),
        },
        _ => Err(io::Error::other(Refusal::NotTerraform)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // With standard error closed there is nobody to tell.
            drop(writeln!(io::stderr(), "{error}"));
            ExitCode::FAILURE
        }
    }
}

/// Serves Terraform, or a debugger's Terraform without an invitation.
fn start(invitation: Option<Invitation>) -> io::Result<()> {
    handshake::log::install();
    install_panic_hook();
    // One thread: nearly everything waits for AWS, and each further thread costs half a megabyte of memory of its own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let server = Arc::new(Server::new());
    let served = runtime.block_on(async {
        match &invitation {
            Some(invitation) => handshake::serve(server, invitation, &mut io::stdout()).await,
            None => handshake::serve_debug(server, &mut io::stdout()).await,
        }
    });
    // What still runs has been told to stop and was waited for: the process does not hang on it.
    runtime.shutdown_background();
    served
}
