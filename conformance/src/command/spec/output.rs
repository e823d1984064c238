//! Where reports go.

use std::path::Path;

use keyfit_conformance::UserError;

use crate::command::file;
use crate::terminal::console;

/// Writes a report into a file, or to standard output where none is named.
pub(super) fn write(report: &str, place: Option<&Path>) -> Result<(), UserError> {
    let Some(path) = place else { return console::print(report) };
    file::write_report(path, report).map_err(|error| {
        UserError::new(format!("the report cannot be written: {error}")).at(path.display()).help("check the path")
    })
}
