//! Answers that come an item at a time: events, and JSON texts one after the other.

mod event;
mod event_parser;
mod events;
mod json_lines;
mod lines;
mod opened;
mod reconnect;

use crate::client::Response;
use crate::client::transport::{Outgoing, Transport, Unsent};
use crate::error::{Error, Operation};

pub use event::Event;
pub use events::EventStream;
pub use json_lines::JsonLines;
pub use opened::Streamed;

use opened::Opened;
use reconnect::Reconnect;

/// A call on its way to a stream.
pub struct StreamCall<'a> {
    pub(crate) transport: &'a Transport,
    pub(crate) request: Result<Outgoing, Unsent>,
    pub(crate) operation: &'static Operation,
    pub(crate) streamed: Streamed,
}

impl StreamCall<'_> {
    /// Sends the request. The value is the stream of events whose data is JSON of a type.
    ///
    /// # Errors
    /// Returns an error if the request cannot be sent, is not answered by a success, or by one that is no stream of events.
    pub async fn events<T: serde::de::DeserializeOwned>(self) -> Result<Response<EventStream<T>>, Error> {
        let (opened, reconnect) = self.open().await?;
        EventStream::over(opened, reconnect, opened::json).await
    }

    /// As [`events`](Self::events); the data is the text as it came.
    ///
    /// # Errors
    /// As [`events`](Self::events).
    pub async fn text_events(self) -> Result<Response<EventStream<String>>, Error> {
        let (opened, reconnect) = self.open().await?;
        EventStream::over(opened, reconnect, |text| Ok(text.to_owned())).await
    }

    /// Sends the request. The value is the stream of JSON texts of a type: one a line, or behind record separators where the
    /// answer is `application/json-seq`.
    ///
    /// # Errors
    /// Returns an error if the request cannot be sent, or is not answered by a success.
    pub async fn json_lines<T: serde::de::DeserializeOwned>(self) -> Result<Response<JsonLines<T>>, Error> {
        let (opened, _) = self.open().await?;
        Ok(JsonLines::over(opened))
    }

    async fn open(self) -> Result<(Opened, Option<Reconnect>), Error> {
        let Self { transport, request, operation, streamed } = self;
        let request = request.and_then(|request| Ok(streamed.ask(request)?));
        let spare = request.as_ref().ok().and_then(|request| Reconnect::of(transport, &request.request, operation));
        let answer = transport.open(request, operation).await?;
        Ok((Opened::of(answer, streamed, transport.item_limit()), spare))
    }
}
