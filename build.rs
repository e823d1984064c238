//! Generates the client of every enabled API into `OUT_DIR`.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, process};

use keyfit_openapi::{Options, Source, generate_with};

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
    fs::write(Path::new(&out).join("connections.rs"), connections(&enabled))?;
    Ok(())
}

/// Writes `OUT_DIR/<api>.rs`, to be included by its module.
#[expect(clippy::disallowed_methods, reason = "cargo speaks to a build script through the environment")]
fn write_client(source: &Source, out: &Path) -> Result<(), Box<dyn Error>> {
    // Whoever drives operations as data calls them by their ids.
    let options = Options { dispatch: env::var_os("CARGO_FEATURE_DISPATCH").is_some() };
    let client = generate_with(source, options)?;
    for unsupported in &client.unsupported {
        println!("cargo::warning={}: no method for {}: {}", source.name, unsupported.operation, unsupported.reason);
    }
    fs::write(out.join(format!("{}.rs", source.name.replace('-', "_"))), client.code)?;
    Ok(())
}

/// How `src/dispatch.rs` finds a client by its name, for the enabled APIs.
fn connections(enabled: &[Source]) -> String {
    if enabled.is_empty() {
        return "pub(super) fn connect(_: &str, _: Config, _: Access) -> Option<Result<Box<dyn Dispatch>, Error>> { None }"
            .to_owned();
    }
    let (mut clients, mut arms) = (String::new(), String::new());
    for source in enabled {
        let (name, module) = (&source.name, module(source));
        let _ = write!(
            clients,
            "impl Dispatch for crate::{module}::Client {{
    fn call<'a>(&'a self, operation: &'a str, arguments: &'a Map<String, Value>) -> Call<'a> {{
        Box::pin(crate::{module}::dispatch(self, operation, arguments))
    }}
}}\n\n"
        );
        let _ = write!(
            arms,
            "        {name:?} => crate::{module}::Credential::from_access(access)
            .and_then(|credential| crate::{module}::Client::with_config(credential, config))
            .map(|client| Box::new(client) as Box<dyn Dispatch>),\n"
        );
    }
    format!(
        "{clients}pub(super) fn connect(name: &str, config: Config, access: Access) -> Option<Result<Box<dyn Dispatch>, Error>> {{
    Some(match name {{
{arms}        _ => return None,
    }})
}}\n"
    )
}

/// Where a client lives. A vendor of several APIs has a module around theirs.
fn module(source: &Source) -> String {
    let module = |name: &str| name.replace('-', "_");
    match source.name.strip_prefix("instasent-") {
        Some(name) => format!("instasent::{}", module(name)),
        None => module(&source.name),
    }
}
