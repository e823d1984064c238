//! The Instasent Transactional API: SMS, number lookup, account and prices, with tokens of a project.
//!
//! An SMS costs money and no create is ever repeated by the client: an unknown outcome is reported as such, see
//! [`Error::may_have_been_sent`](crate::Error::may_have_been_sent).

/// What opens this API: an `api_sms` token, made in the dashboard under *API tokens*.
pub type Credential = crate::auth::Credential<crate::auth::Sms>;

include!(concat!(env!("OUT_DIR"), "/instasent_transactional.rs"));

#[cfg(feature = "dispatch")]
pub(crate) use generated::dispatch;
pub use generated::{BASE_URL, Client, OPERATIONS, builder, types, values};
