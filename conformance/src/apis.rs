//! The APIs that come with the check: those that have a client, and templates.

use keyfit::dispatch::{File, SHIPPED, Shipped};
use keyfit_openapi::{Source, Text};

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

/// Everything that comes with the check.
pub fn all() -> Vec<Source> {
    [shipped(), templates()].concat()
}

/// The APIs that have a client.
pub fn shipped() -> Vec<Source> {
    SHIPPED.iter().map(source).collect()
}

/// The one of this name that has a client.
pub fn named(name: &str) -> Option<Source> {
    SHIPPED.iter().find(|shipped| shipped.name == name).map(source)
}

/// Contracts without an API, for which no client is generated: the generic authentication guide.
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
