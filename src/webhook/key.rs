//! Keys that make and judge signatures.

use std::fmt;

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::error::SetupError;
use super::scheme::{SignatureAlgorithm, SignatureScheme};

/// The bytes that a secret stands for. They do not print, and are zeroised on drop.
pub(super) struct Key(Zeroizing<Vec<u8>>);

impl Key {
    /// The key of who verifies: a shared secret, or a public key.
    pub(super) fn to_verify(scheme: &SignatureScheme, secret: &SecretString) -> Result<Self, SetupError> {
        let text = secret.expose_secret();
        let key = Self::read(scheme, text.strip_prefix(&scheme.secret_prefix).unwrap_or(text))?;
        if scheme.algorithm == SignatureAlgorithm::Ed25519 {
            ed25519::check_public(&key.0)?;
        }
        Ok(key)
    }

    /// The bytes of a secret behind its prefix.
    pub(super) fn read(scheme: &SignatureScheme, text: &str) -> Result<Self, SetupError> {
        let bytes = match scheme.secret_encoding.of_bytes() {
            None => text.as_bytes().to_vec(),
            Some(encoding) => {
                encoding.read(text).ok_or_else(|| SetupError::SecretEncoding { encoding: encoding.in_words() })?
            }
        };
        if bytes.is_empty() { Err(SetupError::EmptySecret) } else { Ok(Self(Zeroizing::new(bytes))) }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns whether one of the signatures is that of the input. It takes the same time for every wrong one of the right length.
    pub(super) fn is_right(&self, algorithm: SignatureAlgorithm, input: &[u8], signatures: &[Vec<u8>]) -> bool {
        match algorithm {
            SignatureAlgorithm::HmacSha1 => is_code(&self.mac::<Hmac<Sha1>>(input), signatures),
            SignatureAlgorithm::HmacSha256 => is_code(&self.mac::<Hmac<Sha256>>(input), signatures),
            SignatureAlgorithm::HmacSha512 => is_code(&self.mac::<Hmac<Sha512>>(input), signatures),
            SignatureAlgorithm::Ed25519 => signatures.iter().any(|one| ed25519::is_right(&self.0, input, one)),
        }
    }

    /// The code of an input; `None` for what is not made by a shared secret.
    pub(super) fn code(&self, algorithm: SignatureAlgorithm, input: &[u8]) -> Option<Vec<u8>> {
        match algorithm {
            SignatureAlgorithm::HmacSha1 => Some(self.mac::<Hmac<Sha1>>(input).finalize().into_bytes().to_vec()),
            SignatureAlgorithm::HmacSha256 => Some(self.mac::<Hmac<Sha256>>(input).finalize().into_bytes().to_vec()),
            SignatureAlgorithm::HmacSha512 => Some(self.mac::<Hmac<Sha512>>(input).finalize().into_bytes().to_vec()),
            SignatureAlgorithm::Ed25519 => None,
        }
    }

    fn mac<M: Mac + KeyInit>(&self, input: &[u8]) -> M {
        let mut mac = <M as Mac>::new_from_slice(&self.0).expect("HMAC takes keys of any length (RFC 2104, section 2)");
        mac.update(input);
        mac
    }
}

/// Returns whether the code is one of these, compared in constant time.
fn is_code<M: Mac + Clone>(mac: &M, signatures: &[Vec<u8>]) -> bool {
    signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Signatures of Ed25519, by the engine of JWTs.
#[cfg(feature = "jwt")]
pub(super) mod ed25519 {
    use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

    use super::SetupError;

    const LENGTH: usize = 32;

    pub(super) fn check_public(key: &[u8]) -> Result<(), SetupError> {
        if key.len() == LENGTH { Ok(()) } else { Err(SetupError::KeyLength { key: "public key", bytes: key.len() }) }
    }

    pub(super) fn is_right(key: &[u8], input: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, key).verify(input, signature).is_ok()
    }

    /// A private key with its public one.
    pub(in crate::webhook) struct Pair(Ed25519KeyPair);

    impl Pair {
        /// Of a private key of 32 bytes, with the public key of 32 bytes behind it or without.
        pub(in crate::webhook) fn new(key: &[u8]) -> Result<Self, SetupError> {
            let refused = || SetupError::KeyLength { key: "private key", bytes: key.len() };
            let seed = key.get(..LENGTH).filter(|_| [LENGTH, 2 * LENGTH].contains(&key.len())).ok_or_else(refused)?;
            Ed25519KeyPair::from_seed_unchecked(seed).map(Self).map_err(|_| refused())
        }

        pub(in crate::webhook) fn sign(&self, input: &[u8]) -> Vec<u8> {
            self.0.sign(input).as_ref().to_vec()
        }

        pub(in crate::webhook) fn public(&self) -> &[u8] {
            self.0.public_key().as_ref()
        }
    }
}

/// Without the engine no key is taken, so that nothing is ever signed or verified.
#[cfg(not(feature = "jwt"))]
pub(super) mod ed25519 {
    use super::SetupError;

    pub(super) fn check_public(_: &[u8]) -> Result<(), SetupError> {
        Err(SetupError::NoEd25519)
    }

    pub(super) fn is_right(_: &[u8], _: &[u8], _: &[u8]) -> bool {
        false
    }

    pub(in crate::webhook) enum Pair {}

    impl Pair {
        pub(in crate::webhook) fn new(_: &[u8]) -> Result<Self, SetupError> {
            Err(SetupError::NoEd25519)
        }

        pub(in crate::webhook) fn sign(&self, _: &[u8]) -> Vec<u8> {
            match *self {}
        }

        pub(in crate::webhook) fn public(&self) -> &[u8] {
            match *self {}
        }
    }
}
