//! Client generation from a folder or a document to Rust source, for build scripts and for `keyfit generate`. Both write the
//! same bytes.
//!
//! A build script generates a client at each build:
//!
//! ```no_run
//! // In `fn main` of build.rs:
//! keyfit_openapi::build::client("api/parcels").only(["tag:shipments", "GET /me"]).emit();
//! ```
//!
//! The crate includes it with `keyfit::client!(pub mod parcels);`. `api/parcels` is a folder with a document (`openapi.yaml`)
//! and optionally `overlay.yaml` and `contract.toml`, or a document alone. For code that is checked in, run `keyfit generate
//! api/parcels --out src/parcels.rs`.

use std::path::{Path, PathBuf};
use std::{env, fs, process};

use crate::generate::{Dispatch, GenerateOptions, Generated, generate_with};
use crate::{Error, Source, name, plain};

/// The maximum number of remarks of one client that cargo shows.
const MAX_REMARKS: usize = 8;

/// Creates a client builder for the API at a path, relative to the package of the build script.
pub fn client(api: impl Into<PathBuf>) -> Client {
    Client { api: api.into(), name: None, options: GenerateOptions::default() }
}

/// A builder for a generated client.
#[derive(Clone, Debug)]
#[must_use = "nothing is generated before `emit` or `generate`"]
pub struct Client {
    api: PathBuf,
    name: Option<String>,
    options: GenerateOptions,
}

/// A generated client.
#[derive(Clone, Debug)]
pub struct Module {
    /// The module's name.
    pub name: String,
    /// The code, with its repairs and gaps.
    pub generated: Generated,
    /// The files that it was generated from.
    pub source: Source,
}

impl Client {
    /// Sets the name of the API and of its module. The default is the name of the folder or file.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Generates only these operations, with the types that they need. A selector is `tag:name`, `GET /path`, the id of an
    /// operation, or a path in which `*` matches a segment and `**` any number of segments.
    pub fn only<S: Into<String>>(mut self, selectors: impl IntoIterator<Item = S>) -> Self {
        self.options.only.extend(selectors.into_iter().map(Into::into));
        self
    }

    /// Generates a type for each schema of the document's components, including schemas that no call needs: error bodies,
    /// bodies of webhooks and callbacks, and schemas without references to them.
    pub fn all_types(mut self, all: bool) -> Self {
        self.options.all_types = all;
        self
    }

    /// Sets where the client has a dispatch by operation id, which the contract check uses. The default is the tests of the
    /// crate.
    pub fn dispatch(mut self, dispatch: Dispatch) -> Self {
        self.options.dispatch = dispatch;
        self
    }

    /// Generates the client.
    ///
    /// # Errors
    /// Returns an error if the API cannot be read or generated, a selector matches nothing, or the name is not a valid module
    /// name.
    pub fn generate(&self) -> Result<Module, Error> {
        let mut source = Source::from_path(&self.api)?;
        if let Some(name) = &self.name {
            source.name.clone_from(name);
        }
        let name = name::module(&source.name).map_err(|reason| {
            let help = "give it another name: `.name(\"...\")` in build.rs, `--name` on the command line";
            Error::of_file(&self.api.display().to_string(), format!("`{}` {reason}", source.name), help)
        })?;
        let mut generated = generate_with(&source, &self.options)?;
        generated.code.insert_str(0, &header_comment(&source.name));
        Ok(Module { name, generated, source })
    }

    /// Writes the client where `keyfit::client!` finds it. For build scripts.
    ///
    /// Reports a failure with its place and ends the script with exit code 1. Reports gaps of the client as warnings.
    pub fn emit(self) {
        println!("cargo::rerun-if-changed={}", self.api.display());
        let written = self.generate().and_then(|module| {
            let file = output().join(format!("{}.rs", module.name));
            let folder = file.parent().map_or(Ok(()), fs::create_dir_all);
            folder.and_then(|()| fs::write(&file, &module.generated.code)).map_err(|error| {
                let problem = format!("the client cannot be written: {error}");
                Error::of_file(&file.display().to_string(), problem, "check the target folder of cargo")
            })?;
            Ok(module)
        });
        match written {
            Ok(module) => {
                let referenced = module.source.document.files().skip(1);
                referenced.for_each(|file| println!("cargo::rerun-if-changed={}", file.path));
                print_remarks(&module);
            }
            Err(error) => {
                report_error(&error);
                process::exit(1);
            }
        }
    }
}

impl Module {
    /// Returns the parts of the document that the client lacks.
    pub fn remarks(&self) -> Vec<String> {
        let unsupported = self.generated.unsupported.iter();
        let unsupported = unsupported.map(|part| format!("no method for {}: {}", part.operation, part.reason));
        let narrowed = self.generated.repairs.iter().filter(|repair| repair.narrowed);
        unsupported
            .chain(narrowed.map(|repair| format!("#{}: {}", repair.pointer, repair.note)))
            .map(|text| plain(&text))
            .collect()
    }
}

/// Reports a failure to cargo, with `error:` in front of each line. For build scripts.
pub fn report_error(error: &Error) {
    let text = error.to_string();
    text.strip_prefix("error: ").unwrap_or(&text).lines().for_each(|line| println!("cargo::error={line}"));
}

/// Returns the comment at the top of the file.
fn header_comment(api: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "// @generated by keyfit {version} from the OpenAPI document of `{}`. Do not edit: changes belong into the\n// document's overlay.\n",
        plain(api)
    )
}

/// Prints the remarks as warnings of the build, up to the limit.
fn print_remarks(module: &Module) {
    let remarks = module.remarks();
    let path = &module.source.document.path;
    for remark in remarks.iter().take(MAX_REMARKS) {
        println!("cargo::warning={path}: {remark}");
    }
    if remarks.len() > MAX_REMARKS {
        let more = remarks.len() - MAX_REMARKS;
        println!("cargo::warning={path}: {more} more remarks; `keyfit spec lint {path}` shows all of them");
    }
}

/// Returns the folder in which `keyfit::client!` looks.
#[expect(clippy::disallowed_methods, reason = "cargo speaks to a build script through the environment")]
fn output() -> PathBuf {
    let Some(out) = env::var_os("OUT_DIR") else {
        println!("cargo::error=OUT_DIR is not set: `emit` is for build scripts; elsewhere call `generate`");
        process::exit(1);
    };
    Path::new(&out).join("keyfit")
}
