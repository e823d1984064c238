//! `keyfit spec refresh`: the documents as they are published now.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use keyfit_conformance::UserError;
use keyfit_conformance::catalogue::Catalogue;
use keyfit_conformance::origin::{FetchLimits, FetchResult, Fetcher, Origin, Origins, Validators, digest};
use keyfit_conformance::spec_diff::policy::Policy;
use keyfit_conformance::spec_diff::{DiffReport, DocumentNames, text};
use keyfit_openapi::diff::{Document, diff};
use keyfit_openapi::{Text, without_secrets};

use super::output;
use crate::command::runtime;
use crate::terminal::console;
use crate::terminal::exit::ExitStatus;

/// Which documents are fetched, and what that may cost.
#[derive(Args, Debug)]
#[group(skip)]
pub(crate) struct RefreshArgs {
    /// The folder with sources.toml and the APIs.
    #[arg(long, value_name = "DIR", default_value = "openapi")]
    dir: PathBuf,
    /// Fetch the document of this API only; may be given more than once.
    #[arg(long, value_name = "NAME")]
    api: Vec<String>,
    /// The longest document that is taken, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 16 * 1024 * 1024)]
    max_bytes: usize,
    /// How long a document may take, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    timeout: u64,
}

/// Fetches each document and prints what has changed in it. A bad answer changes nothing, and ends with 2.
pub(crate) fn run(args: &RefreshArgs) -> Result<ExitStatus, UserError> {
    let mut origins = Origins::read(&args.dir)?;
    let all = origins.documents();
    if let Some(unknown) = args.api.iter().find(|name| all.iter().all(|origin| origin.api != **name)) {
        let known: Vec<&str> = all.iter().map(|origin| origin.api.as_str()).collect();
        return Err(UserError::new(format!("sources.toml names no API `{unknown}`"))
            .help(format!("it names {}", known.join(", "))));
    }
    let wanted = all.into_iter().filter(|origin| args.api.is_empty() || args.api.contains(&origin.api));
    let limits = FetchLimits { bytes: args.max_bytes, time: Duration::from_secs(args.timeout) };
    let fetcher = Fetcher::new(limits).map_err(UserError::new)?;
    let runtime = runtime()?;
    let mut ending = ExitStatus::Success;
    for origin in wanted {
        let Some(url) = origin.url.clone() else {
            output::write(&format!("{}: nothing is published: left as it is\n", origin.api), None)?;
            continue;
        };
        match runtime.block_on(refresh(&fetcher, &mut origins, &origin, &url)) {
            Ok(said) => output::write(&said, None)?,
            Err(error) => {
                console::print_message(
                    &error.within(&origin.api).more_help("this document was left as it is").to_string(),
                );
                ending = ExitStatus::Incomplete;
            }
        }
    }
    Ok(ending)
}

/// Refreshes a document, and returns the text about it.
async fn refresh(fetcher: &Fetcher, origins: &mut Origins, origin: &Origin, url: &str) -> Result<String, UserError> {
    let shown = without_secrets(url);
    let source = origin.source()?;
    let before = source.document.text.clone();
    // The validators of the server are not those of an edited document.
    let is_as_fetched = digest(&before) == origin.sha256;
    let known = if is_as_fetched { origin.validators.clone() } else { Validators::default() };
    let answer = fetcher.fetch(url, &known).await;
    let (text, validators) = match answer.map_err(|problem| UserError::new(problem).at(&shown))? {
        FetchResult::Unchanged => return Ok(format!("{}: unchanged\n", origin.api)),
        FetchResult::Text { text, validators } => (text, validators),
    };
    // A server may name the same text differently each time: what it is known by alone is no change to be reviewed.
    if text == before && is_as_fetched && origin.is_published {
        return Ok(format!("{}: unchanged\n", origin.api));
    }
    let unfit = |failure| UserError::from(failure).within("the document cannot be used");
    origin.accepts(&text).map_err(unfit)?;
    let unwritten =
        |error: io::Error| UserError::new(format!("it cannot be replaced: {error}")).at(origin.file.display());
    if text == before {
        origins.replace(origin, &text, &validators).map_err(unwritten)?;
        return Ok(format!("{}: unchanged, and written into sources.toml as published\n", origin.api));
    }
    let of = |text: &str| Text::new(shown.as_str(), text);
    let (old, new) = Document::read_two(&of(&before), &of(&text)).map_err(unfit)?;
    let findings = diff(&old, &new);
    origins.replace(origin, &text, &validators).map_err(unwritten)?;
    let catalogue = origin.source().ok().and_then(|source| Catalogue::read(&source).ok());
    let file = origin.file.display().to_string();
    let paths = [shown.clone(), shown.clone()];
    let names = DocumentNames { old: format!("{file} before"), new: shown, file, paths };
    let report = DiffReport::new(names, catalogue.as_ref(), &Policy::default(), findings);
    Ok(format!("{}: replaced\n{}", origin.api, self::text(&report)))
}
