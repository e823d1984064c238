//! Guesses which operations return pages. A guess needs both: an argument of the request, and a member or a header of the
//! response that belongs to it. If two interpretations fit, there is no guess.

use serde_json::{Map, Value, json};

use super::hint::CallParts;
use super::names::{self, plain};
use super::{NextPage, PageArgument, Pagination};
use crate::body_members::{items, parts, property_names};
use crate::operation::ParameterLocation;
use crate::pointer;
use crate::walk;

/// Pagination that the document does not declare.
#[derive(Clone, Debug)]
pub struct PaginationGuess {
    /// The guessed pagination.
    pub pagination: Pagination,
    /// The reason for the guess.
    pub why: String,
    /// True if the document leaves no doubt: an argument takes a value that the response provides for it.
    pub is_certain: bool,
}

/// A member of a response, with its pointer.
struct ResponseMember<'a> {
    at: String,
    /// Its normalized name.
    plain: String,
    /// The normalized name of the object around it; empty at the root.
    around: String,
    schema: &'a Value,
}

/// An argument of a request.
struct RequestArgument<'a> {
    sent_in: PageArgument,
    plain: String,
    schema: &'a Value,
    description: &'a str,
}

impl RequestArgument<'_> {
    /// Returns whether its description has these words. A description of another form of pagination contradicts the guess.
    fn describes(&self, words: &str) -> bool {
        self.description.to_lowercase().contains(words)
    }
}

/// The maximum depth of the search for cursors in a response.
const MAX_DEPTH: usize = 4;

/// Guesses the pagination of an operation. The result fits the document as a hint must.
pub(super) fn guess(call: CallParts<'_>) -> Option<PaginationGuess> {
    let shown = call.example.map(sketch);
    let described = call.answer?;
    // An object that the schema does not describe is known from its example.
    let answer = match &shown {
        Some(shown) if is_open(call.document, described) => shown,
        _ => described,
    };
    let is_shown = !std::ptr::eq(answer, described);
    let (at, list) = list(call.document, answer)?;
    let item = items(call.document, list)?;
    let mut members = Vec::new();
    gather(call.document, answer, "", "", MAX_DEPTH, &mut members);
    let arguments = arguments(call);
    let numbers = |names: &[&str]| {
        let mut found = arguments.iter().filter(|known| {
            names.contains(&known.plain.trim_start_matches("page")) || names.contains(&known.plain.as_str())
        });
        found.find(|known| is(call.document, known.schema, "integer"))
    };
    let limit = numbers(names::LIMITS);
    let more = members
        .iter()
        .find(|member| names::MORE.contains(&member.plain.as_str()) && is(call.document, member.schema, "boolean"));
    let mut readings: Vec<(NextPage, String, bool)> = Vec::new();
    // A link is standardized; an argument only shows that the operation is paged.
    let has_link = call.headers.iter().any(|name| name.eq_ignore_ascii_case("link"));
    let is_paged = |known: &RequestArgument<'_>| {
        let name = known.plain.as_str();
        names::PAGES.contains(&name)
            || names::STARTS.contains(&name)
            || names::CURSORS.iter().any(|(cursor, _)| *cursor == name)
    };
    let has_argument = arguments.iter().find(|known| is_paged(known));
    if has_link && let Some(argument) = has_argument.or(limit) {
        let why = format!("its answer has the header `Link`, and it takes `{}`", argument.sent_in.name());
        return Some(finish(at, NextPage::Link, limit, None, more, why, !is_shown && has_argument.is_some()));
    }
    for known in &arguments {
        let Some((_, wanted)) = names::CURSORS.iter().find(|(name, _)| *name == known.plain) else { continue };
        if let Some(member) = cursor(call.document, known, wanted, &members) {
            let why = format!("it takes `{}`, and its answer has `{}`", known.sent_in.name(), member.at);
            readings.push((NextPage::Cursor { at: member.at.clone(), argument: known.sent_in.clone() }, why, true));
        } else if let Some(last) =
            members.iter().find(|member| names::LAST_IDS.contains(&member.plain.as_str()) && more.is_some())
        {
            let why =
                format!("it takes `{}`, and its answer has `{}` and `{}`", known.sent_in.name(), last.at, more?.at);
            readings.push((NextPage::Cursor { at: last.at.clone(), argument: known.sent_in.clone() }, why, false));
        }
    }
    for header in call.headers {
        let name = plain(header);
        let name = name.strip_prefix('x').unwrap_or(&name);
        let takers = names::HEADERS.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, takers)| takers);
        if let Some(known) = arguments.iter().find(|known| takers.contains(&known.plain.as_str())) {
            let why = format!("it takes `{}`, and its answer has the header `{header}`", known.sent_in.name());
            readings.push((NextPage::Header { name: header.clone(), argument: known.sent_in.clone() }, why, true));
        }
    }
    let in_query = |known: &&RequestArgument<'_>| matches!(known.sent_in, PageArgument::Query(_));
    if readings.is_empty()
        && let Some(known) =
            arguments.iter().filter(in_query).find(|known| names::LAST_ITEM.contains(&known.plain.as_str()))
    {
        readings.extend(last_item(call.document, known, &arguments, item, more));
    }
    let number = |names: &[&str]| arguments.iter().filter(in_query).find(|known| names.contains(&known.plain.as_str()));
    if let (Some(known), Some(limit)) = (number(names::PAGES), limit)
        && is(call.document, known.schema, "integer")
        && !std::ptr::eq(known, limit)
        && !known.describes("skip")
        && let Some(first) = first_value(known)
    {
        let why =
            format!("it takes `{}` and `{}`, and its answer has a list", known.sent_in.name(), limit.sent_in.name());
        readings.push((NextPage::Page { argument: known.sent_in.clone(), first }, why, false));
    }
    if let (Some(known), Some(limit)) = (number(names::STARTS), limit)
        && is(call.document, known.schema, "integer")
        && !std::ptr::eq(known, limit)
        && !known.describes("page number")
    {
        let why =
            format!("it takes `{}` and `{}`, and its answer has a list", known.sent_in.name(), limit.sent_in.name());
        readings.push((NextPage::Start { argument: known.sent_in.clone() }, why, false));
    }
    // An argument of another form, beside the one that fits, may select between the two.
    let forms = arguments.iter().filter(|known| is_paged(known)).count();
    let only = readings.try_into().ok().filter(|_| forms <= 1).map(|[reading]: [_; 1]| reading);
    let (next, why, is_certain) = only.or_else(|| url(call, &members))?;
    let total = matches!(next, NextPage::Start { .. })
        .then(|| {
            members.iter().find(|member| {
                names::TOTALS.contains(&member.plain.as_str()) && is(call.document, member.schema, "integer")
            })
        })
        .flatten();
    Some(finish(at, next, limit, total, more, why, is_certain && !is_shown))
}

fn finish(
    items: String,
    next: NextPage,
    limit: Option<&RequestArgument<'_>>,
    total: Option<&ResponseMember<'_>>,
    more: Option<&ResponseMember<'_>>,
    why: String,
    is_certain: bool,
) -> PaginationGuess {
    let place = |member: &ResponseMember<'_>| member.at.clone();
    let pagination = Pagination {
        next,
        items,
        items_required: false,
        limit: limit.map(|limit| limit.sent_in.clone()),
        page_size: None,
        largest_page: None,
        kept_limit: None,
        start: None,
        total: total.map(place),
        more: more.map(place),
    };
    PaginationGuess { pagination, why, is_certain }
}

/// Returns the main list of a response, with its pointer.
fn list<'a>(document: &'a Value, answer: &'a Value) -> Option<(String, &'a Value)> {
    let answer = walk::resolve(document, answer);
    if walk::kind(answer) == Some("array") {
        return Some((String::new(), answer));
    }
    let lists = property_names(document, answer)
        .into_iter()
        .filter(|(name, schema)| walk::kind(schema) == Some("array") && !names::BESIDE.contains(&plain(name).as_str()));
    match lists.collect::<Vec<_>>().as_slice() {
        [(name, list)] => Some((pointer::join("", name), list)),
        _ => None,
    }
}

/// Collects the members of a response that may describe the continuation of a list.
fn gather<'a>(
    document: &'a Value,
    schema: &'a Value,
    at: &str,
    around: &str,
    depth: usize,
    found: &mut Vec<ResponseMember<'a>>,
) {
    let Some(depth) = depth.checked_sub(1) else { return };
    for (name, schema) in property_names(document, schema) {
        let (at, plain) = (pointer::join(at, name), plain(name));
        if names::AROUND.contains(&plain.as_str()) && walk::kind(schema) == Some("object") {
            gather(document, schema, &at, &plain, depth, found);
        }
        found.push(ResponseMember { at, plain, around: around.to_owned(), schema });
    }
}

/// Returns the member of the response that provides the value of an argument.
fn cursor<'m, 'a>(
    document: &Value,
    known: &RequestArgument<'_>,
    wanted: &[&str],
    members: &'m [ResponseMember<'a>],
) -> Option<&'m ResponseMember<'a>> {
    let kinds: Vec<&str> = ["string", "integer"].into_iter().filter(|kind| is(document, known.schema, kind)).collect();
    // A number is not a cursor: it is the number of a page or of items.
    let is_number = !kinds.contains(&"string");
    if is_number && (names::PAGES.contains(&known.plain.as_str()) || names::STARTS.contains(&known.plain.as_str())) {
        return None;
    }
    let fits = |member: &&ResponseMember<'_>| {
        let within = names::ONLY_WITHIN.iter().find(|(name, _)| *name == member.plain);
        let is_placed = within.is_none_or(|(_, around)| around.contains(&member.around.as_str()));
        // A `next` may be the number of a page, or an object.
        is_placed
            && (is(document, member.schema, "string") || kinds.iter().any(|kind| is(document, member.schema, kind)))
    };
    wanted.iter().find_map(|name| members.iter().filter(|member| member.plain == *name).find(fits))
}

/// Guesses a list whose responses provide the URL of the next page, by the description of the member or by an example.
fn url(call: CallParts<'_>, members: &[ResponseMember<'_>]) -> Option<(NextPage, String, bool)> {
    let is_named = |member: &&ResponseMember<'_>| {
        let name = member.plain.as_str();
        names::NEXT_URLS.contains(&name) || (member.around == "next" && names::HREFS.contains(&name))
    };
    let of_format = |member: &&ResponseMember<'_>| {
        let schema = walk::resolve(call.document, member.schema);
        let format = schema.get("format").and_then(Value::as_str);
        format.is_some_and(|format| names::URL_FORMATS.contains(&format))
    };
    let is_shown = |member: &&ResponseMember<'_>| {
        let of_schema = walk::resolve(call.document, member.schema).get("example");
        let of_answer = call.example.and_then(|example| example.pointer(&member.at));
        let is_url = |value: &Value| {
            value.as_str().is_some_and(|text| ["https://", "http://", "/"].iter().any(|begin| text.starts_with(begin)))
        };
        of_schema.into_iter().chain(of_answer).any(is_url)
    };
    let mut named = members.iter().filter(is_named).filter(|member| is(call.document, member.schema, "string"));
    let (member, is_certain) = match named.clone().find(of_format) {
        Some(member) => (member, true),
        None => (named.find(is_shown)?, false),
    };
    let why = format!("its answer has the URL `{}`", member.at);
    Some((NextPage::Url { at: member.at.clone() }, why, is_certain))
}

/// Guesses a list that continues after the id of its last item.
fn last_item(
    document: &Value,
    known: &RequestArgument<'_>,
    arguments: &[RequestArgument<'_>],
    item: &Value,
    more: Option<&ResponseMember<'_>>,
) -> Option<(NextPage, String, bool)> {
    let members = property_names(document, item);
    let (_, id) = *members.iter().find(|(name, _)| *name == "id")?;
    let asked = walk::resolve(document, known.schema);
    // If the response has no indication of more items, the argument must have exactly the type of the ids, and there must be
    // only one id. A list that can be read in both directions may be in either order.
    let is_only_id = || {
        let others = members.iter().filter(|(name, _)| *name != "id" && plain(name).ends_with("id"));
        asked == id && id.get("format").is_some() && others.count() == 0
    };
    let goes_back = arguments.iter().any(|other| names::BACKWARDS.contains(&other.plain.as_str()));
    // A date is not an id.
    if id.get("format") != asked.get("format") || more.is_none() && (goes_back || !is_only_id()) {
        return None;
    }
    let why = format!("it takes `{}`, and its items have an `id`", known.sent_in.name());
    Some((NextPage::LastItem { at: "/id".to_owned(), argument: known.sent_in.clone() }, why, false))
}

/// Returns the number of the first page, if the document states it.
fn first_value(known: &RequestArgument<'_>) -> Option<u64> {
    let number = |key: &str| known.schema.get(key).and_then(Value::as_u64).filter(|number| *number <= 1);
    let said = known.description.to_lowercase();
    let says = |words: [&str; 5]| words.iter().any(|word| said.contains(word));
    let by_words = if says(["starts at 1", "starting at 1", "starting from 1", "1-based", "start with 1"]) {
        Some(1)
    } else if says(["starts at 0", "starting at 0", "starting from 0", "0-based", "zero-based"]) {
        Some(0)
    } else {
        None
    };
    number("default").or(by_words).or_else(|| number("minimum").filter(|least| *least == 1))
}

fn arguments(call: CallParts<'_>) -> Vec<RequestArgument<'_>> {
    let mut found: Vec<RequestArgument<'_>> = call
        .parameters
        .iter()
        .filter(|parameter| parameter.location == ParameterLocation::Query)
        .map(|parameter| RequestArgument {
            sent_in: PageArgument::Query(parameter.name.clone()),
            plain: plain(&parameter.name),
            schema: walk::resolve(call.document, &parameter.schema),
            description: description(call.node, &parameter.name),
        })
        .collect();
    if let Some(body) = call.body.filter(|body| body.media_type.contains("json")) {
        for (name, schema) in property_names(call.document, &body.schema) {
            let is_cursor = names::CURSORS.iter().any(|(cursor, _)| *cursor == plain(name));
            if is_cursor && is(call.document, schema, "string") || names::LIMITS.contains(&plain(name).as_str()) {
                let sent_in = PageArgument::Body(pointer::join("", name));
                found.push(RequestArgument { sent_in, plain: plain(name), schema, description: "" });
            }
        }
    }
    found
}

fn description<'a>(node: &'a Value, parameter: &str) -> &'a str {
    let of = parts(node, "parameters").find(|known| known["name"] == parameter);
    of.and_then(|known| known["description"].as_str()).unwrap_or_default()
}

/// Returns whether values of a schema may have a type.
fn is(document: &Value, schema: &Value, kind: &str) -> bool {
    let schema = walk::resolve(document, schema);
    match schema.get("type") {
        Some(Value::String(own)) => own == kind,
        Some(Value::Array(kinds)) => kinds.iter().any(|own| own == kind),
        _ => ["anyOf", "oneOf", "allOf"].into_iter().flat_map(|key| parts(schema, key)).any(|part| {
            // Not deeper: a union of unions is not a cursor.
            walk::resolve(document, part).get("type").is_some_and(|own| own == kind)
        }),
    }
}

/// Returns whether a schema does not constrain the members of an object.
fn is_open(document: &Value, schema: &Value) -> bool {
    crate::body_members::is_open(walk::resolve(document, schema))
}

/// Derives a schema from an example.
fn sketch(example: &Value) -> Value {
    match example {
        Value::Object(members) => {
            let members: Map<String, Value> =
                members.iter().map(|(name, member)| (name.clone(), sketch(member))).collect();
            json!({ "type": "object", "properties": members })
        }
        Value::Array(items) => json!({ "type": "array", "items": items.first().map_or_else(|| json!({}), sketch) }),
        Value::String(_) => json!({ "type": "string" }),
        Value::Bool(_) => json!({ "type": "boolean" }),
        Value::Number(number) if number.is_f64() => json!({ "type": "number" }),
        Value::Number(_) => json!({ "type": "integer" }),
        Value::Null => json!({}),
    }
}
