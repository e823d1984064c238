//! Signs deliveries as a sender does.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use http::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};

use super::error::SetupError;
use super::key::{Key, ed25519};
use super::scheme::{SignatureAlgorithm, SignatureScheme, Signed};

/// The prefix of a private key of the Standard Webhooks specification.
const PRIVATE_PREFIX: &str = "whsk_";

/// Signs deliveries: for tests of a receiver, and for whoever sends webhooks. `Debug` does not show the secret.
///
/// ```
/// use std::time::SystemTime;
///
/// use keyfit::webhook::{Signer, Verifier};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"; // not-a-secret
/// let headers = Signer::standard(secret)?.sign("msg_1", SystemTime::now(), b"{}")?;
/// assert_eq!(Verifier::standard(secret)?.verify(&headers, b"{}")?.id.as_deref(), Some("msg_1"));
/// # Ok(())
/// # }
/// ```
pub struct Signer {
    scheme: SignatureScheme,
    key: SigningKey,
}

enum SigningKey {
    Shared(Key),
    Private(ed25519::Pair),
}

impl Signer {
    /// A signer by this scheme. The secret is the one that receivers have, and for Ed25519 the private key: 32 bytes, or these with the
    /// public key behind them.
    ///
    /// # Errors
    /// Returns an error if the scheme lacks something, or the secret is not in the form that it names.
    pub fn new(scheme: SignatureScheme, secret: impl Into<SecretString>) -> Result<Self, SetupError> {
        scheme.check()?;
        let secret = secret.into();
        let key = if scheme.algorithm == SignatureAlgorithm::Ed25519 {
            let text = secret.expose_secret();
            let bytes = Key::read(&scheme, text.strip_prefix(PRIVATE_PREFIX).unwrap_or(text))?;
            SigningKey::Private(ed25519::Pair::new(bytes.bytes())?)
        } else {
            SigningKey::Shared(Key::to_verify(&scheme, &secret)?)
        };
        Ok(Self { scheme, key })
    }

    /// A signer of the Standard Webhooks specification: symmetric with a secret `whsec_…`, asymmetric with a private key `whsk_…`
    /// (feature `jwt`).
    ///
    /// # Errors
    /// Returns an error if the secret is none of the scheme, as [`new`](Self::new) does.
    pub fn standard(secret: impl Into<SecretString>) -> Result<Self, SetupError> {
        let secret = secret.into();
        let is_private = secret.expose_secret().starts_with(PRIVATE_PREFIX);
        let scheme = if is_private { SignatureScheme::standard_ed25519() } else { SignatureScheme::standard() };
        Self::new(scheme, secret)
    }

    /// The headers of a delivery that is signed at this time: the signature, and time and id where the scheme has headers for them.
    ///
    /// # Errors
    /// Returns an error if the id cannot stand in its header, or would make the signed text ambiguous.
    pub fn sign(&self, id: &str, at: SystemTime, body: impl AsRef<[u8]>) -> Result<HeaderMap, SetupError> {
        let scheme = &self.scheme;
        let time = at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()).to_string();
        let mut headers = HeaderMap::new();
        let mut signature = format!("{}{}", scheme.prefix, self.signature(&scheme.input(id, &time, body.as_ref())));
        if let Some(header) = &scheme.timestamp_header {
            let time = format!("{}{time}", scheme.timestamp_prefix);
            if header.eq_ignore_ascii_case(&scheme.header) {
                signature = format!("{time},{signature}");
            } else {
                insert(&mut headers, header, &time)?;
            }
        }
        if let Some(header) = &scheme.id_header {
            if scheme.signs == Signed::IdTimestampBody {
                scheme.check_id(id).map_err(|_| SetupError::Id { header: header.clone() })?;
            }
            insert(&mut headers, header, id)?;
        }
        insert(&mut headers, &scheme.header, &signature)?;
        Ok(headers)
    }

    /// Returns the key for a [`Verifier`](super::Verifier) of these deliveries: the public key of Ed25519, which is no secret; `None` if both
    /// have the same secret.
    pub fn public_key(&self) -> Option<String> {
        let SigningKey::Private(pair) = &self.key else { return None };
        let encoding = self.scheme.secret_encoding.of_bytes()?;
        Some(format!("{}{}", self.scheme.secret_prefix, encoding.write(pair.public())))
    }

    fn signature(&self, input: &[u8]) -> String {
        let bytes = match &self.key {
            SigningKey::Shared(key) => key.code(self.scheme.algorithm, input).unwrap_or_default(),
            SigningKey::Private(pair) => pair.sign(input),
        };
        self.scheme.encoding.write(&bytes)
    }
}

fn insert(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), SetupError> {
    let parsed = HeaderName::try_from(name).map_err(|_| SetupError::Header { name: name.to_owned() })?;
    let value = HeaderValue::try_from(value).map_err(|_| SetupError::Id { header: name.to_owned() })?;
    headers.insert(parsed, value);
    Ok(())
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}
