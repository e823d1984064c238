//! What generated code may name, and nothing else. It is not an interface for people: it changes together with the
//! generator, and [`supports`] says which generators it fits.

mod argument;
mod include;

pub use bytes;
pub use chrono;
pub use regress;
pub use reqwest;
pub use serde;
pub use serde_json;

pub use argument::{
    ArgumentType, IntoArgument, IntoArgumentBy, accept, accept_converted, accept_maybe, accept_some, rule,
};

use crate::auth::{Carrier, Credential, TokenKind};
pub use crate::client::dispatch::{argument, written};
pub use crate::client::path_argument::encode as encode_path;
pub use crate::client::query::QueryParam;
// The builders of requests know an error of this name.
pub use crate::client::transport::Unsent as Error;
pub use crate::client::transport::{Answer, Transport, Unsent};

/// The newest form of generated code that this version takes.
const NEWEST: u32 = 1;
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

/// What a client of an API without credentials sends: none.
pub fn no_credential() -> Credential<()> {
    Credential::none()
}

/// Name, variable and carrier of a kind.
pub const fn kind<K: TokenKind>() -> (&'static str, &'static str, Carrier) {
    (K::NAME, K::VARIABLE, K::CARRIER)
}

/// The credential in the first variable that is set.
///
/// # Errors
/// Returns an error if none is set, and for what can be no token.
pub fn credential_from_env(kinds: &[(&str, &str, Carrier)]) -> Result<Credential<()>, crate::error::Error> {
    Credential::from_first_variable(kinds)
}

/// The error of a call to an operation that the client does not have.
pub fn unknown_operation(id: &str) -> crate::error::Error {
    crate::error::Error::unknown_operation(id)
}

/// Bodies as forms.
pub trait RequestBuilderExt: Sized {
    /// Sets the body and its media type.
    ///
    /// # Errors
    /// Returns an error if the body cannot be written as a form.
    fn form_urlencoded<T: serde::Serialize + ?Sized>(self, body: &T) -> Result<Self, Unsent>;
}

impl RequestBuilderExt for reqwest::RequestBuilder {
    fn form_urlencoded<T: serde::Serialize + ?Sized>(self, body: &T) -> Result<Self, Unsent> {
        // What cannot be written is told when the request is built.
        Ok(self.form(body))
    }
}
