//! `keyfit generate`: code of clients that is checked in.

use std::path::{Component, Path, PathBuf};

use clap::{Args, ValueEnum};
use keyfit_conformance::UserError;
use keyfit_conformance::generate::{
    Entry, GeneratedClient, Lock, Project, StaleFile, dispatch_name, generate_client, write,
};
use keyfit_openapi::{Dispatch, module_name};

use crate::terminal::console;
use crate::terminal::exit::ExitStatus;

pub(super) const EXAMPLES: &str = "\
Examples:
  keyfit generate api/parcels --out src/parcels.rs
  keyfit generate openapi.json --name parcels --only tag:shipments --only 'GET /me' --out src/parcels.rs
  keyfit generate                               all that keyfit.lock names, again
  keyfit generate --check                       in CI: 1 where the code is stale, and which";

/// The number of remarks that are shown for one client.
const MAX_REMARKS: usize = 8;

/// What to generate, and where it goes.
#[derive(Args, Debug)]
#[group(skip)]
pub(crate) struct GenerateArgs {
    /// The API: a folder with a document, and where present overlay.yaml and contract.toml; or a document alone.
    #[arg(value_name = "API")]
    api: Option<PathBuf>,
    /// The file to write: `src/parcels.rs`.
    #[arg(long, value_name = "FILE", requires = "api")]
    out: Option<PathBuf>,
    /// The operations that the client has: `tag:name`, `GET /path`, an id, or a path such as `/lists/**`; may be given more
    /// than once. All of them where left out.
    #[arg(long, value_name = "SELECTOR", requires = "out")]
    only: Vec<String>,
    /// Generate a type for each schema of the document's components, also for those that no call needs: bodies of errors, of
    /// webhooks and callbacks, and what nothing refers to.
    #[arg(long, requires = "out")]
    all_types: bool,
    /// The name of the API, in place of that of the folder or document.
    #[arg(long, requires = "out")]
    name: Option<String>,
    /// Where the client can be called by the ids of its operations, which is what the contract check does.
    #[arg(long, value_enum, requires = "out")]
    dispatch: Option<DispatchScope>,
    /// Write nothing, and say which files are stale.
    #[arg(long, conflicts_with_all = ["out", "force"])]
    check: bool,
    /// Overwrite a file that keyfit did not write, or that was changed since.
    #[arg(long)]
    force: bool,
}

/// Where a client can be called by ids.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum DispatchScope {
    /// In the tests of the crate.
    Tests,
    /// In every build.
    Always,
    /// Nowhere.
    Never,
}

/// Runs the command.
pub(crate) fn run(args: &GenerateArgs) -> Result<ExitStatus, UserError> {
    let project = Project::find()?;
    let mut lock = Lock::read(&project)?;
    let entries = entries(args, &project, &lock)?;
    if args.check {
        return check(&project, &entries);
    }
    // All of them before the first is written: one document that cannot be read leaves everything as it was.
    let clients =
        entries.iter().map(|entry| generate_client(&project, entry)).collect::<Result<Vec<GeneratedClient>, _>>()?;
    let new: Vec<bool> = clients.iter().map(|clients| lock.entry(&clients.entry.out).is_none()).collect();
    write(&project, &mut lock, &clients, args.force)?;
    let output = clients.iter().zip(new).flat_map(|(clients, is_new)| written_lines(clients, is_new));
    console::print_lines(output)?;
    Ok(ExitStatus::Success)
}

/// Returns the entries to generate or to check.
fn entries(args: &GenerateArgs, project: &Project, lock: &Lock) -> Result<Vec<Entry>, UserError> {
    let Some(api) = &args.api else {
        return match lock.clients.as_slice() {
            [] => Err(UserError::new("nothing is generated here yet")
                .at(project.lock().display())
                .help("name an API and a file: keyfit generate api/parcels --out src/parcels.rs")),
            clients => Ok(clients.to_vec()),
        };
    };
    let name = project.name(api);
    let Some(out) = &args.out else {
        let known: Vec<Entry> = lock.clients.iter().filter(|entry| entry.api == name).cloned().collect();
        return match known.as_slice() {
            [] => Err(UserError::new("no code is generated from this API yet")
                .at(api.display())
                .help(format!("name the file with --out, such as src/{}", file_for(api)))),
            _ => Ok(known),
        };
    };
    let out = project.name(out);
    let is_rust = Path::new(&out).extension().is_some_and(|ending| ending == "rs");
    if !is_rust || !Project::is_inside(&out) {
        let problem = if is_rust { "the file is outside the project" } else { "not a file of Rust code" };
        return Err(UserError::new(problem)
            .at(project.path(&out).display())
            .help("name a file below the folder of Cargo.toml that ends with .rs"));
    }
    Ok(vec![Entry {
        out,
        api: name,
        name: args.name.clone(),
        only: args.only.clone(),
        all_types: args.all_types,
        dispatch: args.dispatch.map(|when| dispatch_name(when.into()).to_owned()),
        ..Entry::default()
    }])
}

/// Reports the stale files with the reasons.
fn check(project: &Project, entries: &[Entry]) -> Result<ExitStatus, UserError> {
    let mut lines = Vec::new();
    let mut is_stale = false;
    for entry in entries {
        match StaleFile::of(project, entry)? {
            None => lines.push(format!("{}: up to date", entry.out)),
            Some(stale) => {
                is_stale = true;
                lines.extend(stale.reasons.iter().map(|reason| format!("{}: stale: {reason}", stale.out)));
            }
        }
    }
    if is_stale {
        lines.push("\nWrite it again: keyfit generate".to_owned());
    }
    console::print_lines(lines)?;
    Ok(if is_stale { ExitStatus::Findings } else { ExitStatus::Success })
}

/// Returns the lines about a written client.
fn written_lines(clients: &GeneratedClient, is_new: bool) -> Vec<String> {
    let GeneratedClient { entry, module } = clients;
    let lines = module.generated.code.lines().count();
    let operations = module.generated.operations;
    let mut output = vec![format!("{}: {operations} operations, {lines} lines, from {}", entry.out, entry.api)];
    output.extend(module.generated.proposal().map(|proposal| format!("note: {proposal}")));
    let remarks = module.remarks();
    output.extend(remarks.iter().take(MAX_REMARKS).map(|remark| format!("note: {remark}")));
    if remarks.len() > MAX_REMARKS {
        output.push(format!(
            "note: {} more; keyfit spec lint {} shows all of them",
            remarks.len() - MAX_REMARKS,
            module.source.document.path
        ));
    }
    if is_new {
        output
            .push(format!("\nDeclare it where its parent module is: {}", declaration(&entry.out, &module.source.name)));
    }
    output
}

/// Returns the declaration of the module in a file. The name is that of the API if the name of the file is not a valid module name.
fn declaration(out: &str, api: &str) -> String {
    let path = Path::new(out);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    match (module_name(&stem), module_name(api)) {
        (Ok(name), _) if name == stem => format!("pub mod {name};"),
        (Ok(name), _) | (Err(_), Ok(name)) => format!("#[path = \"{file}\"] pub mod {name};"),
        (Err(_), Err(_)) => format!("#[path = \"{file}\"] pub mod client;"),
    }
}

/// The name of a file for an API.
fn file_for(api: &Path) -> String {
    let last = api.components().rev().find_map(|part| match part {
        Component::Normal(name) => {
            Some(Path::new(name).file_stem().unwrap_or(name).to_string_lossy().replace('-', "_"))
        }
        _ => None,
    });
    format!("{}.rs", last.unwrap_or_else(|| "client".to_owned()))
}

impl From<DispatchScope> for Dispatch {
    fn from(when: DispatchScope) -> Self {
        match when {
            DispatchScope::Tests => Self::InTests,
            DispatchScope::Always => Self::Always,
            DispatchScope::Never => Self::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::declaration;

    #[test]
    fn a_file_whose_name_no_module_can_have_is_declared_under_another() {
        for (out, api, expected) in [
            ("src/parcels.rs", "shop", "pub mod parcels;"),
            ("src/my-parcels.rs", "shop", "#[path = \"my-parcels.rs\"] pub mod my_parcels;"),
            ("src/fn.rs", "shop", "#[path = \"fn.rs\"] pub mod shop;"),
            ("src/core.rs", "core", "#[path = \"core.rs\"] pub mod client;"),
        ] {
            assert_eq!(declaration(out, api), expected);
        }
    }
}
