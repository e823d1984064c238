//! Request bodies, and the media types of bodies in both directions.

use std::collections::{BTreeMap, BTreeSet};

use super::comparison::Comparison;
use super::node::Node;
use super::operation::Operation;
use super::rules::{Direction, REQUEST, Rule, SchemaRules, request as req};
use super::rust_item::RustItem;
use super::schema_set::SchemaSet;
use super::{encodings, schema};
use crate::form;
use crate::generate::Patched;
use crate::media_type::{essence, framing, is_json};

/// The rules for the media types of a body.
pub(super) struct MediaRules {
    pub(super) added: &'static Rule,
    pub(super) removed: &'static Rule,
    pub(super) schema: &'static SchemaRules,
}

const REQUEST_MEDIA: MediaRules =
    MediaRules { added: &req::MEDIA_TYPE_ADDED, removed: &req::MEDIA_TYPE_REMOVED, schema: &REQUEST };

pub(super) fn compare<'a>(cx: &mut Comparison<'a>, old: &Operation<'a>, new: &Operation<'a>) {
    let body = |operation: &Operation<'a>| operation.node.get("requestBody").map(|body| body.resolved());
    match (body(old), body(new)) {
        (None, Some(body)) if body.is_true("required") => {
            cx.report(
                &req::BODY_ADDED_REQUIRED,
                &body,
                "a body must be sent",
                "the argument `body` is new and must be set",
            );
        }
        (None, Some(body)) => {
            cx.report(&req::BODY_ADDED_OPTIONAL, &body, "a body can be sent", "the argument `body` is new");
        }
        (Some(body), None) => {
            cx.report(&req::BODY_REMOVED, &body, "no body is taken", "the argument `body` is gone");
        }
        (Some(before), Some(after)) => {
            match (before.is_true("required"), after.is_true("required")) {
                (false, true) => {
                    cx.report(&req::BODY_REQUIRED, &after, "the body must be sent", "the argument `body` must be set");
                }
                (true, false) => {
                    let rust = "the argument `body` may be left out";
                    cx.report(&req::BODY_OPTIONAL, &after, "the body can be left out", rust);
                }
                _ => {}
            }
            let known = media_types(&after);
            let media_type = typed_media_type(Direction::Request, &known).unwrap_or_default();
            let rust_item = RustItem::body(&new.id, Patched::in_body(&new.method, media_type));
            contents(cx, &REQUEST_MEDIA, &before, &after, &rust_item);
        }
        (None, None) => {}
    }
}

/// Compares the `content` of two bodies.
pub(super) fn contents<'a>(
    cx: &mut Comparison<'a>,
    rules: &MediaRules,
    old: &Node<'a>,
    new: &Node<'a>,
    rust_item: &RustItem<'a>,
) {
    let (before, after) = (media_types(old), media_types(new));
    let rust = || rust_item.effect(|| format!("{} may have another type", rust_item.holder()));
    let typed = typed_media_type(rules.schema.direction, &after);
    for (name, media) in &before {
        let Some(other) = after.get(name) else {
            cx.report(rules.removed, media, format!("`{name}` went"), rust());
            continue;
        };
        let is_typed = typed == Some(name.as_str()) || is_typed_item(rules.schema.direction, name);
        let rust_item = if rust_item.untyped.is_none() && !is_typed {
            rust_item.clone().without_type("no change: the client has no type for a body of this media type")
        } else {
            rust_item.clone()
        };
        let schema = |media: &Node<'a>| schema_of(name, media).map(SchemaSet::of);
        schema::compare_optional(cx, rules.schema, schema(media), schema(other), other, &rust_item);
        if rules.schema.direction == Direction::Request {
            encodings::compare(cx, name, media, other);
        }
    }
    for (name, media) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        cx.report(rules.added, media, format!("`{name}` is new"), rust());
    }
}

/// Returns the schema of a body. For a sequence of items, returns the schema of an item: `itemSchema`, or the items of the
/// list schema.
fn schema_of<'a>(name: &str, media: &Node<'a>) -> Option<Node<'a>> {
    let whole = media.get("schema");
    if framing(name).is_none() {
        return whole.or_else(|| media.get("itemSchema"));
    }
    let list = whole.as_ref().map(Node::resolved).filter(|schema| schema.text("type") == Some("array"));
    media.get("itemSchema").or_else(|| list.and_then(|list| list.get("items"))).or(whole)
}

/// Returns whether the client has a type for the items of a body beside another body.
fn is_typed_item(direction: Direction, name: &str) -> bool {
    framing(name).is_some() && direction != Direction::Request
}

/// Returns the media type that the client has a type for.
fn typed_media_type<'m>(direction: Direction, media_types: &'m BTreeMap<String, Node<'_>>) -> Option<&'m str> {
    let mut names = media_types.keys().map(String::as_str);
    let plain: &[&str] = match direction {
        Direction::Request => &["application/json", "application/x-www-form-urlencoded", "text/plain"],
        _ => &["application/json"],
    };
    let wanted = plain.iter().find_map(|wanted| media_types.keys().find(|name| essence(name) == *wanted));
    let is_request = direction == Direction::Request;
    let in_parts = || media_types.keys().map(String::as_str).find(|name| is_request && form::is_multipart(name));
    let wanted = wanted.map(String::as_str).or_else(|| names.clone().find(|name| is_json(name)));
    wanted.or_else(|| names.find(|name| framing(name).is_some())).or_else(in_parts)
}

/// Returns the media types by their names, in lower case and without parameters that concern only the transfer.
fn media_types<'a>(body: &Node<'a>) -> BTreeMap<String, Node<'a>> {
    let content = body.get("content");
    let all = content.iter().flat_map(Node::members);
    all.map(|(name, media)| (whole(name), media)).collect()
}

/// Returns a media type with the parameters that describe its content, such as a version.
fn whole(name: &str) -> String {
    let parameters = name.split(';').skip(1).filter_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        let key = key.trim().to_ascii_lowercase();
        let is_about_transfer = matches!(key.as_str(), "charset" | "boundary" | "q");
        (!is_about_transfer).then(|| format!("; {key}={}", value.trim().trim_matches('"')))
    });
    let parameters: BTreeSet<String> = parameters.collect();
    parameters.into_iter().fold(essence(name), |whole, parameter| whole + &parameter)
}
