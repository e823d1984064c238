//! The pagination of an operation, as data: written by the document pipeline, from a document or its overlay.

/// The pagination of an operation. Places in bodies are JSON pointers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Pagination {
    /// The way to the next page.
    pub next: NextPage,
    /// Where an answer holds its items; empty where the answer is the list itself.
    pub items: &'static str,
    /// True if every answer has that member. Otherwise an answer without it has no items.
    pub items_required: bool,
    /// Where a request says how many items a page has.
    pub limit: Option<PageArgument>,
    /// The default page size, in items. Without it the server decides.
    pub page_size: Option<u64>,
    /// The most items that may be asked for.
    pub largest_page: Option<u64>,
    /// Where an answer says how many items its page may have; that may be fewer than were asked for.
    pub kept_limit: Option<&'static str>,
    /// Where an answer says how many items it skipped.
    pub start: Option<&'static str>,
    /// Where an answer says how many items there are in all.
    pub total: Option<&'static str>,
    /// Where an answer says whether there are more items.
    pub more: Option<&'static str>,
}

/// The way from one page to the next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum NextPage {
    /// A cursor in the body, or the URL of the next page, which has it as an argument. Absent, null or empty at the end.
    Cursor {
        /// Where the answer holds it.
        at: &'static str,
        /// Where it is sent back.
        argument: PageArgument,
    },
    /// A member of the last item of the page.
    LastItem {
        /// The member, as a pointer into an item.
        at: &'static str,
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
    /// The number of items to skip.
    Start {
        /// Where it is sent.
        argument: PageArgument,
    },
    /// A header `Link` with `rel="next"` (RFC 8288). It is followed within the origin and base path of the client alone.
    Link,
    /// The URL of the next page, in the body. Absent, null or empty at the end. It is followed within the origin and base path of
    /// the client alone.
    Url {
        /// Where the answer holds it.
        at: &'static str,
    },
    /// A token in a header of the answer. Absent or empty at the end.
    Header {
        /// The header.
        name: &'static str,
        /// Where the token is sent back.
        argument: PageArgument,
    },
}

/// Where a request says which page it wants.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PageArgument {
    /// A parameter of the query.
    Query(&'static str),
    /// A member of the JSON body, as a pointer.
    Body(&'static str),
}

impl Pagination {
    /// Pages that are lists, of which no more is known than what leads to the next one.
    pub const fn new(next: NextPage) -> Self {
        Self {
            next,
            items: "",
            items_required: true,
            limit: None,
            page_size: None,
            largest_page: None,
            kept_limit: None,
            start: None,
            total: None,
            more: None,
        }
    }

    /// The same, with the place of its [items](Self::items), which every answer has.
    #[must_use]
    pub const fn with_items(self, items: &'static str) -> Self {
        Self { items, items_required: true, ..self }
    }

    /// The same, with the place of its [items](Self::items), which an answer without items may lack.
    #[must_use]
    pub const fn with_optional_items(self, items: &'static str) -> Self {
        Self { items, items_required: false, ..self }
    }

    /// The same, with where requests say how many items a page [has](Self::limit).
    #[must_use]
    pub const fn with_limit(self, limit: PageArgument) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// The same, with how many items are asked for where [nobody says so](Self::page_size).
    #[must_use]
    pub const fn with_page_size(self, items: u64) -> Self {
        Self { page_size: Some(items), ..self }
    }

    /// The same, with the [most items](Self::largest_page) that may be asked for.
    #[must_use]
    pub const fn with_largest_page(self, items: u64) -> Self {
        Self { largest_page: Some(items), ..self }
    }

    /// The same, with where answers say the limit that they [keep to](Self::kept_limit).
    #[must_use]
    pub const fn with_kept_limit(self, at: &'static str) -> Self {
        Self { kept_limit: Some(at), ..self }
    }

    /// The same, with where answers say how many items they [skipped](Self::start).
    #[must_use]
    pub const fn with_start(self, at: &'static str) -> Self {
        Self { start: Some(at), ..self }
    }

    /// The same, with where answers say how many items there are [in all](Self::total).
    #[must_use]
    pub const fn with_total(self, at: &'static str) -> Self {
        Self { total: Some(at), ..self }
    }

    /// The same, with where answers say whether there are [more](Self::more).
    #[must_use]
    pub const fn with_more(self, at: &'static str) -> Self {
        Self { more: Some(at), ..self }
    }
}

impl NextPage {
    /// Where a request says which page it wants; nowhere where the whole URL is given.
    pub const fn argument(&self) -> Option<PageArgument> {
        match *self {
            Self::Cursor { argument, .. }
            | Self::LastItem { argument, .. }
            | Self::Page { argument, .. }
            | Self::Start { argument }
            | Self::Header { argument, .. } => Some(argument),
            Self::Link | Self::Url { .. } => None,
        }
    }
}

impl PageArgument {
    /// The name of the parameter, or the pointer to the member.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Query(name) | Self::Body(name) => name,
        }
    }
}
