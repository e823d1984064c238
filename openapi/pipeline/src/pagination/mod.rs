//! How an operation pages through its results: what an overlay says under `x-keyfit: pages`, held to the document.

mod guess;
mod hint;
mod names;

use serde::Serialize;

pub use guess::Guess;
pub(crate) use hint::{Call, Hint};
pub(crate) use names::plain;

/// How an operation pages through its results. Places in bodies are JSON pointers.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Pagination {
    /// What leads to the next page.
    pub next: NextPage,
    /// Where an answer holds its items; empty where the answer is the list itself.
    pub items: String,
    /// Whether every answer has that member.
    pub items_required: bool,
    /// Where a request says how many items a page has.
    pub limit: Option<PageArgument>,
    /// How many items are asked for where nobody says so.
    pub page_size: Option<u64>,
    /// The most items that may be asked for.
    pub largest_page: Option<u64>,
    /// Where an answer says how many items its page may have.
    pub kept_limit: Option<String>,
    /// Where an answer says how many items it skipped.
    pub start: Option<String>,
    /// Where an answer says how many items there are in all.
    pub total: Option<String>,
    /// Where an answer says whether there are more items.
    pub more: Option<String>,
}

/// What leads from one page to the next.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NextPage {
    /// A cursor in the body, or the URL of the next page, which has it as an argument.
    Cursor {
        /// Where the answer holds it.
        at: String,
        /// Where it is sent back.
        argument: PageArgument,
    },
    /// A member of the last item of the page.
    LastItem {
        /// The member, as a pointer into an item.
        at: String,
        /// Where it is sent.
        argument: PageArgument,
    },
    /// The number of the page.
    Page {
        /// Where it is sent.
        argument: PageArgument,
        /// The number of the first page.
        first: u64,
    },
    /// How many items are skipped.
    Start {
        /// Where it is sent.
        argument: PageArgument,
    },
    /// A header `Link` with `rel="next"` (RFC 8288).
    Link,
    /// The URL of the next page, in the body.
    Url {
        /// Where the answer holds it.
        at: String,
    },
    /// A token in a header of the answer.
    Header {
        /// The header.
        name: String,
        /// Where the token is sent back.
        argument: PageArgument,
    },
}

/// Where a request says which page it wants.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PageArgument {
    /// A parameter of the query.
    Query(String),
    /// A member of the JSON body, as a pointer.
    Body(String),
}

impl Pagination {
    /// What an overlay says of it under `x-keyfit`, on one line: `pages: { by: link }`.
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
    /// Where a request says which page it wants; nowhere where the whole URL is given.
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

    /// The word for it in a hint.
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
    /// A pointer is a member of the body, anything else the name of a parameter.
    pub(crate) fn of_text(text: &str) -> Self {
        if text.starts_with('/') { Self::Body(text.to_owned()) } else { Self::Query(text.to_owned()) }
    }

    /// The name of the parameter, or the pointer to the member.
    pub fn name(&self) -> &str {
        match self {
            Self::Query(name) | Self::Body(name) => name,
        }
    }
}
