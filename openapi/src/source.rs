//! Where a document, its overlay and its contract come from: the APIs that ship with the crate, or a folder.

use std::fs;
use std::io;
use std::path::Path;

use crate::Failure;
use crate::load::Located;

/// A text and the path under which messages name it.
#[derive(Clone, Debug)]
pub struct Text {
    /// The path as the user knows it.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// The three files of an API folder.
#[derive(Clone, Debug)]
pub struct Source {
    /// The API's name, the folder's name.
    pub name: String,
    /// The OpenAPI document, YAML or JSON.
    pub document: Text,
    /// OpenAPI Overlay 1.0, if there is one.
    pub overlay: Option<Text>,
    /// The auth and error contract, if there is one. This crate does not read it.
    pub contract: Option<Text>,
}

/// The names under which a folder may hold its document, in the order in which they are tried.
const DOCUMENTS: [&str; 5] = ["published.yaml", "published.json", "openapi.yaml", "openapi.yml", "openapi.json"];

/// The files of one embedded API: folder, document, overlay, contract.
macro_rules! embedded {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!("../apis/", $name, "/published.yaml")),
            include_str!(concat!("../apis/", $name, "/overlay.yaml")),
            include_str!(concat!("../apis/", $name, "/contract.toml")),
        )
    };
}

/// Embedded, so that a packaged `keyfit` finds its documents wherever it is built.
const EMBEDDED: [(&str, &str, &str, &str); 5] = [
    embedded!("instasent-legacy"),
    embedded!("instasent-transactional"),
    embedded!("instasent-product"),
    embedded!("instasent-ingest"),
    embedded!("scopien"),
];

impl Source {
    /// The APIs that ship with this crate.
    pub fn embedded() -> Vec<Self> {
        EMBEDDED
            .iter()
            .map(|(name, document, overlay, contract)| Self {
                name: (*name).to_owned(),
                document: Text::new(format!("openapi/apis/{name}/published.yaml"), *document),
                overlay: Some(Text::new(format!("openapi/apis/{name}/overlay.yaml"), *overlay)),
                contract: Some(Text::new(format!("openapi/apis/{name}/contract.toml"), *contract)),
            })
            .collect()
    }

    /// One of the APIs that ship with this crate.
    pub fn named(name: &str) -> Option<Self> {
        Self::embedded().into_iter().find(|source| source.name == name)
    }

    /// The API in a folder of yours: a document (`published.yaml`, `openapi.yaml` or their JSON twins),
    /// and where present `overlay.yaml` and `contract.toml`.
    ///
    /// # Errors
    /// A folder without a document, and a file that cannot be read.
    pub fn from_dir(folder: &Path) -> Result<Self, Failure> {
        let name = folder
            .canonicalize()
            .ok()
            .and_then(|whole| whole.file_name().map(|name| name.to_string_lossy().into_owned()))
            .unwrap_or_else(|| "api".to_owned());
        let document = DOCUMENTS
            .iter()
            .find_map(|file| Text::read_if_there(&folder.join(file)).transpose())
            .transpose()?
            .ok_or_else(|| {
                Failure::of_file(
                    &folder.display().to_string(),
                    "the folder holds no OpenAPI document",
                    format!("put the document there under one of these names: {}", DOCUMENTS.join(", ")),
                )
            })?;
        Ok(Self {
            name,
            document,
            overlay: Text::read_if_there(&folder.join("overlay.yaml"))?,
            contract: Text::read_if_there(&folder.join("contract.toml"))?,
        })
    }
}

impl Text {
    /// A text under the path that messages shall name.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    /// Whether it is YAML or JSON at all.
    ///
    /// # Errors
    /// Text that is no YAML, a duplicate key, several documents in one file, and numbers too large for JSON.
    pub fn well_formed(&self) -> Result<(), Failure> {
        Located::read(self).map(drop)
    }

    fn read_if_there(path: &Path) -> Result<Option<Self>, Failure> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(Some(Self::new(path.display().to_string(), text))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::of_file(
                &path.display().to_string(),
                format!("the file cannot be read: {error}"),
                "check that it is a readable UTF-8 text file",
            )),
        }
    }
}
