//! The Instasent Transactional API: SMS, number lookup, account and prices, with tokens of a project.
//!
//! An SMS costs money and no create is ever repeated by the client: an unknown outcome is reported as such, see
//! [`Error::may_have_been_sent`](crate::Error::may_have_been_sent).
//!
//! A token is of the kind `api_sms`; it is made in the dashboard under *API tokens*.

include!(concat!(env!("OUT_DIR"), "/keyfit/instasent_transactional.rs"));
