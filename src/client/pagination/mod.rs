//! Lists that come in pages, as streams of their items.
//!
//! Each paged call has a method `items`, which walks all its pages:
//!
//! ```no_run
//! use keyfit::instasent::product::{Client, types::AudienceScrollFilter};
//!
//! # async fn example(client: Client) -> Result<(), keyfit::Error> {
//! let filter = AudienceScrollFilter::builder().sort_field("_date_updated".to_owned());
//! let mut contacts = client.audience_scroll().project("proj_xxx").body(filter).items();
//! while let Some(contact) = contacts.next().await {
//!     println!("{}", contact?.id);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`Items`] is a [`Stream`] too, for the combinators of the `futures` crate. A page is asked for when its first item is,
//! and held until its last one is taken: memory is that of one page, and a slow reader is waited for. Each page is a call
//! of its own, with attempts, waits and deadline as every call.
//!
//! An item comes once. A page that fails ends the stream with its error; [`Items::cursor`] says where it stands, and
//! [`Items::resume`] goes on from there, in this process or another. A server that hands out pages in a circle is found
//! out. What no client can help: in lists by offset or page number, entries that are made or deleted meanwhile push
//! others over the edge of a page.
//!
//! For calls that the documents do not describe, [`by_cursor`], [`by_start`] and [`by_page`] take a closure that fetches
//! one page.

mod cursor;
mod listing;
mod walk;

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use futures_core::Stream;
use futures_core::future::BoxFuture;
use serde::Serialize;

pub use cursor::Cursor;
use cursor::Place;
pub use listing::{Listing, Page};
use walk::{Next, Verdict, Walk};

use crate::client::Response;
use crate::error::Error;

/// How many entries a page has where nothing else is said, and the most that the documents allow.
const PAGE_SIZE: u64 = 50;
const LARGEST_PAGE: u64 = 100;

/// Fetches the page at a place, of so many entries.
type Fetch<'a, T> = Box<dyn Fn(Place, u64) -> BoxFuture<'a, Result<Page<T>, Error>> + Send + 'a>;

/// The items of a paged list, in the server's order, each once. Ends after the last one, and after an error.
#[must_use = "nothing is sent before the first item is asked for"]
pub struct Items<'a, T> {
    fetch: Fetch<'a, T>,
    digest: fn(&[T]) -> u64,
    size: u64,
    walk: Walk,
    /// The page at hand, or to be asked for, and how many of its items were taken.
    place: Place,
    taken: u64,
    page: vec::IntoIter<T>,
    /// What follows the page at hand; `None` before it is read.
    next: Option<Next>,
    pending: Option<BoxFuture<'a, Result<Page<T>, Error>>>,
    total: Option<u64>,
    has_failed: bool,
}

/// Walks a list whose pages hand out the cursor of the next one. `fetch` is given no cursor for the first page.
pub fn by_cursor<'a, A, F, P>(fetch: F) -> Items<'a, A::Item>
where
    A: Listing,
    F: Fn(Option<String>) -> P + Send + 'a,
    P: Future<Output = Result<Response<A>, Error>> + Send + 'a,
{
    Items::new::<A, _, _>(Place::After(None), move |place, _| match place {
        Place::After(cursor) => fetch(cursor),
        // `resume` accepts none of another kind.
        Place::Start(_) | Place::Page(_) => fetch(None),
    })
}

/// Walks a list by offset. `fetch` is given how many entries to skip and how many to return.
pub fn by_start<'a, A, F, P>(fetch: F) -> Items<'a, A::Item>
where
    A: Listing,
    F: Fn(u64, u64) -> P + Send + 'a,
    P: Future<Output = Result<Response<A>, Error>> + Send + 'a,
{
    Items::new::<A, _, _>(Place::Start(0.into()), move |place, size| fetch(place.number(), size))
}

/// Walks a list by page number, from 1. `fetch` is given the number and how many entries a page has.
pub fn by_page<'a, A, F, P>(fetch: F) -> Items<'a, A::Item>
where
    A: Listing,
    F: Fn(u64, u64) -> P + Send + 'a,
    P: Future<Output = Result<Response<A>, Error>> + Send + 'a,
{
    Items::new::<A, _, _>(Place::Page(1.into()), move |place, size| fetch(place.number(), size))
}

impl<'a, T> Items<'a, T> {
    fn new<A, F, P>(place: Place, fetch: F) -> Self
    where
        A: Listing<Item = T>,
        T: Serialize,
        F: Fn(Place, u64) -> P + Send + 'a,
        P: Future<Output = Result<Response<A>, Error>> + Send + 'a,
    {
        Self {
            fetch: Box::new(move |place, size| {
                let answer = fetch(place, size);
                Box::pin(async move { Ok(answer.await?.into_inner().into_page()) })
            }),
            digest: walk::digest::<T>,
            size: PAGE_SIZE,
            walk: Walk::default(),
            place,
            taken: 0,
            page: Vec::new().into_iter(),
            next: None,
            pending: None,
            total: None,
            has_failed: false,
        }
    }

    /// How many entries to ask for at once, in lists by offset or page number, from 1 to 100; more counts as 100.
    /// Default: 50. A scroll's is the `limit` of its body.
    pub fn page_size(mut self, entries: u64) -> Self {
        self.size = entries.clamp(1, LARGEST_PAGE);
        self
    }

    /// Goes to where a cursor says, also after an error: `items.resume(cursor)` asks again for the page that failed.
    /// Items of that page that were taken before are left out.
    ///
    /// # Errors
    /// A cursor of another kind of list.
    pub fn resume(mut self, cursor: Cursor) -> Result<Self, Error> {
        if !self.place.is_like(&cursor.place) {
            return Err(Error::invalid_request(format!(
                "the cursor {cursor:?} is of another kind of list than this one: resume the list that it came from"
            )));
        }
        (self.place, self.taken) = (cursor.place, cursor.taken);
        self.walk = Walk::default();
        self.page = Vec::new().into_iter();
        (self.next, self.pending, self.has_failed) = (None, None, false);
        Ok(self)
    }

    /// Where the stream stands: behind the item taken last. `None` at the end of the list. It can be kept as text (it
    /// implements serde's traits); how long a server honours its cursors is not documented.
    pub fn cursor(&self) -> Option<Cursor> {
        match (&self.next, self.page.len()) {
            (Some(Next::End), 0) => None,
            (Some(Next::Page(place)), 0) => Some(Cursor { place: place.clone(), taken: 0 }),
            _ => Some(Cursor::within(&self.place, self.taken)),
        }
    }

    /// How many items the server says there are in all, as the page read last says it. It decides nothing here.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// The next item.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// What was read takes the place of the page at hand.
    fn turn(&mut self, page: Page<T>) {
        let digest = self.digest;
        self.total = page.total.or(self.total);
        match self.walk.read(&self.place, self.size, &page, || digest(&page.items)) {
            Verdict::Drop(next) => self.next = Some(next),
            Verdict::Take(next) => {
                self.next = Some(next);
                self.page = page.items.into_iter();
                // Taken before the stream was resumed.
                let again = usize::try_from(self.taken).unwrap_or(usize::MAX).min(self.page.len());
                self.page.by_ref().take(again).for_each(drop);
                self.taken = again as u64;
            }
        }
    }

    fn fail(&mut self, error: Error) -> Poll<Option<Result<T, Error>>> {
        self.has_failed = true;
        Poll::Ready(Some(Err(error)))
    }
}

// Nothing is pinned in place: what is pinned is in boxes.
impl<T> Unpin for Items<'_, T> {}

impl<T> Stream for Items<'_, T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(item) = this.page.next() {
                this.taken += 1;
                return Poll::Ready(Some(Ok(item)));
            }
            if this.has_failed {
                return Poll::Ready(None);
            }
            match &mut this.next {
                None => {}
                Some(Next::End) => return Poll::Ready(None),
                Some(Next::Broken(text)) => {
                    let error = Error::endless(text.clone());
                    return this.fail(error);
                }
                Some(Next::Page(place)) => {
                    this.place = place.clone();
                    (this.taken, this.next) = (0, None);
                }
            }
            let pending = this.pending.get_or_insert_with(|| (this.fetch)(this.place.clone(), this.size));
            let read = ready!(pending.as_mut().poll(context));
            this.pending = None;
            match read {
                Ok(page) => this.turn(page),
                Err(error) => return this.fail(error),
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.page.len(), None)
    }
}

impl<T> fmt::Debug for Items<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("cursor", &self.cursor()).field("total", &self.total).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
