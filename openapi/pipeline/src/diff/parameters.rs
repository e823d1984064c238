//! Parameters, those of the path item included.

use std::collections::HashSet;

use super::comparison::Comparison;
use super::node::Node;
use super::operation::Operation;
use super::rules::{REQUEST, request as req, surface as surf};
use super::rust_item::RustItem;
use super::schema;
use super::schema_set::SchemaSet;
use crate::name;
use crate::normalize::{TRANSPORT_HEADERS, template_names};

struct Parameter<'a> {
    node: Node<'a>,
    name: &'a str,
    place: &'a str,
}

pub(super) fn compare<'a>(cx: &mut Comparison<'a>, old: &Operation<'a>, new: &Operation<'a>) {
    let mut gone = all(old);
    let mut came = all(new);
    let mut pairs = rename_in_path(cx, old, new, &mut gone, &mut came);
    // By name and place first, then by name alone, for parameters that moved.
    for moved in [false, true] {
        gone.retain(|before| {
            let same = |after: &Parameter<'_>| is_same_name(before, after) && (moved || before.place == after.place);
            let Some(index) = came.iter().position(same) else { return true };
            pairs.push((before.node.clone(), came.remove(index)));
            false
        });
    }
    for before in &gone {
        // A path without the parameter is another path.
        if before.place != "path" {
            let Parameter { node, name, place } = before;
            let rust = format!("the argument `{}` is gone", name::of_argument(name));
            cx.report(&req::PARAMETER_REMOVED, node, format!("the {place} parameter `{name}` went"), rust);
        }
    }
    for Parameter { node, name, place } in &came {
        if *place == "path" {
            continue;
        }
        let argument = name::of_argument(name);
        if node.is_true("required") {
            let rust = format!("the argument `{argument}` is new and must be set");
            let detail = format!("the {place} parameter `{name}` is new and must be sent");
            cx.report(&req::PARAMETER_ADDED_REQUIRED, node, detail, rust);
        } else {
            let detail = format!("the {place} parameter `{name}` is new");
            cx.report(&req::PARAMETER_ADDED_OPTIONAL, node, detail, format!("the argument `{argument}` is new"));
        }
    }
    for (before, after) in &pairs {
        compare_pair(cx, before, after, new);
    }
}

fn compare_pair<'a>(cx: &mut Comparison<'a>, old: &Node<'a>, new: &Parameter<'a>, operation: &Operation<'a>) {
    let Parameter { node, name, place } = new;
    let was = old.text("in").unwrap_or_default();
    if was != *place {
        let detail = format!("`{name}` is sent in {place}, no longer in {was}");
        let rust = if is_text(old, was) == is_text(node, place) && *place != "cookie" {
            "no change".to_owned()
        } else {
            format!("the argument `{}` may have another type", name::of_argument(name))
        };
        cx.report(&req::PARAMETER_MOVED, node, detail, rust);
    }
    // A path parameter is always required, whatever the document states.
    match (old.is_true("required") || was == "path", node.is_true("required") || *place == "path") {
        (false, true) => {
            let rust = format!("the argument `{}` must be set", name::of_argument(name));
            cx.report(&req::PARAMETER_REQUIRED, node, format!("`{name}` must be sent"), rust);
        }
        (true, false) => {
            let rust = format!("the argument `{}` may be left out", name::of_argument(name));
            cx.report(&req::PARAMETER_OPTIONAL, node, format!("`{name}` can be left out"), rust);
        }
        _ => {}
    }
    match (old.is_true("deprecated"), node.is_true("deprecated")) {
        (false, true) => cx.report(&surf::PARAMETER_DEPRECATED, node, format!("`{name}` is deprecated"), "no change"),
        (true, false) => {
            cx.report(&surf::PARAMETER_UNDEPRECATED, node, format!("`{name}` is no longer deprecated"), "no change");
        }
        _ => {}
    }
    // A single value has the same form with and without `explode`.
    let is_spread = ![schema_type(old), schema_type(node)].iter().all(|shape| shape.is_some_and(is_scalar));
    let (before, after) = (style(old, was, is_spread), style(node, place, is_spread));
    if was == *place && before != after {
        let detail = format!("`{name}` is written as {after}, no longer as {before}");
        let rust = if is_text(old, was) == is_text(node, place) {
            "no change".to_owned()
        } else {
            format!("the argument `{}` may have another type", name::of_argument(name))
        };
        cx.report(&req::PARAMETER_STYLE_CHANGED, node, detail, rust);
    }
    let rust_item = RustItem::argument(&operation.id, name);
    let rust_item = match schema_type(node) {
        _ if is_text(old, was) && is_text(node, place) => {
            rust_item.without_type("no change: the caller writes it as text")
        }
        Some("object") => rust_item.without_type("the arguments that its members become"),
        _ => rust_item,
    };
    schema::compare_optional(cx, &REQUEST, schema_of(old), schema_of(node), node, &rust_item);
}

/// Pairs the path parameters by their order in the path, and reports renamed ones.
fn rename_in_path<'a>(
    cx: &mut Comparison<'a>,
    old: &Operation<'a>,
    new: &Operation<'a>,
    gone: &mut Vec<Parameter<'a>>,
    came: &mut Vec<Parameter<'a>>,
) -> Vec<(Node<'a>, Parameter<'a>)> {
    let mut pairs = Vec::new();
    for (before, after) in template_names(&old.path).iter().zip(template_names(&new.path)) {
        if *before == after {
            continue;
        }
        let in_path = |list: &[Parameter<'a>], name: &str| {
            list.iter().position(|parameter| parameter.place == "path" && parameter.name == name)
        };
        let rust = format!("the argument `{}` becomes `{}`", name::of_argument(before), name::of_argument(&after));
        let detail = format!("`{before}` becomes `{after}`");
        cx.report(&surf::PATH_PARAMETER_RENAMED, &new.node, detail, rust);
        if let (Some(before), Some(after)) = (in_path(gone, before), in_path(came, &after)) {
            pairs.push((gone.remove(before).node, came.remove(after)));
        }
    }
    pairs
}

/// Returns the parameters of an operation, and those of its path item that it does not override.
fn all<'a>(operation: &Operation<'a>) -> Vec<Parameter<'a>> {
    let lists = [operation.node.get("parameters"), operation.item.get("parameters")];
    let mut seen = HashSet::new();
    let mut all = Vec::new();
    for node in lists.iter().flatten().flat_map(Node::items) {
        let node = node.resolved();
        let (Some(name), Some(place)) = (node.text("name"), node.text("in")) else { continue };
        let lower = name.to_ascii_lowercase();
        // OpenAPI ignores parameters with these names.
        let is_transport = place == "header" && TRANSPORT_HEADERS.contains(&lower.as_str());
        let key = (if place == "header" { lower } else { name.to_owned() }, place);
        if !is_transport && seen.insert(key) {
            all.push(Parameter { node, name, place });
        }
    }
    all
}

/// Returns whether two parameters have the same name; header names are case-insensitive.
fn is_same_name(one: &Parameter<'_>, other: &Parameter<'_>) -> bool {
    one.name == other.name || (one.place == "header" && one.name.eq_ignore_ascii_case(other.name))
}

/// Returns whether a type has a single value, which `explode` does not affect.
pub(super) fn is_scalar(kind: &str) -> bool {
    !matches!(kind, "array" | "object")
}

/// Returns the serialization of a parameter: its media type or style.
fn style(parameter: &Node<'_>, place: &str, is_spread: bool) -> String {
    if let Some((media_type, _)) = parameter.get("content").and_then(|content| content.members().next()) {
        return media_type.to_owned();
    }
    style_of(Some(parameter), if matches!(place, "query" | "cookie") { "form" } else { "simple" }, is_spread)
}

/// Returns the style of a parameter or form member with defaults applied; `explode` only for values that can be spread.
pub(super) fn style_of(node: Option<&Node<'_>>, usual: &str, is_spread: bool) -> String {
    let style = node.and_then(|node| node.text("style")).unwrap_or(usual);
    let explode = node.and_then(|node| node.get("explode")?.value.as_bool()).unwrap_or(style == "form");
    let is_reserved = node.is_some_and(|node| node.is_true("allowReserved"));
    let reserved = if is_reserved { ", reserved characters as they are" } else { "" };
    format!("{style}{}{reserved}", if explode && is_spread { ", exploded" } else { "" })
}

/// Returns whether the caller serializes it as text: a cookie, or an object in one value.
fn is_text(parameter: &Node<'_>, place: &str) -> bool {
    let style = style(parameter, place, true);
    let is_spread = place == "query" && (style.starts_with("form, exploded") || style.starts_with("deepObject"));
    let is_joined = || schema_type(parameter) == Some("object");
    place == "cookie" || parameter.get("content").is_some() || (!is_spread && is_joined())
}

/// Returns the type of its schema.
fn schema_type<'a>(parameter: &Node<'a>) -> Option<&'a str> {
    schema_of(parameter)?.flat().kind()
}

fn schema_of<'a>(parameter: &Node<'a>) -> Option<SchemaSet<'a>> {
    let schema = parameter.get("schema").or_else(|| {
        let content = parameter.get("content")?;
        let (_, media) = content.members().next()?;
        media.get("schema")
    });
    schema.map(SchemaSet::of)
}
