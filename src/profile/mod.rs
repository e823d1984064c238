//! Settings and places of credentials that a program is not compiled with: a file of profiles, `keyfit.toml`, and the environment.

mod api;
mod credential;
mod find;
mod place;
mod read;
mod reader;
#[cfg(feature = "schema")]
mod schema;
mod service;
mod setting;
mod source;
mod value;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

pub use api::{ApiProfile, ProfileCredential};

use self::api::Lookup;
use self::find::{FILE, FILE_VARIABLE, Found, PROFILE_VARIABLE};
use self::read::ProfileTable;
use self::reader::near;
use crate::client::{Config, Connect};
use crate::error::Error;

/// The name of the profile that holds where none is named.
const DEFAULT: &str = "default";

/// A profile of the file `keyfit.toml`: settings, base URLs and places of credentials, for any number of APIs (feature `profile`).
///
/// ```toml
/// [profile.default]
/// timeout = "20s"
///
/// [profile.default.api.scopien]
/// credential = { env = "SCOPIEN_KEY_OF_THE_TEAM" }
///
/// [profile.mock.api.scopien]
/// base-url = "http://127.0.0.1:4010"
/// credential = { file = "/run/secrets/scopien" }
/// ```
///
/// ```no_run
/// use std::time::Duration;
///
/// use keyfit::Profile;
/// use keyfit::scopien::Client;
///
/// # fn main() -> Result<(), keyfit::Error> {
/// let client = Client::from_profile()?;
/// // The same, with a setting of the program's own.
/// let patient: Client = Profile::load()?.client_with(|config| config.deadline(Duration::from_secs(600)))?;
/// # drop((client, patient));
/// # Ok(())
/// # }
/// ```
///
/// The file is the one that `KEYFIT_CONFIG` names; else the nearest `keyfit.toml` from the working directory up to the root of its
/// repository or the home directory. The profile is the one that `KEYFIT_PROFILE` names, else `default`. What counts, the last one
/// most: the profile; what it says of the API; the variables of the API (`SCOPIEN_API_KEY`, `SCOPIEN_BASE_URL`); the program.
///
/// A secret is named and never written: by a variable, a file, or a command that prints it (feature `command-source`). It is read as
/// any [source](crate::auth::source) is, again after a rotation. All keys are in
/// [docs/configuration.md](https://docs.rs/crate/keyfit/latest/source/docs/configuration.md).
///
/// The file says where credentials go. One that was found and not named belongs to the user of this process or root, and nobody else
/// may write to it.
#[derive(Clone)]
pub struct Profile {
    name: String,
    is_chosen: bool,
    file: Option<File>,
}

/// The file that a profile was read from.
#[derive(Clone)]
struct File {
    path: Arc<Path>,
    table: ProfileTable,
}

impl Profile {
    /// The profile that the environment names. Where there is no file and no profile is named, it says nothing: what counts then is
    /// the environment.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or holds what it should not, or there is no such profile, with file and line.
    pub fn load() -> Result<Self, Error> {
        let (found, chosen) = (find::file()?, find::variable(PROFILE_VARIABLE)?);
        match (found, chosen) {
            (None, None) => Ok(Self { name: DEFAULT.to_owned(), is_chosen: false, file: None }),
            (found, chosen) => Self::of(found, chosen.as_deref()),
        }
    }

    /// The profile of this name, whatever the environment says.
    ///
    /// # Errors
    /// Returns an error if [`load`](Self::load) would, or there is no file.
    pub fn named(name: &str) -> Result<Self, Error> {
        Self::of(find::file()?, Some(name))
    }

    /// A profile of a file of your choice.
    ///
    /// # Errors
    /// Returns an error if [`load`](Self::load) would.
    pub fn read(path: impl AsRef<Path>, name: &str) -> Result<Self, Error> {
        Self::of(Some(Found { path: path.as_ref().to_owned(), is_named: true }), Some(name))
    }

    /// The profile of this name or of the environment, where there is one: `None` without a file, and where one was found that has no
    /// `default`, which is meant where no profile is named. For commands that work without.
    ///
    /// # Errors
    /// Returns an error if [`load`](Self::load) would.
    pub fn find(name: Option<&str>) -> Result<Option<Self>, Error> {
        let (found, variable) = (find::file()?, find::variable(PROFILE_VARIABLE)?);
        let chosen = name.map(str::to_owned).or(variable);
        match (found, &chosen) {
            (None, None) => Ok(None),
            (Some(found), None) if !found.is_named => {
                let (path, mut profiles) = tables(&found)?;
                let file =
                    |table| Self { name: DEFAULT.to_owned(), is_chosen: false, file: Some(File { path, table }) };
                Ok(profiles.remove(DEFAULT).map(file))
            }
            (found, _) => Self::of(found, chosen.as_deref()).map(Some),
        }
    }

    fn of(found: Option<Found>, chosen: Option<&str>) -> Result<Self, Error> {
        let name = chosen.unwrap_or(DEFAULT);
        let Some(found) = found else {
            return Err(Error::configuration(format!(
                "there is no file with the profile `{name}`: write [profile.{name}] into a {FILE} in this folder, or name the file in {FILE_VARIABLE}"
            )));
        };
        let (path, mut profiles) = tables(&found)?;
        let Some(table) = profiles.remove(name) else {
            let names: Vec<&str> = profiles.keys().map(String::as_str).collect();
            let help = match (near(name, &names), names.is_empty()) {
                (Some(name), _) => format!("did you mean `{name}`? There are {}", names.join(", ")),
                (None, true) => format!("there is none: begin it with [profile.{name}]"),
                (None, false) if chosen.is_none() => format!("set {PROFILE_VARIABLE} to one of {}", names.join(", ")),
                (None, false) => format!("there are {}", names.join(", ")),
            };
            return Err(Error::configuration(format!("{}: there is no profile `{name}`: {help}", path.display())));
        };
        let is_chosen = chosen.is_some() || found.is_named;
        Ok(Self { name: name.to_owned(), is_chosen, file: Some(File { path, table }) })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file that it was read from; `None` where there is none.
    pub fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|file| &*file.path)
    }

    /// Returns whether the user named it, or its file; `false` if a file was found where the program runs.
    pub fn is_chosen(&self) -> bool {
        self.is_chosen
    }

    /// The part about an API, by the name of its folder: `parcels`. Of one that it does not name the settings of the profile hold.
    ///
    /// # Errors
    /// Returns an error if it does not name that API, and one whose name is a slip for it.
    pub fn api(&self, name: &str) -> Result<ApiProfile, Error> {
        Lookup { profile: &self.name, path: self.path(), table: self.file.as_ref().map(|file| &file.table) }.api(name)
    }

    /// A client with what it says of the client's API and what the environment says: each credential whose variable is set is taken
    /// from there, and so is the base URL.
    ///
    /// # Errors
    /// Returns an error if a credential cannot be had or is not one of the API, with file and line; if there is none; and as
    /// [`Connect::connect`].
    pub fn client<C: Connect>(&self) -> Result<C, Error> {
        self.client_with(|config| config)
    }

    /// The same, with settings that the program changes, whatever the profile and the environment say.
    ///
    /// # Errors
    /// Returns an error if [`client`](Self::client) would.
    pub fn client_with<C: Connect>(&self, change: impl FnOnce(Config) -> Config) -> Result<C, Error> {
        let api = self.api(C::API.name)?;
        let config = api.config()?.base_url_from_env(C::BASE_URL_VARIABLE)?;
        let credential = api.credential(C::KINDS)?;
        C::connect(credential, change(config))
    }

    /// The JSON Schema of the file, for editors (feature `schema`).
    #[cfg(feature = "schema")]
    pub fn schema() -> serde_json::Value {
        schema::schema()
    }
}

/// The profiles of a file.
fn tables(found: &Found) -> Result<(Arc<Path>, BTreeMap<String, ProfileTable>), Error> {
    let path: Arc<Path> = found.path.as_path().into();
    let profiles = read::profiles(&path, &find::text(found)?)?;
    Ok((path, profiles))
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile").field("name", &self.name).field("path", &self.path()).finish_non_exhaustive()
    }
}
