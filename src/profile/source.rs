//! Credentials as a file names them, and the sources that they become.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_core::future::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};

use super::place::Place;
use crate::auth::secret_file::{self, Role};
use crate::auth::source::{EnvSource, FileSource};
use crate::auth::{SecretSource, environment};
use crate::error::Error;

/// The error of a secret that stands in the file itself.
pub(super) const NAMED: &str =
    "name where it is: `{ env = \"VARIABLE\" }`, `{ file = \"PATH\" }` or `{ command = [\"PROGRAM\", \"ARGUMENT\"] }`";

/// The largest file of certificates that is read, in bytes.
const LIMIT: u64 = 1 << 20;

/// Where a secret is.
#[derive(Clone)]
pub(super) enum Source {
    Environment(String),
    File(PathBuf),
    /// Started without a shell.
    Command(Vec<String>),
}

/// A value that may be a secret, and need not.
#[derive(Clone)]
pub(super) enum Text {
    Plain(String),
    Named(Source),
}

/// A credential.
#[derive(Clone, Debug)]
pub(super) enum Given {
    /// The secret is the token.
    Secret(Source),
    /// A user and a password, of HTTP Basic.
    Login { user: Text, password: Option<Source> },
    /// A client of an authorization server that acts for itself.
    Client(Client),
}

/// A client of an authorization server.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "oauth"), expect(dead_code, reason = "it is read, and refused"))]
pub(super) struct Client {
    pub(super) id: Text,
    pub(super) secret: Source,
    /// Where tokens are had, in place of what the document says.
    pub(super) token_url: Option<String>,
    /// The scopes to ask for, in place of those that the operations need.
    pub(super) scopes: Option<Vec<String>>,
    pub(super) audience: Option<String>,
    /// True if the secret is sent in the body of a token request.
    pub(super) is_in_body: bool,
}

impl Source {
    /// The source, looked at: a variable is set, a file can be opened. Nothing is started, and no secret is kept.
    pub(super) fn ready(&self, place: &Place) -> Result<Arc<dyn SecretSource>, Error> {
        match self {
            Self::Environment(name) => {
                let value = environment::optional(name)?.map(SecretString::from);
                if value.is_none_or(|value| value.expose_secret().trim().is_empty()) {
                    let problem = format!("{} is not set", shown("environment variable", name, is_upper(name)));
                    return Err(place.fault(problem, "set it to the secret, or name another place"));
                }
                Ok(Arc::new(EnvSource::new(name.as_str())))
            }
            Self::File(named) => {
                let path = place.resolve(named);
                secret_file::open(&path, Role::Source { owner: None })
                    .map_err(|error| unreadable(place, named, &path, &error))?;
                Ok(Arc::new(FileSource::new(path)))
            }
            Self::Command(words) => command(words, place),
        }
    }

    /// The secret as it is now, for what is read once.
    pub(super) fn read(&self, place: &Place) -> Result<SecretString, Error> {
        self.ready(place)?;
        match self {
            Self::Environment(name) => environment::variable(name).map(SecretString::from),
            Self::File(named) => {
                let path = place.resolve(named);
                let read = secret_file::open(&path, Role::Source { owner: None }).and_then(whole);
                read.map_err(|error| unreadable(place, named, &path, &error))
            }
            Self::Command(_) => {
                Err(place
                    .fault("the key of a certificate is read once, before anything runs", "name a variable or a file"))
            }
        }
    }
}

#[cfg(feature = "command-source")]
fn command(words: &[String], place: &Place) -> Result<Arc<dyn SecretSource>, Error> {
    use crate::auth::source::CommandSource;

    let Some((program, arguments)) = words.split_first() else {
        return Err(place.fault("the command is empty", NAMED));
    };
    Ok(Arc::new(arguments.iter().fold(CommandSource::new(program), CommandSource::arg)))
}

#[cfg(not(feature = "command-source"))]
fn command(_: &[String], place: &Place) -> Result<Arc<dyn SecretSource>, Error> {
    let help = "turn on the feature `command-source` of keyfit in Cargo.toml, or name a variable or a file";
    Err(place.fault("this program starts no commands for secrets", help))
}

/// A file of certificates, which are no secret.
pub(super) fn certificates(named: &Path, place: &Place) -> Result<SecretString, Error> {
    let path = place.resolve(named);
    let read = secret_file::open(&path, Role::Settings { is_named: true }).and_then(whole);
    read.map_err(|error| unreadable(place, named, &path, &error))
}

fn whole(file: File) -> io::Result<SecretString> {
    let mut text = String::new();
    file.take(LIMIT).read_to_string(&mut text)?;
    Ok(text.into())
}

fn unreadable(place: &Place, named: &Path, path: &Path, error: &io::Error) -> Error {
    let what = shown("file", &path.display().to_string(), is_path(&named.to_string_lossy()));
    let why = error.get_ref().map_or_else(|| error.kind().to_string(), ToString::to_string);
    place.fault(format!("{what} cannot be read: {why}"), "correct the path, or make it readable for this user")
}

/// Returns whether a text looks like a path, and not like a secret that was written in its place.
fn is_path(text: &str) -> bool {
    let is_rooted = ["/", "./", "../", "~/"].iter().any(|root| text.starts_with(root));
    let is_plain = !text.contains(|one: char| one.is_ascii_uppercase() || matches!(one, '+' | '='));
    let has_ending = text.rsplit_once('.').is_some_and(|(_, ending)| ending.len() < 6);
    is_rooted || is_plain && (text.contains('/') || has_ending)
}

/// A name as messages have it; one that may be the secret itself is not repeated.
fn shown(what: &str, name: &str, is_name: bool) -> String {
    if is_name { format!("the {what} {name}") } else { format!("the {what} that is named here") }
}

fn is_upper(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

impl Text {
    pub(super) fn ready(&self, place: &Place) -> Result<Known, Error> {
        Ok(match self {
            Self::Plain(text) => Known::Plain(text.clone()),
            Self::Named(source) => Known::Named(source.ready(place)?),
        })
    }
}

/// A [`Text`] that was looked at.
#[derive(Clone)]
pub(super) enum Known {
    Plain(String),
    Named(Arc<dyn SecretSource>),
}

impl Known {
    pub(super) async fn read(&self) -> Result<SecretString, Error> {
        match self {
            Self::Plain(text) => Ok(text.clone().into()),
            Self::Named(source) => source.read().await,
        }
    }
}

/// A user and a password as one secret: `user:password`. Both are read anew each time.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) user: Known,
    pub(super) password: Option<Arc<dyn SecretSource>>,
}

impl SecretSource for Login {
    fn read(&self) -> BoxFuture<'_, Result<SecretString, Error>> {
        Box::pin(async {
            let user = self.user.read().await?;
            if user.expose_secret().contains(':') {
                return Err(Error::credential("the user of the login holds a colon, where the password would begin"));
            }
            let password = match &self.password {
                Some(source) => source.read().await?,
                None => SecretString::default(),
            };
            Ok(format!("{}:{}", user.expose_secret(), password.expose_secret()).into())
        })
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The name may be the secret itself, in the wrong place; the arguments of a command may hold a password.
        f.write_str(match self {
            Self::Environment(_) => "Environment",
            Self::File(_) => "File",
            Self::Command(_) => "Command",
        })
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(_) => f.write_str("Plain"),
            Self::Named(source) => source.fmt(f),
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(_) => f.write_str("Plain"),
            Self::Named(source) => source.fmt(f),
        }
    }
}
