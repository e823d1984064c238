//! Proof Key for Code Exchange (RFC 7636): the code is worth nothing to who does not know the verifier.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use super::random::random_text;
use crate::error::Error;

/// The secret half of a PKCE pair. The public half, the challenge, is always made with S256; `plain` would show the
/// verifier to whoever sees the authorization URL.
///
/// ```
/// use keyfit::auth::oauth::Verifier;
///
/// # fn main() -> Result<(), keyfit::Error> {
/// // The example of RFC 7636, appendix B.
/// let verifier = Verifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")?;
/// assert_eq!(verifier.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Verifier(SecretString);

impl Verifier {
    /// A new one: 32 random bytes, 43 characters.
    ///
    /// # Errors
    /// Returns an error if the system does not provide random numbers.
    pub fn random() -> Result<Self, Error> {
        random_text().map(Self)
    }

    /// One that was kept elsewhere, by a [`PendingAuthorizations`](super::PendingAuthorizations) of your own.
    ///
    /// # Errors
    /// Returns an error if the text is not 43 to 128 characters of `A-Z a-z 0-9 - . _ ~`.
    pub fn new(text: impl Into<SecretString>) -> Result<Self, Error> {
        let text = text.into();
        let bytes = text.expose_secret().as_bytes();
        let is_unreserved = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
        if (43..=128).contains(&bytes.len()) && bytes.iter().all(is_unreserved) {
            Ok(Self(text))
        } else {
            Err(Error::credential("a PKCE verifier is 43 to 128 characters of A-Z a-z 0-9 - . _ ~ (RFC 7636, 4.1)"))
        }
    }

    /// Returns the `code_challenge` of the authorization URL.
    pub fn challenge(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(self.expose()))
    }

    /// The text. Do not print it, and send it to the token endpoint only.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vector_of_rfc_7636_appendix_b() {
        let verifier = Verifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").expect("a verifier");
        assert_eq!(verifier.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn a_random_verifier_is_a_valid_one() {
        let verifier = Verifier::random().expect("random numbers");
        assert!(Verifier::new(verifier.expose()).is_ok());
    }

    #[test]
    fn length_and_alphabet_are_those_of_the_rfc() {
        let of = |length: usize| Verifier::new("a".repeat(length)).is_ok();
        assert_eq!([42, 43, 128, 129].map(of), [false, true, true, false]);
        for c in ["-", ".", "_", "~"] {
            assert!(Verifier::new(c.repeat(43)).is_ok(), "{c}");
        }
        for c in ["+", "/", "=", " ", "é", "%"] {
            assert!(Verifier::new(c.repeat(43)).is_err(), "{c}");
        }
    }

    #[test]
    fn a_verifier_does_not_print() {
        let verifier = Verifier::random().expect("random numbers");
        assert!(!format!("{verifier:?}").contains(verifier.expose()));
        let error = Verifier::new("do-not-print-me").expect_err("too short");
        assert!(!format!("{error} {error:?}").contains("do-not-print-me"));
    }
}
