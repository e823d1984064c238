//! The typed clients, one file an API.

#[cfg(feature = "instasent-ingest")]
pub mod instasent_ingest;
#[cfg(feature = "instasent-legacy")]
pub mod instasent_legacy;
#[cfg(feature = "instasent-product")]
pub mod instasent_product;
#[cfg(feature = "instasent-transactional")]
pub mod instasent_transactional;
#[cfg(any(feature = "instasent-legacy", feature = "instasent-product", feature = "instasent-transactional"))]
mod paged;
#[cfg(feature = "scopien")]
pub mod scopien;
