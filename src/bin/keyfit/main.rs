//! The command `keyfit`: imports contacts or events from a file.
//!
//! It ends with 0 where every row was accepted, 1 where some were rejected, and 2 where it stopped before the end or was
//! called wrongly.

mod import;
mod options;
mod report;
mod rows;
mod state;

use std::process::ExitCode;

use clap::Parser as _;
use options::{Command, Options};

fn main() -> ExitCode {
    let Options { command: Command::Import(import) } = Options::parse();
    let code = import::run(&import).unwrap_or_else(|message| {
        eprintln!("keyfit: {message}");
        2
    });
    ExitCode::from(code)
}
