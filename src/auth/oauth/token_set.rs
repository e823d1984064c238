//! What a token endpoint gives: an access token, and what gets the next one.

use std::fmt;
use std::time::SystemTime;

use secrecy::{ExposeSecret, SecretString};

use crate::auth::{AccessToken, Fingerprint};

/// The tokens of one user or service. Zeroised on drop, and neither printed nor serialised: a
/// [`TokenStore`](super::TokenStore) writes them down.
#[derive(Clone)]
pub struct TokenSet {
    access: AccessToken,
    refresh: Option<SecretString>,
    scopes: Vec<String>,
}

impl TokenSet {
    /// A set without refresh token and of unknown scopes.
    pub fn new(access: AccessToken) -> Self {
        Self { access, refresh: None, scopes: Vec::new() }
    }

    /// With the token that gets the next set.
    #[must_use]
    pub fn refresh(mut self, token: impl Into<SecretString>) -> Self {
        self.refresh = Some(token.into());
        self
    }

    /// With the scopes that were granted.
    #[must_use]
    pub fn granting<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// These tokens, renewed by an answer of the server. Where the answer leaves out the refresh token or the scopes,
    /// the ones at hand stay in force (RFC 6749, section 6).
    #[must_use]
    pub fn merge(&self, newer: Self) -> Self {
        Self {
            access: newer.access,
            refresh: newer.refresh.or_else(|| self.refresh.clone()),
            scopes: if newer.scopes.is_empty() { self.scopes.clone() } else { newer.scopes },
        }
    }

    /// The access token.
    pub fn access(&self) -> &AccessToken {
        &self.access
    }

    /// The refresh token, where the server gave one. Do not print it.
    pub fn refresh_token(&self) -> Option<&str> {
        self.refresh.as_ref().map(ExposeSecret::expose_secret)
    }

    /// When the access token expires, where the server said so.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.access.expires_at()
    }

    /// The scopes that were granted, which may be fewer than were asked for. Empty where nobody said.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Whether both sets hold the same tokens.
    pub(super) fn has_tokens_of(&self, other: &Self) -> bool {
        self.access.expose() == other.access.expose() && self.refresh_token() == other.refresh_token()
    }

    /// Every secret in here, to be masked in what a server says.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        [Some(self.access.expose()), self.refresh_token()].into_iter().flatten()
    }
}

impl fmt::Debug for TokenSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSet")
            .field("access", &self.access)
            .field("refresh", &self.refresh_token().map(Fingerprint::of))
            .field("scopes", &self.scopes)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(access: &str) -> TokenSet {
        TokenSet::new(AccessToken::new(access))
    }

    #[test]
    fn what_the_server_leaves_out_stays_in_force() {
        let merged = set("a1").refresh("r1").granting(["read"]).merge(set("a2"));
        assert_eq!((merged.access().expose(), merged.refresh_token()), ("a2", Some("r1")));
        assert_eq!(merged.scopes(), ["read"]);
    }

    #[test]
    fn what_the_server_says_replaces_what_was_there() {
        let merged = set("a1").refresh("r1").granting(["read"]).merge(set("a2").refresh("r2").granting(["write"]));
        assert_eq!((merged.refresh_token(), merged.scopes()), (Some("r2"), ["write".to_owned()].as_slice()));
    }

    #[test]
    fn a_set_does_not_print_its_tokens() {
        let shown = format!("{:?}", set("do-not-print-1").refresh("do-not-print-2"));
        assert!(!shown.contains("do-not-print"), "{shown}");
    }
}
