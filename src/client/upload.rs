//! A body that is sent as it is: from bytes, a file or a stream.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use http_body::{Frame, SizeHint};
use serde::Serialize;

use crate::http_client::Body;

/// The size of a chunk of a file that is read, and of JSON texts that are written, in bytes.
pub(super) const CHUNK: usize = 64 << 10;

type Chunks = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// A body that is sent as it is: from bytes, a file or a stream. Bytes can be sent again where a call is repeated; a file and a
/// stream are sent once.
///
/// ```no_run
/// # async fn example() -> Result<(), keyfit::Error> {
/// use keyfit::Upload;
///
/// let bytes = Upload::bytes("a text");
/// let file = Upload::file("report.pdf").await?;
/// # Ok(())
/// # }
/// ```
pub struct Upload(Body);

impl Upload {
    /// Bytes, or a text.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into().into())
    }

    /// The chunks of a stream, whose length is not known before its end: they are sent with `Transfer-Encoding: chunked`.
    pub fn stream<S, E>(stream: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        Self::of(stream, None)
    }

    /// The chunks of a stream of so many bytes, which stands in `Content-Length`. One that is longer or shorter breaks the request
    /// off.
    pub fn stream_of<S, E>(stream: S, length: u64) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        Self::of(stream, Some(length))
    }

    /// The chunks of a stream, and how many bytes come where that is known.
    pub(super) fn of<S, T, E>(stream: S, left: Option<u64>) -> Self
    where
        S: Stream<Item = Result<T, E>> + Send + 'static,
        T: Into<Bytes>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let chunks: Chunks =
            Box::pin(Mapped(Box::pin(stream), |chunk: Result<T, E>| chunk.map(Into::into).map_err(io::Error::other)));
        Self(Body::new(Measured { chunks, left }))
    }
}

impl From<Upload> for Body {
    fn from(upload: Upload) -> Self {
        upload.0
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upload")
    }
}

/// A stream whose items are changed on their way.
struct Mapped<S, F>(Pin<Box<S>>, F);

impl<S, F> Unpin for Mapped<S, F> {}

impl<S: Stream, T, F: FnMut(S::Item) -> T> Stream for Mapped<S, F> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let item = ready!(self.0.as_mut().poll_next(context));
        Poll::Ready(item.map(|item| (self.1)(item)))
    }
}

/// Chunks, and how many bytes of them are to come where that is known.
struct Measured {
    chunks: Chunks,
    left: Option<u64>,
}

impl http_body::Body for Measured {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let chunk = ready!(self.chunks.as_mut().poll_next(context));
        let wrong = |text| Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::InvalidData, text))));
        let Some(left) = &mut self.left else { return Poll::Ready(chunk.map(|chunk| chunk.map(Frame::data))) };
        match chunk {
            None if *left > 0 => wrong("the body is shorter than was said"),
            Some(Ok(chunk)) => match left.checked_sub(chunk.len() as u64) {
                Some(after) => {
                    *left = after;
                    Poll::Ready(Some(Ok(Frame::data(chunk))))
                }
                None => wrong("the body is longer than was said"),
            },
            other => Poll::Ready(other.map(|chunk| chunk.map(Frame::data))),
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

/// The framing of JSON texts in a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Framing {
    /// Each on a line.
    Lines,
    /// Each behind a record separator (RFC 7464).
    Sequence,
}

impl Framing {
    fn write(self, item: &impl Serialize, into: &mut Vec<u8>) -> io::Result<()> {
        if self == Self::Sequence {
            into.push(0x1e);
        }
        serde_json::to_writer(&mut *into, item)?;
        into.push(b'\n');
        Ok(())
    }
}

impl Upload {
    #[doc(hidden)]
    /// The items of an iterator as JSON texts, each made when it is sent.
    pub fn json_items<I>(framing: Framing, items: I) -> Self
    where
        I: IntoIterator<IntoIter: Send + 'static>,
        I::Item: Serialize,
    {
        Self::stream(Texts { framing, items: items.into_iter() })
    }

    #[doc(hidden)]
    /// The items of a stream as JSON texts, each sent when it comes.
    pub fn json_stream<S>(framing: Framing, items: S) -> Self
    where
        S: Stream<Item: Serialize> + Send + 'static,
    {
        Self::stream(Mapped(Box::pin(items), move |item| {
            let mut text = Vec::new();
            framing.write(&item, &mut text).map(|()| Bytes::from(text))
        }))
    }
}

/// JSON texts of items that are there already, several in a chunk.
struct Texts<I> {
    framing: Framing,
    items: I,
}

impl<I> Unpin for Texts<I> {}

impl<I: Iterator<Item: Serialize>> Stream for Texts<I> {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut chunk = Vec::new();
        while chunk.len() < CHUNK {
            let Some(item) = self.items.next() else { break };
            if let Err(error) = self.framing.write(&item, &mut chunk) {
                return Poll::Ready(Some(Err(error)));
            }
        }
        Poll::Ready((!chunk.is_empty()).then(|| Ok(chunk.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that a body holds.
    async fn whole(upload: Upload) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        Body::from(upload).whole().await.map(Vec::from)
    }

    fn chunks(texts: &'static [&'static str]) -> impl Stream<Item = io::Result<Bytes>> + Send {
        struct Chunks(std::slice::Iter<'static, &'static str>);
        impl Stream for Chunks {
            type Item = io::Result<Bytes>;
            fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
                Poll::Ready(self.0.next().map(|text| Ok(Bytes::from_static(text.as_bytes()))))
            }
        }
        Chunks(texts.iter())
    }

    #[tokio::test]
    async fn a_stream_is_as_long_as_was_said_or_breaks_off() {
        assert_eq!(whole(Upload::stream(chunks(&["ab", "c"]))).await.expect("no length was said"), b"abc");
        assert_eq!(whole(Upload::stream_of(chunks(&["ab", "c"]), 3)).await.expect("as long as was said"), b"abc");
        for length in [2, 4] {
            assert!(whole(Upload::stream_of(chunks(&["ab", "c"]), length)).await.is_err(), "{length}");
        }
    }

    #[tokio::test]
    async fn items_are_texts_that_follow_each_other() {
        let lines = Upload::json_items(Framing::Lines, vec!["a", "b"]);
        assert_eq!(whole(lines).await.expect("lines"), b"\"a\"\n\"b\"\n");
        let texts = Upload::json_items(Framing::Sequence, [1, 2]);
        assert_eq!(whole(texts).await.expect("texts"), b"\x1e1\n\x1e2\n");
        let many = Upload::json_items(Framing::Lines, (0..100_000).map(|number: u32| number));
        let many = whole(many).await.expect("lines");
        assert_eq!(String::from_utf8_lossy(&many).lines().count(), 100_000);
    }
}
