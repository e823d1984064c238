//! Verifies that a delivery is signed by its sender and recent.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use http::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};

use super::error::{SetupError, VerifyError};
use super::headers;
use super::key::Key;
use super::scheme::{SignatureScheme, Signed};
use crate::error::{Clock, SystemClock};

/// The maximum number of signatures of a delivery that are checked: a sender of more only causes work for the receiver.
const MOST: usize = 32;

/// Judges deliveries by a scheme and one or more secrets. Cloning shares them; `Debug` does not show them.
///
/// ```
/// use keyfit::http_client::http::HeaderMap;
/// use keyfit::webhook::Verifier;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // The new secret, and the old one until the sender has stopped signing by it.
/// let verifier = Verifier::standard("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")? // not-a-secret
///     .and_secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")?; // not-a-secret
///
/// let refused = verifier.verify(&HeaderMap::new(), b"{}").expect_err("nothing is signed");
/// assert_eq!(refused.to_string(), "the header `webhook-signature` is missing");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Verifier {
    scheme: Arc<SignatureScheme>,
    keys: Arc<[Arc<Key>]>,
    clock: Arc<dyn Clock>,
}

/// A delivery that is believed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Delivery {
    /// The id, where the scheme names its header. The same one each time that a delivery is repeated. Only
    /// [`Signed::IdTimestampBody`] signs it: with other schemes whoever sends a delivery again may give it another id.
    pub id: Option<String>,
    /// When it was signed, where the scheme names the header: the time of this attempt, not that of the event.
    pub signed_at: Option<SystemTime>,
    /// The place of the secret that it is signed by, from 0, in the order in which they were given. An old one that has not
    /// been seen for a while may go.
    pub secret: usize,
}

impl Verifier {
    /// A verifier of deliveries that are signed like this.
    ///
    /// # Errors
    /// Returns an error if the scheme lacks something, or the secret is not in the form that it names.
    pub fn new(scheme: SignatureScheme, secret: impl Into<SecretString>) -> Result<Self, SetupError> {
        scheme.check()?;
        let key = Key::to_verify(&scheme, &secret.into())?;
        Ok(Self { scheme: Arc::new(scheme), keys: [Arc::new(key)].into(), clock: Arc::new(SystemClock) })
    }

    /// A verifier of the Standard Webhooks specification: symmetric with a secret `whsec_…`, asymmetric with a public key `whpk_…`
    /// (feature `jwt`).
    ///
    /// # Errors
    /// Returns an error if the secret is none of the scheme, as [`new`](Self::new) does.
    pub fn standard(secret: impl Into<SecretString>) -> Result<Self, SetupError> {
        let secret = secret.into();
        let public = SignatureScheme::standard_ed25519();
        let is_public = secret.expose_secret().starts_with(&public.secret_prefix);
        Self::new(if is_public { public } else { SignatureScheme::standard() }, secret)
    }

    /// One more secret, of which a delivery needs to be signed by any: the old one while secrets are exchanged.
    ///
    /// # Errors
    /// Returns an error if the secret is not in the form that the scheme names.
    pub fn and_secret(self, secret: impl Into<SecretString>) -> Result<Self, SetupError> {
        let key = Arc::new(Key::to_verify(&self.scheme, &secret.into())?);
        Ok(Self { keys: self.keys.iter().cloned().chain([key]).collect(), ..self })
    }

    /// Another clock, for tests.
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Verifies a delivery that arrives now, by its headers and the bytes of its body as they came. The signature is judged first,
    /// and then the time.
    ///
    /// # Errors
    /// Returns an error if a header is missing or malformed, no signature is right, or the time is off.
    pub fn verify(&self, headers: &HeaderMap, body: impl AsRef<[u8]>) -> Result<Delivery, VerifyError> {
        self.verify_at(headers, body, self.clock.now())
    }

    /// As [`verify`](Self::verify), of a delivery that arrived at this time: one that waited in a queue.
    ///
    /// # Errors
    /// Returns an error if the delivery is not believed, as [`verify`](Self::verify) does.
    pub fn verify_at(
        &self,
        headers: &HeaderMap,
        body: impl AsRef<[u8]>,
        arrived: SystemTime,
    ) -> Result<Delivery, VerifyError> {
        let secret = self.verify_signature(headers, body)?;
        let signed_at = self.scheme.check_time(headers, arrived)?;
        let id = match &self.scheme.id_header {
            Some(name) if headers.contains_key(name) => Some(headers::text(headers, name)?.to_owned()),
            _ => None,
        };
        Ok(Delivery { id, signed_at, secret })
    }

    /// Verifies the signature alone, whenever it was made: nobody is kept from sending a delivery again. Returns the place of the secret
    /// that it is signed by.
    ///
    /// # Errors
    /// Returns an error if a header is missing or malformed, or no signature is right.
    pub fn verify_signature(&self, headers: &HeaderMap, body: impl AsRef<[u8]>) -> Result<usize, VerifyError> {
        let scheme = &*self.scheme;
        let signatures = self.signatures(headers)?;
        let timestamp = if scheme.signs == Signed::Body { "" } else { scheme.timestamp(headers)? };
        let id = match &scheme.id_header {
            Some(header) if scheme.signs == Signed::IdTimestampBody => {
                let id = headers::text(headers, header)?;
                scheme.check_id(id).map_err(|separator| VerifyError::AmbiguousId {
                    header: header.clone(),
                    separator: separator.to_owned(),
                })?;
                id
            }
            _ => "",
        };
        let input = scheme.input(id, timestamp, body.as_ref());
        let is_right = |key: &Arc<Key>| key.is_right(scheme.algorithm, &input, &signatures);
        let place = self.keys.iter().position(is_right);
        place.ok_or_else(|| VerifyError::Mismatch { header: scheme.header.clone() })
    }

    /// The signatures in their header, as bytes.
    fn signatures(&self, headers: &HeaderMap) -> Result<Vec<Vec<u8>>, VerifyError> {
        let scheme = &*self.scheme;
        let header = || scheme.header.clone();
        headers::text(headers, &scheme.header)?;
        let values = headers.get_all(&scheme.header).into_iter().filter_map(|value| value.to_str().ok());
        let prefix = scheme.prefix.trim();
        let written = values.flat_map(headers::parts).filter_map(|part| part.strip_prefix(prefix));
        let written: Vec<&str> = written.take(MOST).collect();
        if written.is_empty() {
            return Err(VerifyError::NoPart { header: header(), prefix: prefix.to_owned() });
        }
        let read: Vec<Vec<u8>> = written.iter().filter_map(|text| scheme.encoding.read(text)).collect();
        if read.is_empty() {
            return Err(VerifyError::Encoding { header: header(), encoding: scheme.encoding.in_words() });
        }
        Ok(read)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("scheme", &self.scheme).field("keys", &self.keys).finish_non_exhaustive()
    }
}
