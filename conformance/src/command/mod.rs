//! The command line: one file a command. Errors of the user and exit codes are rendered here and nowhere else.

mod apis;
mod batch;
mod budget;
mod call;
mod check;
mod client;
mod compare;
mod completions;
mod file;
mod generate;
mod init;
mod instasent;
mod man;
mod mock;
mod queue;
mod reports;
mod rule;
mod spec;
mod subject;
mod transport;
mod usage;

use std::env;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use keyfit_conformance::UserError;

use crate::terminal::console::print_message;
use crate::terminal::exit::ExitStatus;

const EXIT_CODES: &str = "\
Exit codes:
  0    everything is as it should be
  1    something was found: a broken rule, a breaking change, a rejected row
  2    the input cannot be used, or not all of the work could be done
  130  interrupted";

const EXAMPLES: &str = "\
Examples:
  keyfit check                                  the APIs that ship, against mocks in this process
  keyfit init openapi.yaml --dir api/shop       a folder with a first contract for a document of yours
  keyfit generate api/shop --out src/shop.rs    its client
  keyfit check --api-dir api/shop --base-url https://staging.example.com/v1 --tokens api/shop/tokens.toml
  keyfit mock --api ingest                      a server to develop against
  keyfit call scopien auth-test                 one call, from the shell
  keyfit rule ingest.auth.no-token              what a rule requires, and why
  keyfit spec diff HEAD~1:openapi.yaml openapi.yaml";

/// Clients for OpenAPI documents, and the authentication and error contracts that both ends of an API are held to.
#[derive(Debug, Parser)]
#[command(name = "keyfit", version, after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check clients and servers against the contracts of their APIs.
    ///
    /// Without options: both ends of the APIs that ship, servers as a mock in this process. A live server (--base-url) is
    /// only read from, one request at a time; what changes something, costs money or looks as if it ended something is sent
    /// with --allow-writes, --allow-spend and --allow.
    #[command(after_help = format!("{}\n\n{EXIT_CODES}", check::EXAMPLES))]
    Check(Box<check::CheckArgs>),
    /// Serve the mock of one API until Ctrl-C or SIGTERM.
    ///
    /// It prints its addresses and its tokens, which open nothing but this mock. Its admin makes it fail on demand.
    #[command(after_help = mock::EXAMPLES)]
    Mock(mock::MockArgs),
    /// Call an operation of any API, without a generated client.
    ///
    /// With the same authentication, retries and rate limits as the clients. A document is enough: what it leaves open is read
    /// from the overlay and the contract beside it.
    #[command(after_help = call::EXAMPLES)]
    Call(Box<call::CallArgs>),
    /// Write the items of a file through an operation that takes many in one call.
    ///
    /// In batches, as many at a time as the server keeps up with. Each item is accepted, rejected or unknown; what may have had an effect is
    /// not sent again.
    #[command(after_help = batch::EXAMPLES)]
    Batch(Box<batch::BatchArgs>),
    /// List the rules of the contracts, or say what one requires, why, and how it is checked.
    #[command(after_help = rule::EXAMPLES)]
    Rule(rule::RuleArgs),
    /// Put the reports of several clients side by side, and hold each to what is expected of it.
    #[command(after_help = format!("{}\n\n{EXIT_CODES}", compare::EXAMPLES))]
    Compare(compare::CompareArgs),
    /// Generate the code of a client, to be checked in; or all of it again.
    ///
    /// `keyfit.lock` says what each file was generated from, so that without arguments all of them are written again, and
    /// `--check` says which are stale.
    #[command(after_help = format!("{}\n\n{EXIT_CODES}", generate::EXAMPLES))]
    Generate(generate::GenerateArgs),
    /// Begin the contract of an API from its document.
    ///
    /// Writes a folder for `keyfit check --api-dir`: the document, an overlay, a first contract, and a tokens file to fill in.
    /// No file that exists is written to.
    #[command(after_help = init::EXAMPLES)]
    Init(init::InitArgs),
    /// Work with OpenAPI documents alone.
    #[command(subcommand)]
    Spec(spec::SpecCommand),
    /// Work with the data of the Instasent APIs.
    #[command(subcommand)]
    Instasent(instasent::InstasentCommand),
    /// Print the completion script of a shell.
    #[command(after_help = completions::EXAMPLES)]
    Completions(completions::CompletionsArgs),
    /// Print the manual page, or write those of all commands.
    #[command(after_help = man::EXAMPLES)]
    Man(man::ManArgs),
}

/// Runs the given command, and returns its exit code.
pub(crate) fn main() -> ExitCode {
    let typed: Vec<_> = env::args_os().collect();
    let cli = match Cli::try_parse_from(&typed) {
        Ok(cli) => cli,
        // Help and the version are no errors.
        Err(error) if !error.use_stderr() => error.exit(),
        Err(error) => {
            let message = usage::clap_message(&error, typed.iter().map(AsRef::as_ref));
            print_message(message.trim_end());
            return ExitStatus::Incomplete.into();
        }
    };
    match run(&cli) {
        Ok(ending) => ending.into(),
        Err(error) => {
            print_message(&error.to_string());
            ExitStatus::Incomplete.into()
        }
    }
}

fn run(cli: &Cli) -> Result<ExitStatus, UserError> {
    match &cli.command {
        Command::Check(args) => check::run(args),
        Command::Mock(args) => mock::run(args),
        Command::Call(args) => call::run(args),
        Command::Batch(args) => batch::run(args),
        Command::Rule(args) => rule::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Generate(args) => generate::run(args),
        Command::Init(args) => init::run(args),
        Command::Spec(command) => spec::run(command),
        Command::Instasent(command) => instasent::run(command),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
    }
}

/// A runtime for the commands that send or serve.
fn runtime() -> Result<tokio::runtime::Runtime, UserError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| UserError::new(format!("the runtime cannot be started: {error}")))
}

/// A variable; what is set to nothing is how many tools write one that is not set.
#[expect(clippy::disallowed_methods, reason = "a command line reads the environment")]
fn variable(name: &str) -> Result<Option<String>, UserError> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(UserError::new(format!("the environment variable {name} is not valid text")))
        }
    }
}
