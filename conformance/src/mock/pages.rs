//! The pages of a list, made of the documented success: one that is full, a last one, and nothing behind it.

use hyper::body::Bytes;
use keyfit_openapi::schema::{self, Direction};
use keyfit_openapi::{Api, NextPage, PageArgument, Pagination};
use serde_json::{Value, json};

use super::call::Call;
use crate::pointer::{put, take};

/// How many items the first page has, where more are not fewer than were asked for.
const FULL: u64 = 2;

/// A page, and the header that leads on.
pub(super) struct Page {
    pub(super) body: Bytes,
    pub(super) header: Option<(String, String)>,
}

/// Which page was asked for.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Turn {
    First,
    Last,
    Behind,
}

/// The page that a call asks for; `None` where the success has no items to make pages of. `described` is its schema.
pub(super) fn page(
    api: &Api,
    pagination: &Pagination,
    described: Option<&Value>,
    call: &Call,
    success: &Bytes,
) -> Option<Page> {
    let success: Value = serde_json::from_slice(success).ok()?;
    let item = success.pointer(&pagination.items)?.as_array()?.first()?;
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
    let limit = pagination.limit.as_ref().and_then(number).unwrap_or(FULL);
    let fits = |body: &Value| {
        described.is_none_or(|described| schema::mismatch(api, Direction::Answer, described, body).is_none())
    };
    // A list may have to have no more than one item, or none twice.
    let full = |full: u64| {
        let mut body = success.clone();
        put(&mut body, &pagination.items, Value::from(vec![item.clone(); usize::try_from(full).unwrap_or(1)]));
        body
    };
    let size = if limit >= FULL && fits(&full(FULL)) { FULL } else { 1 };
    let start = match &pagination.next {
        NextPage::Start { argument } => number(argument).unwrap_or(0),
        NextPage::Page { argument, first } => {
            number(argument).unwrap_or(*first).saturating_sub(*first).saturating_mul(size)
        }
        _ => 0,
    };
    let turn = match &pagination.next {
        NextPage::Start { .. } | NextPage::Page { .. } if start == 0 => Turn::First,
        // Two pages of one item are one page twice, and a list by its last item would go on behind it.
        NextPage::Start { .. } | NextPage::Page { .. } if start == size && size > 1 => Turn::Last,
        NextPage::Start { .. } | NextPage::Page { .. } => Turn::Behind,
        NextPage::LastItem { argument, .. } => asked(argument).map_or(Turn::First, |_| Turn::Behind),
        NextPage::Cursor { argument, .. } | NextPage::Header { argument, .. } => {
            asked(argument).map_or(Turn::First, |_| Turn::Last)
        }
        NextPage::Link => call.query(LINKED).filter(|page| *page == "2").map_or(Turn::First, |_| Turn::Last),
    };
    let mut body = match turn {
        Turn::First => full(size),
        Turn::Last => full(1),
        Turn::Behind => full(0),
    };
    if let NextPage::Cursor { at, argument } = &pagination.next {
        match turn {
            Turn::First => put(&mut body, at, cursor(success.pointer(at), argument)),
            Turn::Last | Turn::Behind => end(&mut body, at, &fits),
        }
    }
    let mut told = |at: &Option<String>, value: Value| {
        if let Some(at) = at.as_ref().filter(|at| success.pointer(at).is_some()) {
            put(&mut body, at, value);
        }
    };
    told(&pagination.total, json!(if size > 1 { size + 1 } else { size }));
    told(&pagination.kept_limit, json!(size));
    told(&pagination.start, json!(start));
    told(&pagination.more, json!(turn == Turn::First && (size > 1 || start == 0 && !is_numbered(&pagination.next))));
    let header = match &pagination.next {
        NextPage::Header { name, .. } if turn == Turn::First => Some((name.clone(), "2".to_owned())),
        NextPage::Link if turn == Turn::First => {
            Some(("link".to_owned(), format!("<?{}>; rel=\"next\"", linked(call))))
        }
        _ => None,
    };
    Some(Page { body: Bytes::from(body.to_string()), header })
}

/// The parameter of links.
const LINKED: &str = "page";

/// The query of the second page.
fn linked(call: &Call) -> String {
    let others = call.query.iter().filter(|(name, _)| name != LINKED);
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(others).append_pair(LINKED, "2").finish()
}

fn is_numbered(next: &NextPage) -> bool {
    matches!(next, NextPage::Start { .. } | NextPage::Page { .. })
}

/// What leads to the second page, as the example writes it.
fn cursor(example: Option<&Value>, argument: &PageArgument) -> Value {
    match example {
        Some(Value::Number(_)) => json!(2),
        Some(Value::String(text)) if text.starts_with("http") => {
            let query = url::form_urlencoded::Serializer::new(String::new()).append_pair(argument.name(), "2").finish();
            json!(format!("https://server.invalid/?{query}"))
        }
        Some(Value::String(text)) if !text.is_empty() => json!(text),
        _ => json!("2"),
    }
}

/// No cursor, in a way that the document allows.
fn end(body: &mut Value, at: &str, fits: &impl Fn(&Value) -> bool) {
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
