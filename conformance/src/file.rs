//! Files that the user names.

use std::io::{self, Write as _};
use std::path::Path;

use keyfit_openapi::{Text, read_file};

use crate::UserError;

/// Reads a regular file; `what` names its kind in errors.
///
/// # Errors
/// Returns an error if the file cannot be read, or is not UTF-8.
pub fn read(file: &Path, what: &str) -> Result<Text, UserError> {
    read_or(file, what, "check the path")
}

/// Reads a regular file, with a help text for the case that it cannot be read.
///
/// # Errors
/// Returns an error if [`read`] does.
pub fn read_or(file: &Path, what: &str, help: &str) -> Result<Text, UserError> {
    let name = file.display();
    let bytes = read_file(file)
        .map_err(|error| UserError::new(format!("the {what} cannot be read: {error}")).at(&name).help(help))?;
    Ok(Text::decode(name.to_string(), bytes)?)
}

/// Replaces a file by a text atomically: an interrupted run leaves the old file or the new one.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    // With the usual permissions: a temporary file is only accessible to its owner.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.prefix(".keyfit-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}
