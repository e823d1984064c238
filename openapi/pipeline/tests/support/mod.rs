//! What several tests of the corpus share.

#![allow(dead_code, reason = "each test uses a part of it")]

pub(crate) mod bare;
pub(crate) mod compile;
pub(crate) mod corpus;
pub(crate) mod large;
pub(crate) mod yaml;
