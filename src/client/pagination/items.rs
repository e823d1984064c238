//! The items of a list, one by one.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use futures_core::Stream;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::cursor::Cursor;
use super::page::shown;
use super::pager::Pager;
use crate::client::transport::Answer;
use crate::error::Error;
use crate::error::json::without_values;

/// The items of a paged list, in the server's order, each once. Ends after the last one, and after an error.
#[must_use = "nothing is sent before the first item is asked for"]
pub struct Items<T> {
    pager: Pager,
    /// The remaining items of the current page.
    page: vec::IntoIter<T>,
    /// An item that does not fit, behind those of the page at hand.
    misfit: Option<Error>,
}

impl<T> Items<T> {
    pub(crate) fn over(pager: Pager) -> Self {
        Self { pager, page: Vec::new().into_iter(), misfit: None }
    }

    /// Sets the number of items to request at once, at least 1 and at most what the document allows. Where it is not called, the call's own
    /// argument counts, then the description of the list, then the server decides. A list without such an argument ignores it.
    pub fn page_size(self, items: u64) -> Self {
        Self { pager: self.pager.page_size(items), ..self }
    }

    /// Goes to where a cursor says, also after an error: `items.resume(cursor)` asks again for the page that failed.
    /// Items of that page that were taken before are left out.
    ///
    /// # Errors
    /// Returns an error if the cursor belongs to another kind of list.
    pub fn resume(self, cursor: Cursor) -> Result<Self, Error> {
        self.pager.resume(cursor).map(Self::over)
    }

    /// Where the stream stands: behind the item taken last. `None` at the end of the list. It can be kept as text (it
    /// implements serde's traits); how long a server honours its cursors is its own affair.
    pub fn cursor(&self) -> Option<Cursor> {
        self.pager.cursor(self.page.len())
    }

    /// Returns the total number of items, as the last page reports it.
    pub fn total(&self) -> Option<u64> {
        self.pager.total()
    }
}

impl<T: DeserializeOwned> Items<T> {
    /// The next item.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Replaces the current page by the one that was read.
    fn turn(&mut self, answer: &Answer, read: Vec<Value>) {
        let mut items = Vec::with_capacity(read.len());
        for (index, item) in read.into_iter().enumerate() {
            match serde_path_to_error::deserialize(item) {
                Ok(item) => items.push(item),
                Err(error) => {
                    let at = shown(self.pager.items_at());
                    let reason = without_values(&error.inner().to_string());
                    self.misfit = Some(answer.misfit(format!("at `{at}`, item {index}, `{}`: {reason}", error.path())));
                    self.pager.break_off();
                    break;
                }
            }
        }
        self.page = items.into_iter();
        // Taken before the stream was resumed.
        let again = usize::try_from(self.pager.taken).unwrap_or(usize::MAX).min(self.page.len());
        self.page.by_ref().take(again).for_each(drop);
        self.pager.taken = again as u64;
    }
}

// Nothing is pinned in place: what is pinned is in boxes.
impl<T> Unpin for Items<T> {}

impl<T: DeserializeOwned> Stream for Items<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(item) = this.page.next() {
                this.pager.taken += 1;
                return Poll::Ready(Some(Ok(item)));
            }
            if let Some(error) = this.misfit.take() {
                return Poll::Ready(Some(Err(error)));
            }
            match ready!(this.pager.poll_page(context)) {
                Some(Ok((answer, items))) => this.turn(&answer, items),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.page.len(), None)
    }
}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("cursor", &self.cursor()).field("total", &self.total()).finish_non_exhaustive()
    }
}
