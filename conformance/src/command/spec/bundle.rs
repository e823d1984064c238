//! `keyfit spec bundle`: a document in several files as one.

use std::path::PathBuf;

use clap::Args;
use keyfit_conformance::UserError;

use super::{input, output};
use crate::ending::Ending;

/// The document, and where it is written.
#[derive(Args, Debug)]
#[group(skip)]
pub(crate) struct Options {
    /// The file that refers to the others.
    file: String,
    /// Write the document into this file.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Prints the document that all other commands read, in JSON: the one that an overlay addresses.
pub(crate) fn run(options: &Options) -> Result<Ending, UserError> {
    let document = input::read(&options.file)?.text.joined()?;
    output::write(&document.text, options.output.as_deref())?;
    Ok(Ending::Fine)
}
