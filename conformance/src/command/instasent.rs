//! `keyfit instasent`: the data of one vendor's APIs.

use clap::Subcommand;
use keyfit_conformance::UserError;

use crate::import;
use crate::terminal::exit::ExitStatus;

const EXAMPLES: &str = "\
Examples:
  keyfit instasent import contacts.csv --project proj_1 --datasource ds_1
  keyfit instasent import contacts.csv --project proj_1 --datasource ds_1 --checkpoint state.json --rejects rejects.csv
  keyfit instasent import export.csv --project proj_1 --datasource ds_1 --encoding windows-1252 --column Id=_user_id --column Note=
  keyfit instasent import events.ndjson.gz --project proj_1 --datasource ds_1 --rows events
  pg_export | keyfit instasent import - --format ndjson --project proj_1 --datasource ds_1

A file is read once before anything is sent: where it cannot be read to its end, nothing is imported. Standard input is
sent as it comes. Rejected rows go to --rejects as they stood, so that they can be mended and imported again.

Exit codes:
  0    all rows were accepted
  1    some were rejected
  2    the input cannot be used, or not all rows were sent
  130  interrupted";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum InstasentCommand {
    /// Write the rows of a file to a data source.
    #[command(after_help = EXAMPLES)]
    Import(Box<import::ImportArgs>),
}

/// Runs the subcommand that was given.
pub(crate) fn run(command: &InstasentCommand) -> Result<ExitStatus, UserError> {
    match command {
        InstasentCommand::Import(args) => import::run(args),
    }
}
