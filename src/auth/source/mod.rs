//! Where secrets come from, and how they become access tokens.

use std::fmt;
use std::sync::Arc;

use futures_core::future::BoxFuture;
use secrecy::SecretString;

use super::AccessToken;
use crate::Error;

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
}
