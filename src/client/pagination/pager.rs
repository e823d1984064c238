//! Asks for one page after the other.

use std::fmt;
use std::task::{Context, Poll, ready};

use futures_core::future::BoxFuture;
use serde_json::Value;
use url::Url;

use super::cursor::{Cursor, Place};
use super::page::Page;
use super::request;
use super::walk::{Next, Verdict, Walk};
use crate::client::Requests;
use crate::client::transport::{Answer, Transport, Unsent};
use crate::error::operation::{PageArgument, Pagination};
use crate::error::{Error, Operation};
use crate::http_client::Request;

/// A page as it came, and its items.
pub(super) type Read = (Answer, Vec<Value>);

/// The pages of one call, whatever their types.
pub(crate) struct Pager {
    transport: Transport,
    operation: &'static Operation,
    pagination: Pagination,
    /// The call, which each page is a copy of; or why it could not be built, told once.
    call: Result<Request, Option<Error>>,
    /// True if the path of the operation is known, so that requests are held to it.
    has_path: bool,
    size: Option<u64>,
    walk: Walk,
    /// The page at hand, or to be asked for.
    place: Place,
    /// The number of its items that were taken.
    pub(super) taken: u64,
    /// The step after the current page; `None` before it is read.
    next: Option<Next>,
    pending: Option<(Url, BoxFuture<'static, Result<Answer, Error>>)>,
    total: Option<u64>,
    is_over: bool,
}

impl Pager {
    pub(crate) fn new(
        transport: &Transport,
        call: Result<Request, Unsent>,
        operation: &'static Operation,
        pagination: Pagination,
    ) -> Self {
        let call = call.map_err(|unsent| Some(unsent.into_error().of_operation(operation)));
        let asked = |argument: PageArgument| request::argument(call.as_ref().ok()?, argument);
        let place = Place::first(&pagination.next, pagination.next.argument().and_then(asked));
        let size = pagination.limit.and_then(asked).and_then(|size| size.parse().ok()).or(pagination.page_size);
        Self {
            transport: transport.clone(),
            operation,
            pagination,
            call,
            has_path: true,
            size,
            walk: Walk::default(),
            place,
            taken: 0,
            next: None,
            pending: None,
            total: None,
            is_over: false,
        }
    }

    /// The same, of a call that no document describes.
    pub(crate) fn without_path(self) -> Self {
        Self { has_path: false, ..self }
    }

    pub(super) fn page_size(self, items: u64) -> Self {
        Self { size: Some(items.clamp(1, self.pagination.largest_page.unwrap_or(u64::MAX))), ..self }
    }

    pub(super) fn resume(self, Cursor { place, taken }: Cursor) -> Result<Self, Error> {
        if !self.place.is_like(&place) {
            let text = format!(
                "the cursor of {place:?} is of another kind of list than this one: resume the list that it came from"
            );
            return Err(Error::invalid_request(text).of_operation(self.operation));
        }
        Ok(Self { place, taken, walk: Walk::default(), next: None, pending: None, is_over: false, ..self })
    }

    /// Where a walk stands that has so many items of the page at hand left.
    pub(super) fn cursor(&self, left: usize) -> Option<Cursor> {
        match (&self.next, left) {
            (Some(Next::End), 0) => None,
            (Some(Next::Page(place)), 0) => Some(Cursor { place: place.clone(), taken: 0 }),
            _ => Some(Cursor::within(&self.place, self.taken)),
        }
    }

    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    pub(super) fn items_at(&self) -> &'static str {
        self.pagination.items
    }

    /// Ends the walk within the page at hand, which does not fit.
    pub(super) fn break_off(&mut self) {
        (self.next, self.is_over) = (None, true);
    }

    /// The next page. Ends after the last one, and after an error.
    pub(super) fn poll_page(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Read, Error>>> {
        loop {
            if self.is_over {
                return Poll::Ready(None);
            }
            match &self.next {
                None => {}
                Some(Next::End) => return Poll::Ready(None),
                Some(Next::Broken(text)) => {
                    let error = Error::endless(text.clone()).of_operation(self.operation);
                    return self.fail(error);
                }
                Some(Next::Page(place)) => {
                    self.place = place.clone();
                    (self.taken, self.next) = (0, None);
                }
            }
            if self.pending.is_none() {
                match self.ask() {
                    Ok(pending) => self.pending = Some(pending),
                    Err(error) => return self.fail(error),
                }
            }
            let Some((url, pending)) = &mut self.pending else { continue };
            let answer = ready!(pending.as_mut().poll(context));
            let url = url.clone();
            self.pending = None;
            let read = answer.and_then(|answer| {
                let page = Page::read(&self.pagination, &url, &answer.headers, answer.text());
                match page {
                    Ok(page) => Ok((answer, page)),
                    Err(misfit) => Err(answer.misfit(misfit)),
                }
            });
            let (answer, page) = match read {
                Ok(read) => read,
                Err(error) => return self.fail(error),
            };
            self.total = page.total.or(self.total);
            match self.walk.read(&self.pagination, &self.place, self.size, &page) {
                Verdict::Drop(next) => self.next = Some(next),
                Verdict::Take(next) => {
                    self.next = Some(next);
                    return Poll::Ready(Some(Ok((answer, page.items))));
                }
            }
        }
    }

    fn fail(&mut self, error: Error) -> Poll<Option<Result<Read, Error>>> {
        self.is_over = true;
        Poll::Ready(Some(Err(error)))
    }

    /// Begins the call for the page at this place.
    fn ask(&mut self) -> Result<(Url, BoxFuture<'static, Result<Answer, Error>>), Error> {
        let operation = self.operation;
        let request = self.request().map_err(|error| error.of_operation(operation))?;
        let url = request.url().clone();
        let transport = self.transport.clone();
        let is_held_to_path = self.has_path && !matches!(self.place, Place::Link(Some(_)));
        let pending: BoxFuture<'static, _> = if is_held_to_path {
            Box::pin(async move { transport.send(&Requests, Ok(request), operation).await })
        } else {
            Box::pin(async move { transport.send_below_base(request, operation).await })
        };
        Ok((url, pending))
    }

    /// The call for the page at this place.
    fn request(&mut self) -> Result<Request, Error> {
        let Ok(call) = &self.call else {
            let known = || Error::invalid_request("the call could not be built: see the list's first error".to_owned());
            return Err(self.call.as_mut().err().and_then(Option::take).unwrap_or_else(known));
        };
        let mut request = call
            .try_clone()
            .ok_or_else(|| Error::invalid_request("a call whose body is a stream has no further pages".to_owned()))?;
        if let Place::Link(Some(url)) = &self.place {
            *request.url_mut() = Url::parse(url)
                .map_err(|_| Error::invalid_request("the link of the next page is not a URL".to_owned()))?;
            return Ok(request);
        }
        let place = match &self.place {
            Place::After(cursor) => cursor.as_ref().map(|cursor| Value::from(cursor.as_str())),
            Place::Start(place) | Place::Page(place) => Some(Value::from(place.number)),
            Place::Link(_) => None,
        };
        let place = self.pagination.next.argument().zip(place);
        let size = self.pagination.limit.zip(self.size.map(Value::from));
        for (argument, value) in place.into_iter().chain(size) {
            request::set(&mut request, argument, &value).map_err(Error::invalid_request)?;
        }
        Ok(request)
    }
}

impl fmt::Debug for Pager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pager")
            .field("operation", &self.operation.id)
            .field("place", &self.place)
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}
