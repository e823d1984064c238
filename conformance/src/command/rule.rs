//! `keyfit rule`: the rules of the contracts, and what there is to say of one.

use clap::Args;
use keyfit_conformance::UserError;
use keyfit_conformance::catalogue::Catalogue;
use keyfit_conformance::catalogue::explain;
use keyfit_conformance::credential::secret::name_for_message;
use keyfit_openapi::plain;

use super::apis::ApiArgs;
use crate::terminal::console;
use crate::terminal::exit::ExitStatus;

pub(super) const EXAMPLES: &str = "\
Examples:
  keyfit rule --api ingest
  keyfit rule ingest.auth.no-token
  keyfit rule '*.auth.**'";

/// Which rules.
#[derive(Args, Debug)]
#[group(skip)]
pub(crate) struct RuleArgs {
    /// The id of a rule, such as `ingest.auth.no-token`; `*` stands for one part, `**` for any. Left out, all rules are
    /// listed.
    id: Option<String>,
    #[command(flatten)]
    apis: ApiArgs,
}

/// Lists the rules, or explains those that were named.
pub(crate) fn run(args: &RuleArgs) -> Result<ExitStatus, UserError> {
    let catalogues = args.apis.catalogues()?;
    let Some(id) = &args.id else {
        console::print_lines(catalogues.iter().flat_map(listed))?;
        return Ok(ExitStatus::Success);
    };
    let texts: Vec<String> = catalogues.iter().flat_map(|catalogue| explain::rules(catalogue, id)).collect();
    if texts.is_empty() {
        return Err(UserError::new(format!("there is no rule `{}`", name_for_message(id))).help(
            "a rule is called as in `ingest.auth.no-token`; `keyfit rule` lists them; `*` stands for one part, `**` for any",
        ));
    }
    console::print(&texts.join("\n"))?;
    Ok(ExitStatus::Success)
}

fn listed(catalogue: &Catalogue) -> impl Iterator<Item = String> {
    catalogue.contract.rules.iter().map(|rule| plain(&format!("{} ({}): {}", rule.id, rule.level, rule.requirement)))
}
