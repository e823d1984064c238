//! Where something stands in a file, and what is wrong there.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::error::Error;

/// A line of the file.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) path: Arc<Path>,
    pub(super) line: usize,
}

/// A value with its place.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) place: Place,
    pub(super) value: T,
}

impl Place {
    /// The error of what is wrong there, with what to do. Neither shows a value, which may be a secret in the wrong place.
    pub(super) fn fault(&self, problem: impl fmt::Display, help: impl fmt::Display) -> Error {
        Error::configuration(format!("{}:{}: {problem}: {help}", self.path.display(), self.line))
    }

    /// An error that was made without a place, with this one.
    pub(super) fn told(&self, error: &Error) -> Error {
        Error::configuration(format!("{}:{}: {error}", self.path.display(), self.line))
    }

    /// The folder that relative paths start from, and the home directory for those that begin with `~/`.
    pub(super) fn resolve(&self, path: &Path) -> std::path::PathBuf {
        match (path.strip_prefix("~"), std::env::home_dir()) {
            (Ok(below), Some(home)) => home.join(below),
            _ => self.path.parent().unwrap_or(Path::new("")).join(path),
        }
    }
}
