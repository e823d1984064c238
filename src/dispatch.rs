//! Calling operations by their id, with JSON arguments: for conformance suites and tools that know operations as data.
//! Every call goes through the typed builders, so what is tested here is what users run.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use futures_core::Stream as _;
use futures_core::future::BoxFuture;
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::auth::{self, Credential, Refresh, Token, TokenKind, TokenSource};
use crate::config::RESPONSE_LIMIT;
use crate::{ByteStream, Config, Error, Response};

/// A success, with its value as JSON again.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status of the answer.
    pub status: u16,
    /// The headers of the answer.
    pub headers: HeaderMap,
    /// The typed value, serialised. An answer that is handed on as bytes is its text, or a list of bytes that are none.
    pub value: Value,
}

/// The files of an API that ships: what its client was generated from.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Shipped {
    /// The name of its folder: `instasent-ingest`.
    pub name: &'static str,
    /// The OpenAPI document.
    pub document: File,
    /// What it lacks, as an OpenAPI Overlay.
    pub overlay: Option<File>,
    /// The auth and error contract.
    pub contract: Option<File>,
}

/// A file of an API's folder.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct File {
    /// Its name in the folder.
    pub name: &'static str,
    /// What it holds.
    pub text: &'static str,
}

/// The APIs that are compiled in, in the order of their names.
pub const SHIPPED: &[Shipped] = include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

/// A client whose operations are called by id.
pub trait Dispatch: Send + Sync {
    /// Calls an operation. `arguments` holds each parameter under its name on the wire, and the body under `body`: one
    /// that the caller writes is a text, and what is no text is sent as JSON. Its media type, where the call has it as an
    /// argument, is `Content-Type`, and the documented one where that is left out.
    ///
    /// # Errors
    /// An unknown operation, an argument of the wrong type, and everything that the call itself reports.
    fn call<'a>(&'a self, operation: &'a str, arguments: &'a Map<String, Value>) -> Call<'a>;
}

/// A call on its way.
pub type Call<'a> = BoxFuture<'a, Result<Answer, Error>>;

/// What a client is connected with: the text of a token, or what hands tokens out.
#[derive(Debug)]
pub enum Access {
    /// One token.
    Token(SecretString),
    /// Tokens that may change, and when they are asked for again.
    Source(Arc<dyn TokenSource>, Refresh),
}

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
    use super::{Access, Call, Config, Dispatch, Error, FromAccess as _, Map, Value};
    use crate::api;

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
/// Reads one argument as the type that the builder's setter takes.
///
/// # Errors
/// Returns an error if the value is not of the type.
#[doc(hidden)]
pub fn argument<T: DeserializeOwned>(name: &str, value: &Value) -> Result<T, Error> {
    T::deserialize(value).map_err(|error| Error::invalid_request(format!("the argument `{name}` is refused: {error}")))
}

/// A body that the caller writes: a text as it is, anything else as JSON.
#[doc(hidden)]
pub fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Answer {
    /// The bytes of an answer that are handed on as they come, read to their end: here they go into memory, up to the
    /// limit of other answers.
    ///
    /// # Errors
    /// Returns an error if the connection fails before its end, or the limit is passed.
    #[doc(hidden)]
    pub async fn from_stream(response: Response<ByteStream>) -> Result<Self, Error> {
        let (status, headers) = (response.status(), response.headers().clone());
        let mut stream = response.into_inner();
        let mut bytes = Vec::new();
        while let Some(chunk) = poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await {
            let chunk = chunk?;
            if chunk.len() > RESPONSE_LIMIT - bytes.len() {
                bytes.extend_from_slice(&chunk[..RESPONSE_LIMIT - bytes.len()]);
                return Err(Error::over_limit(status, headers, bytes.into(), RESPONSE_LIMIT));
            }
            bytes.extend_from_slice(&chunk);
        }
        let value = String::from_utf8(bytes).map_or_else(|error| error.into_bytes().into(), Value::from);
        Ok(Self { status: status.as_u16(), headers, value })
    }

    /// The value of an answer as JSON.
    ///
    /// # Errors
    /// Returns an error if it cannot be written as JSON.
    #[doc(hidden)]
    pub fn from_response<T: Serialize>(response: Response<T>) -> Result<Self, Error> {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let value = serde_json::to_value(response.into_inner())
            .map_err(|error| Error::invalid_request(format!("the answer cannot be written as JSON: {error}")))?;
        Ok(Self { status, headers, value })
    }
}
