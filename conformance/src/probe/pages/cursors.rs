//! Flawed ways to the next page: a made-up cursor, a cursor of another identity, and a URL at another place.

use std::collections::BTreeSet;

use reqwest::Url;
use serde_json::Value;

use super::super::TargetServer;
use super::super::case_run::CaseRun;
use super::super::flow::Stop;
use super::super::invalid::set_query;
use super::super::reply::Reply;
use super::super::request::Draft;
use super::walk::{PageReference, PageWalk, is_of_origin, place};
use super::{LARGE_PAGE_ITEMS, MOST_LARGE};
use crate::contract::Probe;
use crate::credential::identity::Identity;
use crate::judgement::missing::Missing;

/// A cursor that the server did not issue.
const CURSOR: &str = "keyfit-no-such-cursor";
/// The highest number of identities whose cursors are requested.
const MOST_OWNERS: usize = 3;

/// A cursor of another identity, with the items of its page that are not the reader's.
struct ForeignCursor {
    owner: String,
    cursor: String,
    items: BTreeSet<String>,
}

impl TargetServer {
    /// Sends a valid request with a made-up cursor.
    pub(in super::super) async fn send_broken_cursor(&self, case_run: &mut CaseRun<'_>) -> Result<(), Stop> {
        let operation = case_run.catalogue.operation(case_run.case);
        let Some(argument) = PageWalk::of(operation).and_then(|walk| walk.argument) else { return Ok(()) };
        let mut draft =
            case_run.maker(self).draft(&Probe::Valid, operation, &case_run.identity).map_err(Stop::Missing)?;
        set_query(&mut draft, argument, vec![(argument.to_owned(), CURSOR.to_owned())]);
        case_run.sent.push(self.send(&draft).await);
        Ok(())
    }

    /// Sends a cursor that was issued to another identity, if its page has no items of the caller's own list.
    pub(in super::super) async fn send_foreign_cursor(&self, case_run: &mut CaseRun<'_>) -> Result<(), Stop> {
        let operation = case_run.catalogue.operation(case_run.case);
        let Some(walk) = PageWalk::of(operation) else { return Ok(()) };
        let Some(argument) = walk.argument else { return Ok(()) };
        let mut others = self.identities.fellows(&case_run.identity, &operation.path);
        others.truncate(MOST_OWNERS);
        if others.is_empty() {
            let kinds: Vec<String> =
                case_run.identity.credentials.iter().map(|held| format!("kind = {:?}", held.kind)).collect();
            let entry = format!("{}, state = \"valid\", and a token of somebody else", kinds.join(", "));
            let what = "no second identity has a valid token of the kind";
            return Err(Stop::missing(Missing::new(what).add("[[identity]]", entry)));
        }
        let reader = case_run.maker(self).draft(&Probe::Valid, operation, &case_run.identity).map_err(Stop::Missing)?;
        let (_, most) = walk.bounds(operation, LARGE_PAGE_ITEMS);
        let own = self.pages(case_run, &walk, &reader, most, MOST_LARGE).await?;
        if !own.is_whole {
            return Err(Stop::missing("the caller's own list is too long to know what is not in it"));
        }
        let own: BTreeSet<String> = own.pages.into_iter().flatten().collect();
        for other in others {
            let Some(foreign) = self.foreign_cursor(case_run, &walk, &other, &own).await? else { continue };
            let mut draft = reader.clone();
            set_query(&mut draft, argument, vec![(argument.to_owned(), foreign.cursor.clone())]);
            let sent = self.send(&draft).await;
            let served = sent.answer().filter(|reply| reply.is_success());
            let body = served.and_then(|reply| serde_json::from_slice::<Value>(&reply.body).ok());
            let shown = body.and_then(|body| walk.ids(&body).ok()).unwrap_or_default();
            case_run.found = shown.iter().find(|id| foreign.items.contains(*id)).map(|id| {
                format!("with the cursor of `{}` the item {id} is served, which the caller's list lacks", foreign.owner)
            });
            case_run.sent.push(sent);
            return Ok(());
        }
        Err(Stop::missing("no other identity has a list of its own that goes on behind its first page"))
    }

    /// Returns the cursor on the first page of another identity, with the items of its next page.
    async fn foreign_cursor(
        &self,
        case_run: &mut CaseRun<'_>,
        walk: &PageWalk<'_>,
        owner: &Identity,
        own: &BTreeSet<String>,
    ) -> Result<Option<ForeignCursor>, Stop> {
        let operation = case_run.catalogue.operation(case_run.case);
        let mut draft = case_run.maker(self).draft(&Probe::Valid, operation, owner).map_err(Stop::Missing)?;
        let (least, _) = walk.bounds(operation, LARGE_PAGE_ITEMS);
        walk.ask_for(least, &mut draft);
        let Some((reply, first)) = self.page(case_run, &draft).await? else { return Ok(None) };
        let Some(PageReference::Argument(cursor)) = walk.next(&draft, &reply, &first, (1, 0))? else { return Ok(None) };
        walk.follow(&mut draft, PageReference::Argument(cursor.clone()))?;
        let Some((_, second)) = self.page(case_run, &draft).await? else { return Ok(None) };
        let items: BTreeSet<String> = walk.ids(&second)?.into_iter().filter(|id| !own.contains(id)).collect();
        let is_own = walk.ids(&first)?.iter().any(|id| own.contains(id));
        Ok((!is_own && !items.is_empty()).then(|| ForeignCursor { owner: owner.name.clone(), cursor, items }))
    }

    /// Returns a page that is served, or `None` if it is refused.
    async fn page(&self, case_run: &mut CaseRun<'_>, draft: &Draft) -> Result<Option<(Reply, Value)>, Stop> {
        let reply = self.step(draft, &mut case_run.sent).await?;
        let body =
            Some(&reply).filter(|reply| reply.is_success()).and_then(|reply| serde_json::from_slice(&reply.body).ok());
        Ok(body.map(|body| (reply, body)))
    }

    /// Reads the first page, and checks the URL of the next one.
    pub(in super::super) async fn send_next_page(&self, case_run: &mut CaseRun<'_>) -> Result<(), Stop> {
        let operation = case_run.catalogue.operation(case_run.case);
        let Some(walk) = PageWalk::of(operation) else { return Ok(()) };
        let mut draft =
            case_run.maker(self).draft(&Probe::Valid, operation, &case_run.identity).map_err(Stop::Missing)?;
        let (least, _) = walk.bounds(operation, LARGE_PAGE_ITEMS);
        walk.ask_for(least, &mut draft);
        let sent = self.send(&draft).await;
        let reply = sent.answer().filter(|reply| reply.is_success()).cloned();
        case_run.sent.push(sent);
        let Some(reply) = reply else { return Ok(()) };
        let body: Value = serde_json::from_slice(&reply.body).map_err(|_| Stop::missing("a page is not JSON"))?;
        let Some(PageReference::Url(next)) = walk.next(&draft, &reply, &body, (1, 0))? else {
            return Err(Stop::missing("its first page leads to no other"));
        };
        if is_of_origin(&draft.url, &next) {
            return Ok(());
        }
        let mut documented = case_run.catalogue.api.base_urls.iter().filter_map(|known| Url::parse(&known.url).ok());
        let place = place(&next);
        if documented.any(|url| url.origin() == next.origin()) {
            return Err(Stop::missing(format!(
                "its next page is at {place}, a server of the document that is not checked"
            )));
        }
        case_run.found = Some(format!("its next page is at {place}, where no client may send its credential"));
        Ok(())
    }
}
