//! Schemas: type, members, elements, values and shapes, by the rules of the direction in which they are sent.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use super::bounds;
use super::comparison::Comparison;
use super::flat::Flat;
use super::node::Node;
use super::rules::{Direction, Rule, SchemaRules, request as req, surface as surf};
use super::spot::Spot;
use super::variants;
use crate::{name, walk};

/// Two schemas that are looked at, their parts merged.
pub(super) struct Facing<'a, 'b> {
    pub(super) rules: &'static SchemaRules,
    pub(super) old: &'b Flat<'a>,
    pub(super) new: &'b Flat<'a>,
    /// The new schema itself, where a change is reported that has no keyword of its own.
    pub(super) here: &'b Node<'a>,
    pub(super) spot: &'b Spot<'a>,
}

/// Compares two schemas of which one may be missing: without a schema a value can be anything.
pub(super) fn compare_optional<'a>(
    cx: &mut Comparison<'a>,
    rules: &'static SchemaRules,
    old: Option<Node<'a>>,
    new: Option<Node<'a>>,
    here: &Node<'a>,
    spot: &Spot<'a>,
) {
    let rust = || format!("{} has another type", spot.holder());
    match (old, new) {
        (Some(old), Some(new)) => compare(cx, rules, &old, &new, spot),
        (Some(old), None) if is_restrictive(&old) => {
            cx.report(rules.type_widened, here, "there is no schema any more: any value", rust());
        }
        (None, Some(new)) if is_restrictive(&new) => {
            cx.report(rules.type_narrowed, &new, "there is a schema now", rust());
        }
        _ => {}
    }
}

/// Compares two schemas: here and now, or once for all where they are shared or composed.
pub(super) fn compare<'a>(
    cx: &mut Comparison<'a>,
    rules: &'static SchemaRules,
    old: &Node<'a>,
    new: &Node<'a>,
    spot: &Spot<'a>,
) {
    if !cx.step(1, new) {
        return;
    }
    let is_shared = [old, new].iter().any(|node| node.reference().is_some() || node.get("allOf").is_some());
    if !is_shared {
        compare_resolved(cx, rules, old, new, spot);
        return;
    }
    let component = |node: &Node<'a>| node.reference().and_then(walk::component);
    let (before, after) = (component(old), component(new));
    if let (Some(before), Some(after)) = (before, after)
        && before != after
    {
        let (before, after) = (name::of_type(before), name::of_type(after));
        let detail = format!("`{before}` becomes `{after}`");
        cx.report(&surf::SCHEMA_RENAMED, new, detail, format!("the type `{before}` becomes `{after}`"));
    }
    let (from, to) = (old.resolved(), new.resolved());
    let unresolved = [&from, &to].iter().any(|node| node.reference().is_some());
    if unresolved {
        if from.reference() != to.reference() {
            let detail = format!("`{}` cannot be followed", from.reference().or(to.reference()).unwrap_or_default());
            cx.report(&surf::NOT_COMPARED, new, detail, format!("{} may have another type", spot.holder()));
        }
        return;
    }
    let spot = after.or(before).map_or_else(|| spot.clone(), Spot::component);
    cx.link(rules, from, to, spot);
}

/// Compares two schemas that are no references.
pub(super) fn compare_resolved<'a>(
    cx: &mut Comparison<'a>,
    rules: &'static SchemaRules,
    old: &Node<'a>,
    new: &Node<'a>,
    spot: &Spot<'a>,
) {
    let (before, after) = (Flat::of(old), Flat::of(new));
    let facing = Facing { rules, old: &before, new: &after, here: new, spot };
    if before.is_cut || after.is_cut {
        cx.report(&surf::NOT_COMPARED, new, "the schema is composed of too many parts", "unknown");
    }
    nullability(cx, &facing);
    if !variants::compare_with_list(cx, &facing) {
        contents(cx, &facing);
    }
}

/// Compares everything but whether there may be none.
pub(super) fn contents<'a>(cx: &mut Comparison<'a>, facing: &Facing<'a, '_>) {
    if !kind(cx, facing) {
        return;
    }
    values(cx, facing);
    bounds::compare(cx, facing);
    members(cx, facing);
    match (facing.old.get("items"), facing.new.get("items")) {
        (None, None) => {}
        (from, to) => compare_optional(cx, facing.rules, from, to, facing.here, &facing.spot.element()),
    }
    variants::compare(cx, facing);
}

fn nullability(cx: &mut Comparison<'_>, facing: &Facing<'_, '_>) {
    let Facing { rules, old, new, here, spot } = facing;
    match (old.is_true("nullable"), new.is_true("nullable")) {
        (false, true) => {
            cx.report(rules.nullable, here, "it can be null", format!("{} becomes an `Option`", spot.holder()));
        }
        (true, false) => {
            cx.report(rules.non_null, here, "it cannot be null", format!("{} is no longer null", spot.holder()));
        }
        _ => {}
    }
}

/// Compares type and format; `false` where the rest means something else.
fn kind(cx: &mut Comparison<'_>, facing: &Facing<'_, '_>) -> bool {
    let Facing { rules, old, new, here, spot } = facing;
    let rust = || format!("{} has another type", spot.holder());
    let at = new.get("type").unwrap_or_else(|| (*here).clone());
    match (old.kind(), new.kind()) {
        (before, after) if before == after => {}
        (None, Some(after)) => {
            cx.report(rules.type_narrowed, &at, format!("it is {after}, no longer anything"), rust());
        }
        (Some(before), None) => {
            cx.report(rules.type_widened, &at, format!("it is anything, no longer {before}"), rust());
        }
        (Some("integer"), Some("number")) => {
            cx.report(rules.type_widened, &at, "it is number, no longer integer", rust());
        }
        (Some("number"), Some("integer")) => {
            cx.report(rules.type_narrowed, &at, "it is integer, no longer number", rust());
        }
        (before, after) => {
            let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
            cx.report(rules.type_changed, &at, format!("it is {after}, no longer {before}"), rust());
            return false;
        }
    }
    let (before, after) = (old.text("format"), new.text("format"));
    if before != after {
        let text = |format: Option<&str>| format.map_or_else(|| "none".to_owned(), |name| format!("`{name}`"));
        let detail = format!("the format {} becomes {}", text(before), text(after));
        let at = new.get("format").unwrap_or_else(|| (*here).clone());
        cx.report(rules.format_changed, &at, detail, rust());
    }
    true
}

/// Compares the lists of values.
fn values(cx: &mut Comparison<'_>, facing: &Facing<'_, '_>) {
    let Facing { rules, old, new, here, spot } = facing;
    let (before, after) = (old.get("enum"), new.get("enum"));
    match (&before, &after) {
        (Some(before), Some(after)) => {
            let texts = |list: &Node<'_>| list.items().map(|value| value.value.to_string()).collect::<HashSet<_>>();
            let (had, has) = (texts(before), texts(after));
            let differing = |list: &Node<'_>, other: &HashSet<String>| {
                let values = list.items().map(|value| (value.value.to_string(), value.value.clone(), value));
                values.filter(|(text, ..)| !other.contains(text)).map(|(_, value, _)| value).collect::<Vec<_>>()
            };
            let mut report = |rule: &'static Rule, at: &Node<'_>, value: &Value, what: &str| {
                let text = plain(value);
                let rust = format!("the variant `{}::{}` {what}", spot.name(), name::of_type(&text));
                cx.report(rule, at, format!("the value `{text}` {what}"), rust);
            };
            for value in differing(before, &has) {
                report(rules.enum_value_removed, before, &value, "is gone");
            }
            for value in differing(after, &had) {
                report(rules.enum_value_added, after, &value, "is new");
            }
        }
        (None, Some(after)) => {
            let rust = format!("{} becomes an enum", spot.holder());
            cx.report(rules.enum_closed, after, "only listed values are left", rust);
        }
        (Some(_), None) => {
            let rust = format!("{} is no longer an enum", spot.holder());
            cx.report(rules.enum_opened, here, "the list of values is gone", rust);
        }
        (None, None) => {}
    }
    let (before, after) = (old.get("default"), new.get("default"));
    let value = |node: &Option<Node<'_>>| node.as_ref().map_or_else(|| "nothing".to_owned(), |node| plain(node.value));
    if rules.direction == Direction::Request && value(&before) != value(&after) {
        let detail = format!("left out it counts as `{}`, no longer as `{}`", value(&after), value(&before));
        cx.report(&req::DEFAULT_CHANGED, &after.unwrap_or_else(|| (*here).clone()), detail, "no change");
    }
}

/// Compares the members of objects, those left out that are never sent in this direction.
fn members<'a>(cx: &mut Comparison<'a>, facing: &Facing<'a, '_>) {
    let Facing { rules, old, new, here, spot } = facing;
    let (before, after) = (visible(old, rules), visible(new, rules));
    if !cx.step(before.len() + after.len(), here) {
        return;
    }
    let (had, has) = (old.required(), new.required());
    let is_closed = new.get("additionalProperties").is_some_and(|others| *others.value == Value::Bool(false));
    for (name, node) in &before {
        if after.contains_key(name) {
            continue;
        }
        let is_grave = if rules.direction == Direction::Request { is_closed } else { had.contains(name) };
        let rule = if is_grave { rules.property_lost } else { rules.property_removed };
        let at = node.as_ref().or(old.first());
        if let Some(at) = at {
            cx.report(rule, at, format!("`{name}` went"), format!("the field `{}` is gone", spot.field(name)));
        }
    }
    for (name, node) in &after {
        let at = node.as_ref().unwrap_or(here);
        let Some(earlier) = before.get(name) else {
            let rule = if has.contains(name) { rules.property_added_required } else { rules.property_added };
            cx.report(rule, at, format!("`{name}` is new"), format!("the field `{}` is new", spot.field(name)));
            continue;
        };
        match (had.contains(name), has.contains(name)) {
            (false, true) => {
                let rust = format!("`{}` is no longer an `Option`", spot.field(name));
                cx.report(rules.property_required, at, format!("`{name}` is always there"), rust);
            }
            (true, false) => {
                let rust = format!("`{}` becomes an `Option`", spot.field(name));
                cx.report(rules.property_optional, at, format!("`{name}` can be missing"), rust);
            }
            _ => {}
        }
        let (Some(earlier), Some(node)) = (earlier, node) else { continue };
        deprecation(cx, name, earlier, node);
        compare(cx, rules, earlier, node, &spot.member(name));
    }
    others(cx, facing);
}

fn visible<'a>(schema: &Flat<'a>, rules: &SchemaRules) -> BTreeMap<&'a str, Option<Node<'a>>> {
    let mut members = schema.members();
    members.retain(|_, node| node.as_ref().is_none_or(|node| !node.resolved().is_true(rules.hidden)));
    members
}

fn deprecation(cx: &mut Comparison<'_>, name: &str, old: &Node<'_>, new: &Node<'_>) {
    match (old.resolved().is_true("deprecated"), new.resolved().is_true("deprecated")) {
        (false, true) => cx.report(&surf::PROPERTY_DEPRECATED, new, format!("`{name}` is deprecated"), "no change"),
        (true, false) => {
            cx.report(&surf::PROPERTY_UNDEPRECATED, new, format!("`{name}` is no longer deprecated"), "no change");
        }
        _ => {}
    }
}

/// Compares what members without a description can be.
fn others<'a>(cx: &mut Comparison<'a>, facing: &Facing<'a, '_>) {
    let Facing { rules, old, new, here, spot } = facing;
    let (before, after) = (old.get("additionalProperties"), new.get("additionalProperties"));
    let closed = |node: &Option<Node<'_>>| node.as_ref().is_some_and(|node| *node.value == Value::Bool(false));
    let schema = |node: Option<Node<'a>>| node.filter(|node| node.value.is_object());
    let rust = || format!("what else {} holds", spot.holder());
    match (closed(&before), closed(&after)) {
        (true, true) => {}
        (false, true) => cx.report(rules.constraint_narrowed, here, "there are no other members", rust()),
        (true, false) => cx.report(rules.constraint_widened, here, "there can be other members", rust()),
        (false, false) => match (schema(before), schema(after)) {
            (None, None) => {}
            (before, after) => compare_optional(cx, rules, before, after, here, &spot.value()),
        },
    }
}

/// Whether a schema says anything that a value has to keep to.
fn is_restrictive(schema: &Node<'_>) -> bool {
    let mut keys = schema.value.as_object().into_iter().flat_map(serde_json::Map::keys);
    keys.any(|key| !matches!(key.as_str(), "description" | "title" | "example" | "nullable") && !key.starts_with("x-"))
}

/// A value as text: a string without its quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
