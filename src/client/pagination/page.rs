//! Reads a page by the description of its list.

use std::borrow::Cow;

use http::header::HeaderMap;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::Url;

use super::link;
use crate::error::operation::{NextPage, PageArgument, Pagination};
use crate::error::whole_numbers::as_integers;

/// One page of a list.
#[derive(Debug)]
pub(super) struct Page {
    /// The items, in the server's order.
    pub(super) items: Vec<Value>,
    /// The cursor, token or URL of the next page in lists that hand one out, `None` on the last page; or why it cannot be used.
    pub(super) next: Result<Option<String>, String>,
    /// The number of items that the server skipped.
    pub(super) start: Option<u64>,
    /// The most items of a page. It may be fewer than were asked for.
    pub(super) limit: Option<u64>,
    /// The total number of items.
    pub(super) total: Option<u64>,
    /// True if there are more items.
    pub(super) more: Option<bool>,
}

impl Page {
    /// Reads an answer. `url` is where it was asked for.
    ///
    /// # Errors
    /// Returns an error if the answer does not fit the description; it gives the reason, without values.
    pub(super) fn read(pagination: &Pagination, url: &Url, headers: &HeaderMap, body: &[u8]) -> Result<Self, String> {
        let text: &[u8] = if body.trim_ascii().is_empty() { b"null" } else { body };
        let integers = as_integers(text);
        let read = serde_json::from_slice(integers.as_deref().unwrap_or(text));
        let mut body: Value = read.map_err(|error| format!("at `.`: not JSON: {error}"))?;
        let at = |place: Option<&str>| place.and_then(|place| body.pointer(place));
        let number = |place| at(place).and_then(number);
        let (start, limit, total) = (number(pagination.start), number(pagination.kept_limit), number(pagination.total));
        let more = at(pagination.more).and_then(Value::as_bool);
        let next = match pagination.next {
            NextPage::Cursor { at, argument } => cursor(body.pointer(at), argument, at),
            NextPage::Header { name, .. } => {
                Ok(headers.get(name).and_then(|token| token.to_str().ok()).map(str::to_owned))
            }
            NextPage::Link => link::next_link(headers, url),
            NextPage::Url { at } => link::of_body(body.pointer(at), url, at),
            NextPage::LastItem { .. } | NextPage::Page { .. } | NextPage::Start { .. } => Ok(None),
        };
        let items = match body.pointer_mut(pagination.items).map(Value::take) {
            Some(Value::Array(items)) => items,
            None | Some(Value::Null) if !pagination.items_required => Vec::new(),
            None | Some(Value::Null) => return Err(format!("at `{}`: no list", shown(pagination.items))),
            Some(_) => return Err(format!("at `{}`: expected a list", shown(pagination.items))),
        };
        let next = match pagination.next {
            NextPage::LastItem { at, argument } => match items.last() {
                Some(last) => match cursor(last.pointer(at), argument, at) {
                    Ok(None) => Err(format!("the last item of a page has no `{at}` to go on from")),
                    found => found,
                },
                None => Ok(None),
            },
            _ => next,
        };
        // An empty cursor says no more than none.
        let next = next.map(|next| next.filter(|next| !next.is_empty()));
        Ok(Self { items, next, start, limit, total, more })
    }
}

/// A pointer for people: the root has a name.
pub(super) fn shown(pointer: &str) -> &str {
    if pointer.is_empty() { "." } else { pointer }
}

/// A count, which some servers write as a text.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// The cursor that stands somewhere: a text or number, or a URL that has it as an argument.
fn cursor(value: Option<&Value>, argument: PageArgument, at: &str) -> Result<Option<String>, String> {
    let text = match value {
        None | Some(Value::Null | Value::Bool(false)) => return Ok(None),
        Some(Value::String(text)) => text,
        Some(Value::Number(number)) => return Ok(Some(number.to_string())),
        Some(_) => return Err(format!("the cursor of the next page, at `{at}`, is neither a text nor a number")),
    };
    let PageArgument::Query(name) = argument else { return Ok(Some(text.clone())) };
    let is_url = text.starts_with("https://") || text.starts_with("http://");
    let query = text.split_once('?').filter(|_| is_url || text.starts_with(['/', '?'])).map(|(_, query)| query);
    // Of a URL the argument alone is taken: it is sent where the call goes, whatever host the URL names.
    match query.and_then(|query| of_query(query, name)) {
        Some(cursor) => Ok(Some(cursor)),
        None if is_url => Err(format!("the URL of the next page, at `{at}`, has no parameter `{name}`")),
        None => Ok(Some(text.clone())),
    }
}

/// The value of a parameter in a query.
pub(super) fn of_query(query: &str, name: &str) -> Option<String> {
    let query = query.split('#').next().unwrap_or_default();
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(key) == name).then(|| decoded(value).into_owned())
    })
}

/// A part of a query without its encoding.
pub(super) fn decoded(part: &str) -> Cow<'_, str> {
    if !part.contains(['+', '%']) {
        return Cow::Borrowed(part);
    }
    Cow::Owned(percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned())
}
