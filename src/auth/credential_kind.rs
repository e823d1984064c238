//! A kind of token, as data.

use super::{Carrier, OAuthFlow, TokenKind};

/// A kind of token that opens an API, as data: a profile uses it to make a credential. Generated clients have
/// the kinds of their API in [`Connect::KINDS`](crate::Connect::KINDS).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct CredentialKind {
    /// Its name in the document or the contract.
    pub name: &'static str,
    /// The environment variable that holds a token, if there is one.
    pub variable: Option<&'static str>,
    /// The place of the token in requests.
    pub carrier: Carrier,
    /// The OAuth flow by which a service gets one with client credentials, if the document describes it.
    pub flow: Option<OAuthFlow>,
}

impl CredentialKind {
    /// Makes a kind of which only the name and the carrier are known.
    pub const fn new(name: &'static str, carrier: Carrier) -> Self {
        Self { name, variable: None, carrier, flow: None }
    }

    /// Makes the data of a kind that is a type.
    pub const fn of<K: TokenKind>() -> Self {
        Self { name: K::NAME, variable: Some(K::VARIABLE), carrier: K::CARRIER, flow: None }
    }

    /// Returns the kind with its [variable](Self::variable).
    #[must_use]
    pub const fn with_variable(self, variable: &'static str) -> Self {
        Self { variable: Some(variable), ..self }
    }

    /// Returns the kind with its [flow](Self::flow).
    #[must_use]
    pub const fn with_flow(self, flow: OAuthFlow) -> Self {
        Self { flow: Some(flow), ..self }
    }
}
