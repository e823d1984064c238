//! Token revocation (RFC 7009) and token introspection (RFC 7662).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::Value;

use super::answer::scopes;
use super::outcome::Grant;
use super::wire::Success;
use super::{TokenEndpoint, TokenSet};
use crate::error::Error;

/// The introspection response of a server (RFC 7662, section 2.2).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Introspection {
    /// True if the token is valid now. For a token that is not, the server reports nothing else.
    pub is_active: bool,
    /// The scopes of the token.
    pub scopes: Vec<String>,
    /// When it expires.
    pub expires_at: Option<SystemTime>,
    /// The client that got it.
    pub client_id: Option<String>,
    /// The user or service that it stands for.
    pub subject: Option<String>,
    /// The user's name, for people.
    pub username: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    active: bool,
    scope: Option<Value>,
    exp: Option<u64>,
    client_id: Option<String>,
    sub: Option<String>,
    username: Option<String>,
}

impl TokenEndpoint {
    /// Ends a session at the server: its refresh token is revoked, or where there is none its access token. The stored tokens
    /// are yours to remove, before or after: a server answers for a token that it does not know as for one that it revokes.
    ///
    /// # Errors
    /// Returns an error if there is no [revocation endpoint](super::TokenEndpointBuilder::revocation_endpoint), or it refuses.
    pub async fn revoke(&self, tokens: &TokenSet) -> Result<(), Error> {
        let url = self.further("revocation_endpoint", self.urls().revocation.as_ref())?;
        let (token, kind) = match tokens.refresh_token() {
            Some(token) => (token, "refresh_token"),
            None => (tokens.access().expose(), "access_token"),
        };
        let parameters = vec![("token", token), ("token_type_hint", kind)];
        self.wire().ask(url, Grant::Repeatable, parameters, &[token], |_| Ok(())).await.map_err(|failed| failed.error)
    }

    /// Asks whether a token is good, and for what. For servers that are given tokens.
    ///
    /// # Errors
    /// Returns an error if there is no [introspection endpoint](super::TokenEndpointBuilder::introspection_endpoint), or it
    /// refuses.
    pub async fn introspect(&self, token: &str) -> Result<Introspection, Error> {
        let url = self.further("introspection_endpoint", self.urls().introspection.as_ref())?;
        let (parameters, secrets) = (vec![("token", token)], [token]);
        let asked = self.wire().ask(url, Grant::Repeatable, parameters, &secrets, Success::json::<Answer>);
        let answer = asked.await.map_err(|failed| failed.error)?;
        Ok(Introspection {
            is_active: answer.active,
            scopes: scopes(answer.scope.as_ref()),
            expires_at: answer.exp.and_then(|at| UNIX_EPOCH.checked_add(Duration::from_secs(at))),
            client_id: answer.client_id,
            subject: answer.sub,
            username: answer.username,
        })
    }
}
