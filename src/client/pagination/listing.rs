//! One page of a list, and the answers that hold one.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// One page of a list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page<T> {
    /// The entries, in the server's order.
    pub items: Vec<T>,
    /// The cursor of the next page, in lists that hand one out; `None` on the last page.
    pub next: Option<String>,
    /// How many entries the server skipped, where it says so.
    pub start: Option<u64>,
    /// The most entries of a page, where the server says so. It may be fewer than were asked for.
    pub limit: Option<u64>,
    /// How many entries there are in all, where the server says so.
    pub total: Option<u64>,
}

/// An answer that is one page of a list. All paged answers of the five APIs implement it.
pub trait Listing: DeserializeOwned + Send + 'static {
    /// What the list holds.
    type Item: Serialize + Send + 'static;

    /// The page.
    fn into_page(self) -> Page<Self::Item>;
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { items: Vec::new(), next: None, start: None, limit: None, total: None }
    }
}
