//! `conformance spec add`: a new API in a checkout of Keyfit.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use keyfit_conformance::init;
use keyfit_conformance::origin::{fetchable, without_secrets};

use super::output;
use crate::command::file;
use crate::command::init::api_name;

/// Which document becomes an API.
#[derive(Args, Debug)]
#[group(skip)]
pub(crate) struct Options {
    /// The OpenAPI document, YAML or JSON.
    file: PathBuf,
    /// The name of the API: of its folder, its feature and its module. Made from the name of the file where left out.
    #[arg(long)]
    name: Option<String>,
    /// Where the document is published: `spec refresh` fetches it from there.
    #[arg(long)]
    url: Option<String>,
    /// The checkout of Keyfit.
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

/// Writes the files, and says which.
pub(crate) fn run(options: &Options) -> Result<ExitCode, String> {
    let name = api_name(options.name.as_deref(), &options.file)?;
    let document = file::read(&options.file, "document")?;
    if let Some(url) = &options.url {
        fetchable(url).map_err(|problem| {
            format!(
                "error: --url cannot be fetched: {problem}\n  --> {}\nhelp: name an https URL",
                without_secrets(url)
            )
        })?;
    }
    let added = init::add(&options.dir, &name, &document, options.url.as_deref());
    let added = added.map_err(|failure| failure.to_string())?;
    added.write(&options.dir).map_err(|failure| failure.to_string())?;
    let (module, token) = (&added.module, &added.token);
    let files = added.files.iter().map(|(file, _)| format!("  {}", file.display()));
    let notes = added.notes.iter().map(|note| format!("note: {note}"));
    let lines: Vec<String> = files.chain(notes).collect();
    output::write(
        &format!(
            "{name}: {} operations, {} cases\n{}\n\nIts client is keyfit::{module}::Client, its token keyfit::{module}::{token}.\nCorrect contract.toml and overlay.yaml where they do not hold, and check both ends:\n  cargo run -p keyfit-conformance -- --api {name}\nThen write the snapshots that are to be reviewed, of the surface and of each request:\n  INSTA_UPDATE=always cargo test --workspace\n",
            added.operations,
            added.cases,
            lines.join("\n")
        ),
        None,
    )?;
    Ok(ExitCode::SUCCESS)
}
