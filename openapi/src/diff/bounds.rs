//! Bounds: what of a type a value may be, and whether that became more or less.

use std::cmp::Ordering;

use serde_json::Value;

use super::comparison::Comparison;
use super::flat::Flat;
use super::node::Node;
use super::schema::Facing;

/// Least counts: a greater one leaves less.
const LEAST: [&str; 3] = ["minLength", "minItems", "minProperties"];
/// Greatest counts: a greater one leaves more.
const MOST: [&str; 3] = ["maxLength", "maxItems", "maxProperties"];
/// What cannot be ordered: one that is there leaves less.
const RESTRICTIONS: [&str; 17] = [
    "pattern",
    "not",
    "contains",
    "minContains",
    "maxContains",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "if",
    "then",
    "else",
    "propertyNames",
    "patternProperties",
    "prefixItems",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
];

pub(super) fn compare(cx: &mut Comparison<'_>, facing: &Facing<'_, '_>) {
    limit(cx, facing, ["minimum", "exclusiveMinimum"], 1.0);
    limit(cx, facing, ["maximum", "exclusiveMaximum"], -1.0);
    for key in LEAST {
        // No length and no count is below 0.
        number(cx, facing, key, Some(0.0), Ordering::Greater);
    }
    for key in MOST {
        number(cx, facing, key, None, Ordering::Less);
    }
    match (facing.old.is_true("uniqueItems"), facing.new.is_true("uniqueItems")) {
        (false, true) => change(cx, facing, "uniqueItems", true),
        (true, false) => change(cx, facing, "uniqueItems", false),
        _ => {}
    }
    multiple(cx, facing);
    for key in RESTRICTIONS {
        let set = |node: &Node<'_>| *node.value != Value::Bool(true);
        match (facing.old.get(key).filter(set), facing.new.get(key).filter(set)) {
            (None, Some(_)) => change(cx, facing, key, true),
            (Some(_), None) => change(cx, facing, key, false),
            (Some(before), Some(after)) if before.value != after.value => {
                let detail = describe(facing, key);
                cx.report(facing.rules.restriction_changed, &after, detail, rust(facing));
            }
            _ => {}
        }
    }
}

/// Compares the limit of a number, which may exclude itself; a step `inwards` leaves less. Of whole numbers, more than 0 is
/// at least 1.
fn limit(cx: &mut Comparison<'_>, facing: &Facing<'_, '_>, [bound, exclusive]: [&str; 2], inwards: f64) {
    let is_whole = [facing.old, facing.new].into_iter().all(|schema| schema.kind() == Some("integer"));
    let read = |schema: &Flat<'_>| {
        let limit = schema.get(bound)?.value.as_f64()?;
        let is_open = schema.is_true(exclusive);
        let is_step = is_whole && limit.fract() == 0.0;
        // Towards the inside is more, whichever end it is.
        let inner = limit * inwards;
        Some(if is_open && is_step { (inner + 1.0, false) } else { (inner, is_open) })
    };
    let is_narrower = match (read(facing.old), read(facing.new)) {
        (before, after) if before == after => return,
        (before, after) => after > before,
    };
    let is_same = |key: &str| facing.old.get(key).map(|node| node.value) == facing.new.get(key).map(|node| node.value);
    change(cx, facing, if is_same(bound) { exclusive } else { bound }, is_narrower);
}

/// Compares a bound that is a number; it leaves less where the new one stands to the old one as `narrower` says.
fn number(cx: &mut Comparison<'_>, facing: &Facing<'_, '_>, key: &str, absent: Option<f64>, narrower: Ordering) {
    let bound = |node: Option<Node<'_>>| node.and_then(|node| node.value.as_f64()).or(absent);
    let is_narrower = match (bound(facing.old.get(key)), bound(facing.new.get(key))) {
        (None, None) => return,
        (None, Some(_)) => true,
        (Some(_), None) => false,
        (Some(before), Some(after)) => match after.partial_cmp(&before) {
            None | Some(Ordering::Equal) => return,
            Some(order) => order == narrower,
        },
    };
    change(cx, facing, key, is_narrower);
}

fn multiple(cx: &mut Comparison<'_>, facing: &Facing<'_, '_>) {
    let key = "multipleOf";
    let step = |node: Option<Node<'_>>| node.and_then(|node| node.value.as_f64());
    let is_narrower = match (step(facing.old.get(key)), step(facing.new.get(key))) {
        (None, None) => return,
        (None, Some(_)) => true,
        (Some(_), None) => false,
        (Some(before), Some(after)) if before.to_bits() == after.to_bits() => return,
        // What every multiple of the old step is, too, leaves more.
        (Some(before), Some(after)) => (before / after).fract() != 0.0,
    };
    change(cx, facing, key, is_narrower);
}

fn change(cx: &mut Comparison<'_>, facing: &Facing<'_, '_>, key: &str, is_narrower: bool) {
    let rules = facing.rules;
    let rule = if is_narrower { rules.constraint_narrowed } else { rules.constraint_widened };
    let at = facing.new.get(key).unwrap_or_else(|| facing.here.clone());
    cx.report(rule, &at, describe(facing, key), rust(facing));
}

fn describe(facing: &Facing<'_, '_>, key: &str) -> String {
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => format!("`{text}`"),
        Some(Value::Object(_)) => "a schema".to_owned(),
        Some(value) => value.to_string(),
        None => "none".to_owned(),
    };
    let (before, after) = (facing.old.get(key), facing.new.get(key));
    let (before, after) = (before.map(|node| node.value), after.map(|node| node.value));
    match (text(before), text(after)) {
        (before, after) if before == after => format!("`{key}` has changed"),
        (before, after) => format!("`{key}`: {before} becomes {after}"),
    }
}

/// Texts with bounds are types of their own, which check them; numbers and lists are not checked.
fn rust(facing: &Facing<'_, '_>) -> String {
    match facing.new.kind() {
        Some("string") => format!("{} is checked against another bound", facing.spot.holder()),
        _ => "no change: the client does not check it".to_owned(),
    }
}
