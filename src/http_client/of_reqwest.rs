//! A client of reqwest that the user has set up.

use super::{Body, HttpClient, SendError, Sending, sender};

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
