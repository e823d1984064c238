//! Generates the client of every enabled API into `OUT_DIR`. Where none is enabled, the pipeline is not even built.

use std::path::Path;
use std::{env, fs, process};

/// A folder for each API that ships.
const APIS: &str = "openapi/apis";

#[expect(clippy::disallowed_methods, reason = "cargo speaks to a build script through the environment")]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={APIS}");
    let list = Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join("shipped.rs");
    if let Err(error) = fs::write(&list, shipped_apis()) {
        println!(
            "cargo::error={}: the file cannot be written: {error}; check the target folder of cargo",
            list.display()
        );
        process::exit(1);
    }
}

/// The enabled APIs, for `src/dispatch/shipped.rs`.
#[cfg(not(feature = "generated"))]
fn shipped_apis() -> String {
    "&[]".to_owned()
}

/// The same, each with its client.
#[cfg(feature = "generated")]
fn shipped_apis() -> String {
    generated::clients().unwrap_or_else(|failure| {
        keyfit_openapi::build::report_error(&failure);
        process::exit(1);
    })
}

#[cfg(feature = "generated")]
mod generated {
    use std::env;
    use std::path::Path;

    use keyfit_openapi::{Dispatch, Error, Source, Text, build};

    use super::APIS;

    /// Generates the client of each enabled API, and returns their list.
    #[expect(clippy::disallowed_methods, reason = "cargo speaks to a build script through the environment")]
    pub(super) fn clients() -> Result<String, Error> {
        let has = |feature: &str| {
            env::var_os(format!("CARGO_FEATURE_{}", feature.replace('-', "_").to_uppercase())).is_some()
        };
        let enabled: Vec<Source> =
            Source::all_in(APIS.as_ref())?.into_iter().filter(|source| has(&source.name)).collect();
        // Whoever drives operations as data calls them by their ids.
        let dispatch = if has("dispatch") { Dispatch::Always } else { Dispatch::Never };
        for source in &enabled {
            // Whoever receives webhooks names their types, which no call needs.
            build::client(Path::new(APIS).join(&source.name)).dispatch(dispatch).all_types(true).emit();
        }
        Ok(list(&enabled))
    }

    fn list(enabled: &[Source]) -> String {
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
}
