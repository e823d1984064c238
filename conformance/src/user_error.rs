//! Errors that prevent a command from its work, with a message for the user.

use std::fmt;

use keyfit::redact::plain;
use keyfit_openapi::{Error, SourceLocation};

/// An error that prevents a command from its work: invalid input, or a failure of the machine. It has the problem, the place, and a help
/// text. Findings of a command about a client, server, document, or row are not user errors.
///
/// # Troubleshooting
/// The first line names the problem, `-->` the file or URL, `at` the JSON pointer of the node, and `help` what to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UserError {
    problem: String,
    place: SourceLocation,
    help: String,
}

impl UserError {
    /// Creates an error without a file.
    pub fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), place: SourceLocation::default(), help: String::new() }
    }

    /// Sets the file or the URL.
    #[must_use]
    pub fn at(mut self, path: impl fmt::Display) -> Self {
        self.place.path = path.to_string();
        self
    }

    /// Sets the help text.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// Appends to the help text.
    #[must_use]
    pub fn also(mut self, help: &str) -> Self {
        let separator = if self.help.is_empty() { "" } else { "; " };
        self.help = format!("{}{separator}{help}", self.help);
        self
    }

    /// Adds the context of the problem.
    #[must_use]
    pub fn within(mut self, what: impl fmt::Display) -> Self {
        self.problem = format!("{what}: {}", self.problem);
        self
    }
}

impl std::error::Error for UserError {}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", plain(&self.problem))?;
        if !self.place.path.is_empty() {
            write!(f, "\n  --> {}", self.place)?;
        }
        if !self.place.pointer.is_empty() {
            write!(f, "\n  at  #{}", plain(&self.place.pointer))?;
        }
        if self.help.is_empty() { Ok(()) } else { write!(f, "\nhelp: {}", plain(&self.help)) }
    }
}

impl From<Error> for UserError {
    fn from(Error { location: place, problem, help }: Error) -> Self {
        Self { problem, place, help }
    }
}

/// Returns an error with its causes: the text of reqwest's errors only says that sending failed.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    std::iter::once(error.to_string()).chain(causes.map(ToString::to_string)).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_stands_on_a_line_of_its_own_whatever_it_holds() {
        let error = UserError::new("the file cannot be read").at("a\u{1b}[2J\nhelp: rm -rf").help("check the path");
        let told = "error: the file cannot be read\n  --> a\\u{1b}[2J\\nhelp: rm -rf\nhelp: check the path";
        assert_eq!(error.to_string(), told);
        assert_eq!(UserError::new("no").to_string(), "error: no");
    }

    #[test]
    fn a_failure_of_the_pipeline_reads_as_before() {
        let mut failure = Error::of_file("a.yaml", "it is odd", "mend it");
        failure.location.line = 3;
        failure.location.pointer = "/a".to_owned();
        assert_eq!(UserError::from(failure.clone()).to_string(), failure.to_string());
    }
}
