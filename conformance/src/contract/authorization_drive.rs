//! The drives of a client's authorization side: logins, token answers, and the passing of time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::authorization::{AuthorizationServer, ClientAuthentication, GrantType};

/// What a client that gets tokens, or signs them, is put before.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthorizationDrive {
    /// Two users who log in: each is sent to the authorization endpoint with every parameter, and with a state of his
    /// own.
    AuthorizationRequest,
    /// Callbacks whose state is missing, another one, of another browser, or of no login: refused with 400 before
    /// anything is sent.
    CallbackState,
    /// A callback with an error: refused with 400 before anything is sent, and the error arrives.
    CallbackError,
    /// A callback for the second time: refused with 400 before anything is sent.
    CallbackOnce,
    /// A code: the verifier that is sent with it fits the challenge that was sent before.
    Verifier,
    /// A code, of a client without a secret: none is sent, and the verifier is.
    PublicClient,
    /// A code and a refresh token: the token requests hold what they must, written as the contract says.
    TokenRequest,
    /// A token endpoint that knows the client by its secret: it comes in the one way that was chosen.
    ClientAuthentication,
    /// Several scopes: they are asked for with a space between them.
    Scopes,
    /// A code for which there are no tokens: nothing is stored or called with.
    FailedExchange,
    /// A refresh for which there are no tokens: the stored ones stay, and refresh later.
    FailedRefresh,
    /// A refresh whose answer has no refresh token: the one at hand is used again.
    RefreshKept,
    /// A refresh whose answer has another refresh token: it is used from then on.
    RefreshReplaced,
    /// A code that gives no refresh token: the access token is used until it expires, and nothing after that.
    WithoutRefresh,
    /// An access token that is about to expire: it is replaced before.
    RefreshAhead,
    /// An access token that is stored, and expires after a restart: it is not sent any more.
    AbsoluteExpiry,
    /// The client's own grant: one token for many calls, another one after it has expired.
    OwnToken,
    /// Several calls at once that need a new token: one token request.
    OneTokenRequest,
    /// Servers that repeat secrets: nothing that the client prints holds one.
    TokensHidden,
    /// A JWT that the client signs: the five claims, whole numbers, good for the time that the contract allows.
    JwtClaims,
    /// A JWT for many calls, and another one before it expires.
    JwtCached,
    /// A secret that is too short to sign with: refused before anything is sent.
    JwtSecret,
}

impl AuthorizationDrive {
    /// Returns the variants of its case; empty if it does not apply to this authorization server.
    pub(crate) fn variants(self, server: &AuthorizationServer) -> Vec<Option<String>> {
        let (codes, refreshes) = (server.grants(GrantType::AuthorizationCode), server.grants(GrantType::RefreshToken));
        let (owns, signs) = (server.grants(GrantType::ClientCredentials), server.jwt.is_some());
        let when = |applies: bool, names: &[&str]| -> Vec<Option<String>> {
            names.iter().filter(|_| applies).map(|name| Some((*name).to_owned())).collect()
        };
        let once_when = |applies: bool| if applies { vec![None] } else { Vec::new() };
        match self {
            Self::CallbackState => when(codes, &["missing", "another", "not-started", "another-browser", "neither"]),
            Self::ClientAuthentication => [
                when(codes && server.takes(ClientAuthentication::Body), &["body"]),
                when(codes && server.takes(ClientAuthentication::Basic), &["basic"]),
            ]
            .concat(),
            Self::FailedExchange => when(codes, &["refused", "without-token", "page"]),
            Self::FailedRefresh => when(codes && refreshes, &["refused", "without-token", "page"]),
            Self::RefreshKept | Self::RefreshReplaced | Self::RefreshAhead | Self::AbsoluteExpiry => {
                once_when(codes && refreshes)
            }
            Self::OneTokenRequest => {
                [when(codes && refreshes, &["refresh"]), when(owns, &["client-credentials"])].concat()
            }
            Self::TokensHidden => {
                [when(codes, &["code"]), when(owns, &["client-credentials"]), when(signs, &["jwt"])].concat()
            }
            Self::OwnToken => once_when(owns),
            Self::JwtClaims | Self::JwtCached | Self::JwtSecret => once_when(signs),
            Self::Scopes => once_when((codes || owns) && server.scopes.len() > 1),
            _ => once_when(codes),
        }
    }
}
