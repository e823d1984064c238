//! The command line: one file a subcommand. Without one, the check is run.

mod client;
mod compare;
mod file;
mod init;
pub(crate) mod mistake;
mod mock;
mod reports;
mod run;
mod spec;
mod subject;
mod transport;

use std::process::ExitCode;

pub(crate) use self::file::complain;

use clap::{Parser, Subcommand};

/// Checks clients and servers against the auth and error contracts of their APIs. Without options: both ends of the five
/// APIs that ship and of the generic guide, servers as a mock in process. Exits with 0, with 1 where a `must` rule is
/// broken, and with 2 where the input cannot be used or the check itself failed.
#[derive(Debug, Parser)]
#[command(name = "conformance", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
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
    /// Put the reports of several clients side by side, and hold them to what is expected. Exits with 1 on a difference.
    Compare(compare::Options),
    /// Begin the contract of an API from its document.
    Init(init::Options),
    /// Look at documents alone.
    #[command(subcommand)]
    Spec(spec::Command),
}

/// Runs the subcommand that was given.
pub(crate) fn run(cli: &Cli) -> Result<ExitCode, String> {
    match &cli.command {
        Some(Command::Run(options)) => run::run(options),
        Some(Command::Mock(options)) => mock::run(options),
        Some(Command::Init(options)) => init::run(options),
        Some(Command::Compare(options)) => compare::run(options),
        Some(Command::Spec(command)) => spec::run(command),
        None => run::run(&cli.run),
    }
}
