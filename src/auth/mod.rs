//! Credentials: what they are, where they come from, and how they are kept from being seen.

mod access_token;
mod cache;
mod credential;
mod environment;
mod fingerprint;
mod held;
#[cfg(feature = "oauth")]
pub mod oauth;
pub mod rotation;
mod secret;
pub mod source;
mod token;

pub use access_token::AccessToken;
pub use cache::Refresh;
pub use credential::Credential;
pub use fingerprint::Fingerprint;
pub(crate) use held::Held;
pub use secret::Secret;
pub use source::{SecretSource, TokenSource};
pub use token::{
    Datasource, DatasourceToken, Ingest, IngestToken, Legacy, LegacyToken, Product, ProductToken, Scopien, ScopienKey,
    Sms, SmsToken, Token, TokenKind,
};
