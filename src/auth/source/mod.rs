//! Where secrets come from, and how they become access tokens.

#[cfg(feature = "aws")]
pub mod aws;
mod chain;
#[cfg(feature = "command-source")]
mod command;
mod environment;
mod file;
mod json_field;
mod memory;
#[cfg(any(feature = "aws", feature = "vault"))]
mod remote;
#[cfg(any(feature = "aws", feature = "vault"))]
mod store_failure;
mod text;
#[cfg(feature = "vault")]
mod vault;

use std::fmt;
use std::sync::Arc;

use futures_core::future::BoxFuture;
use secrecy::SecretString;

use super::AccessToken;
use crate::Error;

pub use chain::ChainSource;
#[cfg(feature = "command-source")]
pub use command::CommandSource;
pub use environment::EnvSource;
pub use file::FileSource;
pub use json_field::JsonField;
pub use memory::MemorySource;
#[cfg(any(feature = "aws", feature = "vault"))]
pub use store_failure::StoreFailure;
#[cfg(feature = "vault")]
pub use vault::{Vault, VaultSource};

/// A place that holds a secret: an environment variable, a file, a secret store. It is asked again while the program
/// runs, so that a rotated secret is found without a restart.
///
/// Implementations put neither the secret nor any part of it into errors or `Debug`.
pub trait SecretSource: fmt::Debug + Send + Sync + 'static {
    /// Reads the secret as it is now.
    fn read(&self) -> BoxFuture<'_, Result<SecretString, Error>>;
}

/// What hands out access tokens: a secret source, an OAuth grant, a signer of JWTs. It is asked by one caller at a time
/// and need not cache: [`Credential`](super::Credential) does.
pub trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// Gets an access token that is good now.
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, Error>>;

    /// As [`fetch`](Self::fetch), after a server refused the token with 401. For sources that hand out one token again
    /// and again, so that they know when it is no good any more; the default is a fetch.
    fn replace<'a>(&'a self, refused: &'a AccessToken) -> BoxFuture<'a, Result<AccessToken, Error>> {
        let _ = refused;
        self.fetch()
    }
}

impl<S: SecretSource + ?Sized> SecretSource for Arc<S> {
    fn read(&self) -> BoxFuture<'_, Result<SecretString, Error>> {
        (**self).read()
    }
}

impl<S: TokenSource + ?Sized> TokenSource for Arc<S> {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        (**self).fetch()
    }

    fn replace<'a>(&'a self, refused: &'a AccessToken) -> BoxFuture<'a, Result<AccessToken, Error>> {
        (**self).replace(refused)
    }
}
