//! Credentials: what they are, where they come from, and how they are kept from being seen.

mod environment;
mod secret;
mod token;

pub use secret::Secret;
pub(crate) use token::Bearer;
pub use token::{
    Datasource, DatasourceToken, IngestToken, Legacy, LegacyToken, Product, ProductToken, Scopien, ScopienKey, Sms,
    SmsToken, Token, TokenKind,
};
