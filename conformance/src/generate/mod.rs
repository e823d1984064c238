//! Clients with checked-in code: their inputs, whether they are up to date, and their regeneration.

mod lock;
mod project;
mod state;

use keyfit_openapi::build::{self, Module};
use keyfit_openapi::{Dispatch, Error, Source};

pub use lock::{Entry, Lock, dispatch, dispatch_name};
pub use project::Project;
pub use state::{Stale, write};

use crate::UserError;
use crate::origin::digest;

/// The version of the generator, which generated code depends on.
pub const GENERATOR: &str = env!("CARGO_PKG_VERSION");

/// A generated client that is not written yet.
#[derive(Clone, Debug)]
pub struct Made {
    /// The entry for the lock file.
    pub entry: Entry,
    /// The module, its code and its remarks.
    pub module: Module,
}

/// Generates the client of an entry, and updates the entry.
///
/// # Errors
/// Returns an error if the API cannot be read or generated.
pub fn make(project: &Project, entry: &Entry) -> Result<Made, UserError> {
    let mut client = build::client(project.path(&entry.api))
        .only(entry.only.clone())
        .all_types(entry.all_types)
        .dispatch(entry.dispatch()?);
    if let Some(name) = &entry.name {
        client = client.name(name);
    }
    let module = client.generate()?;
    let mut entry = entry.clone();
    entry.inputs = inputs(project, &module.source);
    entry.code = digest(&module.generated.code);
    GENERATOR.clone_into(&mut entry.generator);
    Ok(Made { entry, module })
}

/// Returns the files of an API with their hashes, by their paths in the project.
fn inputs(project: &Project, source: &Source) -> lock::Inputs {
    let beside = [source.overlay.as_ref(), source.contract.as_ref()];
    source
        .document
        .files()
        .chain(beside.into_iter().flatten())
        .map(|file| (project.name(file.path.as_ref()), digest(&file.text)))
        .collect()
}

/// Returns the current files of an entry's API.
fn inputs_now(project: &Project, entry: &Entry) -> Result<lock::Inputs, Error> {
    Ok(inputs(project, &Source::from_path(&project.path(&entry.api))?))
}

/// The default.
const DISPATCH: Dispatch = Dispatch::InTests;
