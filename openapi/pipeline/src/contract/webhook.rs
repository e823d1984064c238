//! How deliveries are signed, for who receives them.

use serde::Deserialize;

/// What generation reads of the terms of a webhook.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct WebhookTerms {
    pub(crate) signature: Option<Signature>,
}

/// How a delivery is signed. The contract check reads the same table into the type that generated code makes of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Signature {
    pub(crate) header: String,
    pub(crate) algorithm: Algorithm,
    pub(crate) encoding: Encoding,
    pub(crate) prefix: Option<String>,
    pub(crate) signs: Signed,
    pub(crate) signed_prefix: Option<String>,
    pub(crate) separator: Option<String>,
    pub(crate) timestamp_header: Option<String>,
    pub(crate) timestamp_prefix: Option<String>,
    pub(crate) id_header: Option<String>,
    pub(crate) tolerance_seconds: Option<u64>,
    #[serde(default)]
    pub(crate) secret_prefix: String,
    pub(crate) secret_encoding: Option<SecretEncoding>,
}

/// The variants are named as those of the runtime.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Algorithm {
    HmacSha1,
    HmacSha256,
    HmacSha512,
    Ed25519,
}

/// As [`Algorithm`].
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Encoding {
    Hex,
    Base64,
}

/// As [`Algorithm`].
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Signed {
    Body,
    TimestampBody,
    IdTimestampBody,
}

/// As [`Algorithm`].
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SecretEncoding {
    Text,
    Base64,
    Hex,
}
