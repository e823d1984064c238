//! Where requests carry a credential.

use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};

use crate::error::Error;

/// Where requests carry a credential. Never the URL, which is logged on its way (RFC 6750, section 5.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Carrier {
    /// `Authorization: Bearer <token>` (RFC 6750, section 2.1).
    Bearer,
    /// `Authorization: <scheme> <token>`, with a scheme of the API's own: `Bot`, `AccessKey`.
    Scheme(&'static str),
    /// A header of this name, which holds the credential alone: `X-Api-Key: <key>`.
    Header(&'static str),
}

impl Carrier {
    /// The header for a credential, marked sensitive so that no `Debug` shows it.
    pub(super) fn header(self, credential: &str) -> Result<(HeaderName, HeaderValue), Error> {
        let (name, value) = match self {
            Self::Bearer => (Ok(AUTHORIZATION), HeaderValue::try_from(format!("Bearer {credential}"))),
            Self::Scheme(scheme) => (Ok(AUTHORIZATION), HeaderValue::try_from(format!("{scheme} {credential}"))),
            Self::Header(name) => (HeaderName::try_from(name), HeaderValue::try_from(credential)),
        };
        let (Ok(name), Ok(mut value)) = (name, value) else {
            return Err(Error::credential("the token cannot be sent in a header"));
        };
        value.set_sensitive(true);
        Ok((name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_a_header_of_its_own_stands_there_alone() {
        let (name, value) = Carrier::Header("X-Api-Key").header("do-not-print-me").expect("a header");
        assert_eq!((name.as_str(), value.as_bytes()), ("x-api-key", b"do-not-print-me".as_slice()));
        assert_eq!(format!("{value:?}"), "Sensitive");
    }

    #[test]
    fn a_scheme_stands_before_the_key() {
        let (name, value) = Carrier::Scheme("Bot").header("do-not-print-me").expect("a header");
        assert_eq!((name, value.as_bytes()), (AUTHORIZATION, b"Bot do-not-print-me".as_slice()));
        assert_eq!(format!("{value:?}"), "Sensitive");
    }

    #[test]
    fn what_no_header_can_hold_is_refused_without_being_shown() {
        for carrier in
            [Carrier::Bearer, Carrier::Scheme("Bot"), Carrier::Header("X-Api-Key"), Carrier::Header("no header")]
        {
            let error = carrier.header("do-not-print-me\r\n").expect_err("two lines").to_string();
            assert!(!error.contains("do-not"), "{error}");
        }
    }
}
