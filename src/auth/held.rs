//! A token in use, and the tokens of one request.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use super::carrier::Place;
use super::{AccessToken, Carrier};
use crate::error::redact::Redactor;
use crate::error::{Api, Error};
use crate::http_client::Request;

/// An access token, encoded for its place in requests, with its generation in the cache. Clones share it.
#[derive(Clone)]
pub(crate) struct Held(Arc<Inner>);

struct Inner {
    token: AccessToken,
    place: Place,
    /// True if the token is a user and a password.
    is_login: bool,
    /// Made for the first error, and shared by all later ones.
    redactor: OnceLock<Redactor>,
    /// Higher for newer tokens of one cache.
    generation: u64,
}

impl Held {
    /// Encodes the token for its carrier.
    pub(super) fn new(token: AccessToken, carrier: Carrier, generation: u64) -> Result<Self, Error> {
        let (place, is_login) = (carrier.place(token.expose())?, carrier == Carrier::Basic);
        Ok(Self(Arc::new(Inner { token, place, is_login, redactor: OnceLock::new(), generation })))
    }

    pub(crate) fn token(&self) -> &AccessToken {
        &self.0.token
    }

    /// Returns its generation in the cache.
    pub(crate) fn generation(&self) -> u64 {
        self.0.generation
    }

    pub(super) fn is_expired(&self, now: SystemTime) -> bool {
        self.0.token.expires_at().is_some_and(|time| time <= now)
    }

    /// Returns the texts to mask: the whole token and, for a login, also the password alone.
    fn secrets(&self) -> impl Iterator<Item = &str> {
        let whole = self.0.token.expose();
        let password = whole.split_once(':').map(|(_, password)| password).filter(|_| self.0.is_login);
        [whole].into_iter().chain(password)
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { token, generation, .. } = &*self.0;
        f.debug_struct("Held").field("token", token).field("generation", generation).finish_non_exhaustive()
    }
}

/// The access tokens that one request carries to an API: one, several at once, or none. Cloning shares them.
#[derive(Clone)]
pub(crate) struct Carried {
    /// The first of them, which mostly is the only one.
    token: Option<Held>,
    others: Vec<Held>,
    api: &'static Api,
}

impl Carried {
    /// Makes the tokens of a request to an API.
    pub(crate) fn new(api: &'static Api, tokens: impl IntoIterator<Item = Held>) -> Self {
        let mut carried = Self { token: None, others: Vec::new(), api };
        tokens.into_iter().for_each(|token| carried.add(token));
        carried
    }

    /// Carries this one as well.
    pub(crate) fn add(&mut self, token: Held) {
        match self.token {
            None => self.token = Some(token),
            Some(_) => self.others.push(token),
        }
    }

    pub(crate) fn tokens(&self) -> impl Iterator<Item = &Held> {
        self.token.iter().chain(&self.others)
    }

    /// Returns the API that they are sent to.
    pub(crate) fn api(&self) -> &'static Api {
        self.api
    }

    /// Sets each token in the request; it replaces a former value.
    pub(crate) fn authorize(&self, request: &mut Request) {
        for Held(held) in self.tokens() {
            held.place.put(held.token.expose(), request);
        }
    }

    /// Returns a redactor that masks these tokens in a server's text, and any text that looks like another token of the API.
    pub(crate) fn redactor(&self) -> Redactor {
        let redactor = match &self.token {
            Some(held) if self.others.is_empty() => {
                held.0.redactor.get_or_init(|| Redactor::of_client(held.secrets())).clone()
            }
            _ => Redactor::of_client(self.tokens().flat_map(Held::secrets)),
        };
        redactor.with_prefixes(self.api.secret_prefixes)
    }

    /// Returns the fingerprints of the tokens, which may be printed.
    pub(crate) fn fingerprints(&self) -> String {
        let names: Vec<String> = self.tokens().map(|held| held.token().fingerprint().to_string()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join("+") }
    }
}

impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.tokens()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::api::UNKNOWN;

    fn carried(tokens: &[(&str, Carrier)]) -> Carried {
        let held =
            |(token, carrier): &(&str, Carrier)| Held::new(AccessToken::new(*token), *carrier, 1).expect("a place");
        Carried::new(&UNKNOWN, tokens.iter().map(held))
    }

    #[test]
    fn the_header_does_not_print() {
        let carried = carried(&[("do-not-print-me", Carrier::Bearer)]);
        let mut request = Request::new(http::Method::GET, "https://a.example".parse().expect("a URL"));
        carried.authorize(&mut request);
        assert_eq!(format!("{:?}", request.headers()), r#"{"authorization": Sensitive}"#);
        assert!(!format!("{carried:?}").contains("do-not"));
    }

    #[test]
    fn the_password_of_a_login_is_masked_alone_too_and_so_is_each_of_several_tokens() {
        let login = ("ada:do-not-print-me", Carrier::Basic);
        for tokens in [&[login][..], &[("another-secret", Carrier::Header("X-Key")), login]] {
            let masked = carried(tokens).redactor().mask("no do-not-print-me for ada").into_owned();
            assert_eq!(masked, "no [redacted] for ada");
        }
        let both = carried(&[("another-secret", Carrier::Header("X-Key")), login]);
        assert_eq!(both.redactor().mask("not another-secret"), "not [redacted]");
    }
}
