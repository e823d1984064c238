//! Requests as generated code builds them, by the names that its generator has for the types of an HTTP client. They are
//! those of this crate, whatever sends them.

pub use http::{Method, StatusCode, header};
pub use url::Url;

pub use crate::client::{RequestBuilder, Requests as Client};
pub use crate::http_client::{Body, Request};
