//! Which page comes next, and when a list is at its end. The rules that keep a walk from going in circles are here.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::cursor::{Before, Number, Place};
use super::page::Page;
use crate::error::operation::{NextPage, Pagination};

/// The maximum number of consecutive pages without items. A server that filters late has a few; one that returns
/// more may never end.
const MOST_EMPTY_PAGES: u32 = 10;

/// The decision about a page that was read.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// Its items are handed out, then this follows.
    Take(Next),
    /// It is not the page that was asked for: this follows at once.
    Drop(Next),
}

/// The step after a page.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Next {
    Page(Place),
    End,
    /// The list does not come to an end: what to tell the caller.
    Broken(String),
}

/// The remembered data of all pages so far.
#[derive(Debug, Default)]
pub(super) struct Walk {
    hasher: RandomState,
    /// Their cursors, as hashes: eight bytes a page.
    seen: HashSet<u64>,
    empty_pages: u32,
}

/// The relation of a page to the previous one.
#[derive(Clone, Copy, Debug)]
enum Beside {
    Nothing,
    Other { length: u64 },
    Same,
}

impl Walk {
    /// Decides about the page that was read at a place. `size` is the number of items that were requested, if a number was.
    pub(super) fn read(&mut self, pagination: &Pagination, place: &Place, size: Option<u64>, page: &Page) -> Verdict {
        let length = page.items.len() as u64;
        let argument = pagination.next.argument().map_or("", |argument| argument.name());
        // A server may give fewer at once than it is asked for, unless it says how many it gives. A page that is short by a
        // limit that nobody documents does not end a list.
        let promised = size.filter(|_| pagination.largest_page.is_some());
        let told = page.limit.filter(|limit| *limit > 0);
        let full = told.map(|limit| size.map_or(limit, |size| limit.min(size))).or(promised);
        match place {
            Place::After(cursor) => {
                let is_over = matches!(pagination.next, NextPage::LastItem { .. })
                    && (length == 0 || page.more.is_none() && full.is_some_and(|full| length < full));
                Verdict::Take(if is_over { Next::End } else { self.follow(cursor.as_deref(), page, Place::After) })
            }
            Place::Link(url) => Verdict::Take(self.follow(url.as_deref(), page, Place::Link)),
            Place::Start(_) | Place::Page(_) if length == 0 => Verdict::Take(match page.more {
                Some(true) => Next::Broken("the server gave no more items and says that there are more".into()),
                _ => Next::End,
            }),
            Place::Start(start) => Self::by_start(*start, argument, full, page),
            Place::Page(number) => {
                let first = if let NextPage::Page { first, .. } = pagination.next { first } else { 1 };
                let is_short = full.is_some_and(|full| length < full);
                // A server may answer with the last page for any number behind it. One that knows no numbers at all shows
                // itself on the second page.
                let may_be_last =
                    is_short || size.is_some_and(|size| length < size) || number.number > first.saturating_add(1);
                Self::by_page(*number, argument, is_short, may_be_last, page)
            }
        }
    }

    fn by_start(start: Number, argument: &str, full: Option<u64>, page: &Page) -> Verdict {
        let length = page.items.len() as u64;
        if let Some(told) = page.start.filter(|told| *told != start.number) {
            let text = format!("the server answered with offset {told} where {} was asked for", start.number);
            return Verdict::Drop(Next::Broken(text));
        }
        let now = Before { digest: digest(&page.items), length };
        let before = match start.beside(now) {
            Beside::Same => return ignored(argument),
            Beside::Nothing => None,
            Beside::Other { length } => Some(length),
        };
        let has_more = page.more.unwrap_or_else(|| {
            let is_short = full.or(before).is_some_and(|full| length < full);
            !is_short || page.total.is_some_and(|total| start.number.saturating_add(length) < total)
        });
        Verdict::Take(if has_more { Next::Page(Place::Start(start.followed_by(length, now))) } else { Next::End })
    }

    fn by_page(number: Number, argument: &str, is_short: bool, may_be_last: bool, page: &Page) -> Verdict {
        let length = page.items.len() as u64;
        let now = Before { digest: digest(&page.items), length };
        let is_over = match number.beside(now) {
            Beside::Same if may_be_last => return Verdict::Drop(Next::End),
            Beside::Same => return ignored(argument),
            Beside::Other { length: before } => length < before,
            Beside::Nothing => is_short,
        };
        let has_more = page.more.unwrap_or(!is_over);
        Verdict::Take(if has_more { Next::Page(Place::Page(number.followed_by(1, now))) } else { Next::End })
    }

    /// Goes where the page says.
    fn follow(&mut self, current: Option<&str>, page: &Page, place: fn(Option<String>) -> Place) -> Next {
        let next = match &page.next {
            Ok(Some(next)) if page.more != Some(false) => next,
            Ok(_) => return Next::End,
            Err(text) => return Next::Broken(text.clone()),
        };
        self.empty_pages = if page.items.is_empty() { self.empty_pages + 1 } else { 0 };
        if let Some(current) = current {
            self.seen.insert(self.hasher.hash_one(current));
        }
        if self.seen.contains(&self.hasher.hash_one(next.as_str())) {
            return Next::Broken(
                "the server handed out a cursor for the second time: the list goes in a circle".into(),
            );
        }
        if self.empty_pages >= MOST_EMPTY_PAGES {
            return Next::Broken(format!(
                "the server handed out {MOST_EMPTY_PAGES} pages without items and still a cursor"
            ));
        }
        Next::Page(place(Some(next.clone())))
    }
}

impl Number {
    /// Compares the page that was read here with the previous one.
    fn beside(&self, now: Before) -> Beside {
        match self.before {
            None => Beside::Nothing,
            Some(before) if before == now => Beside::Same,
            Some(before) => Beside::Other { length: before.length },
        }
    }

    fn followed_by(&self, step: u64, now: Before) -> Self {
        Self { number: self.number.saturating_add(step), before: Some(now) }
    }
}

fn ignored(parameter: &str) -> Verdict {
    let text = format!("the server answered with the page before once more: it seems to ignore `{parameter}`");
    Verdict::Drop(Next::Broken(text))
}

/// Tells two pages apart, also in another process: it is kept in cursors.
fn digest(items: &[Value]) -> u64 {
    // A value that came from JSON can be written as JSON.
    let text = serde_json::to_vec(items).unwrap_or_default();
    Sha256::digest(text).iter().take(8).fold(0, |digest, byte| digest << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::operation::PageArgument;

    const NUMBER: PageArgument = PageArgument::Query("at");
    const BY_CURSOR: Pagination = Pagination::new(NextPage::Cursor { at: "/next", argument: NUMBER });
    const BY_LAST: Pagination = Pagination::new(NextPage::LastItem { at: "", argument: NUMBER });
    const BY_START: Pagination = Pagination::new(NextPage::Start { argument: NUMBER });
    const BY_PAGE: Pagination = Pagination::new(NextPage::Page { argument: NUMBER, first: 1 });

    fn page(items: &[u32]) -> Page {
        let items = items.iter().map(|item| Value::from(*item)).collect();
        Page { items, next: Ok(None), start: None, limit: None, total: None, more: None }
    }

    fn read(walk: &mut Walk, place: &Place, page: &Page) -> Verdict {
        let pagination = match place {
            Place::After(_) | Place::Link(_) => BY_CURSOR,
            Place::Start(_) => BY_START,
            Place::Page(_) => BY_PAGE,
        };
        walk.read(&pagination, place, Some(3), page)
    }

    fn after(cursor: &str) -> Place {
        Place::After(Some(cursor.to_owned()))
    }

    #[test]
    fn a_scroll_ends_without_a_cursor_and_never_goes_in_a_circle() {
        let mut walk = Walk::default();
        let mut turn = |place: &Place, next: Option<&str>| {
            read(&mut walk, place, &Page { next: Ok(next.map(str::to_owned)), ..page(&[1]) })
        };
        assert_eq!(turn(&Place::After(None), Some("a")), Verdict::Take(Next::Page(after("a"))));
        assert_eq!(turn(&after("a"), Some("b")), Verdict::Take(Next::Page(after("b"))));
        assert!(matches!(turn(&after("b"), Some("a")), Verdict::Take(Next::Broken(_))));
        assert!(matches!(turn(&after("b"), Some("b")), Verdict::Take(Next::Broken(_))));
        assert_eq!(turn(&after("b"), None), Verdict::Take(Next::End));
    }

    #[test]
    fn a_scroll_may_have_some_empty_pages_and_not_endlessly_many() {
        let mut walk = Walk::default();
        let turns = (0..100).map(|number| {
            let empty = Page { next: Ok(Some((number + 1).to_string())), ..page(&[]) };
            read(&mut walk, &after(&number.to_string()), &empty)
        });
        let broken = turns.enumerate().find(|(_, verdict)| matches!(verdict, Verdict::Take(Next::Broken(_))));
        assert_eq!(broken.map(|(number, _)| number), Some(9));
    }

    #[test]
    fn a_list_that_goes_on_after_its_last_item_ends_with_a_page_that_is_short_or_says_so() {
        let told = |items: &[u32], more| Page { next: Ok(Some("9".to_owned())), more, limit: Some(3), ..page(items) };
        let read = |place: &Place, size, page: &Page| Walk::default().read(&BY_LAST, place, size, page);
        let on = || Verdict::Take(Next::Page(after("9")));
        let end = || Verdict::Take(Next::End);
        let first = Place::After(None);
        for (page, size, verdict) in [
            (told(&[7, 8, 9], None), Some(3), on()),
            (told(&[8, 9], None), Some(3), end()),
            (told(&[8, 9], Some(true)), Some(3), on()),
            (told(&[7, 8, 9], Some(false)), Some(3), end()),
            (Page { limit: None, ..told(&[9], None) }, Some(3), on()),
            (page(&[]), None, end()),
        ] {
            assert_eq!(read(&first, size, &page), verdict, "{page:?}");
        }
        // A server that answers with the same page again ignores the argument.
        assert!(matches!(read(&after("9"), Some(1), &told(&[9], None)), Verdict::Take(Next::Broken(_))));
    }

    /// Reads pages one after the other, from a place on; the last verdict.
    fn read_all(mut place: Place, pages: &[&Page]) -> Verdict {
        let mut walk = Walk::default();
        let mut last = Verdict::Take(Next::End);
        for page in pages {
            last = read(&mut walk, &place, page);
            if let Verdict::Take(Next::Page(next)) = &last {
                place = next.clone();
            }
        }
        last
    }

    fn number(place: &Place) -> u64 {
        match place {
            Place::Start(place) | Place::Page(place) => place.number,
            Place::After(_) | Place::Link(_) => panic!("{place:?}"),
        }
    }

    fn is_circle(verdict: &Verdict) -> bool {
        matches!(verdict, Verdict::Drop(Next::Broken(_)))
    }

    #[test]
    fn a_list_by_offset_ends_with_a_short_page_by_the_limit_that_the_server_keeps_to() {
        let told = |items: &[u32], limit| Page { limit, ..page(items) };
        for (page, next) in [
            (told(&[1, 2, 3], None), Some(10)),
            (told(&[1, 2], None), Some(9)),
            (told(&[1, 2], Some(2)), Some(9)),
            (told(&[1, 2], Some(3)), None),
            (told(&[1, 2], Some(0)), Some(9)),
            (told(&[1, 2, 3], Some(100)), Some(10)),
            (told(&[], Some(2)), None),
        ] {
            match read_all(Place::Start(7.into()), &[&page]) {
                Verdict::Take(Next::Page(place)) => assert_eq!(Some(number(&place)), next, "{page:?}"),
                verdict => assert_eq!((verdict, None), (Verdict::Take(Next::End), next), "{page:?}"),
            }
        }
    }

    #[test]
    fn a_total_carries_a_list_by_offset_on_and_never_ends_it() {
        let told = |items: &[u32], total| Page { total: Some(total), limit: Some(3), ..page(items) };
        let read = |page: &Page| Walk::default().read(&BY_START, &Place::Start(7.into()), Some(3), page);
        for (page, next) in [(told(&[1], 9), Some(8)), (told(&[1], 8), None), (told(&[1, 2, 3], 10), Some(10))] {
            match read(&page) {
                Verdict::Take(Next::Page(place)) => assert_eq!(Some(number(&place)), next, "{page:?}"),
                verdict => assert_eq!((verdict, None), (Verdict::Take(Next::End), next), "{page:?}"),
            }
        }
    }

    #[test]
    fn a_list_without_a_known_limit_ends_with_an_empty_page_or_a_shorter_one() {
        let mut walk = Walk::default();
        let mut read = |place: &Place, page: &Page| walk.read(&BY_START, place, None, page);
        let Verdict::Take(Next::Page(second)) = read(&Place::Start(0.into()), &page(&[1, 2])) else { panic!("a page") };
        assert!(matches!(read(&second, &page(&[3, 4])), Verdict::Take(Next::Page(_))));
        assert_eq!(read(&second, &page(&[5])), Verdict::Take(Next::End));
        assert_eq!(read(&second, &page(&[])), Verdict::Take(Next::End));
    }

    #[test]
    fn a_server_that_ignores_where_it_was_asked_to_start_is_found_out() {
        let told = Page { start: Some(0), ..page(&[1, 2, 3]) };
        assert!(is_circle(&read_all(Place::Start(3.into()), &[&told])));
        let full = page(&[1, 2, 3]);
        assert!(is_circle(&read_all(Place::Start(0.into()), &[&full, &full])));
    }

    #[test]
    fn a_list_by_page_ends_with_a_page_that_is_shorter_than_the_one_before() {
        let pages = [&page(&[1, 2]), &page(&[3, 4]), &page(&[5])];
        let first = || Place::Page(1.into());
        assert!(matches!(read_all(first(), &pages[..1]), Verdict::Take(Next::Page(place)) if number(&place) == 2));
        assert!(matches!(read_all(first(), &pages[..2]), Verdict::Take(Next::Page(place)) if number(&place) == 3));
        assert_eq!(read_all(first(), &pages), Verdict::Take(Next::End));
    }

    #[test]
    fn the_last_page_once_more_is_the_end_and_a_full_first_page_once_more_is_a_circle() {
        let (short, full, other) = (page(&[1, 2]), page(&[1, 2, 3]), page(&[4, 5, 6]));
        let first = || Place::Page(1.into());
        assert_eq!(read_all(first(), &[&short, &short]), Verdict::Drop(Next::End));
        assert_eq!(read_all(first(), &[&full, &other, &other]), Verdict::Drop(Next::End));
        assert!(is_circle(&read_all(first(), &[&full, &full])));
    }
}
