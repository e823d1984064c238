//! What is known of a stream whose head has come, and the errors that say where in it something failed.

use bytes::Bytes;
use http::StatusCode;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::auth::Carried;
use crate::client::pagination::set_member;
use crate::client::transport::{Answer, Outgoing};
use crate::client::{ByteStream, Response};
use crate::error::failure::{Failure, Fault};
use crate::error::json::misfit;
use crate::error::{Error, Operation, json};

/// What the document says of an answer that comes an item at a time.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Streamed {
    /// The media type that is asked for.
    pub media_type: &'static str,
    /// The text of the item that ends the stream and is none itself. `None` where the answer ends by itself.
    pub end: Option<&'static str>,
    /// The JSON pointer of the member of the body that is set to `true` to ask for the stream.
    pub switch: Option<&'static str>,
}

impl Streamed {
    /// A stream of this media type.
    pub const fn new(media_type: &'static str) -> Self {
        Self { media_type, end: None, switch: None }
    }

    /// The same, with the [text that ends it](Self::end).
    #[must_use]
    pub const fn with_end(self, end: &'static str) -> Self {
        Self { end: Some(end), ..self }
    }

    /// The same, with the [member that asks for it](Self::switch).
    #[must_use]
    pub const fn with_switch(self, switch: &'static str) -> Self {
        Self { switch: Some(switch), ..self }
    }

    /// The request as one that asks for the stream.
    pub(super) fn ask(self, mut outgoing: Outgoing) -> Result<Outgoing, Error> {
        let Outgoing { request, form } = &mut outgoing;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static(self.media_type));
        if let Some(switch) = self.switch {
            let set = match form {
                Some(form) => form.set(switch, "true"),
                None => set_member(request, switch, &Value::Bool(true)),
            };
            set.map_err(|()| {
                Error::invalid_request(format!("the body has no member `{switch}` to ask for a stream with"))
            })?;
        }
        Ok(outgoing)
    }
}

/// A success whose body is read item by item.
pub(super) struct Opened {
    pub(super) body: ByteStream,
    pub(super) status: StatusCode,
    pub(super) streamed: Streamed,
    /// The longest item, in bytes.
    pub(super) item_limit: usize,
    operation: &'static Operation,
    headers: HeaderMap,
    carried: Carried,
    attempts: u32,
    /// How many items came.
    items: u64,
    /// What one of them is called.
    pub(super) word: &'static str,
}

impl Opened {
    pub(super) fn of(answer: Answer, streamed: Streamed, item_limit: usize) -> Self {
        let Answer { operation, status, headers, body, carried, attempts } = answer;
        let body = body.stream();
        Self { body, status, streamed, item_limit, operation, headers, carried, attempts, items: 0, word: "item" }
    }

    /// With what another request was answered, in the same place.
    pub(super) fn renew(&mut self, answer: Answer) {
        let Answer { status, headers, body, carried, attempts, .. } = answer;
        (self.body, self.status, self.headers, self.carried) = (body.stream(), status, headers, carried);
        self.attempts += attempts;
    }

    /// The media type of the answer, in lower case and without parameters.
    pub(super) fn media_type(&self) -> Option<String> {
        let text = self.headers.get(CONTENT_TYPE)?.to_str().ok()?;
        text.split(';').next().map(|essence| essence.trim().to_ascii_lowercase())
    }

    /// Whether this is the text that ends the stream.
    pub(super) fn is_end(&self, text: &str) -> bool {
        self.streamed.end == Some(text)
    }

    /// One more item came.
    pub(super) fn count(&mut self) {
        self.items += 1;
    }

    /// The item that came last does not fit; why, without values.
    pub(super) fn misfit(&self, reason: String, data: Bytes) -> Error {
        self.failed(Fault::Decode(reason), data).at_item(self.word, self.items)
    }

    /// The answer is none of items.
    pub(super) fn odd(&self, reason: String, body: Bytes) -> Error {
        self.failed(Fault::Decode(reason), body)
    }

    /// The item at hand is longer than the limit.
    pub(super) fn too_long(&self) -> Error {
        self.failed(Fault::LongItem(self.item_limit), Bytes::new()).at_item(self.word, self.items + 1)
    }

    /// The answer ended where it could not.
    pub(super) fn unfinished(&self) -> Error {
        self.failed(Fault::Unfinished, Bytes::new()).at_item(self.word, self.items + 1)
    }

    /// The body broke off.
    pub(super) fn broken(&self, error: Error) -> Error {
        self.of_call(error.masked(&self.carried.redactor())).at_item(self.word, self.items + 1)
    }

    fn failed(&self, fault: Fault, data: Bytes) -> Error {
        let failure = Failure::of_success(fault, self.carried.api(), self.status, self.headers.clone(), data);
        self.of_call(Error::answered(failure, None, &self.carried.redactor()))
    }

    fn of_call(&self, error: Error) -> Error {
        error.after(self.attempts, true, true).of_operation(self.operation)
    }

    /// The answer, with a stream as its value.
    pub(super) fn response<S>(&self, stream: S) -> Response<S> {
        Response::new(stream, self.status, self.headers.clone(), self.attempts).sent_with(Some(self.carried.clone()))
    }
}

/// A JSON text as a type; an empty one is read as `null`. Why it does not fit is told without values.
pub(super) fn json<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let text = if text.trim_ascii().is_empty() { "null" } else { text };
    json::read_text(text).map_err(|_| misfit::<T>(text.as_bytes()))
}
