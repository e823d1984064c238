//! A request on its way to the attempt loop.

use crate::client::form::Multipart;
use crate::error::Error;
use crate::http_client::Request;

/// A request, and the form that is its body where it has one in parts: such a body is made anew for each attempt.
#[derive(Debug)]
pub struct Outgoing {
    pub(crate) request: Request,
    pub(crate) form: Option<Multipart>,
}

impl Outgoing {
    /// The same once more; `None` where its body can be sent once.
    pub(super) fn try_clone(&self) -> Option<Self> {
        if self.form.as_ref().is_some_and(|form| !form.can_repeat()) {
            return None;
        }
        Some(Self { request: self.request.try_clone()?, form: self.form.clone() })
    }

    /// The request with its body.
    ///
    /// # Errors
    /// Returns an error if a part of the form cannot be sent, such as a file that is not there.
    pub(super) async fn open(self) -> Result<Request, Error> {
        match self.form {
            Some(form) => form.write(self.request).await.map_err(Error::invalid_request),
            None => Ok(self.request),
        }
    }
}

impl From<Request> for Outgoing {
    fn from(request: Request) -> Self {
        Self { request, form: None }
    }
}
