//! Credentials: what they are, where they come from, and how they are kept from being seen.
//!
//! | You have | Give the client | Page |
//! |---|---|---|
//! | a token or an API key | one of the token types in the module of the client | [`Token`] |
//! | several of these | all of them, as a pair or a triple | [`IntoCredential`] |
//! | a client certificate, for mutual TLS | [`Config::client_certificate`](crate::Config::client_certificate) | `ClientCertificate` (feature `rustls`) |
//! | keys that tell where they may be used | | [`TokenCheck`] |
//! | a secret that lives elsewhere and is rotated | [`Credential::from_secret`] | [`source`]: variable, file, command, Vault, AWS |
//! | a user's consent, or the client credentials of a service | [`Credential::from_source`] | [`oauth`] (feature `oauth`) |
//! | a client secret or a private key to sign JWTs with | [`Credential::from_source`] | [`JwtSigner`] (feature `jwt`) |
//! | a key to be replaced | | [`rotation`] |
//! | processes that share a session, a token or a rotation | | `store` (features `postgres`, `sqlite`) |
//! | a token that may do too little, or too much | | [`Needs`], held against the [`Scopes`] of the token |
//! | a key that is old, endless or almost used up | | [`Hygiene`] |
//!
//! A [`Credential`] is handed over once. It fetches its token when that is first needed, replaces it ahead of expiry, asks
//! its source again on a schedule and after a 401, and serves any number of callers with one fetch ([`Refresh`] has the
//! times). A failed fetch is an [`Error`](crate::Error) of the call that needs the token, and nothing is sent. Nothing of
//! it is printed: `Debug` shows a [`Fingerprint`], the header is marked sensitive, secrets are zeroised when they are dropped.
//! Each 401 and 403 is one event of the target `keyfit::auth`, for a security log.

mod access_token;
mod cache;
mod carrier;
#[cfg(feature = "rustls-no-provider")]
mod certificate;
mod credential;
mod credential_kind;
pub(crate) mod environment;
mod fingerprint;
mod grants;
mod held;
pub(crate) mod http;
mod hygiene;
#[cfg(feature = "jwt")]
mod jwt;
mod kind;
mod kind_credential;
#[cfg(feature = "oauth")]
pub mod oauth;
mod oauth_flow;
pub mod rotation;
mod secret;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod secret_file;
pub mod source;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub mod store;
pub(crate) mod token;
mod token_check;

pub use access_token::AccessToken;
pub use cache::Refresh;
pub use carrier::Carrier;
#[cfg(feature = "rustls-no-provider")]
pub use certificate::ClientCertificate;
pub use credential::{Credential, IntoCredential};
pub use credential_kind::CredentialKind;
pub use fingerprint::Fingerprint;
pub use grants::{Excess, Needs, Right, Scopes};
pub(crate) use held::{Carried, Held};
pub use hygiene::{Expiry, Hygiene, HygieneWarning, KeyFacts};
#[cfg(feature = "jwt")]
pub use jwt::{JwtAlgorithm, JwtKey, JwtParties, JwtSigner};
pub use kind::{BasicKind, Opens, TokenKind};
pub(crate) use kind_credential::KindCredential;
pub use oauth_flow::OAuthFlow;
pub use secret::{Secret, with_secrets};
pub use source::{SecretSource, TokenSource};
pub use token::Token;
pub use token_check::TokenCheck;
