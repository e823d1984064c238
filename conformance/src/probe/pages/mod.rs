//! Reads the pages of a list twice: in small ones and in large ones. Each item has to be on exactly one page.

mod cursors;
mod walk;

use std::collections::HashSet;

use keyfit_openapi::{Api, NextPage, Operation, ParameterLocation};
use serde_json::Value;

use self::walk::PageWalk;
use super::case_run::CaseRun;
use super::flow::Stop;
use super::request::Draft;
use super::{TargetServer, reply::Reply};
use crate::contract::Probe;

/// The number of items of a large page.
const LARGE_PAGE_ITEMS: u64 = 100;
/// The highest numbers of large and of small pages that are read.
const MOST_LARGE: usize = 3;
const MOST_SMALL: usize = 4;
/// The number of items that are read in small pages.
const SMALL_PAGE_ITEMS: u64 = 9;
/// Members by which items are distinguished.
pub(super) const IDS: [&str; 5] = ["id", "_id", "uuid", "guid", "key"];

/// The pages of a list that is searched for an item.
pub(super) struct PageSearch<'a> {
    walk: PageWalk<'a>,
    /// The numbers of pages and items that were read.
    read: (usize, usize),
}

impl<'a> PageSearch<'a> {
    /// Returns the pages of an operation, or `None` if its pagination is unknown.
    pub(super) fn of(operation: &'a Operation) -> Option<Self> {
        PageWalk::of(operation).map(|walk| Self { walk, read: (0, 0) })
    }

    /// Returns the request for the next page, or `None` after the last one or if its URL must not be followed.
    pub(super) fn after(&mut self, draft: &Draft, reply: &Reply) -> Option<Draft> {
        let body: Value = serde_json::from_slice(&reply.body).ok()?;
        let items = self.walk.items(&body).ok().filter(|items| !items.is_empty())?;
        self.read = (self.read.0 + 1, self.read.1 + items.len());
        let next_page = self.walk.next(draft, reply, &body, self.read).ok()??;
        let mut next = draft.clone();
        self.walk.follow(&mut next, next_page).ok()?;
        (next.url != draft.url).then_some(next)
    }
}

/// The ids of the items that were read, by page.
struct WalkedPages {
    pages: Vec<Vec<String>>,
    /// True if there are no further pages.
    is_whole: bool,
}

/// Returns the text that distinguishes an item: its id, or the item itself if it is a text or a number.
pub(super) fn id(item: &Value) -> Option<String> {
    let id = match item {
        Value::Object(members) => IDS.iter().find_map(|id| members.get(*id))?,
        item => item,
    };
    is_plain(id).then(|| id.to_string())
}

fn is_plain(value: &Value) -> bool {
    value.is_string() || value.is_number()
}

/// Returns whether the pages of a list can be read and compared by ids of its items.
pub(crate) fn can_be_walked(api: &Api, operation: &Operation) -> bool {
    let Some(walk) = PageWalk::of(operation) else { return false };
    let mut successes = operation.responses.iter().filter(|(status, _)| status.starts_with('2'));
    let entry = successes.find_map(|(_, shape)| {
        let list = api.member(shape.schema.as_ref()?, &walk.pagination.items)?;
        api.entries(list)
    });
    entry.is_some_and(|entry| {
        let has_id = IDS.iter().any(|id| api.member(entry, &format!("/{id}")).is_some());
        has_id || matches!(api.kind(entry), Some("string" | "integer" | "number"))
    })
}

/// Returns whether answers of a list contain the URL of the next page.
pub(crate) fn hands_out_urls(operation: &Operation) -> bool {
    PageWalk::of(operation).is_some_and(|walk| walk.has_url())
}

/// Returns whether the cursor of a list may be any text.
pub(crate) fn takes_any_cursor(operation: &Operation) -> bool {
    let argument = PageWalk::of(operation).filter(PageWalk::has_cursor).and_then(|walk| walk.argument);
    let is_it = |name: &str| argument == Some(name);
    operation.parameters.iter().any(|known| {
        let words = ["format", "pattern", "enum", "$ref", "maxLength"];
        known.location == ParameterLocation::Query
            && is_it(&known.name)
            && known.schema["type"] == "string"
            && words.iter().all(|word| known.schema.get(word).is_none())
    })
}

impl TargetServer {
    /// Reads a list in small pages and compares them with large ones. A finding has to occur twice, since a list may change.
    pub(super) async fn walk_pages(&self, case_run: &mut CaseRun<'_>) -> Result<(), Stop> {
        if self.compared_pages(case_run).await?.is_none() {
            return Ok(());
        }
        self.compared_pages(case_run).await?.map_or(Ok(()), |finding| Err(Stop::Broken(finding)))
    }

    async fn compared_pages(&self, case_run: &mut CaseRun<'_>) -> Result<Option<String>, Stop> {
        let operation = case_run.catalogue.operation(case_run.case);
        let Some(walk) = PageWalk::of(operation) else { return Ok(None) };
        let draft = case_run.maker(self).draft(&Probe::Valid, operation, &case_run.identity).map_err(Stop::Missing)?;
        let (least, most) = walk.bounds(operation, LARGE_PAGE_ITEMS);
        let large = self.pages(case_run, &walk, &draft, most, MOST_LARGE).await?;
        let all: Vec<&String> = large.pages.iter().flatten().collect();
        if large.pages.iter().any(|page| page.iter().collect::<HashSet<_>>().len() < page.len()) {
            return Err(Stop::missing("an id stands twice on one page: it does not tell items apart"));
        }
        check_progress(&walk, &large)?;
        if walk.limit.is_none() {
            // The server determines the page size.
            if large.pages.len() < 2 {
                return Err(Stop::missing(format!("the list holds {} items: no page ends within it", all.len())));
            }
            return Ok(repeated_item(&large));
        }
        let small = (all.len() as u64).min(SMALL_PAGE_ITEMS).div_ceil(3).max(least);
        if all.len() as u64 <= small {
            return Err(Stop::missing(format!("the list holds {} items: no page ends within it", all.len())));
        }
        let parts = self.pages(case_run, &walk, &draft, small, MOST_SMALL).await?;
        let again = self.pages(case_run, &walk, &draft, small, 1).await?;
        let first = parts.pages.first().map_or(&[][..], Vec::as_slice);
        if again.pages.first().is_none_or(|page| page != first) {
            return Err(Stop::missing("the first page is another one each time: the list changes, or has no order"));
        }
        if first.len() as u64 > small {
            return Err(Stop::missing(format!("a page holds {} items where {small} were asked for", first.len())));
        }
        check_progress(&walk, &parts)?;
        let is_in_order = all.iter().zip(first).all(|(whole, part)| *whole == part);
        Ok(repeated_item(&large)
            .or_else(|| repeated_item(&parts))
            .or_else(|| lost_item(&all, large.is_whole, &parts, is_in_order)))
    }

    /// Reads at most this number of pages.
    async fn pages(
        &self,
        case_run: &mut CaseRun<'_>,
        walk: &PageWalk<'_>,
        draft: &Draft,
        size: u64,
        most: usize,
    ) -> Result<WalkedPages, Stop> {
        let mut draft = draft.clone();
        walk.ask_for(size, &mut draft);
        let mut listing = WalkedPages { pages: Vec::new(), is_whole: false };
        let mut read = 0;
        while listing.pages.len() < most {
            let reply: Reply = self.step(&draft, &mut case_run.sent).await?;
            if !reply.is_success() {
                return Err(Stop::missing(format!("a page of {size} items is answered with {}", reply.status)));
            }
            let body: Value = serde_json::from_slice(&reply.body).map_err(|_| Stop::missing("a page is not JSON"))?;
            let ids = walk.ids(&body)?;
            read += ids.len();
            let is_empty = ids.is_empty();
            listing.pages.push(ids);
            let next = walk.next(&draft, &reply, &body, (listing.pages.len(), read))?;
            let Some(next) = next.filter(|_| !is_empty) else {
                listing.is_whole = true;
                break;
            };
            if listing.pages.len() < most {
                walk.follow(&mut draft, next)?;
            }
        }
        Ok(listing)
    }
}

/// Returns an error if the second page is a proper part of the first: the list begins with the newest items, and the parameter asks for
/// newer ones. A page that is repeated as a whole is another case.
fn check_progress(walk: &PageWalk<'_>, listing: &WalkedPages) -> Result<(), Stop> {
    let [first, second, ..] = listing.pages.as_slice() else { return Ok(()) };
    let is_by_item = matches!(walk.pagination.next, NextPage::LastItem { .. });
    if is_by_item && !second.is_empty() && second.len() < first.len() && second.iter().all(|id| first.contains(id)) {
        return Err(Stop::missing("its second page is a part of the first: the list goes on in the other direction"));
    }
    Ok(())
}

/// Returns a finding if an item is on two pages.
fn repeated_item(listing: &WalkedPages) -> Option<String> {
    let mut seen: Vec<&String> = Vec::new();
    for (number, page) in listing.pages.iter().enumerate() {
        if let Some(id) = page.iter().find(|id| seen.contains(id)) {
            return Some(format!("the item {id} of page {} stands on a page before it as well", number + 1));
        }
        seen.extend(page);
    }
    None
}

/// Returns a finding if an item of a large page is on no small one. If not all pages were read, this is evidence only for the same order.
fn lost_item(all: &[&String], is_whole: bool, parts: &WalkedPages, is_in_order: bool) -> Option<String> {
    let read: Vec<&String> = parts.pages.iter().flatten().collect();
    let due = if is_whole && parts.is_whole { all } else { &all[..read.len().min(all.len())] };
    let lost = due.iter().find(|id| !read.contains(id))?;
    let shows = is_in_order || (is_whole && parts.is_whole);
    shows.then(|| format!("the item {lost} of a large page stands on none of the {} smaller ones", parts.pages.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(pages: &[&[&str]], is_whole: bool) -> WalkedPages {
        let page = |page: &&[&str]| page.iter().map(|id| (*id).to_owned()).collect();
        WalkedPages { pages: pages.iter().map(page).collect(), is_whole }
    }

    #[test]
    fn an_item_on_two_pages_is_found_with_its_page() {
        assert_eq!(repeated_item(&listing(&[&["1", "2"], &["3"], &[]], true)), None);
        let found = repeated_item(&listing(&[&["1", "2"], &["2", "3"]], true));
        assert_eq!(found.as_deref(), Some("the item 2 of page 2 stands on a page before it as well"));
    }

    #[test]
    fn an_item_that_no_small_page_has_is_lost_where_that_is_certain() {
        let ids = ["1", "2", "3", "4"].map(str::to_owned);
        let all: Vec<&String> = ids.iter().collect();
        let found =
            |parts: &WalkedPages, is_whole, is_in_order| lost_item(&all, is_whole, parts, is_in_order).is_some();
        assert!(!found(&listing(&[&["1", "2"], &["3", "4"], &[]], true), true, true));
        assert!(found(&listing(&[&["1", "2"], &["4"], &[]], true), true, true));
        assert!(found(&listing(&[&["2", "1"], &["4"], &[]], true), true, false), "all were read, in whatever order");
        let part = listing(&[&["1"], &["3"]], false);
        assert!(found(&part, false, true) && !found(&part, false, false), "in another order it may come later");
    }

    #[test]
    fn items_are_told_apart_by_their_ids() {
        let id_of = |item: Value| id(&item);
        assert_eq!(id_of(serde_json::json!({ "name": "a", "id": 7 })).as_deref(), Some("7"));
        assert_eq!(id_of(serde_json::json!("tea")).as_deref(), Some("\"tea\""));
        assert_eq!(id_of(serde_json::json!({ "name": "a" })), None);
        assert_eq!(id_of(serde_json::json!({ "id": { "of": 7 } })), None);
    }
}
