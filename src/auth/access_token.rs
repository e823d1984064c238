//! An access token with the time at which it expires.

use std::fmt;
use std::time::SystemTime;

use secrecy::{ExposeSecret as _, SecretString};

use super::Fingerprint;

/// An access token (RFC 6749, section 1.4), an API key or a signed JWT: the text that a [`Carrier`](super::Carrier) puts into requests.
/// Zeroised on drop, never printed.
#[derive(Clone)]
pub struct AccessToken {
    secret: SecretString,
    expires_at: Option<SystemTime>,
}

impl AccessToken {
    /// A token that does not expire by itself.
    pub fn new(secret: impl Into<SecretString>) -> Self {
        Self { secret: secret.into(), expires_at: None }
    }

    /// Sets the time from which the server refuses the token. `None`, the default, means that it does not expire.
    #[must_use]
    pub fn expiring_at(mut self, time: impl Into<Option<SystemTime>>) -> Self {
        self.expires_at = time.into();
        self
    }

    /// Returns the time at which the token expires.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }

    /// Returns the text. Do not print it.
    pub fn expose(&self) -> &str {
        self.secret.expose_secret()
    }

    /// Returns a name for the token that may be printed.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.expose())
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("fingerprint", &self.fingerprint())
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
