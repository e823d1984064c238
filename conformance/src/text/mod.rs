//! Functions for texts: escapes, patterns, words, and JSON pointers.

pub(crate) mod glob;
pub(crate) mod markdown;
pub(crate) mod pointer;
pub(crate) mod quoting;
pub(crate) mod words;
