//! `conformance spec`: what can be said of documents alone. One file a subcommand.

mod diff;
mod explain;
mod input;
mod lint;
mod output;

use std::process::ExitCode;

use clap::Subcommand;

/// What to do with documents.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say what has changed between two versions of a document, whom it breaks and which cases it touches. Exits with 0,
    /// with 1 where something is as grave as asked for, and with 2 where the input cannot be used.
    Diff(diff::Options),
    /// Say what is wrong with a document, for its owner: what is repaired on reading, what has no client method, and what
    /// is refused. Exits with 0, with 1 where it is refused, and with 2 where it cannot be read.
    Lint(lint::Options),
    /// Show what the overlay and the repairs change in the document of an API that ships, before and after.
    Explain(explain::Options),
}

/// Runs the subcommand that was given.
pub(crate) fn run(command: &Command) -> Result<ExitCode, String> {
    match command {
        Command::Diff(options) => diff::run(options),
        Command::Lint(options) => lint::run(options),
        Command::Explain(options) => explain::run(options),
    }
}
