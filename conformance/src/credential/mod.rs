//! Credentials: their source, their place in a request, and their redaction.

pub(crate) mod basic;
pub(crate) mod carrier;
pub mod fetched_tokens;
pub mod identity;
pub(crate) mod jws;
pub mod profile;
pub mod secret;
