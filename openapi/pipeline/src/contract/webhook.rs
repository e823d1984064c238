//! The signatures of webhook deliveries, for receivers.

use serde::Deserialize;

/// The terms of a webhook that generation needs.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct WebhookTerms {
    pub(crate) signature: Option<Signature>,
}

/// The signature of a delivery. The contract check reads the same table into the runtime type that generated code uses.
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

/// The algorithm of a signature. The variants have the names of the runtime.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Algorithm {
    HmacSha1,
    HmacSha256,
    HmacSha512,
    Ed25519,
}

/// The text encoding of a signature. The variants have the names of the runtime.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Encoding {
    Hex,
    Base64,
}

/// The signed content. The variants have the names of the runtime.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Signed {
    Body,
    TimestampBody,
    IdTimestampBody,
}

/// The text encoding of a secret. The variants have the names of the runtime.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SecretEncoding {
    Text,
    Base64,
    Hex,
}
