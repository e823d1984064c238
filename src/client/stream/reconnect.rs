//! Takes a stream of events up again where it broke.

use std::time::Duration;

use futures_core::future::BoxFuture;
use http::Method;
use http::header::HeaderValue;

use super::event_parser::Heard;
use crate::client::transport::{Answer, Transport};
use crate::error::operation::Retry;
use crate::error::{Error, Operation};
use crate::http_client::Request;

const LAST_EVENT_ID: &str = "last-event-id";

/// How long is waited where the server does not say.
const WAIT: Duration = Duration::from_secs(3);

/// The request that a stream began with, for the ones that follow.
pub(super) struct Reconnect {
    transport: Transport,
    request: Request,
    operation: &'static Operation,
    /// How often in a row without an event in between.
    most: u32,
    tried: u32,
}

impl Reconnect {
    /// `None` where nothing is asked a second time: it was not wanted, or the call is none that only reads.
    pub(super) fn of(transport: &Transport, request: &Request, operation: &'static Operation) -> Option<Self> {
        let most = transport.reconnects();
        let only_reads = operation.retry == Retry::Safe && *request.method() == Method::GET;
        let request = request.try_clone().filter(|_| most > 0 && only_reads)?;
        Some(Self { transport: transport.clone(), request, operation, most, tried: 0 })
    }

    /// An event came.
    pub(super) fn succeeded(&mut self) {
        self.tried = 0;
    }

    /// The answer from where the stream broke, after a wait. `None` where no id says where that is, or it was tried often enough.
    pub(super) fn begin(&mut self, heard: &Heard) -> Option<BoxFuture<'static, Option<Result<Answer, Error>>>> {
        let id = HeaderValue::from_str(heard.id.as_deref()?).ok()?;
        if self.tried == self.most {
            return None;
        }
        self.tried += 1;
        let mut request = self.request.try_clone()?;
        request.headers_mut().insert(LAST_EVENT_ID, id);
        let (transport, operation) = (self.transport.clone(), self.operation);
        let wait = heard.retry.unwrap_or(WAIT);
        Some(Box::pin(async move {
            if !transport.rest(wait).await {
                return None;
            }
            Some(transport.open(Ok(request), operation).await)
        }))
    }
}
