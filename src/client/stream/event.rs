//! An event as a caller has it.

use std::fmt;
use std::time::Duration;

/// An event of a `text/event-stream`.
///
/// Its `Debug` shows neither the data nor the id.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub struct Event<T> {
    /// What the event holds, as the document describes it: read from JSON, or the text as it came.
    pub data: T,
    /// The type that the server gives the event; `None` where it gives none, which the standard reads as `message`.
    pub event: Option<String>,
    /// The id in force: that of this event, or the last one before it. By it the stream can be taken up again.
    pub id: Option<String>,
    /// How long the server asks to wait before the stream is taken up again, where it says so with this event.
    pub retry: Option<Duration>,
}

impl<T> Event<T> {
    /// The same event with other data.
    pub(super) fn with<U>(self, data: U) -> Event<U> {
        let Self { event, id, retry, .. } = self;
        Event { data, event, id, retry }
    }
}

impl<T> fmt::Debug for Event<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("event", &self.event).field("retry", &self.retry).finish_non_exhaustive()
    }
}
