//! Credentials: what they are, where they come from, and how they are kept from being seen.

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
