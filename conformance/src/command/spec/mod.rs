//! `keyfit spec`: what can be said of documents alone. One file a subcommand.

mod check;
mod diff;
mod explain;
mod input;
mod lint;
mod output;
mod refresh;

use clap::Subcommand;
use keyfit_conformance::UserError;

use crate::ending::Ending;

/// What to do with documents.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say what has changed between two versions of a document, whom it breaks and which cases it touches. Exits with 0,
    /// with 1 where something is as grave as asked for, and with 2 where the input cannot be used.
    Diff(diff::Options),
    /// Say what is wrong with a document, for its owner: what is repaired on reading, what has no client method, and what
    /// is refused. Exits with 0, with 1 where it is refused, and with 2 where it cannot be read.
    Lint(lint::Options),
    /// Fetch the documents as they are published now, and say what has changed. An answer that is no document changes
    /// nothing. Exits with 0, and with 2 where a document could not be had.
    Refresh(refresh::Options),
    /// Say whether documents, overlays, contracts and the reviewed surface still fit each other. Exits with 0, and with 1
    /// where they do not.
    Check(check::Options),
    /// Show what the overlay and the repairs change in the document of an API that ships, before and after.
    Explain(explain::Options),
}

/// Runs the subcommand that was given.
pub(crate) fn run(command: &Command) -> Result<Ending, UserError> {
    match command {
        Command::Diff(options) => diff::run(options),
        Command::Lint(options) => lint::run(options),
        Command::Refresh(options) => refresh::run(options),
        Command::Check(options) => check::run(options),
        Command::Explain(options) => explain::run(options),
    }
}
