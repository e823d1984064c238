//! Which page comes next, and when a list is at its end. The rules that keep a walk from going in circles are here.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::Page;
use super::cursor::{Before, Number, Place};

/// How many pages without items a scroll may hand out in a row. A server that filters late has a few; one that hands out
/// more may never end.
const MOST_EMPTY_PAGES: u32 = 10;

/// What is to be done with a page that was read.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// Its items are handed out, then this follows.
    Take(Next),
    /// It is not the page that was asked for: this follows at once.
    Drop(Next),
}

/// What follows a page.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Next {
    Page(Place),
    End,
    /// The list does not come to an end: what to tell the caller.
    Broken(String),
}

/// What is remembered of a scroll.
#[derive(Debug, Default)]
pub(super) struct Walk {
    hasher: RandomState,
    /// The cursors so far, as hashes: eight bytes a page.
    seen: HashSet<u64>,
    empty_pages: u32,
}

/// How a page stands to the one before.
#[derive(Clone, Copy, Debug)]
enum Beside {
    Nothing,
    Other { length: u64 },
    Same,
}

impl Walk {
    /// What becomes of the page that was read at a place. `digest` tells two pages apart.
    pub(super) fn read<T>(
        &mut self,
        place: &Place,
        size: u64,
        page: &Page<T>,
        digest: impl FnOnce() -> u64,
    ) -> Verdict {
        let length = page.items.len() as u64;
        match place {
            Place::After(cursor) => Verdict::Take(self.scroll(cursor.as_deref(), page.next.as_deref(), length)),
            Place::Start(_) | Place::Page(_) if length == 0 => Verdict::Take(Next::End),
            Place::Start(start) => {
                if let Some(told) = page.start.filter(|told| *told != start.number) {
                    let text = format!("the server answered with offset {told} where {} was asked for", start.number);
                    return Verdict::Drop(Next::Broken(text));
                }
                let now = Before { digest: digest(), length };
                if let Beside::Same = start.beside(now) {
                    return ignored("_start");
                }
                // A server that gives fewer than it was asked for says so.
                let full = page.limit.filter(|limit| *limit > 0).map_or(size, |limit| limit.min(size));
                let next = Place::Start(start.followed_by(length, now));
                Verdict::Take(if length < full { Next::End } else { Next::Page(next) })
            }
            Place::Page(page) => {
                let now = Before { digest: digest(), length };
                match page.beside(now) {
                    // A server may answer with the last page for any number behind it. One that knows no numbers at all
                    // shows itself on the second page.
                    Beside::Same if length < size || page.number > 2 => Verdict::Drop(Next::End),
                    Beside::Same => ignored("page"),
                    Beside::Other { length: before } if length < before => Verdict::Take(Next::End),
                    // These lists do not tell their limit. A first page that is short may be all there is, or all that
                    // the server gives at once: the second one tells.
                    Beside::Nothing | Beside::Other { .. } => {
                        Verdict::Take(Next::Page(Place::Page(page.followed_by(1, now))))
                    }
                }
            }
        }
    }

    fn scroll(&mut self, cursor: Option<&str>, next: Option<&str>, length: u64) -> Next {
        // An empty cursor says no more than none.
        let Some(next) = next.filter(|next| !next.is_empty()) else { return Next::End };
        self.empty_pages = if length == 0 { self.empty_pages + 1 } else { 0 };
        if let Some(cursor) = cursor {
            self.seen.insert(self.hasher.hash_one(cursor));
        }
        if self.seen.contains(&self.hasher.hash_one(next)) {
            return Next::Broken(
                "the server handed out a cursor for the second time: the list goes in a circle".into(),
            );
        }
        if self.empty_pages >= MOST_EMPTY_PAGES {
            return Next::Broken(format!(
                "the server handed out {MOST_EMPTY_PAGES} pages without items and still a cursor"
            ));
        }
        Next::Page(Place::After(Some(next.to_owned())))
    }
}

impl Number {
    /// How the page that was read here stands to the one before.
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

/// Tells two pages apart, in any build of this crate: it is kept in cursors.
pub(super) fn digest<T: Serialize>(items: &[T]) -> u64 {
    // What cannot be written cannot be compared either; it came from JSON, so that there is none of it.
    let text = serde_json::to_vec(items).unwrap_or_default();
    Sha256::digest(text).iter().take(8).fold(0, |digest, byte| digest << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(items: &[u32]) -> Page<u32> {
        Page { items: items.to_vec(), ..Page::default() }
    }

    fn read(walk: &mut Walk, place: &Place, page: &Page<u32>) -> Verdict {
        walk.read(place, 3, page, || digest(&page.items))
    }

    fn after(cursor: &str) -> Place {
        Place::After(Some(cursor.to_owned()))
    }

    #[test]
    fn a_scroll_ends_without_a_cursor_and_never_goes_in_a_circle() {
        let mut walk = Walk::default();
        let mut turn = |place: &Place, next: Option<&str>| {
            read(&mut walk, place, &Page { next: next.map(str::to_owned), ..page(&[1]) })
        };
        assert_eq!(turn(&Place::After(None), Some("a")), Verdict::Take(Next::Page(after("a"))));
        assert_eq!(turn(&after("a"), Some("b")), Verdict::Take(Next::Page(after("b"))));
        assert!(matches!(turn(&after("b"), Some("a")), Verdict::Take(Next::Broken(_))));
        assert!(matches!(turn(&after("b"), Some("b")), Verdict::Take(Next::Broken(_))));
        assert_eq!(turn(&after("b"), None), Verdict::Take(Next::End));
        assert_eq!(turn(&after("b"), Some("")), Verdict::Take(Next::End));
    }

    #[test]
    fn a_scroll_may_have_some_empty_pages_and_not_endlessly_many() {
        let mut walk = Walk::default();
        let turns = (0..100).map(|number| {
            let empty = Page { next: Some((number + 1).to_string()), ..page(&[]) };
            read(&mut walk, &after(&number.to_string()), &empty)
        });
        let broken = turns.enumerate().find(|(_, verdict)| matches!(verdict, Verdict::Take(Next::Broken(_))));
        assert_eq!(broken.map(|(number, _)| number), Some(9));
    }

    /// Reads pages one after the other, from a place on; the last verdict.
    fn read_all(mut place: Place, pages: &[&Page<u32>]) -> Verdict {
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

    fn is_circle(verdict: &Verdict) -> bool {
        matches!(verdict, Verdict::Drop(Next::Broken(_)))
    }

    #[test]
    fn a_list_by_offset_ends_with_a_short_page_by_the_limit_that_the_server_keeps_to() {
        let told = |items, limit| Page { limit, ..page(items) };
        for (page, next) in [
            (told(&[1, 2, 3], None), Some(10)),
            (told(&[1, 2], None), None),
            (told(&[1, 2], Some(2)), Some(9)),
            (told(&[1, 2], Some(0)), None),
            (told(&[1, 2, 3], Some(100)), Some(10)),
            (told(&[], Some(2)), None),
        ] {
            match read_all(Place::Start(7.into()), &[&page]) {
                Verdict::Take(Next::Page(place)) => assert_eq!(Some(place.number()), next, "{page:?}"),
                verdict => assert_eq!((verdict, None), (Verdict::Take(Next::End), next), "{page:?}"),
            }
        }
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
        assert!(matches!(read_all(first(), &pages[..1]), Verdict::Take(Next::Page(place)) if place.number() == 2));
        assert!(matches!(read_all(first(), &pages[..2]), Verdict::Take(Next::Page(place)) if place.number() == 3));
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
