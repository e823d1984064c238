//! Generates the client of every enabled API into `OUT_DIR`.

use std::error::Error;
use std::path::Path;
use std::{env, fs, process};

use keyfit_openapi::{Dispatch, Options, Source, Text, generate_with};

/// A folder for each API that ships.
const APIS: &str = "openapi/apis";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={APIS}");
    if let Err(error) = run() {
        // A failure's own words, with file, line and help; not the Debug form of a Result.
        eprintln!("{error}");
        process::exit(1);
    }
}

#[expect(clippy::disallowed_methods, reason = "cargo speaks to a build script through the environment")]
fn run() -> Result<(), Box<dyn Error>> {
    let out = env::var("OUT_DIR")?;
    let is_enabled = |source: &Source| {
        let feature = source.name.replace('-', "_").to_uppercase();
        env::var_os(format!("CARGO_FEATURE_{feature}")).is_some()
    };
    let enabled: Vec<Source> = Source::all_in(APIS.as_ref())?.into_iter().filter(is_enabled).collect();
    for source in &enabled {
        write_client(source, Path::new(&out))?;
    }
    fs::write(Path::new(&out).join("shipped.rs"), shipped(&enabled))?;
    Ok(())
}

/// Writes `OUT_DIR/<api>.rs`, to be included by its module.
#[expect(clippy::disallowed_methods, reason = "cargo speaks to a build script through the environment")]
fn write_client(source: &Source, out: &Path) -> Result<(), Box<dyn Error>> {
    // Whoever drives operations as data calls them by their ids.
    let has_dispatch = env::var_os("CARGO_FEATURE_DISPATCH").is_some();
    let options = Options { dispatch: if has_dispatch { Dispatch::Always } else { Dispatch::Never } };
    let client = generate_with(source, &options)?;
    for unsupported in &client.unsupported {
        println!("cargo::warning={}: no method for {}: {}", source.name, unsupported.operation, unsupported.reason);
    }
    fs::write(out.join(format!("{}.rs", source.name.replace('-', "_"))), client.code)?;
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
