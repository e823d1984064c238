//! Where reports go.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// Writes a report into a file, or to standard output where none is named.
pub(super) fn write(report: &str, file: Option<&Path>) -> Result<(), String> {
    let Some(path) = file else {
        return match io::stdout().write_all(report.as_bytes()) {
            // A reader that has seen enough, such as `head`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.map_err(|error| format!("error: the report cannot be written: {error}")),
        };
    };
    fs::write(path, report).map_err(|error| {
        format!("error: the report cannot be written: {error}\n  --> {}\nhelp: check the path", path.display())
    })
}
