//! The time of a request, up to the last byte of its answer.

use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::future::BoxFuture;
use http_body::{Frame, SizeHint};

use super::{Body, SendError};
use crate::runtime::{Elapsed, timeout};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// When the time of a request is up.
pub(super) struct Deadline(BoxFuture<'static, Elapsed>);

impl Deadline {
    /// In so long.
    pub(super) fn of(time: Duration) -> Self {
        Self(Box::pin(async move {
            match timeout(time, pending::<std::convert::Infallible>()).await {
                Err(elapsed) => elapsed,
                Ok(never) => match never {},
            }
        }))
    }

    /// The value of a future, if it comes before that.
    pub(super) async fn within<T>(&mut self, future: impl Future<Output = T> + Send) -> Result<T, Elapsed> {
        let mut future = std::pin::pin!(future);
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Ok(value)),
            Poll::Pending => self.0.as_mut().poll(context).map(Err),
        })
        .await
    }

    /// A body that breaks off then.
    pub(super) fn of_body(self, body: Body) -> impl http_body::Body<Data = Bytes, Error = BoxError> + Send {
        Timed { body, deadline: self }
    }
}

struct Timed {
    body: Body,
    deadline: Deadline,
}

impl http_body::Body for Timed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if frame.is_ready() {
            return frame;
        }
        self.deadline.0.as_mut().poll(context).map(|late| Some(Err(SendError::timeout(late).into())))
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
