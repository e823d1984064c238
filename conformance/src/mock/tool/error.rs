//! Errors of a mock.

use std::error::Error;
use std::fmt;

use keyfit_openapi::plain;

/// The reason why a mock was not started or cannot execute a command. Its `Display` output has the problem and, on a separate line, the
/// remedy; it never contains a token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MockError {
    /// The status with which the admin reports it.
    pub(super) status: u16,
    pub(super) problem: String,
    pub(super) help: String,
}

impl MockError {
    /// Creates the error for an invalid value.
    pub(super) fn value(problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self { status: 422, problem: problem.into(), help: help.into() }
    }

    /// Creates the error for something that does not exist.
    pub(super) fn unknown(problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self { status: 404, ..Self::value(problem, help) }
    }

    /// Creates the error for a name that is not in this list.
    pub(super) fn none_of<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let mut known: Vec<&str> = known.into_iter().collect();
        known.sort_unstable();
        known.dedup();
        let help = match known[..] {
            [] => "leave it out: there are none here".to_owned(),
            _ => format!("the names are: {}", known.join(", ")),
        };
        Self::value(format!("there is no {what} called `{name}`"), help)
    }
}

impl fmt::Display for MockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}\nhelp: {}", plain(&self.problem), plain(&self.help))
    }
}

impl Error for MockError {}
