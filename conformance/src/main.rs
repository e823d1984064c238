//! `keyfit`: checks clients and servers against the contracts of their APIs, and what else there is to do with an API.

mod command;
mod console;
mod ending;
mod import;
mod interrupt;

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Trees of documents and of code are millions of small pieces.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    command::main()
}
