//! What is printed. Names, cells and a server's words may hold anything: a terminal is not to obey it.

use std::io;
use std::path::Path;

use keyfit::redact::{plain, plain_lines};
use keyfit_conformance::UserError;

/// Prints to the standard output, without what commands a terminal. A reader that has seen enough, such as `head`, is no error.
pub(crate) fn print(text: &str) -> Result<(), UserError> {
    print_to(io::stdout(), text)
}

/// The same, line by line.
pub(crate) fn print_lines(lines: impl IntoIterator<Item = String>) -> Result<(), UserError> {
    let lines: Vec<String> = lines.into_iter().collect();
    print(&format!("{}\n", lines.join("\n")))
}

/// The same to another place.
pub(crate) fn print_to(mut to: impl io::Write, text: &str) -> Result<(), UserError> {
    match to.write_all(plain_lines(text).as_bytes()).and_then(|()| to.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(UserError::new(format!("the report cannot be printed: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints a message to the standard error, without what commands a terminal.
pub(crate) fn complain(message: &str) {
    eprintln!("{}", plain_lines(message));
}

/// The name of a file, for a message.
pub(crate) fn place(path: &Path) -> String {
    plain(&path.display().to_string())
}
