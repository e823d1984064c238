//! The places of secrets in a tokens file: secrets are named and not written, since files are committed, printed, and mailed.

use std::path::PathBuf;

use keyfit::Error;
use keyfit::auth::SecretSource as _;
use keyfit::auth::source::{CommandSource, FileSource};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::environment::Environment;
use crate::contract::Carrier;
use crate::credential::carrier;
use crate::credential::secret::{Secret, is_word};

/// The message for a secret that is written in the file itself.
pub(super) const SECRET_IN_CLEAR: &str = "a secret is named, not written: `{ env = \"VARIABLE\" }`, `{ file = \"PATH\" }` or `{ command = [\"PROGRAM\", \"ARGUMENT\"] }`";

/// The place of a secret.
#[derive(Debug)]
pub(super) enum SecretPlace {
    /// `{ env = "VARIABLE" }`
    Environment(String),
    /// `{ file = "/run/secrets/token" }`
    File(PathBuf),
    /// `{ command = ["pass", "show", "shop/token"] }`, started without a shell.
    Command(Vec<String>),
}

impl SecretPlace {
    /// Reads the secret; a client certificate includes its key, in PEM.
    ///
    /// # Errors
    /// Returns an error if the secret is not available, or if a header cannot contain it, since it could not be sent.
    pub(super) async fn read(&self, carrier: &Carrier, environment: &Environment) -> Result<Secret, String> {
        let secret = self.resolve(environment).await.map_err(|error| self.unavailable_reason(&error))?;
        let text = secret.expose_secret().trim();
        match carrier::flaw_of_header(carrier, text) {
            Some(flaw) => Err(flaw),
            None => Ok(Secret::new(text)),
        }
    }

    /// Returns the reason why it is not available, without the text of the file if that may be the secret itself.
    fn unavailable_reason(&self, error: &Error) -> String {
        let named = self.quoted();
        let is_variable =
            |text: &str| text.bytes().all(|one| one.is_ascii_uppercase() || one.is_ascii_digit() || one == b'_');
        let is_path = |text: &str| text.contains(['/', '\\']) || is_file_name(text);
        let is_name = is_word(&named)
            || match self {
                Self::Environment(_) => is_variable(&named),
                Self::File(_) | Self::Command(_) => is_path(&named),
            };
        let text = error.to_string();
        if is_name { text } else { text.replace(&named, "that is named here") }
    }

    async fn resolve(&self, environment: &Environment) -> Result<SecretString, Error> {
        match self {
            Self::Environment(variable) => environment.variable(variable).await,
            Self::File(path) => FileSource::new(path).read().await,
            Self::Command(words) => {
                let (program, arguments) = words.split_first().map_or(("", &[][..]), |(first, rest)| (first, rest));
                arguments.iter().fold(CommandSource::new(program), CommandSource::arg).read().await
            }
        }
    }

    /// Returns instructions to provide the secret, without the text of the file.
    pub(super) fn remedy(&self) -> &'static str {
        match self {
            Self::Environment(_) => {
                "export the variable with the secret alone, or write `VARIABLE=secret` into a file `.env` beside the tokens file"
            }
            Self::File(_) => "write the secret alone into that file",
            Self::Command(_) => "start that command by hand: it has to print the secret alone",
        }
    }

    /// Returns a text of the file with which its line is found.
    pub(super) fn quoted(&self) -> String {
        match self {
            Self::Environment(variable) => variable.clone(),
            Self::File(path) => path.display().to_string(),
            Self::Command(words) => words.first().cloned().unwrap_or_default(),
        }
    }

    /// Returns the place that a value names, if it does.
    pub(super) fn of(value: &toml::Value) -> Option<Self> {
        let (key, value) = value.as_table().filter(|table| table.len() == 1)?.iter().next()?;
        let text = || value.as_str().map(str::to_owned);
        match key.as_str() {
            "env" => text().map(Self::Environment),
            "file" => text().map(|path| Self::File(path.into())),
            "command" => {
                let words = value.as_array()?.iter().map(|word| word.as_str().map(str::to_owned));
                words.collect::<Option<Vec<_>>>().filter(|words| !words.is_empty()).map(Self::Command)
            }
            _ => None,
        }
    }
}

/// Returns whether a text is a word with an extension: `token.txt`.
fn is_file_name(text: &str) -> bool {
    text.rsplit_once('.').is_some_and(|(stem, ending)| is_word(stem) && is_word(ending))
}

impl<'de> Deserialize<'de> for SecretPlace {
    /// Errors do not contain the value, which may be the secret itself.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(&toml::Value::deserialize(deserializer)?).ok_or_else(|| D::Error::custom(SECRET_IN_CLEAR))
    }
}
