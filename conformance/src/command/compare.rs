//! `keyfit compare`: several clients side by side, and whether each is as expected.

use std::path::PathBuf;

use clap::Args;
use keyfit_conformance::UserError;
use keyfit_conformance::report::comparison::{Client, Expectation, table};

use crate::terminal::console;
use crate::terminal::exit::ExitStatus;

pub(super) const EXAMPLES: &str = "\
Examples:
  keyfit check --api transactional --report json=ours.json
  keyfit check --api transactional --client python3 --client-arg adapter.py --report json=theirs.json
  keyfit compare ours.json theirs.json --expected adapters";

/// Which reports, and where the expectations are.
#[derive(Args, Debug)]
#[group(skip)]
pub(crate) struct CompareArgs {
    /// Reports of `keyfit check --report json=FILE`, one a client, whose name is that of the file.
    #[arg(required = true, value_name = "REPORT")]
    reports: Vec<PathBuf>,
    /// Where `<client>/expected.toml` says what is expected of a client. One without is expected to keep every rule.
    #[arg(long, value_name = "DIR")]
    expected: Option<PathBuf>,
}

/// Prints the table and the differences.
pub(crate) fn run(args: &CompareArgs) -> Result<ExitStatus, UserError> {
    let clients: Vec<Client> = args.reports.iter().map(|path| Client::read(path)).collect::<Result<_, _>>()?;
    console::print(&table(&clients))?;
    let Some(folder) = &args.expected else { return Ok(ExitStatus::Success) };
    let mut differences = Vec::new();
    for client in &clients {
        let expectation = Expectation::read(&folder.join(&client.name).join("expected.toml"), client)?;
        differences.extend(client.differences(&expectation));
    }
    if differences.is_empty() {
        console::print("\nall as expected\n")?;
        return Ok(ExitStatus::Success);
    }
    let differences = differences.iter().map(|difference| format!("  {difference}"));
    console::print_lines(["\nnot as expected".to_owned()].into_iter().chain(differences))?;
    Ok(ExitStatus::Findings)
}
