//! Text that nobody can guess.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use crate::error::Error;

/// The length of a random text.
#[cfg(not(target_family = "wasm"))]
pub(super) const RANDOM: usize = 43;

/// 32 random bytes as 43 characters of base64url: more than RFC 6749, section 10.10 asks for, and the recommended PKCE
/// verifier of RFC 7636, section 4.1.
pub(in crate::auth) fn random_text() -> Result<SecretString, Error> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes)
        .map_err(|error| Error::credential_from("the system gives no random numbers", error.to_string()))?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(*bytes).into())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn no_two_texts_are_the_same() {
        let texts = [(); 100].map(|()| random_text().expect("random numbers").expose_secret().to_owned());
        assert_eq!(texts.iter().collect::<std::collections::HashSet<_>>().len(), texts.len());
        assert!(texts.iter().all(|text| text.len() == RANDOM), "{texts:?}");
    }
}
