//! Files that the user names, and the standard output.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use keyfit::redact::plain_lines;
use keyfit_openapi::{Text, read_file};

/// Prints to the standard output, without what commands a terminal. A reader that has seen enough, such as `head`, is no error.
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
    match to.write_all(plain_lines(text).as_bytes()).and_then(|()| to.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("error: the report cannot be printed: {error}"))
        }
        _ => Ok(()),
    }
}

/// Prints a message to the standard error, without what commands a terminal.
pub(crate) fn complain(message: &str) {
    eprintln!("{}", plain_lines(message));
}

/// Writes a report into a file that its owner alone may read: what was exchanged is for nobody else, masked or not. What is no
/// plain file, such as a pipe, keeps its mode.
pub(super) fn write_report(path: &Path, report: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    // One that was there may be open to others; one of somebody else stays as it is.
    #[cfg(unix)]
    if file.metadata()?.is_file() {
        use std::os::unix::fs::PermissionsExt as _;
        drop(file.set_permissions(fs::Permissions::from_mode(0o600)));
    }
    file.write_all(report.as_bytes())
}

/// Writes a file that is not there yet. One that is for its owner alone holds, or will hold, credentials.
pub(super) fn write_new(path: &Path, text: &str, is_private: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if is_private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    options.open(path)?.write_all(text.as_bytes())
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
