//! Calling the operations of a client by their id, with JSON arguments.

use std::sync::Arc;

use futures_core::future::BoxFuture;
use http::header::HeaderMap;
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::auth::{Carrier, Credential, Refresh, TokenSource};
use crate::client::config::RESPONSE_LIMIT;
use crate::client::{ByteStream, Event, EventStream, JsonLines, Response};
use crate::error::{Error, json};

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

/// A client whose operations are called by id.
pub trait Dispatch: Send + Sync {
    /// Calls an operation. `arguments` holds each parameter under its name on the wire, and the body under `body`: one
    /// that the caller writes is a text, and what is no text is sent as JSON. Its media type, where the call has it as an
    /// argument, is `Content-Type`, and the documented one where that is left out. Items of a body are a list. An answer that comes
    /// item by item is a list of them, read to its end; where there is a whole answer too, it is asked for by the argument `Accept`,
    /// which is its media type.
    ///
    /// # Errors
    /// Returns an error if the operation is unknown, an argument has the wrong type, or the call itself fails.
    fn call<'a>(&'a self, operation: &'a str, arguments: &'a Map<String, Value>) -> Call<'a>;
}

/// A call on its way.
pub type Call<'a> = BoxFuture<'a, Result<Answer, Error>>;

/// The access of a client: the text of a token, a source of tokens, or credentials that name their own kinds.
#[derive(Debug)]
pub enum Access {
    /// One token.
    Token(SecretString),
    /// Tokens that may change, and when they are asked for again.
    Source(Arc<dyn TokenSource>, Refresh),
    /// All that the client holds, each credential with a kind and a carrier of its own: for operations that take several at once,
    /// or another kind than the first.
    Held(Credential<()>),
}

impl Access {
    /// A credential, whose tokens are checked as those of a kind of this name; what is [`Held`](Self::Held) stays what it is.
    ///
    /// # Errors
    /// Returns an error if the text cannot be a token.
    pub fn credential(self, kind: &str, carrier: Carrier) -> Result<Credential<()>, Error> {
        match self {
            Self::Token(text) => Credential::fixed(kind, carrier, text),
            Self::Source(source, refresh) => Ok(Credential::cached(kind, source, refresh, carrier)),
            Self::Held(credential) => Ok(credential),
        }
    }
}

/// Reads one argument as the type that the builder's setter takes, whole numbers as the integers that they are.
///
/// # Errors
/// Returns an error if the value is not of the type.
#[doc(hidden)]
pub fn argument<T: DeserializeOwned>(name: &str, value: &Value) -> Result<T, Error> {
    let read = T::deserialize(value).or_else(|error| {
        let text = serde_json::to_vec(value)?;
        json::read(&text).map_err(|_| error)
    });
    read.map_err(|error| Error::invalid_request(format!("the argument `{name}` is refused: {error}")))
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
        while let Some(chunk) = stream.next().await {
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

    /// The events of an answer, read to its end: a list of objects with the members that each has.
    ///
    /// # Errors
    /// Returns an error if the stream ends with one, or the data cannot be written as JSON.
    #[doc(hidden)]
    pub async fn from_events<T: Serialize>(response: Response<EventStream<T>>) -> Result<Self, Error> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut stream = response.into_inner();
        let mut events = Vec::new();
        while let Some(event) = stream.next().await {
            let Event { data, event, id, retry } = event?;
            let said = [("event", event), ("id", id)].map(|(name, said)| (name, said.map(Value::String)));
            let retry = retry.map(|wait| Value::from(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)));
            let members = [("data", Some(json(&data)?)), ("retry", retry)].into_iter().chain(said);
            let members = members.filter_map(|(name, value)| Some((name.to_owned(), value?)));
            events.push(Value::Object(members.collect()));
        }
        Ok(Self { status, headers, value: events.into() })
    }

    /// The JSON texts of an answer, read to its end: a list of them.
    ///
    /// # Errors
    /// Returns an error if the stream ends with one, or an item cannot be written as JSON.
    #[doc(hidden)]
    pub async fn from_lines<T: Serialize>(response: Response<JsonLines<T>>) -> Result<Self, Error> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut stream = response.into_inner();
        let mut items = Vec::new();
        while let Some(item) = stream.next().await {
            items.push(json(&item?)?);
        }
        Ok(Self { status, headers, value: items.into() })
    }

    /// The value of an answer as JSON.
    ///
    /// # Errors
    /// Returns an error if it cannot be written as JSON.
    #[doc(hidden)]
    pub fn from_response<T: Serialize>(response: Response<T>) -> Result<Self, Error> {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        Ok(Self { status, headers, value: json(&response.into_inner())? })
    }
}

fn json<T: Serialize>(value: &T) -> Result<Value, Error> {
    serde_json::to_value(value)
        .map_err(|error| Error::invalid_request(format!("the answer cannot be written as JSON: {error}")))
}
