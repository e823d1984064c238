//! A token in use: the text, its header, and its place in the row of tokens.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use reqwest::header::HeaderValue;

use super::AccessToken;
use crate::Error;

/// An access token as requests carry it. Cloning shares it.
#[derive(Clone)]
pub(crate) struct Held {
    pub(super) token: Arc<AccessToken>,
    authorization: HeaderValue,
    /// Higher for newer tokens of one cache.
    generation: u64,
}

impl Held {
    /// Builds the header, marked sensitive so that no `Debug` shows it.
    pub(super) fn new(token: AccessToken, generation: u64) -> Result<Self, Error> {
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", token.expose()))
            .map_err(|_| Error::credential("the token cannot be sent in a header"))?;
        authorization.set_sensitive(true);
        Ok(Self { token: Arc::new(token), authorization, generation })
    }

    /// `Bearer <token>`.
    pub(crate) fn authorization(&self) -> HeaderValue {
        self.authorization.clone()
    }

    pub(crate) fn token(&self) -> &AccessToken {
        &self.token
    }

    /// Its place in the row of tokens.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn is_expired(&self, now: SystemTime) -> bool {
        self.token.expires_at().is_some_and(|time| time <= now)
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("token", &self.token).field("generation", &self.generation).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_does_not_print() {
        let held = Held::new(AccessToken::new("do-not-print-me"), 1).expect("a header");
        assert_eq!(format!("{:?}", held.authorization()), "Sensitive");
        assert!(!format!("{held:?}").contains("do-not"));
    }
}
