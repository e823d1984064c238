//! `keyfit completions`: what a shell needs to complete the command line.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use keyfit_conformance::UserError;

use super::Cli;
use crate::terminal::console;
use crate::terminal::exit::ExitStatus;

pub(super) const EXAMPLES: &str = "\
Examples:
  keyfit completions bash > ~/.local/share/bash-completion/completions/keyfit
  keyfit completions zsh > ~/.zfunc/_keyfit
  keyfit completions fish > ~/.config/fish/completions/keyfit.fish";

/// Which shell.
#[derive(Args, Debug)]
#[group(skip)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

/// Prints the script.
pub(crate) fn run(args: &CompletionsArgs) -> Result<ExitStatus, UserError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "keyfit", &mut script);
    console::print(&String::from_utf8_lossy(&script))?;
    Ok(ExitStatus::Success)
}
