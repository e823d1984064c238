//! Webhooks that you receive: whether a delivery is signed, when it was sent, and whether it came before.
//!
//! | You have | Take |
//! |---|---|
//! | a secret `whsec_…` or a public key `whpk_…` of the Standard Webhooks specification | [`Verifier::standard`] |
//! | a header with an HMAC, and a secret | [`SignatureScheme::hmac_sha256`] and [`Verifier::new`] |
//! | a contract with `[webhooks.NAME.signature]` | the function of that name in the module `webhooks` of the generated client |
//! | deliveries that come twice | [`SeenIds`] |
//! | a test of your receiver | [`Signer`], which signs as the sender does |
//!
//! ```
//! # #[cfg(feature = "webhook")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use keyfit::http_client::http::HeaderMap;
//! use keyfit::webhook::{SignatureScheme, VerifyError, Verifier};
//!
//! let scheme = SignatureScheme::hmac_sha256("X-Hub-Signature-256").prefix("sha256=");
//! let verifier = Verifier::new(scheme, "It's a Secret to Everybody")?; // not-a-secret
//!
//! let mut headers = HeaderMap::new();
//! let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
//! headers.insert("x-hub-signature-256", signature.parse()?);
//! verifier.verify(&headers, b"Hello, World!")?;
//!
//! let error = verifier.verify(&headers, b"Hello, Eve!").expect_err("another body");
//! assert!(matches!(error, VerifyError::Mismatch { .. }));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "webhook"))]
//! # fn main() {}
//! ```
//!
//! The body is the bytes as they came. JSON that was parsed and written again has other bytes, and no signature fits it.

#[cfg(feature = "webhook")]
mod encoding;
mod error;
mod headers;
#[cfg(feature = "webhook")]
mod key;
mod scheme;
mod seen;
#[cfg(feature = "webhook")]
mod signer;
#[cfg(feature = "webhook")]
mod verifier;

pub use error::{SetupError, VerifyError};
pub use scheme::{SecretEncoding, SignatureAlgorithm, SignatureEncoding, SignatureScheme, Signed};
pub use seen::{Claim, Duplicate, SeenIds};
#[cfg(feature = "webhook")]
pub use signer::Signer;
#[cfg(feature = "webhook")]
pub use verifier::{Delivery, Verifier};
