//! Output to the terminal. Names, cells, and texts of a server may contain anything, so control sequences are escaped.

use std::io;
use std::path::Path;

use keyfit::redact::{plain, plain_lines};
use keyfit_conformance::UserError;

/// The length of a text that is printed at once, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// Prints to the standard output, with control sequences escaped. A reader that closes the pipe, such as `head`, is not an error.
pub(crate) fn print(text: &str) -> Result<(), UserError> {
    print_to(io::stdout(), text)
}

/// Prints lines to the standard output in the same way.
pub(crate) fn print_lines(lines: impl IntoIterator<Item = String>) -> Result<(), UserError> {
    // In pieces, since there may be hundreds of thousands of lines.
    let mut piece = String::new();
    for line in lines {
        piece.push_str(&line);
        piece.push('\n');
        if piece.len() > CHUNK_BYTES {
            print(&std::mem::take(&mut piece))?;
        }
    }
    print(&piece)
}

/// Prints to another destination in the same way.
pub(crate) fn print_to(mut to: impl io::Write, text: &str) -> Result<(), UserError> {
    match to.write_all(plain_lines(text).as_bytes()).and_then(|()| to.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(UserError::new(format!("the report cannot be printed: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints a message to the standard error, with control sequences escaped.
pub(crate) fn print_message(message: &str) {
    eprintln!("{}", plain_lines(message));
}

/// Returns the name of a file for a message.
pub(crate) fn place(path: &Path) -> String {
    plain(&path.display().to_string())
}
