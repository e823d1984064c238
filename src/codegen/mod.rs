//! What generated code may name, and nothing else. It is not an interface for people: it changes together with the
//! generator, and [`supports`] says which generators it fits.

mod argument;
mod query;
mod row;

pub use bytes;
pub use chrono;
pub use regress;
pub use reqwest;
pub use serde;
pub use serde_json;

pub use argument::{
    ArgumentType, IntoArgument, IntoArgumentBy, accept, accept_converted, accept_maybe, accept_some, rule,
};
pub use query::QueryParam;
pub use row::Row;

#[cfg(feature = "dispatch")]
pub use crate::dispatch::{argument, written};
pub use crate::path_argument::encode as encode_path;
// The builders of requests know an error of this name.
pub use crate::runtime::Unsent as Error;
pub use crate::runtime::{Answer, Transport, Unsent};

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

/// The error of a call to an operation that the client does not have.
#[cfg(feature = "dispatch")]
pub fn unknown_operation(id: &str) -> crate::Error {
    crate::Error::unknown_operation(id)
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
