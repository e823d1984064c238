//! Facts of a document that both the check and the mock use, and the values that they write and read as the document describes.

pub(crate) mod balance;
pub(crate) mod body;
pub(crate) mod chain;
pub(crate) mod conditional;
pub(crate) mod form;
pub(crate) mod invalid_request;
pub(crate) mod item_stream;
pub(crate) mod parameter;
pub(crate) mod read_only;
pub(crate) mod reference;
pub(crate) mod responses;
pub(crate) mod segment;
pub(crate) mod unknown_id;
