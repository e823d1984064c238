//! Schemas: type, members, elements, values and shapes, by the rules of the direction in which they are sent.

use super::comparison::Comparison;
use super::flat_schema::FlatSchema;
use super::node::Node;
use super::rules::{Direction, SchemaRules, request as req, surface as surf};
use super::rust_item::RustItem;
use super::schema_set::SchemaSet;
use super::{bounds, members, tuples, values, variants};
use crate::name;

/// The number of steps that a part costs if a value has to fit several schemas at once.
const STEPS_PER_PART_OF_SEVERAL: usize = 64;

/// Two schemas under comparison, each with its parts merged.
pub(super) struct SchemaPair<'a, 'b> {
    pub(super) rules: &'static SchemaRules,
    pub(super) old: &'b FlatSchema<'a>,
    pub(super) new: &'b FlatSchema<'a>,
    /// The node of the new schema, for changes that have no keyword of their own.
    pub(super) here: &'b Node<'a>,
    pub(super) rust_item: &'b RustItem<'a>,
}

/// Compares two schemas of which one may be missing. Without a schema, any value fits.
pub(super) fn compare_optional<'a>(
    cx: &mut Comparison<'a>,
    rules: &'static SchemaRules,
    old: Option<SchemaSet<'a>>,
    new: Option<SchemaSet<'a>>,
    here: &Node<'a>,
    rust_item: &RustItem<'a>,
) {
    let rust = || rust_item.effect(|| format!("{} has another type", rust_item.holder()));
    match (old, new) {
        (Some(old), Some(new)) => compare(cx, rules, &old, &new, rust_item),
        (Some(old), None) if is_restrictive(&old) => {
            cx.report(rules.type_widened, here, "there is no schema any more: any value", rust());
        }
        (None, Some(new)) if is_restrictive(&new) => {
            cx.report(rules.type_narrowed, &new.first, "there is a schema now", rust());
        }
        _ => {}
    }
}

/// Compares two schemas: immediately, or, if they are shared or composed, later and once for all references to them.
pub(super) fn compare<'a>(
    cx: &mut Comparison<'a>,
    rules: &'static SchemaRules,
    old: &SchemaSet<'a>,
    new: &SchemaSet<'a>,
    rust_item: &RustItem<'a>,
) {
    if cx.unchanged.is_same_schema(old, new) || !cx.spend(1, &new.first) {
        return;
    }
    if !old.is_shared() && !new.is_shared() {
        compare_resolved(cx, rules, old, new, rust_item);
        return;
    }
    let (before, after) = (old.base_component(), new.base_component());
    if let (Some(before), Some(after)) = (before, after)
        && before != after
        // Without a type there is no name.
        && rust_item.untyped.is_none()
    {
        let (before, after) = (name::of_type(before), name::of_type(after));
        let detail = format!("`{before}` becomes `{after}`");
        cx.report(&surf::SCHEMA_RENAMED, &new.first, detail, format!("the type `{before}` becomes `{after}`"));
    }
    let is_answered = rules.direction == Direction::Response;
    let component = after.or(before).map(|name| rust_item.component(name, is_answered, cx.types()));
    let rust_item = match component {
        Some(component) if old.component().is_some() && new.component().is_some() => component,
        Some(component) => rust_item.with_component(component),
        None => rust_item.clone(),
    };
    cx.compare_later(rules, old.resolved(), new.resolved(), rust_item);
}

/// Compares two schemas that are not references.
pub(super) fn compare_resolved<'a>(
    cx: &mut Comparison<'a>,
    rules: &'static SchemaRules,
    old: &SchemaSet<'a>,
    new: &SchemaSet<'a>,
    rust_item: &RustItem<'a>,
) {
    let rust = || rust_item.effect(|| format!("{} has another type", rust_item.holder()));
    match (old.accepts_nothing(), new.accepts_nothing()) {
        (true, true) => return,
        (false, true) => return cx.report(rules.type_narrowed, &new.first, "no value fits any more", rust()),
        (true, false) => return cx.report(rules.type_widened, &new.first, "there are values that fit now", rust()),
        (false, false) => {}
    }
    let (before, after) = (old.flat(), new.flat());
    // A document can have a set for each combination of its schemas, and each set is compared by itself.
    let cost = if old.is_single() && new.is_single() { 1 } else { STEPS_PER_PART_OF_SEVERAL };
    if !cx.spend(cost * (before.parts().len() + after.parts().len()), &new.first) {
        return;
    }
    let schemas = SchemaPair { rules, old: &before, new: &after, here: &new.first, rust_item };
    if !can_be_merged(cx, &schemas) {
        return;
    }
    nullability(cx, &schemas);
    if !variants::compare_with_list(cx, &schemas) {
        contents(cx, &schemas);
    }
}

/// Reports the parts that cannot be merged into one schema; returns `false` if nothing is left to compare.
fn can_be_merged(cx: &mut Comparison<'_>, schemas: &SchemaPair<'_, '_>) -> bool {
    let SchemaPair { old, new, here, rust_item, .. } = schemas;
    let rust = || rust_item.effect(|| format!("{} may have another type", rust_item.holder()));
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
    let is_empty = |flat: &FlatSchema<'_>| flat.parts().is_empty();
    !is_empty(old) && !is_empty(new)
}

/// Compares everything except the nullability.
pub(super) fn contents<'a>(cx: &mut Comparison<'a>, schemas: &SchemaPair<'a, '_>) {
    if !kind(cx, schemas) {
        return;
    }
    values::compare(cx, schemas);
    default(cx, schemas);
    bounds::compare(cx, schemas);
    members::compare(cx, schemas);
    match (schemas.old.items(), schemas.new.items()) {
        (None, None) => {}
        (from, to) => compare_optional(cx, schemas.rules, from, to, schemas.here, &schemas.rust_item.element()),
    }
    tuples::compare(cx, schemas);
    variants::compare(cx, schemas);
}

fn nullability(cx: &mut Comparison<'_>, schemas: &SchemaPair<'_, '_>) {
    let SchemaPair { rules, old, new, here, rust_item } = schemas;
    if old.is_nullable == new.is_nullable {
        return;
    }
    let is_answered_list = rules.direction != Direction::Request && members::is_collection(new);
    let rust = rust_item.effect(|| rust_item.nullable_effect(new.is_nullable, is_answered_list));
    if new.is_nullable {
        cx.report(rules.nullable, here, "it can be null", rust);
    } else {
        cx.report(rules.non_null, here, "it cannot be null", rust);
    }
}

/// Compares type and format; returns `false` if the other keywords have another meaning.
fn kind(cx: &mut Comparison<'_>, schemas: &SchemaPair<'_, '_>) -> bool {
    let SchemaPair { rules, old, new, here, rust_item } = schemas;
    let rust = || rust_item.effect(|| format!("{} has another type", rust_item.holder()));
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
        // Clients do not check formats of responses, but instants and secrets have types of their own.
        let is_of_type = |format: &&str| matches!(*format, "date-time" | "password");
        let is_read = rules.direction == Direction::Response && !before.iter().chain(&after).any(is_of_type);
        let rust = rust_item.effect(|| {
            if is_read {
                "no change: an answer is not held to formats".to_owned()
            } else {
                format!("{} may have another type", rust_item.holder())
            }
        });
        cx.report(rules.format_changed, &at, detail, rust);
    }
    true
}

/// Compares the defaults, which a server assumes for absent values.
fn default(cx: &mut Comparison<'_>, schemas: &SchemaPair<'_, '_>) {
    let SchemaPair { rules, old, new, here, .. } = schemas;
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

/// Returns whether a schema constrains values.
fn is_restrictive(schema: &SchemaSet<'_>) -> bool {
    let mut keys = schema.nodes().filter_map(|node| node.value.as_object()).flat_map(serde_json::Map::keys);
    keys.any(|key| !matches!(key.as_str(), "description" | "title" | "example" | "nullable") && !key.starts_with("x-"))
}
