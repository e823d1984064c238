//! The errors of a delivery that is refused, and of a verifier that cannot be made.

/// The reason why a delivery is refused. No variant holds a secret, the right signature or a part of the body.
///
/// # Troubleshooting
/// Answer 401 and do nothing else. Where real deliveries fail:
/// - [`Missing`](Self::Missing), [`NotText`](Self::NotText), [`NoPart`](Self::NoPart), [`Encoding`](Self::Encoding): the scheme is
///   not the sender's, or a proxy takes headers away.
/// - [`Mismatch`](Self::Mismatch): the secret is that of another endpoint, or the body was changed on its way to the verifier, most
///   often parsed and written again.
/// - [`TooOld`](Self::TooOld), [`TooNew`](Self::TooNew): a clock is wrong, or a delivery waited in a queue before it was verified:
///   see [`Verifier::verify_at`](crate::webhook::Verifier::verify_at).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// A header is missing.
    #[error("the header `{header}` is missing")]
    Missing {
        /// The header.
        header: String,
    },
    /// The value of a header has characters beyond ASCII.
    #[error("the header `{header}` is not text")]
    NotText {
        /// The header.
        header: String,
    },
    /// No part of a header begins as it should.
    #[error("no part of `{header}` begins with `{prefix}`")]
    NoPart {
        /// The header.
        header: String,
        /// The beginning.
        prefix: String,
    },
    /// No signature is written as the scheme has it.
    #[error("the signature in `{header}` is not {encoding}")]
    Encoding {
        /// The header.
        header: String,
        /// The encoding in words.
        encoding: &'static str,
    },
    /// No signature is that of what came, by any of the secrets.
    #[error("the signature in `{header}` is not the one of what came")]
    Mismatch {
        /// The header.
        header: String,
    },
    /// The id holds what stands between the signed parts, so that they could be cut in another way.
    #[error("the id in `{header}` holds `{separator}`, which stands between the signed parts")]
    AmbiguousId {
        /// The header.
        header: String,
        /// The separator of the parts.
        separator: String,
    },
    /// The time is none: neither a number of seconds or milliseconds since 1970 nor a date of RFC 3339.
    #[error("the time in `{header}` is not a valid time")]
    InvalidTime {
        /// The header.
        header: String,
    },
    /// The delivery was signed too long ago: it may be sent again by somebody who listened.
    #[error("the time of the delivery is {seconds} s off, more than {tolerance} s: it is too old")]
    TooOld {
        /// Its age in seconds.
        seconds: u64,
        /// The age that is allowed, in seconds.
        tolerance: u64,
    },
    /// The delivery was signed in the future.
    #[error("the time of the delivery is {seconds} s off, more than {tolerance} s: it is in the future")]
    TooNew {
        /// The time by which it is ahead, in seconds.
        seconds: u64,
        /// The time by which it may be ahead, in seconds.
        tolerance: u64,
    },
}

/// The reason why a scheme or a secret cannot be used. No variant holds the secret.
///
/// # Troubleshooting
/// The message names the setting. A secret begins and ends as the sender shows it, without white space around it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A name that no header can have.
    #[error("`{name}` is not the name of a header")]
    Header {
        /// The name.
        name: String,
    },
    /// A setting that the others call for is left out.
    #[error("{what} needs `{setting}`")]
    Needs {
        /// What calls for it.
        what: &'static str,
        /// The setting.
        setting: &'static str,
    },
    /// The secret is empty.
    #[error("the secret is empty")]
    EmptySecret,
    /// The secret is not in its encoding.
    #[error("the secret is not {encoding}")]
    SecretEncoding {
        /// The encoding in words.
        encoding: &'static str,
    },
    /// The key is not one of the algorithm.
    #[error("the {key} of Ed25519 has 32 bytes, and this one has {bytes}")]
    KeyLength {
        /// Which key it is: public or private.
        key: &'static str,
        /// Its length.
        bytes: usize,
    },
    /// An id that no header can hold, or that holds what stands between the signed parts.
    #[error("the id of the delivery cannot stand in `{header}`")]
    Id {
        /// The header.
        header: String,
    },
    /// The algorithm was not compiled in.
    #[error("signatures of Ed25519 need the feature `jwt`")]
    NoEd25519,
}
