//! The Instasent Legacy API: SMS, number lookup, account and prices, at the root of the host.
//!
//! Superseded by the [Transactional API](super::transactional), which has the same operations; it stays online.
//!
//! A token is account-wide; it is made in the dashboard under *API tokens*.

include!(concat!(env!("OUT_DIR"), "/keyfit/instasent_legacy.rs"));
