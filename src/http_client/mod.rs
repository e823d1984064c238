//! The sender of requests: a custom client in place of the built-in one. Without the feature `reqwest` there is no built-in
//! client, and each client, token endpoint and secret store is given one.
//!
//! | You have | Give it to |
//! |---|---|
//! | a `reqwest::Client` with a proxy, a pool or roots of its own (feature `reqwest`) | [`Config::http_client`](crate::Config::http_client) |
//! | a `tower` service: layers of your own, `axum::Router` as a server in the same process | the same, in [`Tower`] |
//! | answers without a network, in tests | the same, a type of yours that is an [`HttpClient`] |
//!
//! Whatever it is, credentials, retries, rate limits, deadlines and errors stay what they are: it sends one request and gives its
//! answer. It must not follow redirects, which would take the credential elsewhere, and must not send anything again by itself.
//!
//! ```
//! use keyfit::http_client::{Body, HttpClient, SendError, Sending};
//! use keyfit::{Config, scopien};
//!
//! /// Answers everything with the same list.
//! #[derive(Debug)]
//! struct Canned;
//!
//! impl HttpClient for Canned {
//!     fn send(&self, request: http::Request<Body>) -> Sending<'_> {
//!         assert_eq!(request.uri().path(), "/v1/accounts");
//!         Box::pin(async { Ok(http::Response::new(Body::from("[]"))) })
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), keyfit::Error> {
//! let config = Config::default().http_client(Canned);
//! let client = scopien::Client::with_config(scopien::Key::new("any")?, config)?;
//! assert!(client.accounts_list().send().await?.is_empty());
//! # Ok(())
//! # }
//! ```

mod body;
mod client;
mod deadline;
#[cfg(target_family = "wasm")]
mod fetch;
#[cfg(feature = "reqwest")]
mod of_reqwest;
mod request;
mod send_error;
mod sender;
mod tower;

pub use body::Body;
pub use client::{HttpClient, Sending};
#[cfg(target_family = "wasm")]
pub(crate) use fetch::Fetch;
/// The crate with the types of requests and answers, in the version that is taken here.
pub use http;
#[cfg(feature = "rustls-no-provider")]
pub(crate) use of_reqwest::{Authority, Identity, Trust};
#[cfg(feature = "reqwest")]
pub(crate) use of_reqwest::{BuiltIn, Setup};
pub use request::{Request, TimeLimit};
pub(crate) use send_error::Fault;
pub use send_error::SendError;
pub(crate) use sender::{Own, Sender};
pub use tower::Tower;
/// The crate with the type of URLs, in the version that is taken here.
pub use url;
