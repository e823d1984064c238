//! `conformance`: checks clients and servers against the contracts of their APIs.

mod command;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = command::Cli::try_parse().unwrap_or_else(|error| command::mistake::told(error).exit());
    match command::run(&cli) {
        Ok(code) => code,
        Err(message) => {
            command::complain(&message);
            ExitCode::from(2)
        }
    }
}
