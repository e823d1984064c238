//! The body of a request or an answer.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body as _, Frame, SizeHint};

use super::SendError;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
pub(super) type Chunks = Pin<Box<dyn http_body::Body<Data = Bytes, Error = BoxError> + Send>>;

/// A body: bytes, or what comes in chunks.
pub struct Body(Content);

enum Content {
    /// `None` once they are handed on.
    Bytes(Option<Bytes>),
    /// Never locked: bodies have to be `Sync`, which those of others need not be.
    Chunks(Mutex<Chunks>),
}

impl Body {
    /// A body of any other kind.
    pub fn new<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self::of_chunks(Box::pin(Boxed(Box::pin(body))))
    }

    pub(super) fn of_chunks(chunks: Chunks) -> Self {
        Self(Content::Chunks(Mutex::new(chunks)))
    }

    /// No body.
    pub fn empty() -> Self {
        Bytes::new().into()
    }

    /// All of it, once it has come.
    ///
    /// # Errors
    /// Returns an error if it breaks off.
    pub async fn whole(self) -> Result<Bytes, BoxError> {
        let chunks = match self.0 {
            Content::Bytes(bytes) => return Ok(bytes.unwrap_or_default()),
            Content::Chunks(chunks) => chunks,
        };
        let mut chunks = chunks.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut whole = BytesMut::new();
        while let Some(frame) = poll_fn(|context| chunks.as_mut().poll_frame(context)).await {
            whole.extend_from_slice(&frame?.into_data().unwrap_or_default());
        }
        Ok(whole.freeze())
    }

    /// All of it, where it is there already: not that of an upload or of an answer that is on its way.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match &self.0 {
            Content::Bytes(bytes) => Some(bytes.as_deref().unwrap_or_default()),
            Content::Chunks(_) => None,
        }
    }

    /// The same once more, where it is there already; its bytes are shared.
    pub(super) fn try_clone(&self) -> Option<Self> {
        match &self.0 {
            Content::Bytes(bytes) => Some(Self(Content::Bytes(bytes.clone()))),
            Content::Chunks(_) => None,
        }
    }

    /// All of it, where it is there already.
    #[cfg(feature = "reqwest")]
    pub(super) fn into_bytes(self) -> Result<Bytes, Self> {
        match self.0 {
            Content::Bytes(bytes) => Ok(bytes.unwrap_or_default()),
            Content::Chunks(_) => Err(self),
        }
    }

    /// The next chunk.
    pub(crate) fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, SendError>>> {
        loop {
            match ready!(Pin::new(&mut *self).poll_frame(context)) {
                Some(Ok(frame)) => {
                    // A frame after the body is not a chunk of it.
                    if let Ok(chunk) = frame.into_data() {
                        return Poll::Ready(Some(Ok(chunk)));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(SendError::of(error)))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Content::Bytes(Some(bytes)))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Content::Bytes(bytes) => {
                let bytes = bytes.take().filter(|bytes| !bytes.is_empty());
                Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
            }
            Content::Chunks(chunks) => {
                chunks.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut().poll_frame(context)
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Content::Bytes(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Content::Chunks(chunks) => chunks.lock().unwrap_or_else(PoisonError::into_inner).size_hint(),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The content may be secret or personal.
        f.write_str("Body")
    }
}

/// A body whose errors are put into boxes.
struct Boxed<B>(Pin<Box<B>>);

impl<B> http_body::Body for Boxed<B>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.as_mut().poll_frame(context).map(|frame| frame.map(|frame| frame.map_err(Into::into)))
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
