//! The pagination of an operation: the overlay's `x-keyfit: pages`, validated against the document.

mod guess;
mod hint;
mod names;

use serde::Serialize;

pub use guess::PaginationGuess;
pub(crate) use hint::{CallParts, PaginationHint};
pub(crate) use names::plain;

/// The pagination of an operation. Places in bodies are JSON pointers.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Pagination {
    /// The link to the next page.
    pub next: NextPage,
    /// The place of the items in a response; empty if the response is the list itself.
    pub items: String,
    /// True if every response has that member.
    pub items_required: bool,
    /// The argument for the number of items of a page.
    pub limit: Option<PageArgument>,
    /// The number of items that is requested if the caller gives none.
    pub page_size: Option<u64>,
    /// The maximum number of items that may be requested.
    pub largest_page: Option<u64>,
    /// The place of the actual page size in a response.
    pub kept_limit: Option<String>,
    /// The place of the number of skipped items in a response.
    pub start: Option<String>,
    /// The place of the total number of items in a response.
    pub total: Option<String>,
    /// The place of the flag for more items in a response.
    pub more: Option<String>,
}

/// The link from one page to the next.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NextPage {
    /// A cursor in the body, or the URL of the next page, which has it as an argument.
    Cursor {
        /// The place of the cursor in the response.
        at: String,
        /// The argument that takes it.
        argument: PageArgument,
    },
    /// A member of the last item of the page.
    LastItem {
        /// The member, as a pointer into an item.
        at: String,
        /// The argument that takes it.
        argument: PageArgument,
    },
    /// The number of the page.
    Page {
        /// The argument that takes it.
        argument: PageArgument,
        /// The number of the first page.
        first: u64,
    },
    /// The number of skipped items.
    Start {
        /// The argument that takes it.
        argument: PageArgument,
    },
    /// A header `Link` with `rel="next"` (RFC 8288).
    Link,
    /// The URL of the next page, in the body.
    Url {
        /// The place of the URL in the response.
        at: String,
    },
    /// A token in a header of the response.
    Header {
        /// The header.
        name: String,
        /// The argument that takes it.
        argument: PageArgument,
    },
}

/// The argument that selects a page.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PageArgument {
    /// A parameter of the query.
    Query(String),
    /// A member of the JSON body, as a pointer.
    Body(String),
}

impl Pagination {
    /// Returns the pagination as an overlay hint below `x-keyfit`, on one line: `pages: { by: link }`.
    pub fn hint(&self) -> String {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let mut keys = vec![format!("by: {}", self.next.word())];
        if !self.items.is_empty() {
            keys.push(format!("items: {}", quoted(&self.items)));
        }
        match &self.next {
            NextPage::Cursor { at, .. } | NextPage::LastItem { at, .. } | NextPage::Url { at } => {
                keys.push(format!("next: {}", quoted(at)));
            }
            NextPage::Header { name, .. } => keys.push(format!("next: {}", quoted(name))),
            NextPage::Page { .. } | NextPage::Start { .. } | NextPage::Link => {}
        }
        keys.extend(self.next.argument().map(|argument| format!("argument: {}", quoted(argument.name()))));
        if let NextPage::Page { first, .. } = self.next {
            keys.push(format!("first: {first}"));
        }
        keys.extend(self.limit.as_ref().map(|limit| format!("limit: {}", quoted(limit.name()))));
        keys.extend(self.page_size.map(|size| format!("size: {size}")));
        for (key, place) in
            [("kept-limit", &self.kept_limit), ("start", &self.start), ("total", &self.total), ("more", &self.more)]
        {
            keys.extend(place.as_ref().map(|place| format!("{key}: {}", quoted(place))));
        }
        format!("pages: {{ {} }}", keys.join(", "))
    }
}

impl NextPage {
    /// Returns the argument that selects the page; `None` if the response provides a whole URL.
    pub fn argument(&self) -> Option<&PageArgument> {
        match self {
            Self::Cursor { argument, .. }
            | Self::LastItem { argument, .. }
            | Self::Page { argument, .. }
            | Self::Start { argument }
            | Self::Header { argument, .. } => Some(argument),
            Self::Link | Self::Url { .. } => None,
        }
    }

    /// Returns its keyword in a hint.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Cursor { .. } => "cursor",
            Self::LastItem { .. } => "last-item",
            Self::Page { .. } => "page",
            Self::Start { .. } => "start",
            Self::Link => "link",
            Self::Url { .. } => "url",
            Self::Header { .. } => "header",
        }
    }
}

impl PageArgument {
    /// Parses an argument: a pointer is a member of the body, anything else the name of a parameter.
    pub(crate) fn of_text(text: &str) -> Self {
        if text.starts_with('/') { Self::Body(text.to_owned()) } else { Self::Query(text.to_owned()) }
    }

    /// Returns the name of the parameter, or the pointer of the member.
    pub fn name(&self) -> &str {
        match self {
            Self::Query(name) | Self::Body(name) => name,
        }
    }
}
