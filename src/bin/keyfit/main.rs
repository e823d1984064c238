//! The command `keyfit`: imports contacts or events from a file.
//!
//! It ends with 0 where every row was accepted, 1 where some were rejected, 2 where it stopped before the end or was
//! called wrongly, and 130 where it was interrupted.

mod import;
mod input;
mod interrupt;
mod options;
mod output;
mod report;
mod roles;
mod say;
mod state;

use std::process::ExitCode;

use clap::Parser as _;
use options::{Command, Options};

fn main() -> ExitCode {
    let Options { command: Command::Import(import) } = Options::parse();
    let code = import::run(&import).unwrap_or_else(|message| {
        say::say(&format!("keyfit: {message}"));
        2
    });
    ExitCode::from(code)
}
