//! The Instasent Legacy API: SMS, number lookup, account and prices, at the root of the host.
//!
//! Superseded by the [Transactional API](super::transactional), which has the same operations; it stays online.

use super::paged::{listings, paged};

/// What opens this API: an account-wide token, made in the dashboard under *API tokens*.
pub type Credential = crate::auth::Credential<crate::auth::Legacy>;

include!(concat!(env!("OUT_DIR"), "/instasent_legacy.rs"));

#[cfg(feature = "dispatch")]
pub(crate) use generated::dispatch;
pub use generated::{BASE_URL, Client, OPERATIONS, builder, types, values};

listings! {
    LookupListResponse: Lookup bare;
    SmsListResponse: ResponseSmsItem bare;
}

paged! {
    LookupList: Lookup by_page;
    SmsList: ResponseSmsItem by_page;
}
