//! A token in use: the text, its header, and its place in the row of tokens.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use reqwest::Request;

use super::carrier::Place;
use super::{AccessToken, Carrier};
use crate::error::api::UNKNOWN;
use crate::error::redact::Redactor;
use crate::error::{Api, Error};

/// An access token as requests to an API carry it. Cloning shares it.
#[derive(Clone)]
pub(crate) struct Held {
    pub(super) token: Arc<AccessToken>,
    /// None where no credential is sent.
    place: Option<Place>,
    /// Where it is a user and a password.
    is_login: bool,
    /// Made for the first error, and for all after it.
    redactor: Arc<OnceLock<Redactor>>,
    /// Higher for newer tokens of one cache.
    generation: u64,
    /// The API that it is sent to.
    api: &'static Api,
}

impl Held {
    /// Finds its place.
    pub(super) fn new(token: AccessToken, carrier: Carrier, generation: u64) -> Result<Self, Error> {
        let (place, is_login) = (Some(carrier.place(token.expose())?), carrier == Carrier::Basic);
        Ok(Self { token: Arc::new(token), place, is_login, redactor: Arc::default(), generation, api: &UNKNOWN })
    }

    /// What is sent where no credential is: nothing.
    pub(crate) fn nothing() -> Self {
        Self {
            token: Arc::new(AccessToken::new("")),
            place: None,
            is_login: false,
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
    pub(crate) fn authorize(&self, request: &mut Request) {
        if let Some(place) = &self.place {
            place.put(self.token.expose(), request);
        }
    }

    /// Whether there is no token.
    pub(crate) fn is_nothing(&self) -> bool {
        self.place.is_none()
    }

    pub(crate) fn token(&self) -> &AccessToken {
        &self.token
    }

    /// Masks the token in what a server says, and what looks like another one of the API.
    pub(crate) fn redactor(&self) -> Redactor {
        let own = self.redactor.get_or_init(|| {
            let whole = self.token.expose();
            let password = whole.split_once(':').map(|(_, password)| password).filter(|_| self.is_login);
            Redactor::of_client([whole].into_iter().chain(password))
        });
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
        let mut request = Request::new(reqwest::Method::GET, "https://a.example".parse().expect("a URL"));
        held.authorize(&mut request);
        assert_eq!(format!("{:?}", request.headers()), r#"{"authorization": Sensitive}"#);
        assert!(!format!("{held:?}").contains("do-not"));
    }

    #[test]
    fn the_password_of_a_login_is_masked_alone_too() {
        let held = Held::new(AccessToken::new("ada:do-not-print-me"), Carrier::Basic, 1).expect("a header");
        let masked = held.redactor().mask("no do-not-print-me for ada").into_owned();
        assert_eq!(masked, "no [redacted] for ada");
    }
}
