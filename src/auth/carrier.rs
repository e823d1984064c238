//! The place of a credential in a request.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue};

use crate::error::Error;
use crate::http_client::Request;

/// The place of a credential in a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Carrier {
    /// `Authorization: Bearer <token>` (RFC 6750, section 2.1).
    Bearer,
    /// `Authorization: Basic <user and password>` (RFC 7617). The credential is `user:password`, which travels in base64.
    Basic,
    /// `Authorization: <scheme> <token>`, with a scheme of the API's own: `Bot`, `AccessKey`.
    Scheme(&'static str),
    /// A header of this name, which holds the credential alone: `X-Api-Key: <key>`.
    Header(&'static str),
    /// A cookie of this name, beside the cookies that a call sets itself. Cookies that the server sets are not stored.
    Cookie(&'static str),
    /// A query parameter. Servers and proxies log URLs (RFC 6750, section 5.3): a client sends it only if
    /// [`Config::allow_query_keys`](crate::Config::allow_query_keys) permits it.
    Query(&'static str),
}

/// A credential, encoded for its place in a request.
#[derive(Clone)]
pub(super) enum Place {
    Header(HeaderName, HeaderValue),
    /// `name=value`
    Cookie(HeaderValue),
    /// The parameter's name; the value is the credential.
    Query(&'static str),
}

impl Carrier {
    /// Returns true if a request cannot carry credentials by both, because both use the same place.
    pub(crate) fn collides_with(self, other: Self) -> bool {
        match (self.header(), other.header()) {
            (Some(one), Some(two)) => one.eq_ignore_ascii_case(two),
            (Some(header), None) => matches!(other, Self::Cookie(_)) && header.eq_ignore_ascii_case("cookie"),
            (None, Some(_)) => other.collides_with(self),
            (None, None) => self == other,
        }
    }

    /// Returns the name of the header that holds nothing but the credential.
    fn header(self) -> Option<&'static str> {
        match self {
            Self::Bearer | Self::Basic | Self::Scheme(_) => Some("Authorization"),
            Self::Header(name) => Some(name),
            Self::Cookie(_) | Self::Query(_) => None,
        }
    }

    /// Returns the encoded credential, marked sensitive so that no `Debug` shows it.
    pub(super) fn place(self, credential: &str) -> Result<Place, Error> {
        let header = |name: Result<HeaderName, _>, text: String| -> Option<Place> {
            Some(Place::Header(name.ok()?, sensitive(text)?))
        };
        let authorization = |scheme: &str, text: &str| header(Ok(AUTHORIZATION), format!("{scheme} {text}"));
        let placed = match self {
            Self::Bearer => authorization("Bearer", credential),
            Self::Basic => authorization("Basic", &BASE64_STANDARD.encode(credential)),
            Self::Scheme(scheme) => authorization(scheme, credential),
            Self::Header(name) => header(HeaderName::try_from(name), credential.to_owned()),
            Self::Cookie(name) if credential.bytes().all(is_of_a_cookie) => {
                sensitive(format!("{name}={credential}")).map(Place::Cookie)
            }
            Self::Cookie(_) => None,
            Self::Query(name) => Some(Place::Query(name)),
        };
        placed.ok_or_else(|| Error::credential("the token cannot be sent where its kind is carried"))
    }
}

impl Place {
    /// Sets the credential in a request. It replaces a former value; other cookies are kept.
    pub(super) fn put(&self, credential: &str, request: &mut Request) {
        match self {
            Self::Header(name, value) => drop(request.headers_mut().insert(name, value.clone())),
            Self::Cookie(cookie) => {
                let others = request.headers().get(COOKIE).filter(|others| !others.is_empty());
                let joined = others.and_then(|others| {
                    let joined = [others.as_bytes(), b"; ", cookie.as_bytes()].concat();
                    HeaderValue::from_bytes(&joined).ok()
                });
                let mut value = joined.unwrap_or_else(|| cookie.clone());
                value.set_sensitive(true);
                request.headers_mut().insert(COOKIE, value);
            }
            Self::Query(name) => {
                request.url_mut().query_pairs_mut().append_pair(name, credential);
            }
        }
    }
}

fn sensitive(text: String) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Returns true if the value of a cookie may contain the byte (RFC 6265, section 4.1.1).
fn is_of_a_cookie(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    /// A request with a query and a cookie of its own.
    fn with(carrier: Carrier, credential: &str) -> Request {
        let mut request = Request::new(Method::GET, "https://a.example/b?c=d".parse().expect("a URL"));
        request.headers_mut().insert(COOKIE, HeaderValue::from_static("theme=dark"));
        carrier.place(credential).expect("a place").put(credential, &mut request);
        request
    }

    #[test]
    fn a_credential_stands_where_its_kind_is_carried_and_nowhere_else() {
        for (carrier, authorization, key, cookie, query) in [
            (Carrier::Bearer, Some("Bearer do-not:print"), None, "theme=dark", "c=d"),
            (Carrier::Basic, Some("Basic ZG8tbm90OnByaW50"), None, "theme=dark", "c=d"),
            (Carrier::Scheme("Bot"), Some("Bot do-not:print"), None, "theme=dark", "c=d"),
            (Carrier::Header("X-Api-Key"), None, Some("do-not:print"), "theme=dark", "c=d"),
            (Carrier::Cookie("sid"), None, None, "theme=dark; sid=do-not:print", "c=d"),
            (Carrier::Query("api key"), None, None, "theme=dark", "c=d&api+key=do-not%3Aprint"),
        ] {
            let request = with(carrier, "do-not:print");
            let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
            assert_eq!((header("authorization"), header("x-api-key")), (authorization, key), "{carrier:?}");
            assert_eq!((header("cookie"), request.url().query()), (Some(cookie), Some(query)), "{carrier:?}");
            assert!(!format!("{:?}", request.headers()).contains("do-not"), "{carrier:?}");
        }
    }

    #[test]
    fn two_credentials_for_one_place_collide() {
        let (bearer, basic, bot) = (Carrier::Bearer, Carrier::Basic, Carrier::Scheme("Bot"));
        let (key, cookie, query) = (Carrier::Header("X-Key"), Carrier::Cookie("sid"), Carrier::Query("key"));
        for (one, two, expected) in [
            (bearer, basic, true),
            (bot, Carrier::Header("authorization"), true),
            (key, Carrier::Header("x-key"), true),
            (cookie, Carrier::Header("cookie"), true),
            (query, query, true),
            (bearer, key, false),
            (cookie, Carrier::Cookie("csrf"), false),
            (cookie, key, false),
            (cookie, query, false),
            (key, query, false),
        ] {
            assert_eq!((one.collides_with(two), two.collides_with(one)), (expected, expected), "{one:?} {two:?}");
        }
    }

    #[test]
    fn what_a_place_cannot_hold_is_refused_without_being_shown() {
        for carrier in [
            Carrier::Bearer,
            Carrier::Scheme("Bot"),
            Carrier::Header("X-Api-Key"),
            Carrier::Header("no header"),
            Carrier::Cookie("sid"),
        ] {
            let error = carrier.place("do-not-print-me\r\n").err().expect("two lines").to_string();
            assert!(!error.contains("do-not"), "{error}");
        }
        assert!(Carrier::Cookie("sid").place("a;b=c").is_err(), "another cookie");
    }
}
