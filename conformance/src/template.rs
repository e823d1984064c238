//! Contracts without an API: templates that ship with the check, and no client is generated for them.

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

/// The templates: the generic authentication guide.
pub fn templates() -> Vec<Source> {
    vec![template!("guide")]
}

fn file(name: &str, text: &str) -> Text {
    Text::new(format!("conformance/apis/{name}"), text)
}
