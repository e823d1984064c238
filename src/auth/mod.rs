//! Credentials: what they are, where they come from, and how they are kept from being seen.
//!
//! | You have | Give the client | Page |
//! |---|---|---|
//! | a token of an Instasent API | [`LegacyToken`], [`SmsToken`], [`ProductToken`], [`DatasourceToken`] | [`Token`] |
//! | a Scopien API key | [`ScopienKey`]; [`ApiKey`] tells what its prefix says | [`Token`], [`Environment`](crate::Environment) |
//! | a secret that lives elsewhere and is rotated | [`Credential::from_secret`] | [`source`] |
//! | OAuth 2.0 client credentials, or a user's consent | [`Credential::from_source`] | `oauth` (feature `oauth`) |
//! | a client secret to sign JWTs with | [`Credential::from_source`] | `JwtSigner` (feature `jwt`) |
//! | a key to be replaced | a [`Rotation`](rotation::Rotation) | [`rotation`] |
//! | a list of what your program needs | [`Needs`], held against the [`Scopes`] of its token | [`Needs`] |
//!
//! A [`Credential`] is handed over once. It fetches its token when that is first needed, replaces it ahead of expiry, asks
//! its source again on a schedule and after a 401, and serves any number of callers with one fetch. Nothing of it is
//! printed: `Debug` shows a [`Fingerprint`], the header is marked sensitive, secrets are zeroised when they are dropped.
//! Each 401 and 403 is one event of the target `keyfit::auth`, for a security log.

mod access_token;
mod api_key;
mod cache;
mod credential;
mod environment;
mod fingerprint;
mod grants;
mod held;
mod hygiene;
#[cfg(feature = "jwt")]
mod jwt;
#[cfg(feature = "oauth")]
pub mod oauth;
pub mod rotation;
mod secret;
pub mod source;
mod token;

pub use access_token::AccessToken;
pub use api_key::{ApiKey, Mode, Reach};
pub use cache::Refresh;
pub use credential::Credential;
pub use fingerprint::Fingerprint;
pub use grants::{Excess, Needs, Right, Scopes};
pub(crate) use held::Held;
pub use hygiene::{Expiry, Hygiene, HygieneWarning, KeyFacts};
#[cfg(feature = "jwt")]
pub use jwt::{JwtParties, JwtSigner};
pub use secret::Secret;
pub use source::{SecretSource, TokenSource};
pub use token::{
    Datasource, DatasourceToken, Ingest, IngestToken, Legacy, LegacyToken, Product, ProductToken, Scopien, ScopienKey,
    Sms, SmsToken, Token, TokenKind,
};
