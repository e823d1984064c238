//! Decodes a success. Nothing of an answer that does not fit is lost.

use bytes::Bytes;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::exchange::{Answer, Body};
use super::items;
use crate::client::{ByteStream, Response};
use crate::error::Error;
use crate::error::failure::{Failure, Fault};
use crate::error::json::{self, misfit};

impl Answer {
    /// The body as the operation's type. An empty body is read as `null`.
    ///
    /// # Errors
    /// Returns an error if the body does not fit the type, or reports items that failed.
    pub fn decode<T: DeserializeOwned>(self) -> Result<Response<T>, Error> {
        let Self { operation, status, headers, body, carried, attempts } = self;
        let body = body.bytes();
        let failure = |fault, headers, body: Bytes| {
            let failure = Failure::of_success(fault, carried.api(), status, headers, body);
            Error::answered(failure, None, &carried.redactor()).after(attempts, true, true).of_operation(operation)
        };
        let text: &[u8] = if body.trim_ascii().is_empty() { b"null" } else { &body };
        let value: T = match json::read(text) {
            Ok(value) => value,
            Err(_) => return Err(failure(Fault::Decode(misfit::<T>(text)), headers, body)),
        };
        if !operation.partial.is_empty() {
            match items::failed(operation.partial, text) {
                Ok(None) => {}
                Ok(Some(counts)) => return Err(failure(Fault::Partial(counts), headers, body)),
                Err(problem) => return Err(failure(Fault::Decode(problem), headers, body)),
            }
        }
        Ok(Response::new(value, status, headers, attempts).sent_with(Some(carried)))
    }

    /// The body as it came, unless it reports items that failed.
    ///
    /// # Errors
    /// Returns an error if the body of an operation that reports items is not JSON, or reports items that failed.
    pub(crate) fn checked(self) -> Result<Response<Bytes>, Error> {
        if self.operation.partial.is_empty() {
            return Ok(self.raw());
        }
        let body = self.body.bytes();
        Ok(self.decode::<IgnoredAny>()?.map(|_| body))
    }

    /// The body, where it was read.
    pub(crate) fn text(&self) -> &[u8] {
        match &self.body {
            Body::Whole(body) => body,
            Body::Open(_) => &[],
        }
    }

    /// The error of a success whose body does not fit: where, and why, without values.
    pub(crate) fn misfit(&self, reason: String) -> Error {
        self.faulty(Fault::Decode(reason))
    }

    fn faulty(&self, fault: Fault) -> Error {
        let body = self.body.bytes();
        let failure = Failure::of_success(fault, self.carried.api(), self.status, self.headers.clone(), body);
        Error::answered(failure, None, &self.carried.redactor())
            .after(self.attempts, true, true)
            .of_operation(self.operation)
    }

    /// The error of work that failed, with the status that says so.
    pub(crate) fn failed_work(&self, word: String) -> Error {
        self.faulty(Fault::Work(word))
    }

    /// The same answer, whose body is shared.
    pub(crate) fn copied(&self) -> Response<Bytes> {
        let body = self.body.bytes();
        Response::new(body, self.status, self.headers.clone(), self.attempts).sent_with(Some(self.carried.clone()))
    }

    /// The body as it came.
    pub fn raw(self) -> Response<Bytes> {
        let body = self.body.bytes();
        Response::new(body, self.status, self.headers, self.attempts).sent_with(Some(self.carried))
    }

    /// An answer of which nothing is read.
    pub fn empty(self) -> Response<()> {
        Response::new((), self.status, self.headers, self.attempts).sent_with(Some(self.carried))
    }

    /// The body as it comes.
    pub fn stream(self) -> Response<ByteStream> {
        Response::new(self.body.stream(), self.status, self.headers, self.attempts).sent_with(Some(self.carried))
    }
}

impl Body {
    /// The bytes as they come.
    pub(crate) fn stream(self) -> ByteStream {
        match self {
            Self::Open(stream) => stream,
            Self::Whole(body) => ByteStream::whole(body),
        }
    }

    /// The bytes of a body that was read. They are shared, not copied.
    fn bytes(&self) -> Bytes {
        match self {
            Self::Whole(body) => body.clone(),
            Self::Open(_) => Bytes::new(),
        }
    }
}
