//! The four APIs of Instasent, and what is made for them by hand.

pub mod batch;
#[cfg(feature = "instasent-product")]
pub mod filter;
#[cfg(feature = "instasent-ingest")]
pub mod ingest;
#[cfg(feature = "instasent-ingest")]
pub mod ingest_writer;
#[cfg(feature = "instasent-legacy")]
pub mod legacy;
#[cfg(feature = "instasent-product")]
pub mod product;
#[cfg(any(feature = "instasent-legacy", feature = "instasent-transactional"))]
pub mod sms;
#[cfg(feature = "instasent-transactional")]
pub mod transactional;
#[cfg(feature = "instasent-transactional")]
pub mod webhook;
