//! The error of the pipeline: its place, the problem and the remedy.

use std::fmt;

use crate::plain;

/// A place in a source file: path, line and column (both from 1), and the JSON pointer of the node.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SourceLocation {
    /// The path of the file as the user gave it.
    pub path: String,
    /// The line, from 1; 0 where the failure concerns the whole file.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The JSON pointer (RFC 6901) of the node, empty for the whole document.
    pub pointer: String,
}

/// An input that the pipeline cannot use.
///
/// # Troubleshooting
/// The first line names the problem, `-->` the file with line and column, `at` the JSON pointer of the node,
/// and `help` what to change. Published documents are not edited by hand: put the change into the overlay.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub struct Error {
    /// The place of the error.
    pub location: SourceLocation,
    /// A description of the problem.
    pub problem: String,
    /// The remedy.
    pub help: String,
}

impl Error {
    /// Creates a failure that concerns a whole file.
    pub fn of_file(path: &str, problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            location: SourceLocation { path: path.to_owned(), ..SourceLocation::default() },
            problem: problem.into(),
            help: help.into(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", plain(&self.problem))?;
        writeln!(f, "  --> {}", self.location)?;
        if !self.location.pointer.is_empty() {
            writeln!(f, "  at  #{}", plain(&self.location.pointer))?;
        }
        write!(f, "help: {}", plain(&self.help))
    }
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&plain(&self.path))?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        Ok(())
    }
}
