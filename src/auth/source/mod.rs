//! Where secrets come from, and how they become access tokens.
//!
//! | Source | The secret is | Limits | Feature |
//! |---|---|---|---|
//! | [`EnvSource`] | an environment variable | not blank | |
//! | [`FileSource`] | a file, without the line break at its end | 64 KiB; a regular file of this user or root | |
//! | [`CommandSource`] | what a command prints, without the line break at its end | 64 KiB, 10 s | `command-source` |
//! | [`VaultSource`], by [`Vault`] | a field in HashiCorp Vault, key-value version 2 | 1 MiB, 10 s to connect, 30 s in all | `vault` |
//! | [`aws::SecretsManagerSource`] | a text, or a field of it, in AWS Secrets Manager | as Vault | `aws` |
//! | [`JsonField`] | a field of another source's JSON | not blank | |
//! | [`ChainSource`] | the first of several sources that answers | | |
//! | [`MemorySource`] | in the program | | |
//!
//! Any of them makes a [`Credential`](super::Credential), and is the client secret of
//! [`oauth`](super::oauth), the key of a [`JwtSigner`](super::JwtSigner), the token of a [`Vault`]:
//!
//! ```
//! use std::time::Duration;
//!
//! use keyfit::auth::source::{ChainSource, EnvSource, FileSource};
//! use keyfit::auth::{Credential, Refresh};
//! use keyfit::scopien::{Client, kind};
//!
//! # fn main() -> Result<(), keyfit::Error> {
//! // The mounted secret in production, a variable on a developer's machine. Asked again every minute of use.
//! let source = ChainSource::new().then(FileSource::new("/run/secrets/scopien")).then(EnvSource::new("SCOPIEN_API_KEY"));
//! let refresh = Refresh::default().recheck(Duration::from_secs(60));
//! let credential: Credential<kind::Key> = Credential::from_secret_refreshed(source, refresh);
//! let client = Client::new(credential)?;
//! # let _ = client;
//! # Ok(())
//! # }
//! ```
//!
//! A source is asked when the token is first needed, then every five minutes of use, and when the server answers 401. While
//! it fails, the token at hand is used. What a source says is an [`Error`] of kind
//! [`Credential`](crate::ErrorKind::Credential), which names the place and never the secret; [`StoreFailure::of`] tells why
//! Vault or AWS gave none. A secret is taken as it is: a token with a space or a line break in it is refused, not trimmed.
//!
//! Sources of your own need two names of other crates, which are here: [`BoxFuture`] and [`SecretString`].

#[cfg(feature = "aws")]
pub mod aws;
mod chain;
#[cfg(feature = "command-source")]
mod command;
mod environment;
#[cfg(not(target_family = "wasm"))]
mod file;
mod json_field;
mod memory;
#[cfg(any(feature = "aws", feature = "vault"))]
mod remote;
#[cfg(any(feature = "aws", feature = "vault"))]
mod store_failure;
#[cfg(not(target_family = "wasm"))]
mod text;
#[cfg(feature = "vault")]
mod vault;

use std::fmt;
use std::sync::Arc;

pub use futures_core::future::BoxFuture;
pub use secrecy::{ExposeSecret, SecretString};

use super::AccessToken;
use crate::error::Error;

pub use chain::ChainSource;
#[cfg(feature = "command-source")]
pub use command::CommandSource;
pub use environment::EnvSource;
#[cfg(not(target_family = "wasm"))]
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
///
/// ```
/// use keyfit::Error;
/// use keyfit::auth::SecretSource;
/// use keyfit::auth::source::{BoxFuture, ExposeSecret as _, SecretString};
///
/// #[derive(Debug)]
/// struct Keyring;
///
/// impl SecretSource for Keyring {
///     fn read(&self) -> BoxFuture<'_, Result<SecretString, Error>> {
///         Box::pin(async { look_up("product").ok_or_else(|| Error::credential("the keyring has no `product`: add it")) })
///     }
/// }
/// # fn look_up(_: &str) -> Option<SecretString> { Some("hush".into()) }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Error> {
/// assert_eq!(Keyring.read().await?.expose_secret(), "hush");
/// # Ok(())
/// # }
/// ```
pub trait SecretSource: fmt::Debug + Send + Sync + 'static {
    /// Reads the secret as it is now.
    fn read(&self) -> BoxFuture<'_, Result<SecretString, Error>>;
}

/// A source of access tokens: a secret source, an OAuth grant, a signer of JWTs. It is asked by one caller at a time
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
