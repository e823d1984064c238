//! The command line: one file a subcommand. Without one, the check is run.

mod mock;
mod run;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Checks clients and servers against the auth and error contracts of their APIs. Without options: both ends of the five
/// APIs that ship and of the generic guide, servers as a mock in process. Exits with 0, with 1 where a `must` rule is
/// broken, and with 2 where the input cannot be used or the check itself failed.
#[derive(Debug, Parser)]
#[command(name = "conformance", version, args_conflicts_with_subcommands = true)]
#[group(skip)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: run::Options,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the check; the same as no subcommand.
    Run(Box<run::Options>),
    /// Serve the mock of one API, with its tokens and an admin.
    Mock(mock::Options),
}

/// Runs the subcommand that was given.
pub(crate) fn run(options: &Options) -> Result<ExitCode, String> {
    match &options.command {
        Some(Command::Run(options)) => run::run(options),
        Some(Command::Mock(options)) => mock::run(options),
        None => run::run(&options.run),
    }
}
