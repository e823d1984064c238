//! The serialization of form members and multipart parts: `encoding`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::comparison::Comparison;
use super::node::Node;
use super::parameters::{is_scalar, style_of};
use super::rules::request as req;
use super::schema_set::SchemaSet;
use crate::media_type::essence;

const NO_EFFECT: &str = "no change: the client writes the member as the document says";

/// Compares the serialization of the members that both bodies have.
pub(super) fn compare<'a>(cx: &mut Comparison<'a>, media_type: &str, old: &Node<'a>, new: &Node<'a>) {
    let (before, after) = (old.get("encoding"), new.get("encoding"));
    let media_type = essence(media_type);
    // OpenAPI applies `encoding` to these media types only.
    let is_form = media_type == "application/x-www-form-urlencoded";
    let is_multipart = media_type.starts_with("multipart/");
    if (before.is_none() && after.is_none()) || !(is_form || is_multipart) {
        return;
    }
    // Before 3.1, the parts of a multipart body have no style.
    let is_styled = is_form || (media_type == "multipart/form-data" && new.is_31);
    let names = |encoding: &Option<Node<'_>>| -> BTreeSet<String> {
        encoding.iter().flat_map(Node::entries).map(|(name, _)| name.to_owned()).collect()
    };
    let (had, has) = (members(old), members(new));
    for name in names(&before).union(&names(&after)) {
        let (Some(was_member), Some(is_member)) = (had.get(name.as_str()), has.get(name.as_str())) else { continue };
        let of = |encoding: &Option<Node<'a>>| encoding.as_ref().and_then(|encoding| encoding.get(name));
        let (was, is) = (of(&before), of(&after));
        let here = is.as_ref().or(after.as_ref()).unwrap_or(new);
        let (before, after) = (kinds(was.as_ref(), was_member), kinds(is.as_ref(), is_member));
        if before != after {
            let detail = format!("`{name}` is sent as {}, no longer as {}", list(&after), list(&before));
            if !before.is_empty() && before.is_subset(&after) {
                cx.report(&req::CONSTRAINT_WIDENED, here, detail, NO_EFFECT);
            } else {
                cx.report(&req::ENCODING_CHANGED, here, detail, NO_EFFECT);
            }
        }
        let is_spread = ![was_member, is_member].iter().all(|member| member.is_scalar());
        let (before, after) = (style_of(was.as_ref(), "form", is_spread), style_of(is.as_ref(), "form", is_spread));
        if is_styled && before != after {
            let detail = format!("`{name}` is written as {after}, no longer as {before}");
            cx.report(&req::ENCODING_CHANGED, here, detail, NO_EFFECT);
        }
        if is_multipart && headers(was.as_ref()) != headers(is.as_ref()) {
            cx.report(&req::ENCODING_CHANGED, here, format!("`{name}` is sent with other headers"), NO_EFFECT);
        }
    }
}

/// The properties of a member that affect its serialization.
struct EncodedMember<'a> {
    kind: Option<&'a str>,
    /// The media type of its part, if the document does not state one.
    media_type: Option<&'static str>,
}

impl<'a> EncodedMember<'a> {
    fn of(schema: &SchemaSet<'a>) -> Self {
        let flat = schema.resolved().flat();
        let kind = flat.kind();
        // There is one part for each element.
        let items = flat.items().filter(|_| kind == Some("array")).map(|items| items.resolved().flat());
        let inner = items.as_ref().unwrap_or(&flat);
        let is_bytes = || inner.texts("format").contains(&"binary") || inner.all("contentEncoding").next().is_some();
        let media_type = match inner.kind() {
            Some("object") => Some("application/json"),
            Some("string") if is_bytes() => Some("application/octet-stream"),
            Some("string" | "integer" | "number" | "boolean") => Some("text/plain"),
            _ => None,
        };
        Self { kind, media_type }
    }

    fn is_scalar(&self) -> bool {
        self.kind.is_some_and(is_scalar)
    }
}

fn members<'a>(media: &Node<'a>) -> BTreeMap<&'a str, EncodedMember<'a>> {
    let members = media.get("schema").map(|schema| SchemaSet::of(schema).flat().members());
    let members = members.into_iter().flatten();
    members
        .map(|(name, schema)| {
            (name, schema.map_or(EncodedMember { kind: None, media_type: None }, |it| EncodedMember::of(&it)))
        })
        .collect()
}

/// Returns the headers of a part, except the one that `contentType` covers.
fn headers<'a>(encoding: Option<&Node<'a>>) -> BTreeMap<String, &'a Value> {
    let headers = encoding.and_then(|encoding| encoding.get("headers"));
    let headers =
        headers.iter().flat_map(Node::entries).map(|(name, header)| (name.to_ascii_lowercase(), header.value));
    headers.filter(|(name, _)| name != "content-type").collect()
}

/// Returns the possible media types of a member; an empty set if they are not known.
fn kinds(encoding: Option<&Node<'_>>, member: &EncodedMember<'_>) -> BTreeSet<String> {
    let said = encoding.and_then(|encoding| encoding.text("contentType")).or(member.media_type);
    said.into_iter().flat_map(|list| list.split(',')).map(|kind| kind.trim().to_ascii_lowercase()).collect()
}

fn list(kinds: &BTreeSet<String>) -> String {
    let kinds: Vec<String> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
    if kinds.is_empty() { "its type says".to_owned() } else { kinds.join(" or ") }
}
