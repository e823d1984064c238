//! `keyfit`: checks clients and servers against the contracts of their APIs, and provides other tools for APIs.

mod command;
mod import;
mod terminal;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::main()
}
