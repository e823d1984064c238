//! Where reports go.

use std::path::Path;

use crate::command::file;

/// Writes a report into a file, or to standard output where none is named.
pub(super) fn write(report: &str, place: Option<&Path>) -> Result<(), String> {
    let Some(path) = place else { return file::print(report) };
    file::write_report(path, report).map_err(|error| {
        format!("error: the report cannot be written: {error}\n  --> {}\nhelp: check the path", path.display())
    })
}
