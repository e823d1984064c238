//! `keyfit spec lint`: what is wrong with a document, for its owner.

use std::fmt::Write as _;

use clap::Args;
use keyfit_conformance::UserError;
use keyfit_openapi::{Api, Error, Source, generate, plain};

use super::{input, output};
use crate::ending::Ending;

/// The document that is looked at.
#[derive(Args, Debug)]
#[group(skip)]
pub(crate) struct Options {
    /// A file, or REV:PATH for a file of a git revision.
    file: String,
    /// Ask the client generator however large the document is: it may take minutes and gigabytes.
    #[arg(long)]
    generator: bool,
}

/// Repairs that protect the client and say nothing against the document, and those that are said in another way.
const UNSAID: [&str; 3] = ["oauth-flow", "path-guard", "set-aside"];

/// What is odd, and is read as it stands.
const NOTED: [&str; 9] = [
    "looks-paged",
    "mixed-versions",
    "no-json",
    "odd-example",
    "odd-scheme",
    "odd-status",
    "published-hints",
    "same-path",
    "unknown-scheme",
];

/// Reads the document as the generator does and prints what it stumbled over.
pub(crate) fn run(options: &Options) -> Result<Ending, UserError> {
    let document = input::read(&options.file)?.text;
    let source = Source { name: "document".to_owned(), document, overlay: None, contract: None };
    let refused = |failure: &Error| {
        output::write(&format!("{failure}\n\n{}: refused\n", options.file), None)?;
        Ok(Ending::Findings)
    };
    let api = match Api::read(&source) {
        Ok(api) => api,
        Err(failure) => {
            // Of what is not a document at all there is nothing to be said.
            source.document.well_formed()?;
            return refused(&failure);
        }
    };
    let weight = api.generation_warning().filter(|_| !options.generator);
    let generated = if weight.is_none() { generate(&source).map(Some) } else { Ok(None) };
    let (repairs, unsupported) = match &generated {
        Ok(Some(generated)) => (&generated.repairs, &generated.unsupported),
        Ok(None) => (&api.repairs, &api.unsupported),
        Err(failure) => return refused(failure),
    };
    let mut text = String::new();
    let (mut repaired, mut narrowed, mut noted) = (0, 0, 0);
    // What only the generator is given differently is told where callers have less for it.
    let read = api.repairs.iter().count();
    let told = repairs.iter().enumerate().filter(|(index, repair)| *index < read || repair.narrowed);
    for (_, repair) in told.filter(|(_, repair)| !UNSAID.contains(&repair.rule)) {
        let (word, count) = match repair {
            repair if repair.narrowed => ("narrowed", &mut narrowed),
            repair if NOTED.contains(&repair.rule) => ("noted", &mut noted),
            _ => ("repaired", &mut repaired),
        };
        *count += 1;
        let place = api.location(&repair.pointer);
        let _ = writeln!(
            text,
            "{word} {}: {}\n  --> {}\n  at  #{}\n",
            repair.rule,
            plain(&repair.note),
            place,
            plain(&place.pointer)
        );
    }
    if let Some(weight) = weight {
        let _ = writeln!(
            text,
            "not looked at: what the client generator cannot express, because {weight}\nhelp: pass --generator to ask it all the same\n"
        );
    }
    for unsupported in unsupported {
        let _ =
            writeln!(text, "no client method for {}: {}\n", plain(&unsupported.operation), plain(&unsupported.reason));
    }
    let without = unsupported.len();
    let _ = writeln!(
        text,
        "{}: {repaired} repaired, {narrowed} narrowed, {noted} noted, {without} without a client method",
        options.file
    );
    output::write(&text, None)?;
    Ok(Ending::Fine)
}
