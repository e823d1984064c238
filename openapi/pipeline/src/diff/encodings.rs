//! How the members of forms and the parts of multipart bodies are written: `encoding`.

use std::collections::BTreeSet;

use super::comparison::Comparison;
use super::joint::Joint;
use super::node::Node;
use super::rules::request as req;
use crate::normalize::essence;

const RUST: &str = "no change: the document's `encoding` is left to the caller";

/// Compares how those members are written that both bodies have.
pub(super) fn compare<'a>(cx: &mut Comparison<'a>, media_type: &str, old: &Node<'a>, new: &Node<'a>) {
    let (before, after) = (old.get("encoding"), new.get("encoding"));
    let media_type = essence(media_type);
    // OpenAPI says that it counts here only.
    let is_form = media_type == "application/x-www-form-urlencoded";
    if (before.is_none() && after.is_none()) || !(is_form || media_type.starts_with("multipart/")) {
        return;
    }
    let names = |encoding: &Option<Node<'_>>| -> BTreeSet<String> {
        encoding.iter().flat_map(Node::entries).map(|(name, _)| name.to_owned()).collect()
    };
    let (had, has) = (members(old), members(new));
    for name in names(&before).union(&names(&after)).filter(|name| had.contains(*name) && has.contains(*name)) {
        let of = |encoding: &Option<Node<'a>>| encoding.as_ref().and_then(|encoding| encoding.get(name));
        let (was, is) = (of(&before), of(&after));
        let here = is.as_ref().or(after.as_ref()).unwrap_or(new);
        let (before, after) = (kinds(was.as_ref()), kinds(is.as_ref()));
        if before != after {
            let detail = format!("`{name}` is sent as {}, no longer as {}", list(&after), list(&before));
            if !before.is_empty() && before.is_subset(&after) {
                cx.report(&req::CONSTRAINT_WIDENED, here, detail, RUST);
            } else {
                cx.report(&req::ENCODING_CHANGED, here, detail, RUST);
            }
        }
        let (before, after) = (written(was.as_ref()), written(is.as_ref()));
        if before != after {
            let detail = format!("`{name}` is written as {after}, no longer as {before}");
            cx.report(&req::ENCODING_CHANGED, here, detail, RUST);
        }
        let headers = |encoding: &Option<Node<'a>>| encoding.as_ref().and_then(|encoding| encoding.get("headers"));
        if headers(&was).map(|node| node.value) != headers(&is).map(|node| node.value) {
            cx.report(&req::ENCODING_CHANGED, here, format!("`{name}` is sent with other headers"), RUST);
        }
    }
}

fn members(media: &Node<'_>) -> BTreeSet<String> {
    let members = media.get("schema").map(|schema| Joint::of(schema).flat().members());
    members.into_iter().flatten().map(|(name, _)| name.to_owned()).collect()
}

/// The media types that a member may be of; none where it depends on its schema.
fn kinds(encoding: Option<&Node<'_>>) -> BTreeSet<String> {
    let kinds = encoding.and_then(|encoding| encoding.text("contentType")).into_iter().flat_map(|list| list.split(','));
    kinds.map(|kind| kind.trim().to_ascii_lowercase()).collect()
}

fn list(kinds: &BTreeSet<String>) -> String {
    let kinds: Vec<String> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
    if kinds.is_empty() { "its type says".to_owned() } else { kinds.join(" or ") }
}

/// The style of a member, defaults filled in.
fn written(encoding: Option<&Node<'_>>) -> String {
    let style = encoding.and_then(|encoding| encoding.text("style")).unwrap_or("form");
    let explode = encoding.and_then(|encoding| encoding.get("explode")?.value.as_bool()).unwrap_or(style == "form");
    let is_reserved = encoding.is_some_and(|encoding| encoding.is_true("allowReserved"));
    let reserved = if is_reserved { ", reserved characters as they are" } else { "" };
    format!("{style}{}{reserved}", if explode { ", exploded" } else { "" })
}
