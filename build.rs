//! Generates the client of every enabled API into `OUT_DIR`.

use std::error::Error;
use std::path::Path;
use std::{env, fs, process};

use keyfit_openapi::{Dispatch, Options, Source, generate_with};

fn main() {
    // The documents are part of keyfit-openapi: when they change, cargo rebuilds it and runs this script again.
    println!("cargo::rerun-if-changed=build.rs");
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
    let enabled: Vec<Source> = Source::embedded().into_iter().filter(is_enabled).collect();
    for source in &enabled {
        write_client(source, Path::new(&out))?;
    }
    println!("cargo::rustc-check-cfg=cfg(any_api)");
    if !enabled.is_empty() {
        println!("cargo::rustc-cfg=any_api");
    }
    Ok(())
}

/// Writes `OUT_DIR/<api>.rs`, to be included by `src/api/<api>.rs`.
#[expect(clippy::disallowed_methods, reason = "cargo speaks to a build script through the environment")]
fn write_client(source: &Source, out: &Path) -> Result<(), Box<dyn Error>> {
    let module = module(source);
    // Whoever drives operations as data calls them by their ids.
    let has_dispatch = env::var_os("CARGO_FEATURE_DISPATCH").is_some();
    let options = Options { dispatch: if has_dispatch { Dispatch::Always } else { Dispatch::Never } };
    let client = generate_with(source, &options)?;
    for unsupported in &client.unsupported {
        println!("cargo::warning={}: no method for {}: {}", source.name, unsupported.operation, unsupported.reason);
    }
    fs::write(out.join(format!("{module}.rs")), client.code)?;
    Ok(())
}

fn module(source: &Source) -> String {
    source.name.replace('-', "_")
}
