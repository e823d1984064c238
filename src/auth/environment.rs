//! The only reader of the process environment.

use std::env::{self, VarError};

use crate::error::Error;

/// Reads a variable.
///
/// # Errors
/// Returns an error if the variable is not set or is not valid UTF-8; the message names it and never shows its value.
pub(crate) fn variable(name: &str) -> Result<String, Error> {
    optional(name)?.ok_or_else(|| Error::credential(missing(name)))
}

/// Returns the message for a variable that is not set.
pub(super) fn missing(name: &str) -> String {
    format!("the environment variable {name} is not set: set it and start again")
}

/// Reads an optional variable.
///
/// # Errors
/// Returns an error if the variable is not valid UTF-8; the message names it and never shows its value.
#[expect(clippy::disallowed_methods, reason = "this file is where the environment is read")]
pub(crate) fn optional(name: &str) -> Result<Option<String>, Error> {
    match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            Err(Error::credential(format!("the environment variable {name} is not valid text")))
        }
    }
}
