//! `keyfit.lock`: the inputs of each generated file.

use std::collections::BTreeMap;

use keyfit_openapi::{Dispatch, read_text};
use serde::{Deserialize, Serialize};

use super::{DEFAULT_DISPATCH, Project};
use crate::UserError;

/// Files with their hashes.
pub(super) type Inputs = BTreeMap<String, String>;

/// The version of the file's format.
const FORMAT_VERSION: u32 = 1;

const FILE_HEADER: &str = "# What `keyfit generate` wrote, and from what. It writes all of it again; `keyfit generate --check` says what is stale.\n\n";

/// All generated files of a project.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    version: u32,
    /// The clients, in the order of their files.
    #[serde(default, rename = "client")]
    pub clients: Vec<Entry>,
}

/// A generated file. Paths are relative to the folder of the lock file.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The file.
    pub out: String,
    /// The folder or document of the API.
    pub api: String,
    /// The name of the API, if it differs from that of the folder or document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The selectors of the operations; all operations if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// True if each schema has a type, including those that no call needs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all_types: bool,
    /// The availability of calls by operation id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispatch: Option<String>,
    /// The version of the generator.
    pub generator: String,
    /// The hash of the code.
    pub code: String,
    /// The hashes of the input files.
    pub inputs: Inputs,
}

impl Lock {
    /// Reads the lock file of a project; returns an empty one if it does not exist.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, is not a lock file, or names files outside the project.
    pub fn read(project: &Project) -> Result<Self, UserError> {
        let path = project.lock();
        if !path.exists() {
            return Ok(Self { version: FORMAT_VERSION, clients: Vec::new() });
        }
        let refuse = |problem: String| {
            UserError::new(problem)
                .at(path.display())
                .help("restore the file, or remove it and generate each client again")
        };
        let text = read_text(&path).map_err(|error| refuse(format!("the lock file cannot be read: {error}")))?;
        let lock: Self = toml::from_str(&text)
            .map_err(|error| refuse(format!("not a valid lock file: {}", error.message().trim_end())))?;
        if lock.version != FORMAT_VERSION {
            let problem =
                format!("the lock file has the form {}, and this keyfit knows {FORMAT_VERSION}", lock.version);
            return Err(UserError::new(problem).at(path.display()).help("use the version of keyfit that wrote it"));
        }
        for entry in &lock.clients {
            if !Project::is_inside(&entry.out) {
                return Err(refuse(format!("`{}` is not a file of this project", entry.out)));
            }
            entry.dispatch()?;
        }
        Ok(lock)
    }

    /// Returns the entry of a file.
    pub fn entry(&self, out: &str) -> Option<&Entry> {
        self.clients.iter().find(|entry| entry.out == out)
    }

    /// Adds an entry, in place of the one for the same file.
    pub fn put(&mut self, entry: Entry) {
        self.clients.retain(|known| known.out != entry.out);
        self.clients.push(entry);
        self.clients.sort_by(|one, other| one.out.cmp(&other.out));
    }

    /// Returns the text of the file.
    ///
    /// # Errors
    /// Returns an error if it cannot be serialized as TOML.
    pub fn text(&self) -> Result<String, UserError> {
        let text = toml::to_string(self);
        text.map(|text| format!("{FILE_HEADER}{text}"))
            .map_err(|error| UserError::new(format!("the lock file cannot be written: {error}")))
    }
}

impl Entry {
    /// Returns the availability of calls by operation id.
    ///
    /// # Errors
    /// Returns an error if the word is unknown.
    pub fn dispatch(&self) -> Result<Dispatch, UserError> {
        let Some(word) = &self.dispatch else { return Ok(DEFAULT_DISPATCH) };
        dispatch(word).ok_or_else(|| {
            UserError::new(format!("`{word}` is not a valid `dispatch` of {}", self.out))
                .help("use tests, always or never")
        })
    }
}

/// Parses the availability of calls by operation id.
pub fn dispatch(word: &str) -> Option<Dispatch> {
    [Dispatch::InTests, Dispatch::Always, Dispatch::Never].into_iter().find(|known| dispatch_name(*known) == word)
}

/// Returns the word for an availability.
pub fn dispatch_name(dispatch: Dispatch) -> &'static str {
    match dispatch {
        Dispatch::InTests => "tests",
        Dispatch::Always => "always",
        Dispatch::Never => "never",
    }
}
