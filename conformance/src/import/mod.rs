//! The import: rows of a file into a data source, each with exactly one outcome.

mod input;
mod options;
mod output;
mod report;
mod roles;
mod run;
mod state;

pub(crate) use self::options::Options;
pub(crate) use self::run::run;
