//! The answers of a list, page by page.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use serde::de::DeserializeOwned;

use super::cursor::Cursor;
use super::pager::Pager;
use crate::client::Response;
use crate::error::Error;

/// The answers of a paged list, one a page. Ends after the last one, and after an error.
#[must_use = "nothing is sent before the first page is asked for"]
pub struct Pages<A> {
    pager: Pager,
    answer: PhantomData<fn() -> A>,
}

impl<A> Pages<A> {
    pub(crate) fn over(pager: Pager) -> Self {
        Self { pager, answer: PhantomData }
    }

    /// As [`Items::page_size`](super::Items::page_size).
    pub fn page_size(self, items: u64) -> Self {
        Self::over(self.pager.page_size(items))
    }

    /// Goes to where a cursor says, also after an error. The page in whose middle it stands comes whole.
    ///
    /// # Errors
    /// Returns an error if the cursor belongs to another kind of list.
    pub fn resume(self, cursor: Cursor) -> Result<Self, Error> {
        self.pager.resume(cursor).map(Self::over)
    }

    /// Where the stream stands: before the page that comes next. `None` at the end of the list.
    pub fn cursor(&self) -> Option<Cursor> {
        self.pager.cursor(0)
    }

    /// Returns the total number of items, as the last page reports it.
    pub fn total(&self) -> Option<u64> {
        self.pager.total()
    }
}

impl<A: DeserializeOwned + 'static> Pages<A> {
    /// The next page.
    pub async fn next(&mut self) -> Option<Result<Response<A>, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl<A> Unpin for Pages<A> {}

impl<A: DeserializeOwned + 'static> Stream for Pages<A> {
    type Item = Result<Response<A>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let read = ready!(self.pager.poll_page(context));
        Poll::Ready(read.map(|read| {
            let page = read.and_then(|(answer, _)| answer.decode());
            if page.is_err() {
                self.pager.break_off();
            }
            page
        }))
    }
}

impl<A> fmt::Debug for Pages<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("cursor", &self.cursor()).field("total", &self.total()).finish_non_exhaustive()
    }
}
