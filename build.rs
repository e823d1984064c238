//! Generates the client of every enabled API into `OUT_DIR`.

use std::path::Path;
use std::{env, fs, process};

use keyfit_openapi::{Dispatch, Failure, Source, Text, build};

/// A folder for each API that ships.
const APIS: &str = "openapi/apis";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={APIS}");
    if let Err(failure) = run() {
        build::tell(&failure);
        process::exit(1);
    }
}

#[expect(clippy::disallowed_methods, reason = "cargo speaks to a build script through the environment")]
fn run() -> Result<(), Failure> {
    let has =
        |feature: &str| env::var_os(format!("CARGO_FEATURE_{}", feature.replace('-', "_").to_uppercase())).is_some();
    let enabled: Vec<Source> = Source::all_in(APIS.as_ref())?.into_iter().filter(|source| has(&source.name)).collect();
    // Whoever drives operations as data calls them by their ids.
    let dispatch = if has("dispatch") { Dispatch::Always } else { Dispatch::Never };
    for source in &enabled {
        build::client(Path::new(APIS).join(&source.name)).dispatch(dispatch).emit();
    }
    let list = Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join("shipped.rs");
    fs::write(&list, shipped(&enabled)).map_err(|error| {
        let problem = format!("the file cannot be written: {error}");
        Failure::of_file(&list.display().to_string(), problem, "check the target folder of cargo")
    })?;
    Ok(())
}

/// The enabled APIs, for `src/dispatch/shipped.rs`.
fn shipped(enabled: &[Source]) -> String {
    let included = |file: &Text| {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        format!(
            "File {{ name: {name:?}, text: include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {:?})) }}",
            format!("/{}", file.path)
        )
    };
    let optional = |file: &Option<Text>| {
        file.as_ref().map_or_else(|| "None".to_owned(), |file| format!("Some({})", included(file)))
    };
    let rows = enabled.iter().fold(String::new(), |rows, source| {
        let (document, overlay, contract) =
            (included(&source.document), optional(&source.overlay), optional(&source.contract));
        let (name, module) = (&source.name, module(source));
        let files = format!("document: {document}, overlay: {overlay}, contract: {contract}");
        format!("{rows}Shipped {{ name: {name:?}, {files}, connect: crate::{module}::connect }},\n")
    });
    format!("&[\n{rows}]\n")
}

/// Where a client lives. A vendor of several APIs has a module around theirs.
fn module(source: &Source) -> String {
    let module = |name: &str| name.replace('-', "_");
    match source.name.strip_prefix("instasent-") {
        Some(name) => format!("instasent::{}", module(name)),
        None => module(&source.name),
    }
}
