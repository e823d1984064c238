//! Lists that come in pages, as streams of their items.
//!
//! A paged call has two methods beside `send`: `items` walks all items of all its pages, `pages` the answers. Which calls page,
//! and how, is told by the document or its overlay, and stands in [`Operation::pagination`](crate::Operation::pagination).
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
//! [`Items`] and [`Pages`] are [`Stream`](futures_core::Stream)s too, for the combinators of the `futures` crate. A page is asked for when its first
//! item is, and held until its last one is taken: memory is that of one page, and a slow reader is waited for. Each page is a
//! call of its own, with attempts, waits and deadline as every call. The list begins where the call's own arguments say.
//!
//! An item comes once. A page that fails ends the stream with its error, after all items before it; `cursor` says where the
//! stream stands, and `resume` goes on from there, in this process or another. A server that hands out pages in a circle is
//! found out, and a link to another host is not followed. What no client can help: in lists by offset or page number, entries
//! that are made or deleted meanwhile push others over the edge of a page.
//!
//! A call that the document does not describe is walked by a [`Pagination`](crate::operation::Pagination) of your own: see
//! [`RawRequest::items`](crate::RawRequest::items).

mod cursor;
mod items;
mod link;
mod page;
mod pager;
mod pages;
mod request;
mod walk;

pub use cursor::Cursor;
pub use items::Items;
#[doc(hidden)]
pub use link::next_link;
pub(crate) use pager::Pager;
pub use pages::Pages;
pub(crate) use request::set_member;
