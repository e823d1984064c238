//! Which APIs a command is about.

use std::path::PathBuf;

use clap::Args;
use keyfit_conformance::UserError;
use keyfit_conformance::apis::{all, is_of, unknown};
use keyfit_conformance::catalogue::Catalogue;
use keyfit_openapi::Source;

use crate::terminal::console;

/// Which APIs; all that ship where none is named.
#[derive(Args, Debug)]
#[group(skip)]
pub(super) struct ApiArgs {
    /// This API only, by the name of its folder or contract; may be given more than once.
    #[arg(long, value_name = "NAME")]
    pub(super) api: Vec<String>,
    /// The API in this folder: a document, `contract.toml` and where needed `overlay.yaml`. It has no generated client.
    #[arg(long, value_name = "DIR", conflicts_with = "api")]
    pub(super) api_dir: Option<PathBuf>,
}

impl ApiArgs {
    /// The cases of each of them.
    pub(super) fn catalogues(&self) -> Result<Vec<Catalogue>, UserError> {
        let mut catalogues = Vec::new();
        for source in self.sources()? {
            let catalogue = Catalogue::read(&source)?;
            let is_called = |name: &String| *name == catalogue.api.name || *name == catalogue.contract.name;
            if !self.api.is_empty() && !self.api.iter().any(is_called) {
                continue;
            }
            if let Some(note) = catalogue.api.ignored_hints() {
                console::print_message(&format!("note: {note}\n  --> {}", source.document.path));
            }
            catalogues.push(catalogue);
        }
        Ok(catalogues)
    }

    fn sources(&self) -> Result<Vec<Source>, UserError> {
        if let Some(folder) = &self.api_dir {
            return Ok(vec![Source::from_dir(folder)?]);
        }
        let sources = all();
        if let Some(name) = self.api.iter().find(|name| !sources.iter().any(|source| is_of(source, name))) {
            return Err(unknown(name, &sources));
        }
        Ok(sources)
    }
}
