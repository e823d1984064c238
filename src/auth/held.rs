//! A token in use: the text, its header, and its place in the row of tokens.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::{AccessToken, Carrier};
use crate::error::api::UNKNOWN;
use crate::error::redact::Redactor;
use crate::error::{Api, Error};

/// An access token as requests to an API carry it. Cloning shares it.
#[derive(Clone)]
pub(crate) struct Held {
    pub(super) token: Arc<AccessToken>,
    /// None where the API takes no credential.
    header: Option<(HeaderName, HeaderValue)>,
    /// Made for the first error, and for all after it.
    redactor: Arc<OnceLock<Redactor>>,
    /// Higher for newer tokens of one cache.
    generation: u64,
    /// The API that it is sent to.
    api: &'static Api,
}

impl Held {
    /// Builds the header.
    pub(super) fn new(token: AccessToken, carrier: Carrier, generation: u64) -> Result<Self, Error> {
        let header = Some(carrier.header(token.expose())?);
        Ok(Self { token: Arc::new(token), header, redactor: Arc::default(), generation, api: &UNKNOWN })
    }

    /// What is sent where the API takes no credential: nothing.
    pub(super) fn nothing() -> Self {
        Self {
            token: Arc::new(AccessToken::new("")),
            header: None,
            redactor: Arc::default(),
            generation: 0,
            api: &UNKNOWN,
        }
    }

    /// The same token, on its way to an API.
    pub(crate) fn sent_to(self, api: &'static Api) -> Self {
        Self { api, ..self }
    }

    /// The API that it is sent to.
    pub(crate) fn api(&self) -> &'static Api {
        self.api
    }

    /// Puts the token where it is carried; what stood there is replaced.
    pub(crate) fn authorize(&self, headers: &mut HeaderMap) {
        if let Some((name, value)) = &self.header {
            headers.insert(name, value.clone());
        }
    }

    /// Whether there is no token.
    pub(crate) fn is_nothing(&self) -> bool {
        self.header.is_none()
    }

    pub(crate) fn token(&self) -> &AccessToken {
        &self.token
    }

    /// Masks the token in what a server says, and what looks like another one of the API.
    pub(crate) fn redactor(&self) -> Redactor {
        let own = self.redactor.get_or_init(|| Redactor::of_client([self.token.expose()]));
        own.clone().with_prefixes(self.api.secret_prefixes)
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
        let held = Held::new(AccessToken::new("do-not-print-me"), Carrier::Bearer, 1).expect("a header");
        let mut headers = HeaderMap::new();
        held.authorize(&mut headers);
        assert_eq!(format!("{headers:?}"), r#"{"authorization": Sensitive}"#);
        assert!(!format!("{held:?}").contains("do-not"));
    }
}
