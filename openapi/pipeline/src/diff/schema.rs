//! Schemas: type, members, elements, values and shapes, by the rules of the direction in which they are sent.

use super::comparison::Comparison;
use super::flat::Flat;
use super::joint::Joint;
use super::node::Node;
use super::rules::{Direction, SchemaRules, request as req, surface as surf};
use super::spot::Spot;
use super::{bounds, members, tuples, values, variants};
use crate::name;

/// How many steps a part costs where several schemas have to be fitted at once.
const OF_SEVERAL: usize = 64;

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
    old: Option<Joint<'a>>,
    new: Option<Joint<'a>>,
    here: &Node<'a>,
    spot: &Spot<'a>,
) {
    let rust = || spot.rust(|| format!("{} has another type", spot.holder()));
    match (old, new) {
        (Some(old), Some(new)) => compare(cx, rules, &old, &new, spot),
        (Some(old), None) if is_restrictive(&old) => {
            cx.report(rules.type_widened, here, "there is no schema any more: any value", rust());
        }
        (None, Some(new)) if is_restrictive(&new) => {
            cx.report(rules.type_narrowed, &new.first, "there is a schema now", rust());
        }
        _ => {}
    }
}

/// Compares two schemas: here and now, or once for all where they are shared or composed.
pub(super) fn compare<'a>(
    cx: &mut Comparison<'a>,
    rules: &'static SchemaRules,
    old: &Joint<'a>,
    new: &Joint<'a>,
    spot: &Spot<'a>,
) {
    if cx.unchanged.has(old, new) || !cx.step(1, &new.first) {
        return;
    }
    if !old.is_shared() && !new.is_shared() {
        compare_resolved(cx, rules, old, new, spot);
        return;
    }
    let (before, after) = (old.made_of(), new.made_of());
    if let (Some(before), Some(after)) = (before, after)
        && before != after
        // What has no type has no name.
        && spot.untyped.is_none()
    {
        let (before, after) = (name::of_type(before), name::of_type(after));
        let detail = format!("`{before}` becomes `{after}`");
        cx.report(&surf::SCHEMA_RENAMED, &new.first, detail, format!("the type `{before}` becomes `{after}`"));
    }
    let is_answered = rules.direction == Direction::Response;
    let component = after.or(before).map(|name| spot.component(name, is_answered, cx.types()));
    let spot = match component {
        Some(component) if old.component().is_some() && new.component().is_some() => component,
        Some(component) => spot.made_of(component),
        None => spot.clone(),
    };
    cx.link(rules, old.resolved(), new.resolved(), spot);
}

/// Compares two schemas that are no references.
pub(super) fn compare_resolved<'a>(
    cx: &mut Comparison<'a>,
    rules: &'static SchemaRules,
    old: &Joint<'a>,
    new: &Joint<'a>,
    spot: &Spot<'a>,
) {
    let rust = || spot.rust(|| format!("{} has another type", spot.holder()));
    match (old.is_never(), new.is_never()) {
        (true, true) => return,
        (false, true) => return cx.report(rules.type_narrowed, &new.first, "no value fits any more", rust()),
        (true, false) => return cx.report(rules.type_widened, &new.first, "there are values that fit now", rust()),
        (false, false) => {}
    }
    let (before, after) = (old.flat(), new.flat());
    // There can be as many sets of schemas as there are, and each is compared anew.
    let cost = if old.is_one() && new.is_one() { 1 } else { OF_SEVERAL };
    if !cx.step(cost * (before.parts().len() + after.parts().len()), &new.first) {
        return;
    }
    let facing = Facing { rules, old: &before, new: &after, here: &new.first, spot };
    if !is_readable(cx, &facing) {
        return;
    }
    nullability(cx, &facing);
    if !variants::compare_with_list(cx, &facing) {
        contents(cx, &facing);
    }
}

/// Reports what cannot be merged into one schema; `false` where nothing is left.
fn is_readable(cx: &mut Comparison<'_>, facing: &Facing<'_, '_>) -> bool {
    let Facing { old, new, here, spot, .. } = facing;
    let rust = || spot.rust(|| format!("{} may have another type", spot.holder()));
    if old.is_cut || new.is_cut {
        cx.report(&surf::NOT_COMPARED, here, "the schema is composed of too many parts", rust());
    }
    if old.unresolved != new.unresolved {
        let (mut gone, mut came) =
            (old.unresolved.difference(&new.unresolved), new.unresolved.difference(&old.unresolved));
        let reference = gone.next().or(came.next()).copied().unwrap_or_default();
        cx.report(&surf::NOT_COMPARED, here, format!("`{reference}` cannot be followed"), rust());
    }
    let (before, after) = (old.kinds(), new.kinds());
    if before != after && before.len().max(after.len()) > 1 {
        let kinds = if after.len() > 1 { after } else { before };
        let kinds: Vec<String> = kinds.into_iter().map(|kind| format!("`{kind}`")).collect();
        let detail = format!("its parts are of types that no value is of at once: {}", kinds.join(", "));
        cx.report(&surf::NOT_COMPARED, here, detail, rust());
        return false;
    }
    let is_empty = |flat: &Flat<'_>| flat.parts().is_empty();
    !is_empty(old) && !is_empty(new)
}

/// Compares everything but whether there may be none.
pub(super) fn contents<'a>(cx: &mut Comparison<'a>, facing: &Facing<'a, '_>) {
    if !kind(cx, facing) {
        return;
    }
    values::compare(cx, facing);
    default(cx, facing);
    bounds::compare(cx, facing);
    members::compare(cx, facing);
    match (facing.old.items(), facing.new.items()) {
        (None, None) => {}
        (from, to) => compare_optional(cx, facing.rules, from, to, facing.here, &facing.spot.element()),
    }
    tuples::compare(cx, facing);
    variants::compare(cx, facing);
}

fn nullability(cx: &mut Comparison<'_>, facing: &Facing<'_, '_>) {
    let Facing { rules, old, new, here, spot } = facing;
    if old.is_nullable == new.is_nullable {
        return;
    }
    let is_answered_list = rules.direction != Direction::Request && members::is_collection(new);
    let rust = spot.rust(|| spot.nullable(new.is_nullable, is_answered_list));
    if new.is_nullable {
        cx.report(rules.nullable, here, "it can be null", rust);
    } else {
        cx.report(rules.non_null, here, "it cannot be null", rust);
    }
}

/// Compares type and format; `false` where the rest means something else.
fn kind(cx: &mut Comparison<'_>, facing: &Facing<'_, '_>) -> bool {
    let Facing { rules, old, new, here, spot } = facing;
    let rust = || spot.rust(|| format!("{} has another type", spot.holder()));
    let at = new.get("type").unwrap_or_else(|| (*here).clone());
    match (old.kind(), new.kind()) {
        (before, after) if before == after => {}
        // Lists of values say more than the type.
        (Some("integer" | "number"), Some("integer" | "number"))
            if old.values().is_some() && new.values().is_some() => {}
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
    let (before, after) = (old.texts("format"), new.texts("format"));
    if before != after {
        let text = |formats: &[&str]| {
            let names: Vec<String> = formats.iter().map(|name| format!("`{name}`")).collect();
            if names.is_empty() { "none".to_owned() } else { names.join(" and ") }
        };
        let detail = format!("the format {} becomes {}", text(&before), text(&after));
        let at = new.get("format").unwrap_or_else(|| (*here).clone());
        // Answers are read whatever their format is, but instants and secrets have types of their own.
        let is_of_type = |format: &&str| matches!(*format, "date-time" | "password");
        let is_read = rules.direction == Direction::Response && !before.iter().chain(&after).any(is_of_type);
        let rust = spot.rust(|| {
            if is_read {
                "no change: an answer is not held to formats".to_owned()
            } else {
                format!("{} may have another type", spot.holder())
            }
        });
        cx.report(rules.format_changed, &at, detail, rust);
    }
    true
}

/// Compares what counts where nothing is sent.
fn default(cx: &mut Comparison<'_>, facing: &Facing<'_, '_>) {
    let Facing { rules, old, new, here, .. } = facing;
    if rules.direction != Direction::Request {
        return;
    }
    let (before, after) = (old.get("default"), new.get("default"));
    let same = |node: &Option<Node<'_>>| node.as_ref().map(|node| values::canonical(node.value));
    if same(&before) != same(&after) {
        let value = |node: &Option<Node<'_>>| {
            node.as_ref().map_or_else(|| "nothing".to_owned(), |node| values::plain(node.value))
        };
        let detail = format!("left out it counts as `{}`, no longer as `{}`", value(&after), value(&before));
        cx.report(&req::DEFAULT_CHANGED, &after.unwrap_or_else(|| (*here).clone()), detail, "no change");
    }
}

/// Whether a schema says anything that a value has to keep to.
fn is_restrictive(schema: &Joint<'_>) -> bool {
    let mut keys = schema.nodes().filter_map(|node| node.value.as_object()).flat_map(serde_json::Map::keys);
    keys.any(|key| !matches!(key.as_str(), "description" | "title" | "example" | "nullable") && !key.starts_with("x-"))
}
