//! A body that is handed on as it comes.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;

use crate::error::Error;

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, reqwest::Error>> + Send + Sync>>;

/// The body of an answer, in the chunks in which it comes. It has no limit of its own, and ends with the first error.
pub struct ByteStream(Option<Chunks>);

impl ByteStream {
    pub(crate) fn of(response: reqwest::Response) -> Self {
        Self(Some(Box::pin(response.bytes_stream())))
    }

    /// A body that was read already.
    pub(crate) fn whole(body: Bytes) -> Self {
        Self::of(http::Response::new(body).into())
    }
}

impl Stream for ByteStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(chunks) = &mut self.0 else { return Poll::Ready(None) };
        let next = chunks.as_mut().poll_next(context).map_err(Error::transport);
        if matches!(next, Poll::Ready(None | Some(Err(_)))) {
            self.0 = None;
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
    use std::future::poll_fn;

    use super::*;

    #[tokio::test]
    async fn a_body_comes_in_chunks_and_ends() {
        let mut stream = ByteStream::whole(Bytes::from_static(b"four"));
        let mut bytes = Vec::new();
        while let Some(chunk) = poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await {
            bytes.extend_from_slice(&chunk.expect("a chunk"));
        }
        assert_eq!(bytes, b"four");
        assert!(poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await.is_none());
    }
}
