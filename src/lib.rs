#![doc = include_str!("../README.md")]

extern crate self as keyfit;

// Layers, of which each knows those before it alone: error, auth, client, codegen, generated code with what a vendor's
// module adds to it, and `dispatch` above all vendors. tests/layers.rs holds the code to that.
pub mod auth;
mod client;
#[doc(hidden)]
pub mod codegen;
pub mod dispatch;
mod error;
#[cfg(any(
    feature = "instasent-ingest",
    feature = "instasent-legacy",
    feature = "instasent-product",
    feature = "instasent-transactional"
))]
pub mod instasent;
#[cfg(feature = "scopien")]
pub mod scopien;

pub use client::{
    ByteStream, CallOptions, Config, InvalidPathArgument, List, PathArgument, RawRequest, Response, RetryPolicy,
};
pub use client::{batch, observer, pagination};
#[cfg(any(test, feature = "testing"))]
pub use error::testing;
pub use error::{
    Api, Clock, Error, ErrorEnvelope, ErrorKind, FieldError, Operation, RateLimit, RateLimitNames, SystemClock,
    Timestamp,
};
pub use error::{operation, redact};
