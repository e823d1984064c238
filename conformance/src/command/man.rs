//! `keyfit man`: the manual pages.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _};
use clap_mangen::Man;
use keyfit_conformance::UserError;

use super::Cli;
use crate::console;
use crate::ending::Ending;

pub(super) const EXAMPLES: &str = "\
Examples:
  keyfit man | man -l -
  keyfit man --out ~/.local/share/man/man1";

/// Where the pages go.
#[derive(Args, Debug)]
#[group(skip)]
pub(crate) struct Options {
    /// Write a page for each command into this folder, which is made where it is missing. Left out, the page of `keyfit` is
    /// printed.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints the page, or writes all of them.
pub(crate) fn run(options: &Options) -> Result<Ending, UserError> {
    if let Some(folder) = &options.out {
        let written = fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
        written.map_err(|error| {
            UserError::new(format!("the pages cannot be written: {error}"))
                .at(folder.display())
                .help("name another folder with --out")
        })?;
        return Ok(Ending::Fine);
    }
    let mut page = Vec::new();
    rendered(&mut page).map_err(|error| UserError::new(format!("the page cannot be made: {error}")))?;
    console::print(&String::from_utf8_lossy(&page))?;
    Ok(Ending::Fine)
}

fn rendered(page: &mut Vec<u8>) -> io::Result<()> {
    Man::new(Cli::command()).render(page)
}

#[cfg(test)]
mod tests {
    use std::{env, fs};

    use clap::Command;
    use clap_markdown::{MarkdownOptions, help_markdown_command_custom};

    use super::*;

    /// Has the examples and exit codes behind the help of each command stand as they are.
    fn as_code(command: Command) -> Command {
        let below = command.get_after_help().map(|text| format!("```text\n{text}\n```"));
        let command = command.mut_subcommands(as_code);
        below.into_iter().fold(command, Command::after_help)
    }

    /// The page `docs/cli.md` is the help of all commands.
    #[test]
    fn the_page_of_the_commands_is_their_help() {
        let options = MarkdownOptions::new().title("The command `keyfit`".to_owned()).show_footer(false);
        let mut page = help_markdown_command_custom(&as_code(Cli::command()), &options);
        page.push_str("\nMade from the help of the commands, which `keyfit COMMAND --help` prints too; set `KEYFIT_WRITE_SCHEMAS` to make it anew.\n");
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md");
        if env::vars_os().any(|(name, _)| name == "KEYFIT_WRITE_SCHEMAS") {
            fs::write(path, &page).expect("it can be written");
        }
        assert!(
            fs::read_to_string(path).is_ok_and(|found| found == page),
            "docs/cli.md is out of date: run with KEYFIT_WRITE_SCHEMAS=1 and commit it"
        );
    }
}
