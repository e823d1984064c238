//! A stream of events.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use futures_core::future::BoxFuture;
use http::StatusCode;

use super::event::Event;
use super::event_parser::{EventParser, Heard};
use super::opened::Opened;
use super::reconnect::Reconnect;
use crate::client::Response;
use crate::client::transport::Answer;
use crate::error::Error;
use crate::runtime;

/// How much is kept of an answer that is no stream of events, in bytes.
const BODY_LIMIT: usize = 1 << 20;
/// How long that is waited for.
const BODY_TIME: Duration = Duration::from_secs(10);

/// The events of a `text/event-stream`, in the server's order, as they come. It ends with the answer, with the text that the
/// document says ends it, and after an error, which says at which event it happened
/// ([`Error::item`]).
///
/// Neither [`Config::timeout`](crate::Config::timeout) nor the deadline of the call ends it, which are over when the answer
/// begins; what does is silence, after [`Config::idle_timeout`](crate::Config::idle_timeout), comments counted as sounds. An
/// event is up to [`Config::item_limit`](crate::Config::item_limit) bytes long.
///
/// With [`CallOptions::reconnect`](crate::CallOptions::reconnect) a stream of a GET that breaks is taken up again behind the last
/// event that had an id.
pub struct EventStream<T> {
    opened: Opened,
    parser: EventParser,
    heard: Heard,
    state: State,
    reconnect: Option<Reconnect>,
    decode: fn(&str) -> Result<T, String>,
}

enum State {
    Open,
    Reopening(BoxFuture<'static, Option<Result<Answer, Error>>>, Option<Error>),
    Ended,
}

impl<T> EventStream<T> {
    pub(super) async fn over(
        mut opened: Opened,
        reconnect: Option<Reconnect>,
        decode: fn(&str) -> Result<T, String>,
    ) -> Result<Response<Self>, Error> {
        opened.word = "event";
        if let Some(odd) = odd_media_type(&opened) {
            let body = begin(&mut opened).await;
            return Err(opened.odd(odd, body));
        }
        let state = if opened.status == StatusCode::NO_CONTENT { State::Ended } else { State::Open };
        let parser = EventParser::new(opened.item_limit, None);
        let heard = Heard::default();
        let response = opened.response(());
        let stream = Self { opened, parser, heard, state, reconnect, decode };
        Ok(response.map(|()| stream))
    }

    /// The next event.
    pub async fn next(&mut self) -> Option<Result<Event<T>, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// The id in force: the server's name for the place behind the last whole event.
    pub fn last_event_id(&self) -> Option<&str> {
        self.heard.id.as_deref()
    }

    /// What comes of an event; `None` where it is the one that ends the stream.
    fn read(&mut self, event: Event<String>) -> Option<Result<Event<T>, Error>> {
        if self.opened.is_end(&event.data) {
            self.state = State::Ended;
            return None;
        }
        self.opened.count();
        if let Some(reconnect) = &mut self.reconnect {
            reconnect.succeeded();
        }
        Some(match (self.decode)(&event.data) {
            Ok(data) => Ok(event.with(data)),
            Err(reason) => {
                self.state = State::Ended;
                Err(self.opened.misfit(reason, Bytes::from(event.data)))
            }
        })
    }

    /// The answer is over: by an error, or as it should be.
    fn over_with(&mut self, error: Option<Error>) -> Option<Error> {
        match self.reconnect.as_mut().and_then(|reconnect| reconnect.begin(&self.heard)) {
            Some(reopening) => {
                self.state = State::Reopening(reopening, error);
                None
            }
            None => self.end(error),
        }
    }

    fn end(&mut self, error: Option<Error>) -> Option<Error> {
        self.state = State::Ended;
        let unfinished = || self.opened.streamed.end.is_some().then(|| self.opened.unfinished());
        error.or_else(unfinished)
    }

    /// What came of asking again.
    fn reopened(&mut self, answer: Option<Result<Answer, Error>>, before: Option<Error>) -> Option<Error> {
        match answer {
            // Stopped.
            None => self.end(before),
            Some(Err(error)) if error.is_network() => self.over_with(Some(error)),
            Some(Err(error)) => self.end(Some(error)),
            Some(Ok(answer)) => {
                self.opened.renew(answer);
                self.parser = EventParser::new(self.opened.item_limit, self.heard.id.clone());
                self.state = State::Open;
                if self.opened.status == StatusCode::NO_CONTENT {
                    // The server's word that there is no more.
                    self.state = State::Ended;
                    return None;
                }
                let odd = odd_media_type(&self.opened)?;
                self.end(Some(self.opened.odd(odd, Bytes::new())))
            }
        }
    }
}

impl<T> Stream for EventStream<T> {
    type Item = Result<Event<T>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            let error = match &mut this.state {
                State::Ended => return Poll::Ready(None),
                State::Reopening(reopening, before) => {
                    let answer = ready!(reopening.as_mut().poll(context));
                    let before = before.take();
                    this.reopened(answer, before)
                }
                State::Open => match this.parser.next(&mut this.heard) {
                    Ok(Some(event)) => match this.read(event) {
                        Some(read) => return Poll::Ready(Some(read)),
                        None => continue,
                    },
                    Ok(None) => match ready!(Pin::new(&mut this.opened.body).poll_next(context)) {
                        Some(Ok(chunk)) => {
                            this.parser.feed(&chunk);
                            None
                        }
                        Some(Err(error)) => {
                            let error = this.opened.broken(error);
                            this.over_with(Some(error))
                        }
                        None => this.over_with(None),
                    },
                    Err(_) => {
                        this.state = State::Ended;
                        Some(this.opened.too_long())
                    }
                },
            };
            if let Some(error) = error {
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}

impl<T> fmt::Debug for EventStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventStream")
    }
}

/// Why the answer is no stream of events. One that does not say what it is, is believed to be what was asked for.
fn odd_media_type(opened: &Opened) -> Option<String> {
    let came = opened.media_type().filter(|came| came != "text/event-stream")?;
    Some(format!("in its media type: it is `{came}`, and `text/event-stream` was asked for"))
}

/// The beginning of an answer that is none of events.
async fn begin(opened: &mut Opened) -> Bytes {
    let mut body = Vec::new();
    let reading = async {
        while body.len() < BODY_LIMIT
            && let Some(Ok(chunk)) = opened.body.next().await
        {
            body.extend_from_slice(&chunk[..chunk.len().min(BODY_LIMIT - body.len())]);
        }
    };
    // What came until then is enough to tell what it is.
    let _ = runtime::timeout(BODY_TIME, reading).await;
    body.into()
}
