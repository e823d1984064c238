//! The only reader of the process environment.

use std::env::{self, VarError};

use crate::Error;

/// Reads a variable.
///
/// # Errors
/// A variable that is not set or no text; the message names it and never shows its value.
#[expect(clippy::disallowed_methods, reason = "this file is where the environment is read")]
pub(crate) fn variable(name: &str) -> Result<String, Error> {
    env::var(name).map_err(|error| match error {
        VarError::NotPresent => {
            Error::credential(format!("the environment variable {name} is not set: set it to the token"))
        }
        VarError::NotUnicode(_) => Error::credential(format!("the environment variable {name} is not valid text")),
    })
}
