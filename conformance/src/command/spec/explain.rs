//! `keyfit spec explain`: what became of the published document of an API, and why.

use std::fmt::Write as _;

use clap::Args;
use keyfit::redact::plain_json;
use keyfit_conformance::UserError;
use keyfit_openapi::{Api, plain};
use serde_json::Value;

use super::output;
use crate::terminal::exit::ExitStatus;
use keyfit_conformance::apis;

/// The API that is looked at.
#[derive(Args, Debug)]
#[group(skip)]
pub(crate) struct ExplainArgs {
    /// The API, by the name of its folder or contract.
    name: String,
    /// Print the document that came of it, in JSON: with the overlay applied and repaired, as the check reads it.
    #[arg(long)]
    document: bool,
}

/// Prints each overlay action and each repair, before and after, or the resulting document.
pub(crate) fn run(args: &ExplainArgs) -> Result<ExitStatus, UserError> {
    let source = apis::find(&args.name)?;
    let api = Api::read(&source)?;
    if args.document {
        output::write(&format!("{}\n", plain_json(&format!("{:#}", api.document))), None)?;
        return Ok(ExitStatus::Success);
    }
    let client = apis::generate(&source)?;
    let mut text = String::new();
    for step in api.steps().into_iter().chain(api.steps_of_client(&client)) {
        let _ = writeln!(text, "{} {}\n  --> {}", step.rules.join(", "), plain(&step.target), step.place);
        for reason in &step.reasons {
            let _ = writeln!(text, "  {}", plain(reason));
        }
        for change in &step.changes {
            let _ = writeln!(
                text,
                "  #{}\n    - {}\n    + {}",
                plain(&change.pointer),
                value_text(change.before.as_ref()),
                value_text(change.after.as_ref())
            );
        }
        text.push('\n');
    }
    output::write(&text, None)?;
    Ok(ExitStatus::Success)
}

fn value_text(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}
