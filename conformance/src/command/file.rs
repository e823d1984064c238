//! Files that the user names.

use std::fs;
use std::path::Path;

use keyfit_openapi::Text;

/// Reads a file; `what` it is stands in the error.
pub(super) fn read(file: &Path, what: &str) -> Result<Text, String> {
    read_or(file, what, "check the path")
}

/// The same, with what to do where it cannot be read.
pub(super) fn read_or(file: &Path, what: &str, help: &str) -> Result<Text, String> {
    let name = file.display();
    let bytes = fs::read(file)
        .map_err(|error| format!("error: the {what} cannot be read: {error}\n  --> {name}\nhelp: {help}"))?;
    Text::decode(name.to_string(), bytes).map_err(|failure| failure.to_string())
}
