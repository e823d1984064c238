//! The Instasent Ingest API: contacts and events into one data source, in batches of up to 100.
//!
//! A push of which some items failed is an error of kind [`PartialFailure`](crate::ErrorKind::PartialFailure), so that `?` cannot lose a
//! contact; [`batch::outcome`](crate::batch::outcome) turns it into a value for callers who handle items themselves.

/// What opens this API: a data source's own token, or a Product token with `PROJECT_DATASOURCE_WRITE`.
pub type Credential = crate::auth::Credential<crate::auth::Ingest>;

include!(concat!(env!("OUT_DIR"), "/instasent_ingest.rs"));

#[cfg(feature = "dispatch")]
pub(crate) use generated::dispatch;
pub use generated::{BASE_URL, Client, OPERATIONS, builder, types, values};
