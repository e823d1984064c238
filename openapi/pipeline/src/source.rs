//! The sources of an API: its document, overlay and contract.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::Value;

use crate::contract::{Contract, Facts};
use crate::file::read_file;
use crate::load::LocatedDocument;
use crate::{Error, files};

/// A text with the path that messages name.
#[derive(Clone, Debug)]
pub struct Text {
    /// The path as the user gave it.
    pub path: String,
    /// The whole text.
    pub text: String,
    /// The files that a document refers to, directly and indirectly, with their paths.
    pub(crate) referenced: Vec<Self>,
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
    /// The auth and error contract, if there is one. The pipeline reads the parts that generation needs.
    pub contract: Option<Text>,
}

/// The names under which a folder may hold its document, in the order in which they are tried.
const DOCUMENTS: [&str; 5] = ["published.yaml", "published.json", "openapi.yaml", "openapi.yml", "openapi.json"];

/// The help for a text in another encoding.
const UTF_8: &str = "save it as UTF-8, the encoding of YAML and JSON";

impl Source {
    /// Reads every API of a folder of folders, in the order of their names.
    ///
    /// # Errors
    /// Returns an error if the folder cannot be read, or if [`from_dir`](Self::from_dir) does for one of them.
    pub fn all_in(folder: &Path) -> Result<Vec<Self>, Error> {
        let refuse = |error: io::Error| {
            let problem = format!("the folder cannot be read: {error}");
            Error::of_file(&folder.display().to_string(), problem, "name a folder that holds a folder for each API")
        };
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(refuse)?;
        let mut folders: Vec<PathBuf> =
            entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
        folders.sort();
        folders.iter().map(|folder| Self::from_dir(folder)).collect()
    }

    /// Returns the facts of the contract about the API's responses that a client needs; empty without a contract.
    ///
    /// # Errors
    /// Returns an error if the contract is not valid TOML, or one of these parts has another form.
    pub fn facts(&self) -> Result<Facts, Error> {
        self.contract.as_ref().map_or_else(|| Ok(Facts::default()), |text| Ok(Contract::read(text)?.facts()))
    }

    /// Reads the API at a path: a folder, as [`from_dir`](Self::from_dir) does, or a document alone, with the name of its
    /// file.
    ///
    /// # Errors
    /// Returns an error if there is no document, or a file cannot be read.
    pub fn from_path(path: &Path) -> Result<Self, Error> {
        if path.is_dir() {
            return Self::from_dir(path);
        }
        let document = Text::read_if_there(path)?.ok_or_else(|| {
            let help = "name a folder with an OpenAPI document, or the document itself";
            Error::of_file(&path.display().to_string(), "there is no such folder or file", help)
        })?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let document = document.with_referenced()?;
        Ok(Self { name, document, overlay: None, contract: None })
    }

    /// Reads a document with the overlay and the contract beside it. The API has the name of the document's file.
    ///
    /// # Errors
    /// Returns an error if there is no such file, or one of the three cannot be read.
    pub fn from_document(path: &Path) -> Result<Self, Error> {
        let overlay = Text::read_if_there(&path.with_file_name("overlay.yaml"))?;
        let contract = Text::read_if_there(&path.with_file_name("contract.toml"))?;
        Ok(Self { overlay, contract, ..Self::from_path(path)? })
    }

    /// Reads the API in a folder: a document (`published.yaml`, `openapi.yaml` or their JSON variants), and `overlay.yaml`
    /// and `contract.toml` if they exist.
    ///
    /// # Errors
    /// Returns an error if the folder has no document, or a file cannot be read.
    pub fn from_dir(folder: &Path) -> Result<Self, Error> {
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
                let (problem, help) = match (folder.is_dir(), folder.exists()) {
                    (true, _) => {
                        let names = DOCUMENTS.join(", ");
                        (
                            "the folder holds no OpenAPI document",
                            format!("put the document there under one of these names: {names}"),
                        )
                    }
                    (_, true) => ("not a folder", "name the folder that holds the document".to_owned()),
                    _ => ("there is no such folder", "check the path".to_owned()),
                };
                Error::of_file(&folder.display().to_string(), problem, help)
            })?;
        Ok(Self {
            name,
            document: document.with_referenced()?,
            overlay: Text::read_if_there(&folder.join("overlay.yaml"))?,
            contract: Text::read_if_there(&folder.join("contract.toml"))?,
        })
    }
}

impl Text {
    /// Creates a text with the path that messages name.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into(), referenced: Vec::new() }
    }

    /// Decodes the text of a file, in the encoding of YAML and JSON.
    ///
    /// # Errors
    /// Returns an error if the bytes are not UTF-8, with a guess of their encoding.
    pub fn decode(path: impl Into<String>, bytes: Vec<u8>) -> Result<Self, Error> {
        let path = path.into();
        let refuse = |problem: String, help: &str| Err(Error::of_file(&path, problem, help));
        match bytes.as_slice() {
            [0x1F, 0x8B, ..] => return refuse("the text is compressed (gzip)".to_owned(), "unpack it"),
            // A byte order mark, or an ASCII letter in two bytes.
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, _, ..] | [_, 0, ..] => {
                return refuse("the text is UTF-16, not UTF-8".to_owned(), UTF_8);
            }
            _ => {}
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self::new(path, text)),
            Err(error) => {
                let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                let line = good.split(|byte| *byte == b'\n').count();
                refuse(format!("the text is not UTF-8: line {line} has a letter of another encoding"), UTF_8)
            }
        }
    }

    /// Reads the files that the document at this path refers to, in its folder and below. A text that is not YAML is returned
    /// unchanged.
    ///
    /// # Errors
    /// Returns an error if one of them does not exist, is outside of the folder (also through a symbolic link), or cannot be
    /// read.
    pub fn with_referenced(mut self) -> Result<Self, Error> {
        let mut on_disk = files::on_disk(&self.path);
        files::gather(&mut self, &mut |path, _| on_disk(path))?;
        Ok(self)
    }

    /// Reads the referenced files from `bytes`, which returns the bytes of a path or the reason why it has none.
    ///
    /// # Errors
    /// Returns an error as [`with_referenced`](Self::with_referenced) does, and if `bytes` does, with the place of the
    /// reference.
    pub fn with_files(mut self, bytes: impl FnMut(&str) -> Result<Vec<u8>, String>) -> Result<Self, Error> {
        let mut given = files::from_bytes(&self.path, bytes);
        files::gather(&mut self, &mut |path, _| given(path))?;
        Ok(self)
    }

    /// Reads files as [`with_referenced`](Self::with_referenced) does, and the files at URLs, those that they refer to
    /// included. The text's path may be a URL itself. `fetch` is called once for each URL, with the URL and the path or URL
    /// of the file that refers to it. It returns the bytes, or the reason why it cannot.
    ///
    /// # Errors
    /// Returns an error as [`with_referenced`](Self::with_referenced) does, and if `fetch` does, with the place of the reference.
    pub fn with_fetched(mut self, mut fetch: impl FnMut(&str, &str) -> Result<Vec<u8>, String>) -> Result<Self, Error> {
        let mut on_disk = files::on_disk(&self.path);
        files::gather(&mut self, &mut |path, from| {
            if files::is_url(path) { Some(files::fetched(&mut fetch, path, from)) } else { on_disk(path) }
        })?;
        Ok(self)
    }

    /// Returns the files of the document: itself, and those that it refers to.
    pub fn files(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.referenced)
    }

    /// Joins the files of the document into one, in JSON. A document in one file is returned unchanged.
    ///
    /// # Errors
    /// Returns an error if one of the files is not YAML, a reference is dangling, or a reference leads out of the folder.
    pub fn joined(self) -> Result<Self, Error> {
        if self.referenced.is_empty() {
            return Ok(self);
        }
        let whole = LocatedDocument::read(&self)?.source.value;
        Ok(Self::new(self.path, format!("{whole:#}\n")))
    }

    /// Checks that the text is YAML or JSON.
    ///
    /// # Errors
    /// Returns an error if the text is not YAML, has a duplicate key, several documents, or a number too large for JSON.
    pub fn well_formed(&self) -> Result<(), Error> {
        LocatedDocument::read(self).map(drop)
    }

    /// Parses the text.
    ///
    /// # Errors
    /// Returns an error if [`well_formed`](Self::well_formed) does.
    pub fn value(&self) -> Result<Value, Error> {
        LocatedDocument::read(self).map(|located| located.source.value)
    }

    fn read_if_there(path: &Path) -> Result<Option<Self>, Error> {
        match read_file(path) {
            Ok(bytes) => Self::decode(path.display().to_string(), bytes).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::of_file(
                &path.display().to_string(),
                format!("the file cannot be read: {error}"),
                "put a regular file there that you may read",
            )),
        }
    }
}
