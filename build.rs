//! Generates the client of every enabled API into `OUT_DIR`.

use std::error::Error;
use std::path::Path;
use std::{env, fs, process};

use keyfit_openapi::{Source, generate};

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
    for source in Source::embedded() {
        let feature = source.name.replace('-', "_").to_uppercase();
        if env::var_os(format!("CARGO_FEATURE_{feature}")).is_some() {
            write_client(&source, Path::new(&out))?;
        }
    }
    Ok(())
}

/// Writes `OUT_DIR/<api>.rs`, to be included by `src/api/<api>.rs`.
fn write_client(source: &Source, out: &Path) -> Result<(), Box<dyn Error>> {
    let module = source.name.replace('-', "_");
    let client = generate(source, &format!("crate::api::{module}"))?;
    for unsupported in &client.unsupported {
        println!("cargo::warning={}: no method for {}: {}", source.name, unsupported.operation, unsupported.reason);
    }
    fs::write(out.join(format!("{module}.rs")), client.code)?;
    Ok(())
}
