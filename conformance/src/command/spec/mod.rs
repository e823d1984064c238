//! `keyfit spec`: what can be said of documents alone. One file a subcommand.

mod bundle;
mod check;
mod diff;
mod explain;
mod input;
mod lint;
mod output;
mod refresh;

use clap::Subcommand;
use keyfit_conformance::UserError;

use crate::terminal::exit::ExitStatus;

const DIFF_EXAMPLES: &str = "\
Examples:
  keyfit spec diff old.yaml new.yaml
  keyfit spec diff HEAD~1:openapi.yaml openapi.yaml --format markdown --output changes.md

Exit codes:
  0  nothing is as grave as --fail-on says
  1  something is
  2  the input cannot be used";

const LINT_EXAMPLES: &str = "\
Examples:
  keyfit spec lint openapi.yaml
  keyfit spec lint main:openapi.yaml

Exit codes:
  0  the document can be used
  1  it is refused
  2  it cannot be read";

const REFRESH_EXAMPLES: &str = "\
Examples:
  keyfit spec refresh
  keyfit spec refresh --api scopien

Exit codes:
  0  each document is here as it is published
  2  a document could not be had; it is left as it is, and the others go on";

const CHECK_EXAMPLES: &str = "\
Examples:
  keyfit spec check
  keyfit spec check --dir openapi

Exit codes:
  0  everything fits
  1  something does not
  2  the input cannot be used";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  keyfit spec explain ingest
  keyfit spec explain ingest --document > openapi.json";

const BUNDLE_EXAMPLES: &str = "\
Examples:
  keyfit spec bundle openapi.yaml --output openapi.json
  keyfit spec bundle https://api.example.com/openapi.yaml --output openapi.json

Exit codes:
  0  the document is written
  2  the input cannot be used";

/// What to do with documents.
#[derive(Debug, Subcommand)]
pub(crate) enum SpecCommand {
    /// Say what has changed between two versions of a document, whom it breaks and which cases it touches.
    #[command(after_help = DIFF_EXAMPLES)]
    Diff(diff::DiffArgs),
    /// Say what is wrong with a document, for its owner: what is repaired on reading, what has no client method, and what
    /// is refused.
    #[command(after_help = LINT_EXAMPLES)]
    Lint(lint::LintArgs),
    /// Fetch the documents as they are published now, and say what has changed.
    ///
    /// An answer that is not a document changes nothing.
    #[command(after_help = REFRESH_EXAMPLES)]
    Refresh(refresh::RefreshArgs),
    /// Say whether documents, overlays, contracts and the reviewed surface still fit each other.
    #[command(after_help = CHECK_EXAMPLES)]
    Check(check::SpecCheckArgs),
    /// Put a document in several files into one, as all other commands read it.
    ///
    /// A document in one file is written as it is. Files behind URLs are fetched, each once, and said on the standard error; no other
    /// command fetches them. Files outside of the document's folder are refused. A file that was fetched leads to other hosts over
    /// https alone. --header is sent to the host of the document alone.
    #[command(after_help = BUNDLE_EXAMPLES)]
    Bundle(bundle::BundleArgs),
    /// Show what the overlay and the repairs change in the document of an API that ships, before and after.
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(explain::ExplainArgs),
}

/// Runs the subcommand that was given.
pub(crate) fn run(command: &SpecCommand) -> Result<ExitStatus, UserError> {
    match command {
        SpecCommand::Diff(args) => diff::run(args),
        SpecCommand::Lint(args) => lint::run(args),
        SpecCommand::Refresh(args) => refresh::run(args),
        SpecCommand::Check(args) => check::run(args),
        SpecCommand::Bundle(args) => bundle::run(args),
        SpecCommand::Explain(args) => explain::run(args),
    }
}
