//! Files that the user names, and the standard output.

use std::io;
use std::path::Path;

use keyfit_openapi::{Text, read_file};

/// Prints to the standard output. A reader that has seen enough, such as `head`, is no error.
pub(super) fn print(text: &str) -> Result<(), String> {
    print_to(io::stdout(), text)
}

/// The same, line by line.
pub(super) fn print_lines(lines: impl IntoIterator<Item = String>) -> Result<(), String> {
    let lines: Vec<String> = lines.into_iter().collect();
    print(&format!("{}\n", lines.join("\n")))
}

/// The same to another place.
pub(super) fn print_to(mut to: impl io::Write, text: &str) -> Result<(), String> {
    match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("error: the report cannot be printed: {error}"))
        }
        _ => Ok(()),
    }
}

/// Reads a regular file; `what` it is stands in the error.
pub(super) fn read(file: &Path, what: &str) -> Result<Text, String> {
    read_or(file, what, "check the path")
}

/// The same, with what to do where it cannot be read.
pub(super) fn read_or(file: &Path, what: &str, help: &str) -> Result<Text, String> {
    let name = file.display();
    let bytes = read_file(file)
        .map_err(|error| format!("error: the {what} cannot be read: {error}\n  --> {name}\nhelp: {help}"))?;
    Text::decode(name.to_string(), bytes).map_err(|failure| failure.to_string())
}
