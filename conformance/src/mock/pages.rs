//! The pages of a list, made from the documented success: a full one, a last one, and an empty one after it.

use hyper::body::Bytes;
use hyper::header::HOST;
use keyfit_openapi::schema::{self, Direction};
use keyfit_openapi::{Api, NextPage, PageArgument, Pagination};
use serde_json::{Value, json};

use super::call::Call;
use crate::document::body::plain;
use crate::text::pointer::{put, take};

/// The number of items of the first page, if at least as many were requested.
const FIRST_PAGE_ITEMS: u64 = 2;
/// The number of items of a list whose items can be distinguished.
const TOTAL_ITEMS: u64 = 3;

/// A page, with the header that leads to the next one.
pub(super) struct Page {
    pub(super) body: Bytes,
    pub(super) header: Option<(String, String)>,
}

/// The pagination behavior of a mock.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a habit of its own")]
pub(super) struct PageBehavior {
    /// True if unknown cursors are refused.
    pub(super) is_strict: bool,
    /// The tenant whose list it is, if each has its own and cursors contain it.
    pub(super) tenant: Option<u64>,
    /// True if a cursor leads to the list of the tenant to whom it was issued.
    pub(super) takes_any_tenant: bool,
    /// True if the next page is at another origin.
    pub(super) leads_elsewhere: bool,
    /// True if a page begins one item too early (`repeats`) or too late (`skips`).
    pub(super) repeats: bool,
    pub(super) skips: bool,
}

/// The base that separates the position of an item from its tenant in a cursor.
const POSITION_BASE: u64 = 100;

/// The error for a cursor that the mock did not issue, or issued to another tenant.
pub(super) struct UnknownCursor;

/// The requested page.
#[derive(Clone, Copy, Eq, PartialEq)]
enum PagePosition {
    First,
    Last,
    PastEnd,
}

/// Returns the page that a call requests; `None` if the success has no items. `described` is the schema of the success.
pub(super) fn page(
    api: &Api,
    pagination: &Pagination,
    described: Option<&Value>,
    call: &Call,
    success: &Bytes,
    behavior: PageBehavior,
) -> Result<Option<Page>, UnknownCursor> {
    let Ok(success) = serde_json::from_slice::<Value>(success) else { return Ok(None) };
    let items = success.pointer(&pagination.items).and_then(Value::as_array);
    let Some(item) = items.and_then(|items| items.first()) else { return Ok(None) };
    let sent: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let asked = |argument: &PageArgument| match argument {
        PageArgument::Query(name) => call.query(name).map(str::to_owned).filter(|text| !text.is_empty()),
        PageArgument::Body(at) => match sent.pointer(at)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        },
    };
    let number = |argument: &PageArgument| asked(argument).and_then(|text| text.parse::<u64>().ok());
    let limit = pagination.limit.as_ref().and_then(number).unwrap_or(FIRST_PAGE_ITEMS);
    let fits = |body: &Value| {
        described.is_none_or(|described| schema::mismatch(api, Direction::Answer, described, body).is_none())
    };
    // A list may allow one item only, or forbid duplicates.
    let full = |full: u64| {
        let mut body = success.clone();
        put(&mut body, &pagination.items, Value::from(vec![item.clone(); usize::try_from(full).unwrap_or(1)]));
        body
    };
    if let Some(list) = PagedList::of(&success, pagination, &fits, behavior.tenant.unwrap_or_default()) {
        return list.page(call, limit, asked, behavior).map(Some);
    }
    let size = if limit >= FIRST_PAGE_ITEMS && fits(&full(FIRST_PAGE_ITEMS)) { FIRST_PAGE_ITEMS } else { 1 };
    let start = match &pagination.next {
        NextPage::Start { argument } => number(argument).unwrap_or(0),
        NextPage::Page { argument, first } => {
            number(argument).unwrap_or(*first).saturating_sub(*first).saturating_mul(size)
        }
        _ => 0,
    };
    if let (true, NextPage::Cursor { at, argument }) = (behavior.is_strict, &pagination.next)
        && let Some(asked) = asked(argument)
        && asked.parse::<u64>().is_err()
        && cursor(success.pointer(at), argument, 2) != asked.as_str()
    {
        return Err(UnknownCursor);
    }
    let turn = match &pagination.next {
        NextPage::Start { .. } | NextPage::Page { .. } if start == 0 => PagePosition::First,
        // Two pages with the same single item would be duplicates, and a list that continues after its last item would never end.
        NextPage::Start { .. } | NextPage::Page { .. } if start == size && size > 1 => PagePosition::Last,
        NextPage::Start { .. } | NextPage::Page { .. } => PagePosition::PastEnd,
        NextPage::LastItem { argument, .. } => asked(argument).map_or(PagePosition::First, |_| PagePosition::PastEnd),
        NextPage::Cursor { argument, .. } | NextPage::Header { argument, .. } => {
            asked(argument).map_or(PagePosition::First, |_| PagePosition::Last)
        }
        NextPage::Link | NextPage::Url { .. } => {
            call.query(LINK_PARAMETER).filter(|page| *page == "2").map_or(PagePosition::First, |_| PagePosition::Last)
        }
    };
    let mut body = match turn {
        PagePosition::First => full(size),
        PagePosition::Last => full(1),
        PagePosition::PastEnd => full(0),
    };
    if let NextPage::Cursor { at, argument } = &pagination.next {
        match turn {
            PagePosition::First => put(&mut body, at, cursor(success.pointer(at), argument, 2)),
            PagePosition::Last | PagePosition::PastEnd => remove_cursor(&mut body, at, &fits),
        }
    }
    if let NextPage::Url { at } = &pagination.next {
        match turn {
            PagePosition::First => put(&mut body, at, whole_url(call, 2, behavior)),
            PagePosition::Last | PagePosition::PastEnd => remove_cursor(&mut body, at, &fits),
        }
    }
    let more = turn == PagePosition::First && (size > 1 || start == 0 && !is_numbered(&pagination.next));
    let total = if size > 1 { size + 1 } else { size };
    write_counts(&mut body, &success, pagination, &PageCounts { total, size, start, more });
    let header = next_page_header((turn == PagePosition::First).then_some(2), pagination, call, behavior);
    Ok(Some(Page { body: Bytes::from(body.to_string()), header }))
}

/// The numbers that pages usually have beside their items.
struct PageCounts {
    total: u64,
    size: u64,
    start: u64,
    more: bool,
}

/// Writes the numbers to the places where the success has them.
fn write_counts(body: &mut Value, success: &Value, pagination: &Pagination, numbers: &PageCounts) {
    let counts = [
        (&pagination.total, json!(numbers.total)),
        (&pagination.kept_limit, json!(numbers.size)),
        (&pagination.start, json!(numbers.start)),
        (&pagination.more, json!(numbers.more)),
    ];
    for (at, value) in counts {
        if let Some(at) = at.as_ref().filter(|at| success.pointer(at).is_some()) {
            put(body, at, value);
        }
    }
}

/// Returns the header that leads to the page that begins at this position, if the list uses one.
fn next_page_header(
    to: Option<u64>,
    pagination: &Pagination,
    call: &Call,
    behavior: PageBehavior,
) -> Option<(String, String)> {
    let to = to?;
    match &pagination.next {
        NextPage::Header { name, .. } => Some((name.clone(), to.to_string())),
        NextPage::Link => Some(("link".to_owned(), format!("<{}>; rel=\"next\"", page_link(call, to, behavior)))),
        _ => None,
    }
}

/// A list whose items can be distinguished.
struct PagedList<'a> {
    success: &'a Value,
    pagination: &'a Pagination,
    fits: &'a dyn Fn(&Value) -> bool,
    items: Vec<Value>,
    /// The tenant whose list it is.
    tenant: u64,
}

impl<'a> PagedList<'a> {
    fn of(
        success: &'a Value,
        pagination: &'a Pagination,
        fits: &'a dyn Fn(&Value) -> bool,
        tenant: u64,
    ) -> Option<Self> {
        let item = success.pointer(&pagination.items)?.as_array()?.first()?;
        // The id that leads to the next page has to distinguish items.
        let has_usable_id = !matches!(&pagination.next, NextPage::LastItem { at, .. } if at != "/id");
        let items: Option<Vec<Value>> =
            (0..TOTAL_ITEMS).map(|number| numbered(item, tenant * TOTAL_ITEMS + number)).collect();
        let items = items?;
        let mut body = success.clone();
        put(&mut body, &pagination.items, Value::from(items[1..].to_vec()));
        (has_usable_id && fits(&body)).then_some(Self { success, pagination, fits, items, tenant })
    }

    fn page(
        mut self,
        call: &Call,
        limit: u64,
        asked: impl Fn(&PageArgument) -> Option<String>,
        behavior: PageBehavior,
    ) -> Result<Page, UnknownCursor> {
        let size = limit.clamp(1, FIRST_PAGE_ITEMS);
        let behind = |text: &str| text.rsplit(['-', '=']).next().and_then(|number| number.parse::<u64>().ok());
        let first = (self.tenant, 0);
        let handed_out = |text: Option<String>| match text.as_deref().map(behind) {
            Some(Some(cursor)) if behavior.tenant.is_some() => Ok((cursor / POSITION_BASE, cursor % POSITION_BASE)),
            Some(Some(start)) => Ok((first.0, start)),
            Some(None) if behavior.is_strict => Err(UnknownCursor),
            _ => Ok(first),
        };
        let start = match &self.pagination.next {
            NextPage::Start { argument } => asked(argument).and_then(|text| text.parse().ok()).unwrap_or(0),
            NextPage::Page { argument, first } => {
                let number = asked(argument).and_then(|text| text.parse().ok()).unwrap_or(*first);
                number.saturating_sub(*first).saturating_mul(size)
            }
            NextPage::Cursor { argument, .. } | NextPage::Header { argument, .. } => {
                let (tenant, start) = handed_out(asked(argument))?;
                if tenant != self.tenant {
                    let other = Self::of(self.success, self.pagination, self.fits, tenant);
                    self = other.filter(|_| behavior.takes_any_tenant).ok_or(UnknownCursor)?;
                }
                start
            }
            NextPage::Link | NextPage::Url { .. } => {
                call.query(LINK_PARAMETER).and_then(|start| start.parse().ok()).unwrap_or(0)
            }
            NextPage::LastItem { argument, .. } => asked(argument).map_or(0, |id| self.position_after(&id)),
        };
        let end = start.saturating_add(size).min(TOTAL_ITEMS);
        let shift = |start: u64| match start {
            0 => 0,
            _ => start.saturating_add(u64::from(behavior.skips)).saturating_sub(u64::from(behavior.repeats)),
        };
        let begin = shift(start).min(TOTAL_ITEMS);
        let positions = (begin..end).filter_map(|position| self.items.get(usize::try_from(position).ok()?));
        let mut body = self.success.clone();
        put(&mut body, &self.pagination.items, positions.cloned().collect());
        let leads_on = end < TOTAL_ITEMS;
        let handed = self.tenant * POSITION_BASE + end;
        match &self.pagination.next {
            NextPage::Cursor { at, argument } if leads_on => self.put_cursor(&mut body, at, argument, handed),
            NextPage::Url { at } if leads_on => put(&mut body, at, whole_url(call, end, behavior)),
            NextPage::Cursor { at, .. } | NextPage::Url { at } => self::remove_cursor(&mut body, at, &self.fits),
            _ => {}
        }
        write_counts(
            &mut body,
            self.success,
            self.pagination,
            &PageCounts { total: TOTAL_ITEMS, size, start, more: leads_on },
        );
        let header = next_page_header(leads_on.then_some(handed), self.pagination, call, behavior);
        Ok(Page { body: Bytes::from(body.to_string()), header })
    }

    /// Returns the position after the item with this id; the end if there is no such item.
    fn position_after(&self, id: &str) -> u64 {
        let is_it = |item: &Value| item.get("id").is_some_and(|own| plain(own) == id);
        self.items.iter().position(is_it).map_or(TOTAL_ITEMS, |position| position as u64 + 1)
    }

    /// Writes the cursor for the item at a position: in the form of the example, with the position appended.
    fn put_cursor(&self, body: &mut Value, at: &str, argument: &PageArgument, position: u64) {
        let plain = match cursor(self.success.pointer(at), argument, position) {
            Value::String(text) if !text.starts_with("http") && text.parse::<u64>().is_err() => {
                json!(format!("{text}-{position}"))
            }
            other => other,
        };
        put(body, at, plain);
        if !(self.fits)(body) {
            put(body, at, json!(position.to_string()));
        }
    }
}

/// Returns a different item of the same list; `None` if it has no id that can be changed.
pub(super) fn numbered(item: &Value, number: u64) -> Option<Value> {
    let another = |id: &Value| match id {
        Value::Number(id) => Some(json!(id.as_u64()?.checked_add(number)?)),
        // The last sign of a UUID may be any hexadecimal digit.
        Value::String(id) if id.len() == 36 => {
            let last = u64::from(id.chars().next_back()?.to_digit(16)?);
            Some(json!(format!("{}{:x}", id.get(..35)?, last.checked_add(number)? % 16)))
        }
        Value::String(id) => Some(json!(format!("{id}-{number}"))),
        _ => None,
    };
    if number == 0 {
        return Some(item.clone());
    }
    let mut item = item.clone();
    let id = item.as_object_mut()?.get_mut("id")?;
    *id = another(id)?;
    Some(item)
}

/// The page parameter in links.
const LINK_PARAMETER: &str = "page";

/// Returns a link to the page that begins at this position.
fn page_link(call: &Call, start: u64, behavior: PageBehavior) -> String {
    let others = call.query.iter().filter(|(name, _)| name != LINK_PARAMETER);
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(others)
        .append_pair(LINK_PARAMETER, &start.to_string())
        .finish();
    let origin = if behavior.leads_elsewhere { "https://elsewhere.example/" } else { "" };
    format!("{origin}?{query}")
}

/// Returns the link as an absolute URL, which the document may require in a body.
fn whole_url(call: &Call, start: u64, behavior: PageBehavior) -> Value {
    let linked = page_link(call, start, behavior);
    let host = call.headers.get(HOST).and_then(|host| host.to_str().ok());
    json!(match host {
        Some(host) if !behavior.leads_elsewhere => format!("http://{host}{}{linked}", call.path),
        _ => linked,
    })
}

fn is_numbered(next: &NextPage) -> bool {
    matches!(next, NextPage::Start { .. } | NextPage::Page { .. })
}

/// Returns the cursor for the page that begins at this position, in the form of the example.
fn cursor(example: Option<&Value>, argument: &PageArgument, start: u64) -> Value {
    match example {
        Some(Value::Number(_)) => json!(start),
        Some(Value::String(text)) if text.starts_with("http") => {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair(argument.name(), &start.to_string())
                .finish();
            json!(format!("https://server.invalid/?{query}"))
        }
        Some(Value::String(text)) if !text.is_empty() => json!(text),
        _ => json!(start.to_string()),
    }
}

/// Removes the cursor in a way that the document allows.
fn remove_cursor(body: &mut Value, at: &str, fits: &dyn Fn(&Value) -> bool) {
    let mut without = body.clone();
    take(&mut without, at);
    put(body, at, Value::Null);
    if !fits(body) {
        *body = if fits(&without) {
            without
        } else {
            let mut empty = body.clone();
            put(&mut empty, at, json!(""));
            empty
        };
    }
}
