//! Where a document, its overlay and its contract come from.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::Value;

use crate::contract::{Contract, Facts};
use crate::file::read_file;
use crate::load::Located;
use crate::{Failure, files};

/// A text and the path under which messages name it.
#[derive(Clone, Debug)]
pub struct Text {
    /// The path as the user knows it.
    pub path: String,
    /// The whole text.
    pub text: String,
    /// The files that a document refers to, and those that they refer to, by their paths.
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
    /// The auth and error contract, if there is one. The pipeline reads what generation needs of it.
    pub contract: Option<Text>,
}

/// The names under which a folder may hold its document, in the order in which they are tried.
const DOCUMENTS: [&str; 5] = ["published.yaml", "published.json", "openapi.yaml", "openapi.yml", "openapi.json"];

/// What to do with a text of another encoding.
const UTF_8: &str = "save it as UTF-8, the encoding of YAML and JSON";

impl Source {
    /// Every API of a folder of folders, in the order of their names.
    ///
    /// # Errors
    /// Returns an error if the folder cannot be read, and for what [`from_dir`](Self::from_dir) refuses of one of them.
    pub fn all_in(folder: &Path) -> Result<Vec<Self>, Failure> {
        let refuse = |error: io::Error| {
            let problem = format!("the folder cannot be read: {error}");
            Failure::of_file(&folder.display().to_string(), problem, "name a folder that holds a folder for each API")
        };
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(refuse)?;
        let mut folders: Vec<PathBuf> =
            entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
        folders.sort();
        folders.iter().map(|folder| Self::from_dir(folder)).collect()
    }

    /// What the contract says of the API's answers that a client has to know; nothing without a contract.
    ///
    /// # Errors
    /// Returns an error if the contract is not valid TOML, or one of these parts has another form.
    pub fn facts(&self) -> Result<Facts, Failure> {
        self.contract.as_ref().map_or_else(|| Ok(Facts::default()), |text| Ok(Contract::read(text)?.facts()))
    }

    /// The API at a path: a folder, as [`from_dir`](Self::from_dir) reads it, or a document alone, named by its file.
    ///
    /// # Errors
    /// Returns an error if there is no document, or a file cannot be read.
    pub fn from_path(path: &Path) -> Result<Self, Failure> {
        if path.is_dir() {
            return Self::from_dir(path);
        }
        let document = Text::read_if_there(path)?.ok_or_else(|| {
            let help = "name a folder with an OpenAPI document, or the document itself";
            Failure::of_file(&path.display().to_string(), "there is no such folder or file", help)
        })?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let document = document.with_referenced()?;
        Ok(Self { name, document, overlay: None, contract: None })
    }

    /// A document with the overlay and the contract that stand beside it, named by its file.
    ///
    /// # Errors
    /// Returns an error if there is no such file, or one of the three cannot be read.
    pub fn from_document(path: &Path) -> Result<Self, Failure> {
        let overlay = Text::read_if_there(&path.with_file_name("overlay.yaml"))?;
        let contract = Text::read_if_there(&path.with_file_name("contract.toml"))?;
        Ok(Self { overlay, contract, ..Self::from_path(path)? })
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
                Failure::of_file(&folder.display().to_string(), problem, help)
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
    /// A text under the path that messages shall name.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into(), referenced: Vec::new() }
    }

    /// The text of a file, in the encoding of YAML and JSON.
    ///
    /// # Errors
    /// Bytes that are no UTF-8, with what they look like.
    pub fn decode(path: impl Into<String>, bytes: Vec<u8>) -> Result<Self, Failure> {
        let path = path.into();
        let refuse = |problem: String, help: &str| Err(Failure::of_file(&path, problem, help));
        match bytes.as_slice() {
            [0x1F, 0x8B, ..] => return refuse("the text is compressed (gzip)".to_owned(), "unpack it"),
            // A mark of its order, or a letter of ASCII in two bytes.
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

    /// Reads the files that the document at this path refers to, in its folder and below it. A text that is not YAML stays as it
    /// is.
    ///
    /// # Errors
    /// Returns an error if one of them is not there, lies outside of the folder, also by a link, or cannot be read.
    pub fn with_referenced(mut self) -> Result<Self, Failure> {
        let mut on_disk = files::on_disk(&self.path);
        files::gather(&mut self, &mut |path, _| on_disk(path))?;
        Ok(self)
    }

    /// The same, with files that `bytes` gives by their paths, or says why it does not.
    ///
    /// # Errors
    /// Returns an error as [`with_referenced`](Self::with_referenced) does, and if `bytes` does, with the place of the reference.
    pub fn with_files(mut self, bytes: impl FnMut(&str) -> Result<Vec<u8>, String>) -> Result<Self, Failure> {
        let mut given = files::given(&self.path, bytes);
        files::gather(&mut self, &mut |path, _| given(path))?;
        Ok(self)
    }

    /// The same as [`with_referenced`](Self::with_referenced), and the files behind URLs, those that they refer to included. The
    /// text's path may be a URL itself. `fetch` gets a URL and the path or URL of the file that refers to it, once for each URL,
    /// and gives its bytes or why it does not.
    ///
    /// # Errors
    /// Returns an error as [`with_referenced`](Self::with_referenced) does, and if `fetch` does, with the place of the reference.
    pub fn with_fetched(
        mut self,
        mut fetch: impl FnMut(&str, &str) -> Result<Vec<u8>, String>,
    ) -> Result<Self, Failure> {
        let mut on_disk = files::on_disk(&self.path);
        files::gather(&mut self, &mut |path, from| {
            if files::is_url(path) { Some(files::fetched(&mut fetch, path, from)) } else { on_disk(path) }
        })?;
        Ok(self)
    }

    /// The files that it is made of: itself, and those that it refers to.
    pub fn files(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.referenced)
    }

    /// The files that it is made of as one, in JSON; a document in one file stays as it is.
    ///
    /// # Errors
    /// Returns an error if one of the files is not YAML, or a reference leads nowhere or out of the folder.
    pub fn joined(self) -> Result<Self, Failure> {
        if self.referenced.is_empty() {
            return Ok(self);
        }
        let whole = Located::read(&self)?.value;
        Ok(Self::new(self.path, format!("{whole:#}\n")))
    }

    /// Whether it is YAML or JSON at all.
    ///
    /// # Errors
    /// Text that is no YAML, a duplicate key, several documents in one file, and numbers too large for JSON.
    pub fn well_formed(&self) -> Result<(), Failure> {
        Located::read(self).map(drop)
    }

    /// The value that it is.
    ///
    /// # Errors
    /// As [`well_formed`](Self::well_formed).
    pub fn value(&self) -> Result<Value, Failure> {
        Located::read(self).map(|located| located.value)
    }

    fn read_if_there(path: &Path) -> Result<Option<Self>, Failure> {
        match read_file(path) {
            Ok(bytes) => Self::decode(path.display().to_string(), bytes).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::of_file(
                &path.display().to_string(),
                format!("the file cannot be read: {error}"),
                "put a regular file there that you may read",
            )),
        }
    }
}
