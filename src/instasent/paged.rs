//! What makes the paged calls of an API walkable; see [`pagination`](crate::pagination).

/// Implements [`Listing`] for answers with `entities`, and with one of the two kinds of metadata or none.
macro_rules! listings {
    ($($answer:ident: $item:ident $kind:ident;)*) => {
        $(impl crate::client::pagination::Listing for types::$answer {
            type Item = types::$item;

            fn into_page(self) -> crate::client::pagination::Page<types::$item> {
                let page = crate::instasent::paged::listings!(@$kind self);
                crate::client::pagination::Page { items: self.entities, ..page }
            }
        })*
    };
    (@scroll $answer:ident) => {
        crate::client::pagination::Page {
            next: $answer.metadata.cursor,
            limit: $answer.metadata.limit.and_then(|limit| limit.try_into().ok()),
            total: $answer.metadata.total_hits.and_then(|total| total.try_into().ok()),
            ..crate::client::pagination::Page::default()
        }
    };
    (@list $answer:ident) => {
        $answer.metadata.map_or_else(crate::client::pagination::Page::default, |metadata| crate::client::pagination::Page {
            start: metadata.start.and_then(|start| start.try_into().ok()),
            limit: metadata.limit.and_then(|limit| limit.try_into().ok()),
            total: metadata.count.and_then(|count| count.try_into().ok()),
            ..crate::client::pagination::Page::default()
        })
    };
    (@bare $answer:ident) => {
        crate::client::pagination::Page::default()
    };
}

/// Gives calls the method `items`, by the way in which they page.
macro_rules! paged {
    ($($call:ident: $item:ident $kind:ident;)*) => {
        $(impl<'a> builder::$call<'a> {
            crate::instasent::paged::paged!(@$kind $item);
        })*
    };
    (@by_cursor $item:ident) => {
        /// All items, page by page; see [`pagination`](crate::pagination). The body's `limit` is the size of a page; its
        /// `cursor` is where the list begins.
        pub fn items(self) -> crate::client::pagination::Items<'a, types::$item> {
            crate::client::pagination::by_cursor(move |cursor: Option<String>| {
                let call = self.clone();
                match cursor {
                    Some(cursor) => call.body_map(|body| body.cursor(cursor)),
                    None => call,
                }
                .send()
            })
        }
    };
    (@by_start $item:ident) => {
        /// All items, page by page; see [`pagination`](crate::pagination). A `start` and a `limit` of the call are
        /// replaced: see [`Items::page_size`](crate::pagination::Items::page_size).
        pub fn items(self) -> crate::client::pagination::Items<'a, types::$item> {
            crate::client::pagination::by_start(move |start, limit| self.clone().start(start).limit(limit).send())
        }
    };
    (@by_page $item:ident) => {
        /// All items, page by page; see [`pagination`](crate::pagination). A `page` and a `per_page` of the call are
        /// replaced: see [`Items::page_size`](crate::pagination::Items::page_size).
        pub fn items(self) -> crate::client::pagination::Items<'a, types::$item> {
            crate::client::pagination::by_page(move |page, size| self.clone().page(page).per_page(size).send())
        }
    };
}

pub(crate) use {listings, paged};
