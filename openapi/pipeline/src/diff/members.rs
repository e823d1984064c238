//! The members of objects, without those that are never sent in the current direction.

use std::collections::BTreeMap;

use super::comparison::Comparison;
use super::flat_schema::FlatSchema;
use super::rules::{Direction, SchemaRules, surface as surf};
use super::schema::{self, SchemaPair};
use super::schema_set::SchemaSet;
use crate::generate::Patched;

/// The members of a schema by name; `None` for one that is required and not described.
struct MembersByUse<'a> {
    sent: BTreeMap<&'a str, Option<SchemaSet<'a>>>,
    /// Members that are sent in the other direction only.
    hidden: BTreeMap<&'a str, SchemaSet<'a>>,
    /// Members that are not allowed: no value fits their schema.
    forbidden: BTreeMap<&'a str, SchemaSet<'a>>,
}

impl<'a> MembersByUse<'a> {
    fn of(schema: &FlatSchema<'a>, rules: &SchemaRules) -> Self {
        let mut sent = schema.members();
        let (mut hidden, mut forbidden) = (BTreeMap::new(), BTreeMap::new());
        sent.retain(|name, member| {
            let Some(schemas) = member else { return true };
            let others = if schemas.accepts_nothing() {
                &mut forbidden
            } else if schemas.is_marked(rules.hidden) {
                &mut hidden
            } else {
                return true;
            };
            others.insert(*name, schemas.clone());
            false
        });
        Self { sent, hidden, forbidden }
    }
}

pub(super) fn compare<'a>(cx: &mut Comparison<'a>, schemas: &SchemaPair<'a, '_>) {
    let SchemaPair { rules, old, new, here, rust_item } = schemas;
    let (before, after) = (MembersByUse::of(old, rules), MembersByUse::of(new, rules));
    if !cx.spend(before.sent.len() + after.sent.len(), here) {
        return;
    }
    let (had, has) = (old.required(), new.required());
    for (name, node) in &before.sent {
        if !after.sent.contains_key(name) {
            let is_required = had.contains(name);
            member_removed(cx, schemas, name, node.as_ref(), is_required, &after);
        }
    }
    for (name, node) in &after.sent {
        let at = node.as_ref().map_or(*here, |set| &set.first);
        let Some(earlier) = before.sent.get(name) else {
            let rule = if has.contains(name) { rules.property_added_required } else { rules.property_added };
            if before.hidden.contains_key(name) {
                let rust = rust_item.effect(|| format!("the field `{}` is there already", rust_item.field(name)));
                cx.report(rule, at, format!("`{name}` is no longer `{}`", rules.hidden), rust);
            } else {
                let rust = rust_item.effect(|| format!("the field `{}` is new", rust_item.field(name)));
                cx.report(rule, at, format!("`{name}` is new"), rust);
            }
            continue;
        };
        let required = [had.contains(name), has.contains(name)];
        if required[0] != required[1] {
            requirement(cx, schemas, name, [earlier.as_ref(), node.as_ref()], required[1]);
        }
        let (Some(earlier), Some(node)) = (earlier, node) else { continue };
        deprecation(cx, name, earlier, node);
        schema::compare(cx, rules, earlier, node, &rust_item.member(name, required == [false, false]));
    }
    let rust = || rust_item.effect(|| "no change: the client has no such field".to_owned());
    let is_new = |name: &&str, members: &MembersByUse<'_>| {
        !members.sent.contains_key(name) && !members.forbidden.contains_key(name)
    };
    for name in after.forbidden.keys().filter(|name| is_new(name, &before) && !before.hidden.contains_key(*name)) {
        cx.report(rules.constraint_narrowed, here, format!("`{name}` may not be there"), rust());
    }
    for name in before.forbidden.keys().filter(|name| is_new(name, &after) && !after.hidden.contains_key(*name)) {
        cx.report(rules.constraint_widened, here, format!("`{name}` may be there"), rust());
    }
    others(cx, schemas);
}

/// Reports a member that is no longer sent.
fn member_removed(
    cx: &mut Comparison<'_>,
    schemas: &SchemaPair<'_, '_>,
    name: &str,
    node: Option<&SchemaSet<'_>>,
    is_required: bool,
    after: &MembersByUse<'_>,
) {
    let SchemaPair { rules, old, new, rust_item, .. } = schemas;
    let Some(at) = node.map(|set| &set.first).or(old.first()) else { return };
    let (is_hidden, is_forbidden) = (after.hidden.contains_key(name), after.forbidden.contains_key(name));
    let is_grave = match rules.direction {
        Direction::Request => is_forbidden || (new.is_closed() && !is_hidden),
        Direction::Response | Direction::Error => is_required,
    };
    let rule = if is_grave { rules.property_lost } else { rules.property_removed };
    if is_hidden {
        let at = after.hidden.get(name).map_or(at, |set| &set.first);
        let rust = rust_item.effect(|| format!("the field `{}` stays, and is always optional", rust_item.field(name)));
        cx.report(rule, at, format!("`{name}` is `{}`", rules.hidden), rust);
    } else {
        let rust = rust_item.effect(|| format!("the field `{}` is gone", rust_item.field(name)));
        let detail = if is_forbidden { format!("`{name}` may not be there") } else { format!("`{name}` went") };
        cx.report(rule, at, detail, rust);
    }
}

/// Reports that a member became required or optional.
fn requirement(
    cx: &mut Comparison<'_>,
    schemas: &SchemaPair<'_, '_>,
    name: &str,
    nodes: [Option<&SchemaSet<'_>>; 2],
    is_required: bool,
) {
    let SchemaPair { rules, here, rust_item, .. } = schemas;
    let is_request = rules.direction == Direction::Request;
    let at = nodes[1].map_or(*here, |set| &set.first);
    let flats = nodes.map(|set| set.map(SchemaSet::flat));
    let is_option = |flat: &Option<FlatSchema<'_>>| flat.as_ref().is_some_and(|flat| flat.is_nullable);
    let is_other = |flat: &Option<FlatSchema<'_>>| flat.as_ref().is_none_or(|flat| !is_request && is_collection(flat));
    // A required member is an `Option` only if it can be null; lists of responses never are.
    let is_plain = !flats.iter().any(is_other) && !is_option(&flats[usize::from(is_required)]);
    let rust = rust_item.effect(|| {
        let field = rust_item.field(name);
        let is_null = is_option(&flats[usize::from(is_required)]);
        let is_patch = match rust_item.patched() {
            Patched::All => true,
            Patched::Nullable => is_option(&flats[usize::from(!is_required)]) || is_null,
            Patched::None => false,
        };
        match (is_required, is_plain) {
            (true, _) if is_patch && is_null => format!("`{field}` is an `Option`, no longer a `Patch`"),
            (true, _) if is_patch => format!("`{field}` is no longer a `Patch`"),
            (false, _) if is_patch => format!("`{field}` becomes a `Patch`"),
            (true, true) => format!("`{field}` is no longer an `Option`"),
            (false, true) => format!("`{field}` becomes an `Option`"),
            (true, false) if is_request => format!("the field `{field}` must be set"),
            (false, false) if is_request => format!("the field `{field}` may be left out"),
            (_, false) => format!("no change: `{field}` is of the same type"),
        }
    });
    let (rule, detail) = match (is_required, is_request) {
        (true, true) => (rules.property_required, format!("`{name}` must be sent")),
        (true, false) => (rules.property_required, format!("`{name}` is always there")),
        (false, true) => (rules.property_optional, format!("`{name}` can be left out")),
        (false, false) => (rules.property_optional, format!("`{name}` can be missing")),
    };
    cx.report(rule, at, detail, rust);
}

/// Returns whether it is a list, or a map of unnamed members.
pub(super) fn is_collection(schema: &FlatSchema<'_>) -> bool {
    match schema.kind() {
        Some("array") => true,
        Some("object") => schema.all("properties").next().is_none(),
        _ => false,
    }
}

fn deprecation(cx: &mut Comparison<'_>, name: &str, old: &SchemaSet<'_>, new: &SchemaSet<'_>) {
    match (old.is_marked("deprecated"), new.is_marked("deprecated")) {
        (false, true) => {
            cx.report(&surf::PROPERTY_DEPRECATED, &new.first, format!("`{name}` is deprecated"), "no change");
        }
        (true, false) => {
            let detail = format!("`{name}` is no longer deprecated");
            cx.report(&surf::PROPERTY_UNDEPRECATED, &new.first, detail, "no change");
        }
        _ => {}
    }
}

/// Compares the schemas of members without a description.
fn others<'a>(cx: &mut Comparison<'a>, schemas: &SchemaPair<'a, '_>) {
    let SchemaPair { rules, old, new, here, rust_item } = schemas;
    let rust = || {
        rust_item.effect(|| match rules.direction {
            Direction::Request => format!("what else {} holds", rust_item.holder()),
            _ => "no change: an answer is not held to it".to_owned(),
        })
    };
    match (old.is_closed(), new.is_closed()) {
        (true, true) => {}
        (false, true) => cx.report(rules.constraint_narrowed, here, "there are no other members", rust()),
        (true, false) => cx.report(rules.constraint_widened, here, "there can be other members", rust()),
        (false, false) => match (old.others(), new.others()) {
            (None, None) => {}
            (before, after) => schema::compare_optional(cx, rules, before, after, here, &rust_item.value()),
        },
    }
}
