//! The way from one page of a list to the next: an argument, or a URL. A URL is followed only to the path of the list below the base URL,
//! so that no credential goes to another place.

use keyfit::pagination::next_link;
use keyfit_openapi::{NextPage, Operation, PageArgument, Pagination, ParameterLocation, Retry};
use reqwest::Url;
use serde_json::Value;

use super::super::flow::Stop;
use super::super::invalid::set_query;
use super::super::is_loopback;
use super::super::reply::Reply;
use super::super::request::Draft;
use super::id;
use crate::document::body::scalar;

/// The pagination of a list whose pages are requested by a query parameter or a URL.
pub(super) struct PageWalk<'a> {
    pub(super) pagination: &'a Pagination,
    pub(super) argument: Option<&'a str>,
    pub(super) limit: Option<&'a str>,
}

/// The reference to the next page.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum PageReference {
    /// The value of the page parameter.
    Argument(String),
    /// The URL of the page.
    Url(Url),
}

impl<'a> PageWalk<'a> {
    pub(super) fn of(operation: &'a Operation) -> Option<Self> {
        let pagination = operation.pagination.as_ref();
        let pagination = pagination.filter(|_| operation.method == "GET" && operation.retry == Retry::Safe)?;
        let in_query = |argument: Option<&'a PageArgument>| match argument {
            Some(PageArgument::Query(name)) => Ok(Some(name.as_str())),
            Some(PageArgument::Body(_)) => Err(()),
            None => Ok(None),
        };
        let argument = in_query(pagination.next.argument()).ok()?;
        let limit = in_query(pagination.limit.as_ref()).ok()?;
        Some(Self { pagination, argument, limit })
    }

    /// Returns whether the next page is requested with an opaque cursor.
    pub(super) fn has_cursor(&self) -> bool {
        matches!(self.pagination.next, NextPage::Cursor { .. } | NextPage::Header { .. })
    }

    /// Returns whether answers contain the URL of the next page.
    pub(super) fn has_url(&self) -> bool {
        matches!(self.pagination.next, NextPage::Link | NextPage::Url { .. })
    }

    /// Returns the smallest and the largest page size that is requested.
    pub(super) fn bounds(&self, operation: &Operation, usual: u64) -> (u64, u64) {
        let mut parameters = operation.parameters.iter();
        let limit = parameters
            .find(|known| known.location == ParameterLocation::Query && Some(known.name.as_str()) == self.limit);
        let bound = |word: &str| limit.and_then(|limit| limit.schema.get(word)?.as_u64());
        let most = self.pagination.largest_page.or_else(|| bound("maximum")).unwrap_or(usual).min(usual);
        (bound("minimum").unwrap_or(1).max(1), most)
    }

    /// Sets the page size for the first page, if there is a parameter for it. Some servers accept a size only together with a start.
    pub(super) fn ask_for(&self, size: u64, draft: &mut Draft) {
        let Some(limit) = self.limit else { return };
        set_query(draft, limit, vec![(limit.to_owned(), size.to_string())]);
        if let (NextPage::Start { .. }, Some(start)) = (&self.pagination.next, self.argument) {
            set_query(draft, start, vec![(start.to_owned(), "0".to_owned())]);
        }
    }

    /// Returns the reference to the next page after `pages` pages with `items` items were read, or `None` after the last page.
    ///
    /// # Errors
    /// Returns an error if the reference is not a valid URL.
    pub(super) fn next(
        &self,
        draft: &Draft,
        reply: &Reply,
        body: &Value,
        (pages, items): (usize, usize),
    ) -> Result<Option<PageReference>, Stop> {
        if self.pagination.more.as_ref().and_then(|at| body.pointer(at)) == Some(&Value::Bool(false)) {
            return Ok(None);
        }
        Ok(match &self.pagination.next {
            NextPage::Cursor { at, .. } => self.cursor(draft, body.pointer(at)),
            NextPage::LastItem { at, .. } => {
                let last =
                    body.pointer(&self.pagination.items).and_then(Value::as_array).and_then(|items| items.last());
                last.and_then(|last| scalar(last.pointer(at)?)).map(PageReference::Argument)
            }
            NextPage::Header { name, .. } => {
                let token = reply.headers.get(name).and_then(|token| token.to_str().ok());
                token.filter(|token| !token.is_empty()).map(|token| PageReference::Argument(token.to_owned()))
            }
            NextPage::Page { first, .. } => Some(PageReference::Argument((first + pages as u64).to_string())),
            NextPage::Start { .. } => Some(PageReference::Argument(items.to_string())),
            NextPage::Link => {
                let link = next_link(&reply.headers, &draft.url).map_err(Stop::Broken)?;
                link.and_then(|link| Url::parse(&link).ok()).map(PageReference::Url)
            }
            NextPage::Url { at } => match body.pointer(at) {
                None | Some(Value::Null | Value::Bool(false)) => None,
                Some(Value::String(text)) if text.is_empty() => None,
                Some(value) => {
                    let url = value.as_str().and_then(|text| draft.url.join(text).ok());
                    let url = url.ok_or_else(|| Stop::Broken(format!("what leads on, at `{at}`, is not a URL")))?;
                    Some(PageReference::Url(url))
                }
            },
        })
    }

    /// Returns the cursor, also from a URL that has it as an argument.
    fn cursor(&self, draft: &Draft, value: Option<&Value>) -> Option<PageReference> {
        let text = scalar(value?)?;
        if !text.starts_with("http") && !text.starts_with(['/', '?']) {
            return Some(PageReference::Argument(text));
        }
        let url = draft.url.join(&text).ok()?;
        let of_url = url.query_pairs().find(|(name, _)| Some(name.as_ref()) == self.argument);
        Some(
            of_url.map_or_else(
                || PageReference::Argument(text),
                |(_, value)| PageReference::Argument(value.into_owned()),
            ),
        )
    }

    /// Changes a request to the one for the next page.
    ///
    /// # Errors
    /// Returns an error if the URL leads to another place than the list: no request is sent there.
    pub(super) fn follow(&self, draft: &mut Draft, reference: PageReference) -> Result<(), Stop> {
        match (reference, self.argument) {
            (PageReference::Argument(value), Some(argument)) => {
                set_query(draft, argument, vec![(argument.to_owned(), value)]);
            }
            (PageReference::Argument(_), None) => {}
            (PageReference::Url(url), _) => {
                if !is_of_origin(&draft.url, &url) || trimmed(&url) != trimmed(&draft.url) {
                    return Err(Stop::missing(format!("its next page is at {}: it is not followed", place(&url))));
                }
                let is_secret = |value: &str| draft.secrets.iter().any(|secret| secret.reveal() == value);
                let shown: Vec<(String, String)> =
                    draft.url.query_pairs().into_owned().filter(|(_, value)| is_secret(value)).collect();
                draft.url.set_path(url.path());
                draft.url.set_query(url.query());
                // Answers may omit a credential of the query from the URL.
                for (name, value) in shown {
                    set_query(draft, &name, vec![(name.clone(), value)]);
                }
            }
        }
        Ok(())
    }

    /// Returns the list of items in a page.
    ///
    /// # Errors
    /// Returns an error if the page has no list of items.
    pub(super) fn items<'v>(&self, body: &'v Value) -> Result<&'v [Value], Stop> {
        match body.pointer(&self.pagination.items) {
            Some(Value::Array(items)) => Ok(items.as_slice()),
            None | Some(Value::Null) if !self.pagination.items_required => Ok(&[]),
            _ => Err(Stop::Broken("an answer holds no list of items".to_owned())),
        }
    }

    /// Returns the ids of the items in a page.
    pub(super) fn ids(&self, body: &Value) -> Result<Vec<String>, Stop> {
        let items = self.items(body)?.iter();
        items.map(|item| id(item).ok_or_else(|| Stop::missing("the items have no id to be told apart by"))).collect()
    }
}

/// Returns whether a URL has the origin of the called one. All names of the local machine count as one host.
pub(super) fn is_of_origin(called: &Url, url: &Url) -> bool {
    let is_here = is_loopback(called) && is_loopback(url);
    let is_beside = called.scheme() == url.scheme() && called.port_or_known_default() == url.port_or_known_default();
    called.origin() == url.origin() || (is_here && is_beside)
}

/// Returns a URL without its query, which may contain secrets.
pub(super) fn place(url: &Url) -> String {
    let mut place = url.clone();
    place.set_query(None);
    place.set_fragment(None);
    // User name and password are removed as well.
    let _ = place.set_username("").and_then(|()| place.set_password(None));
    place.to_string()
}

fn trimmed(url: &Url) -> &str {
    url.path().trim_end_matches('/')
}
