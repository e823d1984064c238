//! Where the secrets of a tokens file are: they are named, never written down, for files are committed, printed and mailed.

use std::path::PathBuf;

use keyfit::Error;
use keyfit::auth::SecretSource as _;
use keyfit::auth::source::{CommandSource, FileSource};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::environment::Environment;
use crate::carrier;
use crate::contract::Carrier;
use crate::secret::{Secret, is_word};

/// What is said of a secret that stands in the file itself.
pub(super) const NAMED: &str = "a secret is named, not written: `{ env = \"VARIABLE\" }`, `{ file = \"PATH\" }` or `{ command = [\"PROGRAM\", \"ARGUMENT\"] }`";

/// Where a secret is.
#[derive(Debug)]
pub(super) enum Place {
    /// `{ env = "VARIABLE" }`
    Environment(String),
    /// `{ file = "/run/secrets/token" }`
    File(PathBuf),
    /// `{ command = ["pass", "show", "shop/token"] }`, started without a shell.
    Command(Vec<String>),
}

impl Place {
    /// Reads it; a client certificate has its key beside it, in PEM.
    ///
    /// # Errors
    /// Why it cannot be had, or what is wrong with it: a secret that fits into no header would be one that is not sent.
    pub(super) async fn read(&self, carrier: &Carrier, environment: &Environment) -> Result<Secret, String> {
        let secret = self.found(environment).await.map_err(|error| self.told(&error))?;
        let text = secret.expose_secret().trim();
        match carrier::flaw_of_header(carrier, text) {
            Some(flaw) => Err(flaw),
            None => Ok(Secret::new(text)),
        }
    }

    /// Why it cannot be had, without what stands in the file where that may be the secret itself.
    fn told(&self, error: &Error) -> String {
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

    async fn found(&self, environment: &Environment) -> Result<SecretString, Error> {
        match self {
            Self::Environment(variable) => environment.variable(variable).await,
            Self::File(path) => FileSource::new(path).read().await,
            Self::Command(words) => {
                let (program, arguments) = words.split_first().map_or(("", &[][..]), |(first, rest)| (first, rest));
                arguments.iter().fold(CommandSource::new(program), CommandSource::arg).read().await
            }
        }
    }

    /// How the secret comes there, without what stands in the file.
    pub(super) fn how(&self) -> &'static str {
        match self {
            Self::Environment(_) => {
                "export the variable with the secret alone, or write `VARIABLE=secret` into a file `.env` beside the tokens file"
            }
            Self::File(_) => "write the secret alone into that file",
            Self::Command(_) => "start that command by hand: it has to print the secret alone",
        }
    }

    /// A text of the file by which its line is found.
    pub(super) fn quoted(&self) -> String {
        match self {
            Self::Environment(variable) => variable.clone(),
            Self::File(path) => path.display().to_string(),
            Self::Command(words) => words.first().cloned().unwrap_or_default(),
        }
    }

    /// The place that a value names, if it is one.
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

/// A word with an ending: `token.txt`.
fn is_file_name(text: &str) -> bool {
    text.rsplit_once('.').is_some_and(|(stem, ending)| is_word(stem) && is_word(ending))
}

impl<'de> Deserialize<'de> for Place {
    /// Says nothing about what stands there: it may be the secret itself.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(&toml::Value::deserialize(deserializer)?).ok_or_else(|| D::Error::custom(NAMED))
    }
}
