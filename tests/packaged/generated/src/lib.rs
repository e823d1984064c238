//! A crate outside the workspace whose client is code of its own, which `keyfit generate` wrote.

pub mod parcels;
