//! `keyfit spec diff`: what has changed between two versions of a document.

use std::path::{Component, Path, PathBuf};

use clap::{Args, ValueEnum};
use keyfit_conformance::UserError;
use keyfit_conformance::apis::{self, all};
use keyfit_conformance::catalogue::Catalogue;
use keyfit_conformance::spec_diff::policy::Policy;
use keyfit_conformance::spec_diff::{DiffReport, DocumentNames, github, json, markdown, sarif, text};
use keyfit_openapi::diff::{Document, Level, diff};

use super::{input, output};
use crate::command::file;
use crate::terminal::exit::ExitStatus;

/// Which documents are compared, and what comes of it.
#[derive(Args, Debug)]
#[group(skip)]
pub(crate) struct DiffArgs {
    /// The document before: a file, or REV:PATH for a file of a git revision.
    old: String,
    /// The document after: the same.
    new: String,
    /// Exit with 1 where something is as grave as this.
    #[arg(long, value_name = "LEVEL", default_value = "breaking")]
    fail_on: FailLevel,
    /// The API whose cases are listed; found out where the document is `apis/NAME/published.yaml`, or `.json`, of one that
    /// ships.
    #[arg(long, value_name = "NAME")]
    api: Option<String>,
    /// How the report is written.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Write the report into this file.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How grave changes are here, and which are accepted: a TOML file with a table `[levels]` of rules and `breaking`,
    /// `warning` or `info`, and an `[[ignore]]` for each accepted change with `rule` and `reason`, and where wanted
    /// `operation` and `pointer`. An entry that fits nothing fails.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FailLevel {
    Breaking,
    Warning,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Markdown,
    Json,
    Sarif,
    Github,
}

/// Compares the documents and prints the report.
pub(crate) fn run(args: &DiffArgs) -> Result<ExitStatus, UserError> {
    let (before, after) = (input::read(&args.old)?, input::read(&args.new)?);
    let catalogue = catalogue(args, &after.file)?;
    let policy = match &args.policy {
        Some(path) => Policy::read(&file::read(path, "policy file")?)?,
        None => Policy::default(),
    };
    let (mut old, mut new) = Document::read_two(&before.text, &after.text)?;
    if let Some(catalogue) = &catalogue {
        old.name_operations(&catalogue.api.operations);
        new.name_operations(&catalogue.api.operations);
    }
    let paths = [before.text.path, after.text.path];
    let names = DocumentNames { old: args.old.clone(), new: args.new.clone(), file: after.file, paths };
    let report = DiffReport::new(names, catalogue.as_ref(), &policy, diff(&old, &new));
    let written = match args.format {
        Format::Text => text(&report),
        Format::Markdown => markdown(&report),
        Format::Json => json(&report),
        Format::Sarif => sarif(&report),
        Format::Github => github(&report),
    };
    output::write(&written, args.output.as_deref())?;
    let threshold = match args.fail_on {
        FailLevel::Breaking => Level::Breaking,
        FailLevel::Warning => Level::Warning,
    };
    Ok(if report.fails(threshold) { ExitStatus::Findings } else { ExitStatus::Success })
}

/// The catalogue of the API that is named, or of the one that the document is of.
fn catalogue(args: &DiffArgs, file: &str) -> Result<Option<Catalogue>, UserError> {
    let source = match &args.api {
        Some(name) => Some(apis::find(name)?),
        None => folder(file).and_then(|name| all().into_iter().find(|source| source.name == name)),
    };
    Ok(source.as_ref().map(Catalogue::read).transpose()?)
}

/// `NAME` of `apis/NAME/published.yaml`, or of its twin in JSON.
fn folder(file: &str) -> Option<&str> {
    let mut parts = Path::new(file).components().rev();
    let mut next = || match parts.next() {
        Some(Component::Normal(name)) => name.to_str(),
        _ => None,
    };
    let (document, name, apis) = (next()?, next()?, next()?);
    (matches!(document, "published.yaml" | "published.json") && apis == "apis").then_some(name)
}
