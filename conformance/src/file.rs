//! Files that the user names.

use std::path::Path;

use keyfit_openapi::{Text, read_file};

use crate::UserError;

/// Reads a regular file; `what` it is stands in the error.
///
/// # Errors
/// Returns an error if the file cannot be read, or is not UTF-8.
pub fn read(file: &Path, what: &str) -> Result<Text, UserError> {
    read_or(file, what, "check the path")
}

/// The same, with what to do where it cannot be read.
///
/// # Errors
/// As [`read`].
pub fn read_or(file: &Path, what: &str, help: &str) -> Result<Text, UserError> {
    let name = file.display();
    let bytes = read_file(file)
        .map_err(|error| UserError::new(format!("the {what} cannot be read: {error}")).at(&name).help(help))?;
    Ok(Text::decode(name.to_string(), bytes)?)
}
