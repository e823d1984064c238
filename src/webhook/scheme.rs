//! How deliveries are signed: data, which a contract holds as well.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::HeaderName;
use serde::{Deserialize, Serialize};

use super::error::{SetupError, VerifyError};
use super::headers;

/// How a delivery is signed.
///
/// It is the table `[webhooks.NAME.signature]` of a contract, and is read from any format of serde: names are in kebab-case.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct SignatureScheme {
    /// The header with the signature. It may have several, with commas or spaces between them: one has to be right.
    pub header: String,
    /// By what it is made.
    pub algorithm: SignatureAlgorithm,
    /// How its bytes are written.
    pub encoding: SignatureEncoding,
    /// What stands before it: `sha256=`, `v1=`, `v1,`.
    #[serde(default)]
    pub prefix: String,
    /// What is signed.
    pub signs: Signed,
    /// What stands before all of that, where something does: `v0:`.
    #[serde(default)]
    pub signed_prefix: String,
    /// What stands between the parts of that.
    #[serde(default = "dot")]
    pub separator: String,
    /// The header with the time at which it was signed: seconds or milliseconds since the Unix epoch, or a date of RFC 3339.
    pub timestamp_header: Option<String>,
    /// What stands before that time, among other parts of its header: `t=`.
    #[serde(default)]
    pub timestamp_prefix: String,
    /// The header with the id of the delivery.
    pub id_header: Option<String>,
    /// Seconds by which that time may be off.
    #[serde(default = "five_minutes")]
    pub tolerance_seconds: u64,
    /// What a secret begins with that is no part of the key: `whsec_`.
    #[serde(default)]
    pub secret_prefix: String,
    /// How the rest of the secret is made into the key.
    #[serde(default)]
    pub secret_encoding: SecretEncoding,
}

/// By what a signature is made.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// HMAC with SHA-1.
    HmacSha1,
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-512.
    HmacSha512,
    /// A signature of Ed25519. The secret of who verifies is the public key of 32 bytes.
    Ed25519,
}

/// How the bytes of a signature are written.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SignatureEncoding {
    /// In hexadecimal, lower or upper case.
    Hex,
    /// In Base64.
    Base64,
}

/// How a secret is made into a key.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SecretEncoding {
    /// Its bytes are the key.
    #[default]
    Text,
    /// It is the key in Base64.
    Base64,
    /// It is the key in hexadecimal.
    Hex,
}

/// What is signed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Signed {
    /// The body.
    Body,
    /// The time, the separator, the body.
    TimestampBody,
    /// The id, the separator, the time, the separator, the body: as the Standard Webhooks specification has it.
    IdTimestampBody,
}

impl SignatureScheme {
    /// The body, signed in this header. The secret is the key.
    pub fn new(header: impl Into<String>, algorithm: SignatureAlgorithm, encoding: SignatureEncoding) -> Self {
        Self {
            header: header.into(),
            algorithm,
            encoding,
            prefix: String::new(),
            signs: Signed::Body,
            signed_prefix: String::new(),
            separator: dot(),
            timestamp_header: None,
            timestamp_prefix: String::new(),
            id_header: None,
            tolerance_seconds: five_minutes(),
            secret_prefix: String::new(),
            secret_encoding: SecretEncoding::Text,
        }
    }

    /// An HMAC with SHA-256 of the body, in hexadecimal: the most common scheme.
    pub fn hmac_sha256(header: impl Into<String>) -> Self {
        Self::new(header, SignatureAlgorithm::HmacSha256, SignatureEncoding::Hex)
    }

    /// The symmetric scheme of the Standard Webhooks specification, `v1`: an HMAC with SHA-256 by a secret `whsec_…`.
    pub fn standard() -> Self {
        let scheme = Self::new("webhook-signature", SignatureAlgorithm::HmacSha256, SignatureEncoding::Base64);
        scheme
            .prefix("v1,")
            .signs(Signed::IdTimestampBody)
            .id_header("webhook-id")
            .timestamp_header("webhook-timestamp")
            .secret(SecretEncoding::Base64, "whsec_")
    }

    /// The asymmetric scheme of the Standard Webhooks specification, `v1a`: Ed25519, verified by a public key `whpk_…`.
    pub fn standard_ed25519() -> Self {
        let scheme = Self { algorithm: SignatureAlgorithm::Ed25519, ..Self::standard() };
        scheme.prefix("v1a,").secret(SecretEncoding::Base64, "whpk_")
    }

    /// The header with the signature, where it is another one than that of a scheme that is known.
    #[must_use]
    pub fn header(self, header: impl Into<String>) -> Self {
        Self { header: header.into(), ..self }
    }

    /// Sets the text before the signature: `sha256=`. Default: empty.
    #[must_use]
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// Sets the signed content. Default: the body.
    #[must_use]
    pub fn signs(self, signs: Signed) -> Self {
        Self { signs, ..self }
    }

    /// Sets the text before the signed content, such as `v0:`, or the URL of the receiver. Default: empty.
    #[must_use]
    pub fn signed_prefix(self, prefix: impl Into<String>) -> Self {
        Self { signed_prefix: prefix.into(), ..self }
    }

    /// Sets the separator between the signed parts. Default: a dot.
    #[must_use]
    pub fn separator(self, separator: impl Into<String>) -> Self {
        Self { separator: separator.into(), ..self }
    }

    /// The header with the time at which a delivery was signed.
    #[must_use]
    pub fn timestamp_header(self, header: impl Into<String>) -> Self {
        Self { timestamp_header: Some(header.into()), ..self }
    }

    /// Sets the text before that time, among other parts of its header: `t=`. Default: empty, the header is the time.
    #[must_use]
    pub fn timestamp_prefix(self, prefix: impl Into<String>) -> Self {
        Self { timestamp_prefix: prefix.into(), ..self }
    }

    /// The header with the id of a delivery.
    #[must_use]
    pub fn id_header(self, header: impl Into<String>) -> Self {
        Self { id_header: Some(header.into()), ..self }
    }

    /// By how much the time may be off in both directions, in whole seconds. Default: 5 minutes. It counts where there is a header
    /// with a time.
    #[must_use]
    pub fn tolerance(self, tolerance: Duration) -> Self {
        Self { tolerance_seconds: tolerance.as_secs(), ..self }
    }

    /// Sets how the secret is made into the key: the prefix is removed, the rest is decoded. Default: the whole secret is the key.
    #[must_use]
    pub fn secret(self, encoding: SecretEncoding, prefix: impl Into<String>) -> Self {
        Self { secret_encoding: encoding, secret_prefix: prefix.into(), ..self }
    }

    /// Checks what types cannot express.
    ///
    /// # Errors
    /// Returns an error if a name cannot be that of a header, what is signed stands in no header, or a public key
    /// has no encoding.
    pub fn check(&self) -> Result<(), SetupError> {
        let names = [Some(&self.header), self.timestamp_header.as_ref(), self.id_header.as_ref()];
        if let Some(odd) = names.into_iter().flatten().find(|name| name.parse::<HeaderName>().is_err()) {
            return Err(SetupError::Header { name: odd.clone() });
        }
        if self.signs != Signed::Body && self.timestamp_header.is_none() {
            return Err(SetupError::Needs { what: "a signature of the time", setting: "timestamp-header" });
        }
        if self.signs == Signed::IdTimestampBody && self.id_header.is_none() {
            return Err(SetupError::Needs { what: "a signature of the id", setting: "id-header" });
        }
        if self.algorithm == SignatureAlgorithm::Ed25519 && self.secret_encoding == SecretEncoding::Text {
            return Err(SetupError::Needs { what: "a public key", setting: "secret-encoding" });
        }
        Ok(())
    }

    /// Checks the time of a delivery that arrived at `at`, and nothing else: [`Verifier::verify`](crate::webhook::Verifier::verify)
    /// does it after the signature. `None` where the scheme has no time.
    ///
    /// # Errors
    /// Returns an error if the time is missing, not a valid time, or off by more than the tolerance.
    pub fn check_time(&self, headers: &HeaderMap, at: SystemTime) -> Result<Option<SystemTime>, VerifyError> {
        let Some(header) = &self.timestamp_header else { return Ok(None) };
        let text = self.timestamp(headers)?;
        let time = headers::time(text).ok_or_else(|| VerifyError::InvalidTime { header: header.clone() })?;
        let tolerance = self.tolerance_seconds;
        let off = |ahead: Result<Duration, _>| ahead.map_or(0, |ahead: Duration| ahead.as_secs());
        match (off(at.duration_since(time)), off(time.duration_since(at))) {
            (seconds, _) if seconds > tolerance => Err(VerifyError::TooOld { seconds, tolerance }),
            (_, seconds) if seconds > tolerance => Err(VerifyError::TooNew { seconds, tolerance }),
            _ => Ok(Some(time)),
        }
    }

    /// The time of a delivery, as it stands there.
    pub(super) fn timestamp<'h>(&self, headers: &'h HeaderMap) -> Result<&'h str, VerifyError> {
        let name = self.timestamp_header.as_deref().unwrap_or_default();
        let found = headers::text(headers, name)?;
        if self.timestamp_prefix.is_empty() {
            return Ok(found);
        }
        let stamped = headers::parts(found).find_map(|part| part.strip_prefix(self.timestamp_prefix.as_str()));
        stamped.ok_or_else(|| VerifyError::NoPart { header: name.to_owned(), prefix: self.timestamp_prefix.clone() })
    }

    /// Checks whether an id can be part of the signed content. The error is the separator that it contains: the parts could be cut in another way.
    #[cfg(feature = "webhook")]
    pub(super) fn check_id(&self, id: &str) -> Result<(), &str> {
        let separator = self.separator.as_str();
        if !separator.is_empty() && id.contains(separator) { Err(separator) } else { Ok(()) }
    }

    /// Returns the signed content of a delivery.
    #[cfg(feature = "webhook")]
    pub(super) fn input(&self, id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
        let before: &[&str] = match self.signs {
            Signed::Body => &[],
            Signed::TimestampBody => &[timestamp],
            Signed::IdTimestampBody => &[id, timestamp],
        };
        let mut text = self.signed_prefix.clone();
        text.extend(before.iter().flat_map(|part| [part, self.separator.as_str()]));
        [text.as_bytes(), body].concat()
    }
}

fn five_minutes() -> u64 {
    300
}

fn dot() -> String {
    ".".to_owned()
}
