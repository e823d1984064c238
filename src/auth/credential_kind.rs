//! A kind of token, as data.

use super::{Carrier, OAuthFlow, TokenKind};

/// A kind of token that opens an API, as data: what a profile needs to make a credential of what it names. Generated clients have
/// those of their API in [`Connect::KINDS`](crate::Connect::KINDS).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct CredentialKind {
    /// Its name in the document or the contract.
    pub name: &'static str,
    /// The environment variable that holds one, where there is one.
    pub variable: Option<&'static str>,
    /// Where requests carry it.
    pub carrier: Carrier,
    /// How a service gets one by client credentials, where the document says it.
    pub flow: Option<OAuthFlow>,
}

impl CredentialKind {
    /// A kind of which no more is known than its name and where requests carry it.
    pub const fn new(name: &'static str, carrier: Carrier) -> Self {
        Self { name, variable: None, carrier, flow: None }
    }

    /// A kind that is a type.
    pub const fn of<K: TokenKind>() -> Self {
        Self { name: K::NAME, variable: Some(K::VARIABLE), carrier: K::CARRIER, flow: None }
    }

    /// The same, with its [variable](Self::variable).
    #[must_use]
    pub const fn with_variable(self, variable: &'static str) -> Self {
        Self { variable: Some(variable), ..self }
    }

    /// The same, with its [flow](Self::flow).
    #[must_use]
    pub const fn with_flow(self, flow: OAuthFlow) -> Self {
        Self { flow: Some(flow), ..self }
    }
}
