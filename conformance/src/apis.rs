//! The APIs that ship with the check: those with a client, and templates.

use keyfit::dispatch::{File, SHIPPED, Shipped};
use keyfit_openapi::{Error, GenerateOptions, Generated, Source, Text, generate_with};

use crate::UserError;
use crate::secret::shown;

/// The files of a template: document, overlay, contract.
macro_rules! template {
    ($name:literal) => {
        Source {
            name: $name.to_owned(),
            document: file(
                concat!($name, "/published.yaml"),
                include_str!(concat!("../apis/", $name, "/published.yaml")),
            ),
            overlay: Some(file(
                concat!($name, "/overlay.yaml"),
                include_str!(concat!("../apis/", $name, "/overlay.yaml")),
            )),
            contract: Some(file(
                concat!($name, "/contract.toml"),
                include_str!(concat!("../apis/", $name, "/contract.toml")),
            )),
        }
    };
}

/// Generates the client of an API that ships with the check, with the options of `keyfit`'s build script.
///
/// # Errors
/// Returns an error if [`keyfit_openapi::generate`] does.
pub fn generate(source: &Source) -> Result<Generated, Error> {
    generate_with(source, &GenerateOptions { all_types: true, ..GenerateOptions::default() })
}

/// Returns all APIs that ship with the check.
pub fn all() -> Vec<Source> {
    [shipped(), templates()].concat()
}

/// Returns the APIs that have a client.
pub fn shipped() -> Vec<Source> {
    SHIPPED.iter().map(source).collect()
}

/// Returns the API with this name that has a client.
pub fn named(name: &str) -> Option<Source> {
    SHIPPED.iter().find(|shipped| shipped.name == name).map(source)
}

/// Returns the API with this name; the last part of the name, which contracts use, is sufficient.
///
/// # Errors
/// Returns an error if there is no such API. It lists the known names.
pub fn find(name: &str) -> Result<Source, UserError> {
    let mut sources = all();
    match sources.iter().position(|source| is_of(source, name)) {
        Some(index) => Ok(sources.swap_remove(index)),
        None => Err(unknown(name, &sources)),
    }
}

/// Returns whether this is a name of the API.
pub fn is_of(source: &Source, name: &str) -> bool {
    source.name == name || source.name.strip_suffix(name).is_some_and(|vendor| vendor.ends_with('-'))
}

/// Returns the error for an unknown name.
pub fn unknown(name: &str, sources: &[Source]) -> UserError {
    let known: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    UserError::new(format!("there is no API called `{}`", shown(name)))
        .help(format!("the APIs are {}", known.join(", ")))
}

/// Returns the contracts without an API and without a client: the generic authentication guide.
pub fn templates() -> Vec<Source> {
    vec![template!("guide")]
}

fn source(shipped: &Shipped) -> Source {
    let Shipped { name, document, overlay, contract, .. } = *shipped;
    let text = |file: File| Text::new(format!("openapi/apis/{name}/{}", file.name), file.text);
    Source { name: name.to_owned(), document: text(document), overlay: overlay.map(text), contract: contract.map(text) }
}

fn file(name: &str, text: &str) -> Text {
    Text::new(format!("conformance/apis/{name}"), text)
}
