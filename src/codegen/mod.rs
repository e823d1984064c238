//! The items that generated code may name, and nothing else. It is not an interface for people: it changes together with the
//! generator, and [`supports`] says which generators it fits.

mod alternative;
mod argument;
mod builder;
mod conversion;
mod forms;
mod include;
mod oauth;
mod parameters;
mod profile;
pub mod requests;
mod text;
mod values;

pub use bytes;
pub use chrono;
pub use futures_core::Stream;
pub use regress;
pub use serde;
pub use serde::{Deserialize, Serialize};
pub use serde_json;

pub use alternative::alternative;
pub use argument::{
    ArgumentType, IntoArgument, IntoArgumentBy, accept, accept_converted, accept_maybe, accept_some, rule,
};

pub use builder::{Built, Refusal, built};
pub use conversion::{ConversionError, no_such_value, parsed};
pub use text::{AnyText, Pattern, Text};

pub use crate::{
    __keyfit_builder as builder, __keyfit_call as call, __keyfit_numbers as numbers,
    __keyfit_open_numbers as open_numbers, __keyfit_open_texts as open_texts, __keyfit_texts as texts,
};

use crate::auth::{Carrier, Credential, TokenKind};
use crate::client::{Poll, RequestBuilder, Requests};
use crate::http_client::Request;
pub use oauth::{client_credentials, discovered_client_credentials};
pub use profile::from_profile;

pub use forms::multipart;

pub use crate::auth::CredentialKind;
pub use crate::auth::with_secrets;
pub use crate::client::dispatch::{argument, written};
pub use crate::client::form::FormMember;
pub use crate::client::list_style::ListStyle;
use crate::client::pagination::{Items, Pager, Pages};
use crate::client::path_argument::Encoded;
pub use crate::client::path_argument::encode as encode_path;
pub use crate::client::query::QueryParam;
pub use crate::client::stream::{StreamCall, Streamed};
pub use crate::client::upload::Framing;
pub use parameters::{header_list, path_list, query_list, with_lists};
pub use requests as reqwest;
// The builders of requests know an error of this name.
pub use crate::client::transport::Unsent as Error;
pub use crate::client::transport::{Answer, Outgoing, Transport, Unsent};
use crate::error::Operation;
use crate::error::operation::{NextPage, Pagination};

/// The newest form of generated code that this version takes.
const NEWEST: u32 = 3;
/// The oldest one.
const OLDEST: u32 = 1;

/// Ends the build with one readable error where code and runtime do not fit together.
///
/// # Panics
/// At compile time, for code that another generator wrote.
pub const fn supports<const FORM: u32>() {
    assert!(
        FORM >= OLDEST,
        "this client was generated for an older version of keyfit: generate it again with `keyfit generate`"
    );
    assert!(FORM <= NEWEST, "this client was generated for a newer version of keyfit: update the dependency `keyfit`");
}

/// The integer that a JSON value is, however it is written: `3`, `3.0`, `3e0`.
pub fn integer(value: &serde_json::Value) -> Option<i64> {
    /// Below it a float is exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let of_float = |number: &f64| number.fract() == 0.0 && number.abs() <= EXACT;
    #[expect(clippy::cast_possible_truncation, reason = "it is a whole number of 54 bits")]
    let whole = |number: f64| number as i64;
    value.as_i64().or_else(|| value.as_f64().filter(of_float).map(whole))
}

/// Returns the credential of a client of an API without credentials: none.
pub fn no_credential() -> Credential<()> {
    Credential::none()
}

/// Name, variable and carrier of a kind.
pub const fn kind<K: TokenKind>() -> (&'static str, &'static str, Carrier) {
    (K::NAME, K::VARIABLE, K::CARRIER)
}

/// The credentials in the variables that are set.
///
/// # Errors
/// Returns an error if none is set, and for what can be no token.
pub fn credential_from_env(kinds: &[(&str, &str, Carrier)]) -> Result<Credential<()>, crate::error::Error> {
    Credential::from_variables(kinds)
}

/// The error of a call to an operation that the client does not have.
pub fn unknown_operation(id: &str) -> crate::error::Error {
    crate::error::Error::unknown_operation(id)
}

/// A call whose answer comes an item at a time.
pub fn stream<'a>(
    transport: &'a Transport,
    _: &'a Requests,
    request: Result<impl Into<Outgoing>, Unsent>,
    operation: &'static Operation,
    streamed: Streamed,
) -> StreamCall<'a> {
    StreamCall { transport, request: request.map(Into::into), operation, streamed }
}

/// A call that starts work, and the looks at its status.
pub fn poll(
    transport: &Transport,
    _: &Requests,
    request: Result<impl Into<Outgoing>, Unsent>,
    operation: &'static Operation,
) -> Poll {
    Poll::new(transport, request, operation)
}

/// A writer of the items of a call. `call`: it without its body.
pub fn writer<T: serde::Serialize>(
    transport: &Transport,
    _: &Requests,
    call: Result<Request, Unsent>,
    operation: &'static Operation,
) -> crate::client::batch_writer::Builder<T> {
    crate::client::batch_writer::Builder::new(transport, call, operation)
}

/// The items of a paged call.
pub fn items<T>(
    transport: &Transport,
    _: &Requests,
    call: Result<Request, Unsent>,
    operation: &'static Operation,
) -> Items<T> {
    Items::over(pager(transport, call, operation))
}

/// The answers of a paged call.
pub fn pages<A>(
    transport: &Transport,
    _: &Requests,
    call: Result<Request, Unsent>,
    operation: &'static Operation,
) -> Pages<A> {
    Pages::over(pager(transport, call, operation))
}

fn pager(transport: &Transport, call: Result<Request, Unsent>, operation: &'static Operation) -> Pager {
    let Some(pagination) = operation.pagination else {
        let text = format!("the table does not say how `{}` pages: give its row a `Pagination`", operation.id);
        let never = Err(crate::error::Error::invalid_request(text).into());
        return Pager::new(transport, never, operation, Pagination::new(NextPage::Link));
    };
    Pager::new(transport, call, operation, pagination)
}

/// Sets a header that each request of a call has.
pub fn set(headers: &mut http::header::HeaderMap, name: &'static str, value: &'static str) {
    headers.append(name, http::header::HeaderValue::from_static(value));
}

/// Arguments as a segment of a path.
pub trait PathSegment: std::fmt::Display {
    /// The segment, which is shown percent-encoded.
    fn segment(&self) -> impl std::fmt::Display;
}

impl<T: std::fmt::Display> PathSegment for T {
    fn segment(&self) -> impl std::fmt::Display {
        Encoded(self)
    }
}

/// Bodies as forms, and bodies that may be lacking.
pub trait RequestBuilderExt: Sized {
    /// Asks for answers of a media type.
    #[must_use]
    fn accept(self, media_type: &'static str) -> Self;

    /// Sets the body and its media type.
    ///
    /// # Errors
    /// Returns an error if the body cannot be written as a form.
    fn form_urlencoded<T: serde::Serialize>(self, body: &T) -> Result<Self, Unsent> {
        self.form_of(body, &[])
    }

    /// Sets the body, whose members are written as these say, and its media type. `None` is no body.
    ///
    /// # Errors
    /// Returns an error if the body cannot be written as a form.
    fn form_of<T: serde::Serialize>(self, body: &T, members: &[FormMember]) -> Result<Self, Unsent>;

    /// Writes the body where there is one.
    #[must_use]
    fn with_body<T>(self, body: Option<T>, write: impl FnOnce(Self, T) -> Self) -> Self {
        match body {
            Some(body) => write(self, body),
            None => self,
        }
    }
}

impl RequestBuilderExt for RequestBuilder {
    fn accept(self, media_type: &'static str) -> Self {
        self.header(http::header::ACCEPT, http::header::HeaderValue::from_static(media_type))
    }

    fn form_of<T: serde::Serialize>(self, body: &T, members: &[FormMember]) -> Result<Self, Unsent> {
        forms::urlencoded(self, body, members)
    }
}
