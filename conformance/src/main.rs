//! `conformance`: checks clients and servers against the contracts of their APIs.

mod command;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let options = command::Options::parse();
    match command::run(&options) {
        Ok(code) => code,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}
