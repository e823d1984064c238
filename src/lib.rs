#![doc = include_str!("../README.md")]
#![cfg_attr(not(any_api), allow(dead_code, unused_imports, reason = "without an API nothing calls the runtime"))]

extern crate self as keyfit;

mod api;
pub mod auth;
pub mod batch;
mod byte_stream;
mod call_options;
mod clock;
#[doc(hidden)]
pub mod codegen;
mod config;
#[cfg(feature = "dispatch")]
pub mod dispatch;
mod environment;
mod error;
mod error_kind;
mod field_error;
pub mod filter;
#[cfg(feature = "instasent-ingest")]
pub mod ingest_writer;
mod list;
pub mod observer;
pub mod operation;
pub mod pagination;
mod path_argument;
mod rate_limit;
mod raw;
pub mod redact;
mod response;
mod retry;
mod runtime;
pub mod sms;
#[cfg(test)]
mod test_logs;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod timestamp;
pub mod webhook;

#[cfg(feature = "scopien")]
pub use api::scopien;
pub use byte_stream::ByteStream;
pub use call_options::CallOptions;
pub use clock::{Clock, SystemClock};
pub use codegen::IntoArgument;
pub use config::Config;
pub use environment::Environment;
pub use error::Error;
pub use error_kind::ErrorKind;
pub use field_error::FieldError;
pub use list::List;
pub use operation::Operation;
pub use path_argument::{InvalidPathArgument, PathArgument};
pub use rate_limit::RateLimit;
pub use raw::RawRequest;
pub use response::Response;
pub use retry::RetryPolicy;
pub use timestamp::Timestamp;

/// The four APIs of Instasent.
pub mod instasent {
    #[cfg(feature = "instasent-ingest")]
    pub use crate::api::instasent_ingest as ingest;
    #[cfg(feature = "instasent-legacy")]
    pub use crate::api::instasent_legacy as legacy;
    #[cfg(feature = "instasent-product")]
    pub use crate::api::instasent_product as product;
    #[cfg(feature = "instasent-transactional")]
    pub use crate::api::instasent_transactional as transactional;
}
