//! `keyfit spec check`: whether documents, overlays, contracts and the reviewed surface still fit each other.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use keyfit_conformance::UserError;
use keyfit_conformance::apis;
use keyfit_conformance::catalogue::Catalogue;
use keyfit_conformance::origin::{Origin, Origins, digest};
use keyfit_openapi::read_text;

use super::output;
use crate::terminal::exit::ExitStatus;

/// Which folder is checked.
#[derive(Args, Debug)]
#[group(skip)]
pub(crate) struct SpecCheckArgs {
    /// The folder with sources.toml and the APIs.
    #[arg(long, value_name = "DIR", default_value = "openapi")]
    dir: PathBuf,
}

/// Prints one line for each API that is in order, and every problem of the others.
pub(crate) fn run(args: &SpecCheckArgs) -> Result<ExitStatus, UserError> {
    let origins = Origins::read(&args.dir)?;
    let documents = origins.documents();
    let unnamed = origins.unnamed().map_err(|error| {
        UserError::new(format!("the folder cannot be read: {error}"))
            .at(args.dir.join("apis").display())
            .help("name another one with --dir")
    })?;
    let mut text = String::new();
    let mut count = unnamed.len();
    for origin in &documents {
        match problems(&args.dir, origin) {
            Ok(said) => {
                let _ = writeln!(text, "{}: {said}", origin.api);
            }
            Err(problems) => {
                count += problems.len();
                for problem in problems {
                    let _ = writeln!(text, "{}: {problem}", origin.api);
                }
            }
        }
    }
    for api in unnamed {
        let _ = writeln!(text, "{api}: sources.toml does not say where its document comes from: add a `[[document]]`");
    }
    let apis = documents.len();
    let _ = writeln!(text, "\n{apis} APIs, {count} problem{}", if count == 1 { "" } else { "s" });
    output::write(&text, None)?;
    Ok(if count == 0 { ExitStatus::Success } else { ExitStatus::Findings })
}

/// Returns the line for a valid document, or its problems.
fn problems(folder: &Path, origin: &Origin) -> Result<String, Vec<String>> {
    let source = origin.source().map_err(|failure| vec![failure.to_string()])?;
    let mut problems = Vec::new();
    let now = digest(&source.document.text);
    if now != origin.sha256 {
        problems.push(format!(
            "the document is another one than sources.toml says: restore it, or write `sha256 = \"{now}\"` and the date"
        ));
    }
    // Reading applies the overlay and expands the rules: both name parts of the document.
    let catalogue = Catalogue::read(&source);
    let generated = apis::generate(&source);
    match (&catalogue, &generated) {
        // It is the same one, seen twice.
        (Err(failure), _) => problems.push(failure.to_string()),
        (Ok(_), Err(failure)) => problems.push(format!("no client can be generated: {failure}")),
        (Ok(_), Ok(generated)) => {
            let reviewed = folder.join(format!("pipeline/tests/snapshots/embedded__surface-{}.snap", origin.api));
            let problem = match reviewed_surface(&reviewed) {
                Some(surface) if surface == generated.surface.trim() => None,
                Some(_) => Some("the generated surface is not the reviewed one"),
                None => Some("there is no reviewed surface"),
            };
            problems.extend(problem.map(|problem| {
                let file = reviewed.display();
                format!("{problem}\n  --> {file}\nhelp: run the tests, and review what has changed")
            }));
        }
    }
    match catalogue {
        Ok(catalogue) if problems.is_empty() => {
            Ok(format!("{} operations, {} cases", catalogue.api.operations.len(), catalogue.cases.len()))
        }
        _ => Err(problems),
    }
}

/// The text of a snapshot, without its head; `None` where none is kept.
fn reviewed_surface(file: &Path) -> Option<String> {
    let text = read_text(file).ok()?;
    let (_, surface) = text.strip_prefix("---\n")?.split_once("\n---\n")?;
    Some(surface.trim().to_owned())
}
