//! The response of a token endpoint: an access token, and the refresh token for the next one.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::auth::{AccessToken, Fingerprint, Secret};
use crate::error::Error;

/// The tokens of one user or service. Zeroised on drop, and neither printed nor serialised: a
/// [`TokenStore`](super::TokenStore) writes them down.
///
/// # Stores of your own
/// [`to_json`](Self::to_json) and [`from_json`](Self::from_json) keep all of a set. A store with columns for the tokens, the
/// expiry and the scopes alone loses three facts, which costs no session: why there is no refresh token
/// ([`is_redeemed`](Self::is_redeemed)), that a server takes one again ([`is_reusable`](Self::is_reusable)), and the one that was sent, which
/// a server with a [grace period](super::TokenEndpointBuilder::refresh_grace_period) takes for a while.
#[derive(Clone)]
pub struct TokenSet {
    access: AccessToken,
    refresh: Option<SecretString>,
    scopes: Vec<String>,
    is_redeemed: bool,
    is_reusable: bool,
    /// The refresh token that was sent, and from before when on, for a server that takes it again for a while.
    sent: Option<Sent>,
}

#[derive(Clone)]
struct Sent {
    token: SecretString,
    at: SystemTime,
}

impl TokenSet {
    /// A set without refresh token and of unknown scopes.
    pub fn new(access: AccessToken) -> Self {
        Self { access, refresh: None, scopes: Vec::new(), is_redeemed: false, is_reusable: false, sent: None }
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
    /// the ones at hand stay in force (RFC 6749, section 6); a server that leaves the refresh token in force takes it again.
    #[must_use]
    pub fn merge(&self, newer: Self) -> Self {
        let refresh = self.refresh.as_ref().or(self.sent.as_ref().map(|sent| &sent.token));
        let is_kept =
            newer.refresh_token().is_none_or(|token| refresh.is_some_and(|refresh| refresh.expose_secret() == token));
        Self {
            access: newer.access,
            is_reusable: is_kept && refresh.is_some(),
            refresh: newer.refresh.or_else(|| refresh.cloned()),
            scopes: if newer.scopes.is_empty() { self.scopes.clone() } else { newer.scopes },
            is_redeemed: false,
            sent: None,
        }
    }

    /// What is kept while the refresh token is on its way to the server, and for good where nobody learns what came of it:
    /// a set without that token, so that no process can send it again. Where the server takes it again for a while, it stands aside
    /// with the time from which that counts.
    #[must_use]
    pub(super) fn redeemed(&self, kept_from: Option<SystemTime>) -> Self {
        let sent = self.refresh.clone().zip(kept_from).map(|(token, at)| Sent { token, at });
        Self { refresh: None, is_redeemed: true, sent, ..self.clone() }
    }

    /// The refresh token that was sent, and from before when on.
    pub(super) fn sent(&self) -> Option<(&str, SystemTime)> {
        self.sent.as_ref().map(|sent| (sent.token.expose_secret(), sent.at))
    }

    /// With another refresh token, for an answer of which nothing else can be used.
    #[must_use]
    pub(super) fn rotated(&self, refresh: SecretString) -> Self {
        Self { refresh: Some(refresh), is_redeemed: false, is_reusable: false, sent: None, ..self.clone() }
    }

    /// With all times moved, for a store that knows another clock than this machine's.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    #[must_use]
    pub(in crate::auth) fn with_times(mut self, moved: impl Fn(SystemTime) -> SystemTime) -> Self {
        let expires_at = self.expires_at().map(&moved);
        self.access = self.access.expiring_at(expires_at);
        self.sent = self.sent.map(|sent| Sent { at: moved(sent.at), ..sent });
        self
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

    /// Returns whether the refresh token was sent and no new set was saved: a refresh is in flight, or was cut off.
    pub fn is_redeemed(&self) -> bool {
        self.is_redeemed
    }

    /// Returns whether the server left the refresh token in force when it was last used, so that it accepts it again.
    pub fn is_reusable(&self) -> bool {
        self.is_reusable
    }

    /// The set as JSON, secrets included, for a store that keeps it. Zeroised on drop.
    pub fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let since = |time: SystemTime| time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let written = Written {
            access_token: self.access.expose(),
            refresh_token: self.refresh_token(),
            expires_at: self.expires_at().map(since),
            scopes: &self.scopes,
            is_redeemed: self.is_redeemed,
            is_reusable: self.is_reusable,
            sent: self.sent().map(|(refresh_token, at)| WrittenSent { refresh_token, at: since(at) }),
        };
        // Texts, numbers and flags: there is nothing in it that JSON cannot say.
        Zeroizing::new(serde_json::to_vec(&written).unwrap_or_default())
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// Returns an error if it is anything else. The message shows nothing of it.
    pub fn from_json(text: &[u8]) -> Result<Self, Error> {
        // The parser's own words could repeat a part of a token.
        let stored: Stored =
            serde_json::from_slice(text).map_err(|_| Error::credential("it holds no tokens as Keyfit writes them"))?;
        let time = |at| UNIX_EPOCH.checked_add(Duration::from_secs(at));
        let expires_at = stored.expires_at.and_then(time);
        let sent =
            stored.sent.and_then(|sent| Some(Sent { token: sent.refresh_token.expose().into(), at: time(sent.at)? }));
        Ok(Self {
            access: AccessToken::new(stored.access_token.expose()).expiring_at(expires_at),
            refresh: stored.refresh_token.map(|token| SecretString::from(token.expose())),
            scopes: stored.scopes,
            is_redeemed: stored.is_redeemed,
            is_reusable: stored.is_reusable,
            sent,
        })
    }

    /// Returns true if both sets hold the same tokens.
    pub(super) fn has_tokens_of(&self, other: &Self) -> bool {
        self.access.expose() == other.access.expose()
            && self.refresh_token() == other.refresh_token()
            && self.sent().map(|(token, _)| token) == other.sent().map(|(token, _)| token)
    }

    /// Every secret in here, to be masked in what a server says.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        let sent = self.sent().map(|(token, _)| token);
        [Some(self.access.expose()), self.refresh_token(), sent].into_iter().flatten()
    }
}

impl fmt::Debug for TokenSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSet")
            .field("access", &self.access)
            .field("refresh", &self.refresh_token().map(Fingerprint::of))
            .field("scopes", &self.scopes)
            .field("is_redeemed", &self.is_redeemed)
            .field("is_reusable", &self.is_reusable)
            .field("sent", &self.sent().map(|(token, at)| (Fingerprint::of(token), at)))
            .finish()
    }
}

/// A set as it is written.
#[derive(Serialize)]
struct Written<'a> {
    access_token: &'a str,
    refresh_token: Option<&'a str>,
    /// Seconds since 1970.
    expires_at: Option<u64>,
    scopes: &'a [String],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_redeemed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_reusable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<WrittenSent<'a>>,
}

#[derive(Serialize)]
struct WrittenSent<'a> {
    refresh_token: &'a str,
    /// Seconds since 1970.
    at: u64,
}

#[derive(Deserialize)]
struct Stored {
    access_token: Secret,
    refresh_token: Option<Secret>,
    expires_at: Option<u64>,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    is_redeemed: bool,
    #[serde(default)]
    is_reusable: bool,
    sent: Option<StoredSent>,
}

#[derive(Deserialize)]
struct StoredSent {
    refresh_token: Secret,
    at: u64,
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
    fn a_server_that_leaves_the_refresh_token_in_force_takes_it_again() {
        let old = set("a1").refresh("r1");
        assert!(!old.is_reusable());
        assert!(old.merge(set("a2")).is_reusable() && old.merge(set("a2").refresh("r1")).is_reusable());
        assert!(!old.merge(set("a2").refresh("r2")).is_reusable());
        assert!(!set("a1").merge(set("a2")).is_reusable(), "there is none");
    }

    #[test]
    fn a_refresh_token_that_was_sent_stands_aside_and_stays_in_force_where_the_answer_leaves_it_out() {
        let sent = set("a1").refresh("r1").redeemed(Some(UNIX_EPOCH));
        assert_eq!((sent.refresh_token(), sent.sent(), sent.is_redeemed()), (None, Some(("r1", UNIX_EPOCH)), true));
        let merged = sent.merge(set("a2"));
        assert_eq!((merged.refresh_token(), merged.sent(), merged.is_redeemed()), (Some("r1"), None, false));
        assert_eq!(sent.merge(set("a2").refresh("r2")).refresh_token(), Some("r2"));
    }

    #[test]
    fn all_of_a_set_is_written_and_read() {
        let at = UNIX_EPOCH + Duration::from_secs(5000);
        let old = TokenSet::new(AccessToken::new("a").expiring_at(at)).refresh("r").granting(["read"]);
        for set in [old.clone(), old.merge(set("b")), old.redeemed(None), old.redeemed(Some(at)), set("a")] {
            let read = TokenSet::from_json(&set.to_json()).expect("a set");
            assert_eq!(format!("{read:?}"), format!("{set:?}"));
            assert!(read.has_tokens_of(&set));
        }
        // As it was written before there were flags.
        let earlier = TokenSet::from_json(br#"{"access_token":"a","refresh_token":"r","expires_at":null}"#);
        assert_eq!(earlier.expect("a set").refresh_token(), Some("r"));
    }

    #[test]
    fn a_set_does_not_print_its_tokens() {
        let set = set("do-not-print-1").refresh("do-not-print-2");
        let shown = format!("{set:?} {:?}", set.redeemed(Some(UNIX_EPOCH)));
        assert!(!shown.contains("do-not-print"), "{shown}");
    }
}
