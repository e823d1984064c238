//! The origins of the documents of APIs: `sources.toml`, with the folder `apis` beside it. Comments and order are preserved when it is
//! written.

mod fetch;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use keyfit_openapi::{Api, Error, Source, Text, read_text, without_secrets};
use reqwest::Url;
use sha2::{Digest as _, Sha256};
use toml_edit::{ArrayOfTables, DocumentMut, Table, value};

pub use fetch::{Fetched, Fetcher, Limits, Validators, fetchable};

use crate::{clock, file};

/// The file `sources.toml` of a folder.
#[derive(Debug)]
pub struct Origins {
    folder: PathBuf,
    document: DocumentMut,
}

/// The origin of one document.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The name of its API, which is that of the folder.
    pub api: String,
    /// The document.
    pub file: PathBuf,
    /// The URL at which it is published, if the file has one.
    pub url: Option<String>,
    /// True if the file declares it identical to the published one, byte for byte.
    pub is_published: bool,
    /// The SHA-256 of the document, in hexadecimal digits.
    pub sha256: String,
    /// The validators of the answer that it was taken from.
    pub validators: Validators,
}

impl Origins {
    /// Reads `sources.toml` of a folder.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, is not valid TOML, or has a document without `api`, `file` or `sha256`.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("sources.toml");
        let refuse = |problem: String, help: &str| Error::of_file(&path.display().to_string(), problem, help);
        let text = read_text(&path).map_err(|error| {
            refuse(format!("the file cannot be read: {error}"), "name the folder that holds sources.toml with --dir")
        })?;
        let document = text.parse::<DocumentMut>().map_err(|error| {
            refuse(
                error.message().trim_end().replace('\n', "; "),
                "each `[[document]]` has `api`, `file`, `url` and `sha256`",
            )
        })?;
        let read = Self { folder: folder.to_owned(), document };
        for table in read.tables() {
            if let Some(key) = ["api", "file", "sha256"].into_iter().find(|key| text_of(table, key).is_none()) {
                let which = text_of(table, "api").unwrap_or_default();
                return Err(refuse(format!("the document `{which}` has no `{key}`"), "write it as text"));
            }
            if let Some(url) = text_of(table, "url").filter(|url| !is_sentence(url) && Url::parse(url).is_err()) {
                return Err(refuse(
                    format!("`{url}` is no URL"),
                    "begin it with https://, or write a sentence where nothing is published: \"not published\"",
                ));
            }
        }
        Ok(read)
    }

    /// Returns all documents, in the order of the file.
    pub fn documents(&self) -> Vec<Origin> {
        let of = |table: &Table| Origin {
            api: text_of(table, "api").unwrap_or_default(),
            file: self.folder.join(text_of(table, "file").unwrap_or_default()),
            // If the document is not published, the value is a sentence.
            url: text_of(table, "url").filter(|url| !is_sentence(url)),
            is_published: text_of(table, "provenance").is_some_and(|said| said == "published"),
            sha256: text_of(table, "sha256").unwrap_or_default(),
            validators: Validators { etag: text_of(table, "etag"), last_modified: text_of(table, "last-modified") },
        };
        self.tables().map(of).collect()
    }

    /// Returns the folders of APIs without an entry.
    ///
    /// # Errors
    /// Returns an error if the folder cannot be read.
    pub fn unnamed(&self) -> io::Result<Vec<String>> {
        let named: Vec<String> = self.documents().into_iter().map(|origin| origin.api).collect();
        let mut unnamed = Vec::new();
        for entry in fs::read_dir(self.folder.join("apis"))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_dir() && !named.contains(&name) {
                unnamed.push(name);
            }
        }
        unnamed.sort();
        Ok(unnamed)
    }

    /// Replaces a document by a published text, and updates its digest and today's date in `sources.toml`. Each file is replaced atomically.
    ///
    /// # Errors
    /// Returns an error if a file cannot be written.
    pub fn replace(&mut self, origin: &Origin, text: &str, validators: &Validators) -> io::Result<()> {
        file::replace(&origin.file, text)?;
        let tables = self.document.get_mut("document").and_then(|item| item.as_array_of_tables_mut());
        let table = tables.into_iter().flat_map(ArrayOfTables::iter_mut);
        for table in table.filter(|table| text_of(table, "api").is_some_and(|api| api == origin.api)) {
            table["sha256"] = value(digest(text));
            table["provenance"] = value("published");
            let today = clock::timestamp(clock::epoch_seconds());
            table["retrieved"] = value(today.get(..10).unwrap_or_default());
            for (key, known) in [("etag", &validators.etag), ("last-modified", &validators.last_modified)] {
                match known {
                    Some(known) => table[key] = value(known),
                    None => drop(table.remove(key)),
                }
            }
        }
        file::replace(&self.folder.join("sources.toml"), &self.document.to_string())
    }

    fn tables(&self) -> impl Iterator<Item = &Table> {
        self.document
            .get("document")
            .and_then(|item| item.as_array_of_tables())
            .into_iter()
            .flat_map(ArrayOfTables::iter)
    }
}

impl Origin {
    /// Returns the current folder of the API.
    ///
    /// # Errors
    /// Returns an error if the folder cannot be read.
    pub fn source(&self) -> Result<Source, Error> {
        Source::from_dir(self.file.parent().unwrap_or(Path::new(".")))
    }

    /// Checks whether clients can be generated from a text, with the current overlay or without one.
    ///
    /// # Errors
    /// Returns an error if the text is not such an OpenAPI document.
    pub fn accepts(&self, text: &str) -> Result<(), Error> {
        let overlay = self.source().ok().and_then(|source| source.overlay);
        let path = self.url.as_deref().map(without_secrets).unwrap_or_default();
        let document = Text::new(path.as_str(), text);
        document.well_formed()?;
        let source = Source { name: self.api.clone(), document, overlay, contract: None };
        let alone = Source { overlay: None, ..source.clone() };
        let api = Api::read(&source).or_else(|_| Api::read(&alone))?;
        if api.operations.is_empty() {
            let help = "an API of which nothing is left is taken out by hand";
            return Err(Error::of_file(&path, "the document has no operation", help));
        }
        Ok(())
    }
}

/// Returns whether a text is the sentence in place of a URL for an unpublished document.
fn is_sentence(url: &str) -> bool {
    url.trim().contains(' ') && !url.contains("://")
}

/// Returns the SHA-256 of a text, in hexadecimal digits.
pub fn digest(text: &str) -> String {
    digest_of(text.as_bytes())
}

/// Returns the SHA-256 of bytes, in hexadecimal digits.
pub fn digest_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"))
}

fn text_of(table: &Table, key: &str) -> Option<String> {
    table.get(key)?.as_str().map(str::to_owned)
}
