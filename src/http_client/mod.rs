//! What sends requests: a client of the user's own in place of the one that is built in.
//!
//! | You have | Give it to |
//! |---|---|
//! | a `reqwest::Client` with a proxy, a pool or roots of its own | [`Config::http_client`](crate::Config::http_client) |
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
mod deadline;
mod send_error;
mod sender;
mod tower;

use std::fmt;

use futures_core::future::BoxFuture;

pub use body::Body;
/// The crate with the types of requests and answers, in the version that is taken here.
pub use http;
pub(crate) use send_error::Fault;
pub use send_error::SendError;
pub(crate) use sender::{Own, Sender};
pub use tower::Tower;

/// What a client's [`send`](HttpClient::send) gives: the head of the answer, with a body that may still be on its way.
pub type Sending<'a> = BoxFuture<'a, Result<http::Response<Body>, SendError>>;

/// Sends a request, once, and follows no redirect.
pub trait HttpClient: fmt::Debug + Send + Sync + 'static {
    /// The answer to one request. It is dropped where the time of the attempt is up.
    fn send(&self, request: http::Request<Body>) -> Sending<'_>;
}

/// A client with settings of your own. One that follows redirects fails with the first: build it with
/// `redirect(reqwest::redirect::Policy::none())`.
impl HttpClient for reqwest::Client {
    fn send(&self, request: http::Request<Body>) -> Sending<'_> {
        Box::pin(async move {
            let request = reqwest::Request::try_from(request)?;
            let url = request.url().clone();
            let response = sender::send(self, request).await?;
            if *response.url() != url {
                return Err(SendError::new(
                    "the client followed a redirect, and may have taken the credential along: build it with \
                     `redirect(reqwest::redirect::Policy::none())`",
                ));
            }
            Ok(http::Response::from(response).map(Body::new))
        })
    }
}
