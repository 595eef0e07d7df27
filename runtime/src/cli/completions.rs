//! `trailwire completions`: what a shell needs to complete commands and arguments.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Arguments, Failure, print};

/// Prints a completion script for a shell.
///
/// bash: `trailwire completions bash > /etc/bash_completion.d/trailwire`; zsh: `trailwire completions zsh > "${fpath[1]}/_trailwire"`; fish:
/// `trailwire completions fish > ~/.config/fish/completions/trailwire.fish`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell.
    shell: Shell,
}

/// # Errors
///
/// [`Failure::Unread`] where nobody reads what is printed.
pub(crate) fn run(arguments: &CompletionsArguments) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "trailwire", &mut script);
    print(String::from_utf8_lossy(&script).trim_end())
}
