//! `keyfit man`: the manual pages.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _};
use clap_mangen::Man;
use keyfit_conformance::UserError;

use super::Cli;
use crate::terminal::console;
use crate::terminal::exit::ExitStatus;

pub(super) const EXAMPLES: &str = "\
Examples:
  keyfit man | man -l -
  keyfit man --out ~/.local/share/man/man1";

/// Where the pages go.
#[derive(Args, Debug)]
#[group(skip)]
pub(crate) struct ManArgs {
    /// Write a page for each command into this folder, which is made where it is missing. Left out, the page of `keyfit` is
    /// printed.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints the page, or writes all of them.
pub(crate) fn run(args: &ManArgs) -> Result<ExitStatus, UserError> {
    if let Some(folder) = &args.out {
        let written = fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
        written.map_err(|error| {
            UserError::new(format!("the pages cannot be written: {error}"))
                .at(folder.display())
                .help("name another folder with --out")
        })?;
        return Ok(ExitStatus::Success);
    }
    let mut page = Vec::new();
    rendered(&mut page).map_err(|error| UserError::new(format!("the page cannot be made: {error}")))?;
    console::print(&String::from_utf8_lossy(&page))?;
    Ok(ExitStatus::Success)
}

fn rendered(page: &mut Vec<u8>) -> io::Result<()> {
    Man::new(Cli::command()).render(page)
}
