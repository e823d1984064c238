//! Request bodies, and the media types of bodies in both directions.

use std::collections::BTreeMap;

use super::comparison::Comparison;
use super::node::Node;
use super::operation::Operation;
use super::rules::{REQUEST, Rule, SchemaRules, request as req};
use super::schema;
use super::spot::Spot;

/// The rules for the media types of a body.
pub(super) struct MediaRules {
    pub(super) added: &'static Rule,
    pub(super) removed: &'static Rule,
    pub(super) schema: &'static SchemaRules,
}

const MEDIA: MediaRules =
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
            let rust = "no change: a generated call always sends the body";
            match (before.is_true("required"), after.is_true("required")) {
                (false, true) => cx.report(&req::BODY_REQUIRED, &after, "the body must be sent", rust),
                (true, false) => cx.report(&req::BODY_OPTIONAL, &after, "the body can be left out", rust),
                _ => {}
            }
            let spot = Spot::body(&new.id);
            contents(cx, &MEDIA, &before, &after, &spot);
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
    spot: &Spot<'a>,
) {
    let (before, after) = (media_types(old), media_types(new));
    for (name, media) in &before {
        let Some(other) = after.get(name) else {
            cx.report(rules.removed, media, format!("`{name}` went"), format!("{} has another type", spot.holder()));
            continue;
        };
        schema::compare_optional(cx, rules.schema, media.get("schema"), other.get("schema"), other, spot);
    }
    for (name, media) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        cx.report(rules.added, media, format!("`{name}` is new"), format!("{} may have another type", spot.holder()));
    }
}

/// The media types by their names, in lower case and without parameters such as a charset.
fn media_types<'a>(body: &Node<'a>) -> BTreeMap<String, Node<'a>> {
    let content = body.get("content");
    let all = content.iter().flat_map(Node::members);
    all.map(|(name, media)| (name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase(), media)).collect()
}
