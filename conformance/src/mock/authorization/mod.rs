//! The authorization server of the mock: a user consents at once, and the tokens that it issues are good at the API
//! beside it. Every defect is one question on the way.

mod authorize;
mod fault;
mod jwt;
mod refresh;
mod token;

use hyper::body::Bytes;
use hyper::http::request::Parts;

use super::call::{Answer, Call};
use super::core::Core;

impl Core {
    /// Answers a request to one of the two endpoints; `None` where it is for the API.
    pub(super) fn authorization(&self, request: &Parts, body: &Bytes) -> Option<Answer> {
        let server = self.contract.authorization_server.as_ref()?;
        let path = request.uri.path();
        if path == server.authorize_path {
            return Some(self.authorize(&Call::read(request, body.clone(), "")?, server));
        }
        if path == server.token_path {
            return Some(self.token_request(&Call::read(request, body.clone(), "")?, server));
        }
        None
    }
}
