//! What is printed. Names, cells and a server's words may hold anything: a terminal is not to obey it.

use std::io;
use std::path::Path;

use keyfit::redact::{plain, plain_lines};
use keyfit_conformance::UserError;

/// The length of a text that is printed at once.
const PIECE: usize = 64 * 1024;

/// Prints to the standard output, without what commands a terminal. A reader that has seen enough, such as `head`, is no error.
pub(crate) fn print(text: &str) -> Result<(), UserError> {
    print_to(io::stdout(), text)
}

/// The same, line by line.
pub(crate) fn print_lines(lines: impl IntoIterator<Item = String>) -> Result<(), UserError> {
    // A piece at a time: there may be hundreds of thousands.
    let mut piece = String::new();
    for line in lines {
        piece.push_str(&line);
        piece.push('\n');
        if piece.len() > PIECE {
            print(&std::mem::take(&mut piece))?;
        }
    }
    print(&piece)
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
