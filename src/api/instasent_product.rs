//! The Instasent Product API: projects, audience, events, segments, campaigns, automations and direct SMS.
//!
//! A token holds the scopes that were ticked when it was made; each operation's are in [`OPERATIONS`].

/// What opens this API: a token made in the dashboard under *Project settings*, *API tokens*.
pub type Credential = crate::auth::Credential<crate::auth::Product>;

include!(concat!(env!("OUT_DIR"), "/instasent_product.rs"));

#[cfg(feature = "dispatch")]
pub(crate) use generated::dispatch;
pub use generated::{BASE_URL, Client, OPERATIONS, builder, types, values};
