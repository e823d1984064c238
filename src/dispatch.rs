//! Calling operations by their id, with JSON arguments: for conformance suites and tools that know operations as data.
//! Every call goes through the typed builders, so what is tested here is what users run.

use secrecy::ExposeSecret as _;

use crate::auth::{self, Credential, Token, TokenKind};
use crate::client::Config;
pub use crate::client::dispatch::{Access, Answer, Call, Dispatch};
use crate::error::Error;

/// Connects to an API by its folder's name (`instasent-ingest`, `scopien`). An ingest credential is taken as a data
/// source token.
///
/// # Errors
/// An API that is unknown or not compiled in, and what the typed constructors refuse.
pub fn connect(name: &str, config: Config, access: Access) -> Result<Box<dyn Dispatch>, Error> {
    connections::connect(name, config, access)
        .unwrap_or_else(|| Err(Error::configuration(format!("there is no API called `{name}` in this build"))))
}

/// Which client is behind a name: one of each API that is compiled in.
mod connections {
    use serde_json::{Map, Value};

    use super::{Access, Call, Config, Dispatch, Error, FromAccess as _};

    include!(concat!(env!("OUT_DIR"), "/connections.rs"));
}

/// What a client of an API is connected with.
trait FromAccess: Sized {
    fn from_access(access: Access) -> Result<Self, Error>;
}

impl<K: TokenKind> FromAccess for Credential<K> {
    fn from_access(access: Access) -> Result<Self, Error> {
        match access {
            Access::Token(text) => Ok(Token::new(text.expose_secret())?.into()),
            Access::Source(source, refresh) => Ok(Self::refreshed(source, refresh)),
        }
    }
}

impl FromAccess for Credential<auth::Ingest> {
    fn from_access(access: Access) -> Result<Self, Error> {
        Credential::<auth::Datasource>::from_access(access).map(Self::from)
    }
}
