//! The program that decodes and encodes, compiled in a crate of its own.

use std::io::Write as _;
use std::process::Stdio;
use std::thread;

use crate::support::compile::{cargo, write};

/// Compiles a crate with a program, and gives what it says of its input.
///
/// # Panics
/// With the compiler's words, or those of the program, where one of them fails.
pub(crate) fn run(name: &str, files: &[(String, String)], input: String) -> String {
    let more = "serde_json = \"1\"\ntokio = { version = \"1\", features = [\"rt\"] }\n";
    let manifest = write(name, more, "", files);
    let mut program =
        cargo("run", &manifest).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("cargo is there");
    let mut stdin = program.stdin.take().expect("it has an input");
    // Written beside reading, since neither end holds all of it.
    let writing = thread::spawn(move || stdin.write_all(input.as_bytes()));
    let run = program.wait_with_output().expect("it ends");
    assert!(run.status.success(), "the program failed");
    writing.join().expect("it ends").expect("its input is read");
    String::from_utf8(run.stdout).expect("it is text")
}
