//! Credentials: what they are, where they come from, and how they are kept from being seen.

mod access_token;
mod environment;
mod fingerprint;
pub mod rotation;
mod secret;
pub mod source;
mod token;

pub use access_token::AccessToken;
pub use fingerprint::Fingerprint;
pub use secret::Secret;
pub use source::{SecretSource, TokenSource};
pub(crate) use token::Bearer;
pub use token::{
    Datasource, DatasourceToken, IngestToken, Legacy, LegacyToken, Product, ProductToken, Scopien, ScopienKey, Sms,
    SmsToken, Token, TokenKind,
};
