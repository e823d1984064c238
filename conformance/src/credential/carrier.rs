//! The place of a credential in a request: how it is written and read.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use keyfit::auth::ClientCertificate;
use keyfit_openapi::Carrier;
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName};

/// Returns the carrier for a client, if it is in the request. Its name is leaked; the program uses few.
pub(crate) fn of_client(carrier: &Carrier) -> Option<keyfit::auth::Carrier> {
    let leaked = |text: &String| -> &'static str { text.clone().leak() };
    Some(match carrier {
        Carrier::Header => keyfit::auth::Carrier::Bearer,
        Carrier::Basic => keyfit::auth::Carrier::Basic,
        Carrier::Scheme(scheme) => keyfit::auth::Carrier::Scheme(leaked(scheme)),
        Carrier::NamedHeader(name) => keyfit::auth::Carrier::Header(leaked(name)),
        Carrier::Cookie(name) => keyfit::auth::Carrier::Cookie(leaked(name)),
        Carrier::Query(name) => keyfit::auth::Carrier::Query(leaked(name)),
        Carrier::ClientCertificate => return None,
    })
}

/// A place in a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum RequestPlace {
    /// The header of this name.
    Header(HeaderName),
    /// The cookie of this name.
    Cookie(String),
    /// The parameter of the query of this name.
    Query(String),
    /// Not in the request, but in its connection.
    Connection,
}

impl RequestPlace {
    /// Returns the place of a carrier.
    pub(crate) fn of(carrier: &Carrier) -> Self {
        match carrier {
            Carrier::Header | Carrier::Basic | Carrier::Scheme(_) => Self::Header(AUTHORIZATION),
            // The check of a contract refuses invalid header names.
            Carrier::NamedHeader(name) => Self::Header(name.parse().unwrap_or(AUTHORIZATION)),
            Carrier::Cookie(name) => Self::Cookie(name.clone()),
            Carrier::Query(name) => Self::Query(name.clone()),
            Carrier::ClientCertificate => Self::Connection,
        }
    }

    /// Returns the header that contains the place.
    pub(crate) fn header(&self) -> Option<HeaderName> {
        match self {
            Self::Header(name) => Some(name.clone()),
            Self::Cookie(_) => Some(COOKIE),
            Self::Query(_) | Self::Connection => None,
        }
    }
}

/// Returns a place where a server does not expect the credential of a carrier, unless it searches the whole request.
pub(crate) fn other_place(carrier: &Carrier) -> RequestPlace {
    match carrier {
        Carrier::NamedHeader(_) => RequestPlace::Header(AUTHORIZATION),
        Carrier::Cookie(name) | Carrier::Query(name) => {
            RequestPlace::Header(name.parse().unwrap_or(HeaderName::from_static("x-api-key")))
        }
        Carrier::Header | Carrier::Basic | Carrier::Scheme(_) => {
            RequestPlace::Header(HeaderName::from_static("x-api-key"))
        }
        Carrier::ClientCertificate => RequestPlace::Connection,
    }
}

/// Returns the credential in its transmitted form without a scheme: for HTTP Basic in base64 (RFC 7617).
pub(crate) fn encoded<'a>(carrier: &Carrier, credential: &'a str) -> Cow<'a, str> {
    match carrier {
        Carrier::Basic => BASE64_STANDARD.encode(credential).into(),
        _ => credential.into(),
    }
}

/// Returns the value at the place of a carrier: the credential, after its scheme if there is one.
pub(crate) fn credential_value(carrier: &Carrier, credential: &str) -> String {
    let encoded = encoded(carrier, credential);
    carrier.scheme().map_or_else(|| encoded.to_string(), |scheme| format!("{scheme} {encoded}"))
}

/// Returns the credential from the text after the scheme, or from a place without one; `None` if it cannot be decoded.
pub(crate) fn decoded<'a>(carrier: &Carrier, text: &'a str) -> Option<Cow<'a, str>> {
    match carrier {
        Carrier::Basic => {
            let bytes = BASE64_STANDARD.decode(text).ok()?;
            String::from_utf8(bytes).ok().map(Cow::Owned)
        }
        _ => Some(text.into()),
    }
}

/// Returns a cookie of a request.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok()).find_map(|text| in_cookies(text, name))
}

/// Returns a cookie from a header (RFC 6265, section 4.2.1).
pub(crate) fn in_cookies<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// Returns the credential of a carrier in a request, if there is a readable one.
pub(crate) fn credential_in<'a>(
    carrier: &Carrier,
    headers: &'a HeaderMap,
    query: impl FnOnce(&str) -> Option<&'a str>,
) -> Option<Cow<'a, str>> {
    match carrier {
        Carrier::ClientCertificate => None,
        Carrier::Query(name) => query(name).map(Cow::Borrowed),
        Carrier::Cookie(name) => cookie(headers, name).map(Cow::Borrowed),
        Carrier::NamedHeader(name) => headers.get(name)?.to_str().ok().map(Cow::Borrowed),
        Carrier::Header | Carrier::Basic | Carrier::Scheme(_) => {
            let (first, rest) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
            let is_it = carrier.scheme().is_some_and(|scheme| first.eq_ignore_ascii_case(scheme));
            decoded(carrier, rest.trim()).filter(|_| is_it)
        }
    }
}

/// Returns the secret texts of a credential: the credential, its transmitted form, and for user and password also the password.
pub(crate) fn secrets(carrier: &Carrier, credential: &str) -> Vec<String> {
    let mut secrets = vec![credential.to_owned()];
    if *carrier == Carrier::Basic {
        secrets.push(encoded(carrier, credential).into_owned());
        secrets.extend(credential.split_once(':').map(|(_, password)| password.to_owned()));
    }
    secrets.retain(|secret| !secret.is_empty());
    secrets
}

/// Returns the reason why a text is not a valid credential of a carrier. The message does not contain the text.
pub(crate) fn flaw(carrier: &Carrier, text: &str) -> Option<String> {
    let begins = |scheme: &str| {
        let first = text.get(..=scheme.len()).and_then(|start| start.strip_suffix(' '));
        first.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    if let Some(scheme) = carrier.scheme().filter(|scheme| begins(scheme)) {
        return Some(format!("it begins with `{scheme} `: name the credential alone, the scheme is added"));
    }
    match carrier {
        Carrier::Basic if !text.contains(':') => {
            Some("it is not a user and a password: write `user:password`".to_owned())
        }
        Carrier::ClientCertificate => ClientCertificate::from_pem(text).err().map(|error| error.to_string()),
        Carrier::Cookie(_) if !text.bytes().all(is_of_a_cookie) => Some(
            "it holds a character that no cookie can: a space, a quote, a comma, a semicolon or a backslash".to_owned(),
        ),
        _ => None,
    }
}

/// Returns the reason why a request cannot contain a text, unless it is a certificate: each place has the restrictions of a header.
pub(crate) fn flaw_of_header(carrier: &Carrier, text: &str) -> Option<String> {
    let is_of_header = |character: char| !character.is_control() && character.is_ascii();
    (*carrier != Carrier::ClientCertificate && !text.chars().all(is_of_header))
        .then(|| "it holds a line break or another character that no header can: copy it again".to_owned())
}

/// Returns whether the value of a cookie may contain this byte (RFC 6265, section 4.1.1).
fn is_of_a_cookie(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn carriers() -> [Carrier; 6] {
        [
            Carrier::Header,
            Carrier::Basic,
            Carrier::Scheme("Bot".to_owned()),
            Carrier::NamedHeader("X-Key".to_owned()),
            Carrier::Cookie("sid".to_owned()),
            Carrier::Query("key".to_owned()),
        ]
    }

    #[test]
    fn what_is_put_into_a_place_is_found_there_by_its_carrier_alone() {
        for carrier in carriers() {
            let value = credential_value(&carrier, "ada:fixture-secret"); // not-a-secret
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, HeaderValue::from_static("theme=dark"));
            let mut query = None;
            match RequestPlace::of(&carrier) {
                RequestPlace::Header(name) => drop(headers.insert(name, value.parse().expect("a header"))),
                RequestPlace::Cookie(name) => {
                    drop(headers.insert(COOKIE, format!("theme=dark; {name}={value}").parse().expect("a header")));
                }
                RequestPlace::Query(name) => query = Some((name, value)),
                RequestPlace::Connection => {}
            }
            let ask = |name: &str| query.as_ref().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
            for other in carriers() {
                let text = credential_in(&other, &headers, ask);
                let expected = (other == carrier).then_some("ada:fixture-secret"); // not-a-secret
                assert_eq!(text.as_deref(), expected, "{carrier:?} by {other:?}");
            }
        }
    }

    #[test]
    fn a_text_that_is_not_the_credential_of_a_carrier_is_told_and_not_shown() {
        for (carrier, text, expected) in [
            (Carrier::Header, "bearer do-not-print", "it begins with `Bearer `"),
            (Carrier::Basic, "Basic do-not-print", "it begins with `Basic `"),
            (Carrier::Basic, "do-not-print", "write `user:password`"),
            (Carrier::Cookie("sid".to_owned()), "do-not; print", "no cookie can"),
        ] {
            let flaw = flaw(&carrier, text).expect(text);
            assert!(flaw.contains(expected) && !flaw.contains("do-not"), "{flaw}");
        }
        for carrier in carriers() {
            assert_eq!(flaw(&carrier, "ada:fixture-secret"), None, "{carrier:?}"); // not-a-secret
        }
    }

    #[test]
    fn of_a_user_and_a_password_the_password_is_a_secret_of_its_own() {
        assert_eq!(secrets(&Carrier::Basic, "ada:do-not"), ["ada:do-not", "YWRhOmRvLW5vdA==", "do-not"]);
        assert_eq!(secrets(&Carrier::Header, "ada:do-not"), ["ada:do-not"]);
        assert!(secrets(&Carrier::Header, "").is_empty());
    }
}
