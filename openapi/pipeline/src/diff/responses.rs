//! Responses: statuses, their bodies, and their headers.

use std::collections::BTreeMap;

use super::bodies::{self, MediaRules};
use super::comparison::Comparison;
use super::node::Node;
use super::operation::Operation;
use super::rules::{ERROR, RESPONSE, Rule, errors as error, response as resp, security as sec};
use super::rust_item::RustItem;
use super::schema;
use super::schema_set::SchemaSet;

const SUCCESS_MEDIA: MediaRules =
    MediaRules { added: &resp::MEDIA_TYPE_ADDED, removed: &resp::MEDIA_TYPE_REMOVED, schema: &RESPONSE };
const ERROR_MEDIA: MediaRules =
    MediaRules { added: &error::MEDIA_TYPE_ADDED, removed: &error::MEDIA_TYPE_REMOVED, schema: &ERROR };

pub(super) fn compare<'a>(cx: &mut Comparison<'a>, old: &Operation<'a>, new: &Operation<'a>) {
    let (before, after) = (by_status(old), by_status(new));
    let function = new.function();
    let success = format!("the answer of `{function}` may have another type");
    for (status, response) in before.iter().filter(|(status, _)| !is_covered(status, &after)) {
        cx.set_status(Some(status));
        if is_success(status) {
            cx.report(&resp::STATUS_REMOVED, response, format!("{status} went"), success.clone());
        } else {
            let rust = "no change: an error has whatever status comes";
            cx.report(&error::STATUS_REMOVED, response, format!("{status} went"), rust);
        }
    }
    for (status, response) in &after {
        cx.set_status(Some(status));
        let is_new = !before.contains_key(status) && !before.contains_key(&range(status));
        if is_new && is_success(status) {
            cx.report(&resp::STATUS_ADDED, response, format!("{status} is new"), success.clone());
        } else if is_new {
            let rust = format!("`{function}` can fail with {status}: `Error::status`");
            cx.report(&error::STATUS_ADDED, response, format!("{status} is new"), rust);
        }
    }
    for (status, old, response) in pairs(&before, &after) {
        cx.set_status(Some(status));
        compare_pair(cx, status, &old.resolved(), &response.resolved(), new);
    }
    cx.set_status(None);
}

/// Returns the range of a status: `4XX` for 404.
fn range(status: &str) -> String {
    let class = status.get(..1).filter(|_| status.len() == 3 && status != "default");
    class.map_or_else(|| status.to_owned(), |class| format!("{class}XX"))
}

/// Returns whether a status is still covered: by itself, by a range, or, for a range, by some of its statuses.
fn is_covered(status: &str, after: &Responses<'_>) -> bool {
    after.contains_key(status)
        || after.contains_key(&range(status))
        || after.keys().any(|other| other != status && range(other) == status)
}

/// Returns the pairs of corresponding responses: of the same status, or of a status and its range.
fn pairs<'r, 'a>(before: &'r Responses<'a>, after: &'r Responses<'a>) -> Vec<(&'r str, &'r Node<'a>, &'r Node<'a>)> {
    let mut pairs = Vec::new();
    for (status, response) in after {
        let other = before.get(status).or_else(|| before.get(&range(status)));
        pairs.extend(other.map(|other| (status.as_str(), other, response)));
    }
    for (status, response) in before.iter().filter(|(status, _)| !after.contains_key(*status)) {
        let other = after.get(&range(status));
        pairs.extend(other.map(|other| (status.as_str(), response, other)));
    }
    pairs
}

fn compare_pair<'a>(cx: &mut Comparison<'a>, status: &str, old: &Node<'a>, new: &Node<'a>, operation: &Operation<'a>) {
    let (rules, rust_item) = if is_success(status) {
        (&SUCCESS_MEDIA, RustItem::response_body(&operation.id))
    } else {
        (&ERROR_MEDIA, RustItem::error_body())
    };
    bodies::contents(cx, rules, old, new, &rust_item);
    headers(cx, rules, old, new);
}

fn headers<'a>(cx: &mut Comparison<'a>, rules: &MediaRules, old: &Node<'a>, new: &Node<'a>) {
    let (before, after) = (by_name(old), by_name(new));
    for (name, (spelt, header)) in &before {
        let Some((_, other)) = after.get(name) else {
            let rule = header_removed(name, header);
            cx.report(rule, header, format!("the header `{spelt}` went"), accessor(name));
            continue;
        };
        match (header.is_true("required"), other.is_true("required")) {
            (true, false) => {
                cx.report(
                    &resp::HEADER_OPTIONAL,
                    other,
                    format!("the header `{spelt}` can be missing"),
                    accessor(name),
                );
            }
            (false, true) => {
                cx.report(
                    &resp::HEADER_REQUIRED,
                    other,
                    format!("the header `{spelt}` is always there"),
                    accessor(name),
                );
            }
            _ => {}
        }
        let schema = |header: &Node<'a>| header.get("schema").map(SchemaSet::of);
        schema::compare_optional(cx, rules.schema, schema(header), schema(other), other, &RustItem::header());
    }
    for (name, (spelt, header)) in &after {
        if !before.contains_key(name) {
            cx.report(header_added(name), header, format!("the header `{spelt}` is new"), accessor(name));
        }
    }
}

fn header_removed(name: &str, header: &Node<'_>) -> &'static Rule {
    if is_challenge(name) {
        &sec::CHALLENGE_REMOVED
    } else if is_rate_limit(name) {
        &error::RATE_HEADER_REMOVED
    } else if header.is_true("required") {
        &resp::REQUIRED_HEADER_REMOVED
    } else {
        &resp::HEADER_REMOVED
    }
}

fn header_added(name: &str) -> &'static Rule {
    if is_challenge(name) {
        &sec::CHALLENGE_ADDED
    } else if is_rate_limit(name) {
        &error::RATE_HEADER_ADDED
    } else {
        &resp::HEADER_ADDED
    }
}

/// Returns the method by which a caller reads the header.
fn accessor(name: &str) -> &'static str {
    if name == "retry-after" {
        "`Error::retry_after`"
    } else if is_rate_limit(name) {
        "`Error::rate_limit`"
    } else {
        "`headers()` of the response and of the error"
    }
}

fn is_challenge(name: &str) -> bool {
    matches!(name, "www-authenticate" | "proxy-authenticate")
}

/// Returns whether a header is `X-RateLimit-Remaining`, `X-Rate-Limit-Reset`, `RateLimit`, `RateLimit-Policy` or
/// `Retry-After`.
fn is_rate_limit(name: &str) -> bool {
    let name = name.strip_prefix("x-").unwrap_or(name);
    name == "retry-after" || name.starts_with("ratelimit") || name.starts_with("rate-limit")
}

fn is_success(status: &str) -> bool {
    status.starts_with('2')
}

/// Returns the responses by status: `404`, `4XX`, `default`.
fn by_status<'a>(operation: &Operation<'a>) -> Responses<'a> {
    let responses = operation.node.get("responses");
    let all = responses.iter().flat_map(Node::members);
    all.map(|(status, node)| (status.to_uppercase().replace("DEFAULT", "default"), node)).collect()
}

/// Returns the headers by name in lower case, with the original name.
fn by_name<'a>(response: &Node<'a>) -> HeaderMap<'a> {
    let headers = response.get("headers");
    let all = headers.iter().flat_map(Node::entries);
    let named = all.map(|(name, node)| (name.to_ascii_lowercase(), (name, node.resolved())));
    named.filter(|(name, _)| name != "content-type").collect()
}

type Responses<'a> = BTreeMap<String, Node<'a>>;

type HeaderMap<'a> = BTreeMap<String, (&'a str, Node<'a>)>;
