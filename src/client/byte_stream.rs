//! A body that is handed on as it comes.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use futures_core::future::BoxFuture;

use crate::error::{Clock as _, Error, SystemClock};
use crate::http_client::Body;

/// The body of an answer, in the chunks in which it comes. It has no limit of its own, and ends with the first error.
///
/// Neither [`Config::timeout`](crate::Config::timeout) nor the deadline of the call ends it, which are over when the answer
/// begins; what does is silence, after [`Config::idle_timeout`](crate::Config::idle_timeout).
pub struct ByteStream {
    body: Option<Body>,
    idle_timeout: Duration,
    /// Begun when nothing is there to be read.
    silence: Option<BoxFuture<'static, ()>>,
}

impl ByteStream {
    pub(crate) fn of(body: Body, idle_timeout: Duration) -> Self {
        Self { body: Some(body), idle_timeout, silence: None }
    }

    /// A body that was read already.
    pub(crate) fn whole(body: Bytes) -> Self {
        Self::of(body.into(), Duration::MAX)
    }

    /// The next chunk.
    pub async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Returns whether it has been silent for too long.
    fn is_silent(&mut self, context: &mut Context<'_>) -> bool {
        let idle_timeout = self.idle_timeout;
        let silence = self.silence.get_or_insert_with(|| SystemClock.sleep(idle_timeout));
        silence.as_mut().poll(context).is_ready()
    }
}

impl Stream for ByteStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let next = match body.poll_chunk(context) {
            Poll::Pending if self.is_silent(context) => Poll::Ready(Some(Err(Error::silent(self.idle_timeout)))),
            Poll::Pending => return Poll::Pending,
            Poll::Ready(next) => Poll::Ready(next.map(|chunk| chunk.map_err(Error::broken_off))),
        };
        self.silence = None;
        if matches!(next, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        next
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByteStream")
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body::Frame;

    use super::*;
    use crate::error::ErrorKind;

    #[tokio::test]
    async fn a_body_comes_in_chunks_and_ends() {
        let mut stream = ByteStream::whole(Bytes::from_static(b"four"));
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.next().await {
            bytes.extend_from_slice(&chunk.expect("a chunk"));
        }
        assert_eq!(bytes, b"four");
        assert!(stream.next().await.is_none());
    }

    #[tokio::test]
    async fn silence_ends_it_and_whatever_comes_puts_that_off() {
        /// Four bytes, 0.2 s between them, and then silence.
        struct Slow(u8, Option<BoxFuture<'static, ()>>);

        impl http_body::Body for Slow {
            type Data = Bytes;
            type Error = Infallible;

            fn poll_frame(
                mut self: Pin<&mut Self>,
                context: &mut Context<'_>,
            ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
                if self.0 == 4 {
                    return Poll::Pending;
                }
                let wait = self.1.get_or_insert_with(|| SystemClock.sleep(Duration::from_millis(200)));
                std::task::ready!(wait.as_mut().poll(context));
                *self = Self(self.0 + 1, None);
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"x")))))
            }
        }

        let mut stream = ByteStream::of(Body::new(Slow(0, None)), Duration::from_millis(700));
        for _ in 0..4 {
            stream.next().await.expect("a chunk").expect("within the time");
        }
        let error = stream.next().await.expect("an error").expect_err("silence");
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(error.to_string().contains("nothing came for 700ms"), "{error}");
        assert!(stream.next().await.is_none());
    }
}
