//! What a stream yields, held to the length that was said of it.

use std::error::Error as StdError;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;

/// The chunks of a stream, as many bytes as were said.
pub(super) struct Chunks<S> {
    stream: Pin<Box<S>>,
    /// How many bytes are to come, where that was said.
    left: Option<u64>,
}

impl<S> Chunks<S> {
    pub(super) fn new(stream: S, length: Option<u64>) -> Self {
        Self { stream: Box::pin(stream), left: length }
    }
}

impl<S, T, E> Stream for Chunks<S>
where
    S: Stream<Item = Result<T, E>>,
    T: Into<Bytes>,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    type Item = Result<Bytes, Box<dyn StdError + Send + Sync>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Poll::Ready(chunk) = self.stream.as_mut().poll_next(context) else { return Poll::Pending };
        let chunk: Option<Bytes> = match chunk {
            Some(Ok(chunk)) => Some(chunk.into()),
            Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
            None => None,
        };
        let Some(left) = self.left else { return Poll::Ready(chunk.map(Ok)) };
        let rest = left.checked_sub(chunk.as_ref().map_or(0, |chunk| chunk.len() as u64));
        Poll::Ready(match (chunk, rest) {
            (Some(_), None) => Some(Err("the stream of a file is longer than was said".into())),
            (None, Some(1..)) => Some(Err("the stream of a file is shorter than was said".into())),
            (chunk, rest) => {
                self.left = rest;
                chunk.map(Ok)
            }
        })
    }
}
