//! The Scopien API: API keys, opportunities, accounts, contacts and reports.
//!
//! The key alone selects sandbox or production: both share one host.

/// What opens this API: a key made in the dashboard under *Settings*, *API Keys*.
pub type Credential = crate::auth::Credential<crate::auth::Scopien>;

include!(concat!(env!("OUT_DIR"), "/scopien.rs"));

#[cfg(feature = "dispatch")]
pub(crate) use generated::dispatch;
pub use generated::{BASE_URL, Client, OPERATIONS, builder, types, values};
