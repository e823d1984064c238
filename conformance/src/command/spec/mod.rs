//! `conformance spec`: what can be said of documents alone. One file a subcommand.

mod diff;
mod input;

use std::process::ExitCode;

use clap::Subcommand;

/// What to do with documents.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say what has changed between two versions of a document, whom it breaks and which cases it touches. Exits with 0,
    /// with 1 where something is as grave as asked for, and with 2 where the input cannot be used.
    Diff(diff::Options),
}

/// Runs the subcommand that was given.
pub(crate) fn run(command: &Command) -> Result<ExitCode, String> {
    match command {
        Command::Diff(options) => diff::run(options),
    }
}
