//! Where a walk through a list stands.

use std::fmt;
use std::mem;

use serde::{Deserialize, Serialize};

use crate::error::operation::NextPage;

/// A place in a list, behind the item taken last. As JSON it is small and needs no secret to be read:
/// `{"place":{"after":"abc"},"taken":3}`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Cursor {
    pub(super) place: Place,
    /// Items of that page that were taken.
    pub(super) taken: u64,
}

/// Where a page begins.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// Behind a server's cursor; none for the first page.
    After(Option<String>),
    /// At a URL that the server gave; none for the first page.
    Link(Option<String>),
    /// Behind so many entries.
    Start(Number),
    /// At a page number.
    Page(Number),
}

/// A place in a list that goes by numbers.
#[derive(Clone, Copy, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Number {
    pub(super) number: u64,
    /// The page before, by which a server that ignores the number is found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<Before>,
}

/// The remembered data of a page.
#[derive(Clone, Copy, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Before {
    pub(super) digest: u64,
    pub(super) length: u64,
}

impl Cursor {
    /// Behind so many items of the page at a place.
    pub(super) fn within(place: &Place, taken: u64) -> Self {
        match place {
            // The next page may as well begin here: nothing is read twice.
            Place::Start(start) if taken > 0 => {
                Self { place: Place::Start(start.number.saturating_add(taken).into()), taken: 0 }
            }
            _ => Self { place: place.clone(), taken },
        }
    }
}

impl Place {
    /// The first page; `asked` is what the call itself says.
    pub(super) fn first(next: &NextPage, asked: Option<String>) -> Self {
        let number = |first| asked.as_ref().and_then(|asked| asked.parse().ok()).unwrap_or(first);
        match next {
            NextPage::Cursor { .. } | NextPage::LastItem { .. } | NextPage::Header { .. } => Self::After(asked),
            NextPage::Link | NextPage::Url { .. } => Self::Link(None),
            NextPage::Page { first, .. } => Self::Page(number(*first).into()),
            NextPage::Start { .. } => Self::Start(number(0).into()),
        }
    }

    /// Returns whether both are cursors of the same kind of list.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        mem::discriminant(self) == mem::discriminant(other)
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self { number, before: None }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(None) | Self::Link(None) => f.write_str("the first page"),
            // The content of a server's cursor is not known; often it includes the values that are sorted by.
            Self::After(Some(_)) => f.write_str("a cursor of the server"),
            Self::Link(Some(_)) => f.write_str("a link of the server"),
            Self::Start(start) => write!(f, "offset {}", start.number),
            Self::Page(page) => write!(f, "page {}", page.number),
        }
    }
}
