//! The Instasent Transactional API: SMS, number lookup, account and prices, with tokens of a project.
//!
//! An SMS costs money and no create is ever repeated by the client: an unknown outcome is reported as such, see
//! [`Error::may_have_been_sent`](crate::Error::may_have_been_sent).

use super::paged::{listings, paged};

/// What opens this API: an `api_sms` token, made in the dashboard under *API tokens*.
pub type Credential = crate::auth::Credential<crate::auth::Sms>;

include!(concat!(env!("OUT_DIR"), "/instasent_transactional.rs"));

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
