//! The members of objects, without those that are never sent in the current direction.

use std::collections::BTreeMap;

use super::comparison::Comparison;
use super::flat::Flat;
use super::joint::Joint;
use super::rules::{Direction, SchemaRules, surface as surf};
use super::schema::{self, Facing};
use crate::generate::Patched;

/// The members of a schema by name; `None` for one that is required and not described.
struct Members<'a> {
    sent: BTreeMap<&'a str, Option<Joint<'a>>>,
    /// Members that are sent in the other direction only.
    hidden: BTreeMap<&'a str, Joint<'a>>,
    /// Members that are not allowed: no value fits their schema.
    forbidden: BTreeMap<&'a str, Joint<'a>>,
}

impl<'a> Members<'a> {
    fn of(schema: &Flat<'a>, rules: &SchemaRules) -> Self {
        let mut sent = schema.members();
        let (mut hidden, mut forbidden) = (BTreeMap::new(), BTreeMap::new());
        sent.retain(|name, member| {
            let Some(joint) = member else { return true };
            let others = if joint.is_never() {
                &mut forbidden
            } else if joint.is_marked(rules.hidden) {
                &mut hidden
            } else {
                return true;
            };
            others.insert(*name, joint.clone());
            false
        });
        Self { sent, hidden, forbidden }
    }
}

pub(super) fn compare<'a>(cx: &mut Comparison<'a>, facing: &Facing<'a, '_>) {
    let Facing { rules, old, new, here, spot } = facing;
    let (before, after) = (Members::of(old, rules), Members::of(new, rules));
    if !cx.step(before.sent.len() + after.sent.len(), here) {
        return;
    }
    let (had, has) = (old.required(), new.required());
    for (name, node) in &before.sent {
        if !after.sent.contains_key(name) {
            let is_required = had.contains(name);
            gone(cx, facing, name, node.as_ref(), is_required, &after);
        }
    }
    for (name, node) in &after.sent {
        let at = node.as_ref().map_or(*here, |joint| &joint.first);
        let Some(earlier) = before.sent.get(name) else {
            let rule = if has.contains(name) { rules.property_added_required } else { rules.property_added };
            if before.hidden.contains_key(name) {
                let rust = spot.rust(|| format!("the field `{}` is there already", spot.field(name)));
                cx.report(rule, at, format!("`{name}` is no longer `{}`", rules.hidden), rust);
            } else {
                let rust = spot.rust(|| format!("the field `{}` is new", spot.field(name)));
                cx.report(rule, at, format!("`{name}` is new"), rust);
            }
            continue;
        };
        let required = [had.contains(name), has.contains(name)];
        if required[0] != required[1] {
            requirement(cx, facing, name, [earlier.as_ref(), node.as_ref()], required[1]);
        }
        let (Some(earlier), Some(node)) = (earlier, node) else { continue };
        deprecation(cx, name, earlier, node);
        schema::compare(cx, rules, earlier, node, &spot.member(name, required == [false, false]));
    }
    let rust = || spot.rust(|| "no change: the client has no such field".to_owned());
    let is_new =
        |name: &&str, members: &Members<'_>| !members.sent.contains_key(name) && !members.forbidden.contains_key(name);
    for name in after.forbidden.keys().filter(|name| is_new(name, &before) && !before.hidden.contains_key(*name)) {
        cx.report(rules.constraint_narrowed, here, format!("`{name}` may not be there"), rust());
    }
    for name in before.forbidden.keys().filter(|name| is_new(name, &after) && !after.hidden.contains_key(*name)) {
        cx.report(rules.constraint_widened, here, format!("`{name}` may be there"), rust());
    }
    others(cx, facing);
}

/// Reports a member that is no longer sent.
fn gone(
    cx: &mut Comparison<'_>,
    facing: &Facing<'_, '_>,
    name: &str,
    node: Option<&Joint<'_>>,
    is_required: bool,
    after: &Members<'_>,
) {
    let Facing { rules, old, new, spot, .. } = facing;
    let Some(at) = node.map(|joint| &joint.first).or(old.first()) else { return };
    let (is_hidden, is_forbidden) = (after.hidden.contains_key(name), after.forbidden.contains_key(name));
    let is_grave = match rules.direction {
        Direction::Request => is_forbidden || (new.is_closed() && !is_hidden),
        Direction::Response | Direction::Refusal => is_required,
    };
    let rule = if is_grave { rules.property_lost } else { rules.property_removed };
    if is_hidden {
        let at = after.hidden.get(name).map_or(at, |joint| &joint.first);
        let rust = spot.rust(|| format!("the field `{}` stays, and is always optional", spot.field(name)));
        cx.report(rule, at, format!("`{name}` is `{}`", rules.hidden), rust);
    } else {
        let rust = spot.rust(|| format!("the field `{}` is gone", spot.field(name)));
        let detail = if is_forbidden { format!("`{name}` may not be there") } else { format!("`{name}` went") };
        cx.report(rule, at, detail, rust);
    }
}

/// Reports that a member became required or optional.
fn requirement(
    cx: &mut Comparison<'_>,
    facing: &Facing<'_, '_>,
    name: &str,
    nodes: [Option<&Joint<'_>>; 2],
    is_required: bool,
) {
    let Facing { rules, here, spot, .. } = facing;
    let is_request = rules.direction == Direction::Request;
    let at = nodes[1].map_or(*here, |joint| &joint.first);
    let flats = nodes.map(|joint| joint.map(Joint::flat));
    let is_option = |flat: &Option<Flat<'_>>| flat.as_ref().is_some_and(|flat| flat.is_nullable);
    let is_other = |flat: &Option<Flat<'_>>| flat.as_ref().is_none_or(|flat| !is_request && is_collection(flat));
    // A required member is an `Option` only if it can be null; lists of responses never are.
    let is_plain = !flats.iter().any(is_other) && !is_option(&flats[usize::from(is_required)]);
    let rust = spot.rust(|| {
        let field = spot.field(name);
        let is_null = is_option(&flats[usize::from(is_required)]);
        let is_patch = match spot.patched() {
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
pub(super) fn is_collection(schema: &Flat<'_>) -> bool {
    match schema.kind() {
        Some("array") => true,
        Some("object") => schema.all("properties").next().is_none(),
        _ => false,
    }
}

fn deprecation(cx: &mut Comparison<'_>, name: &str, old: &Joint<'_>, new: &Joint<'_>) {
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
fn others<'a>(cx: &mut Comparison<'a>, facing: &Facing<'a, '_>) {
    let Facing { rules, old, new, here, spot } = facing;
    let rust = || {
        spot.rust(|| match rules.direction {
            Direction::Request => format!("what else {} holds", spot.holder()),
            _ => "no change: an answer is not held to it".to_owned(),
        })
    };
    match (old.is_closed(), new.is_closed()) {
        (true, true) => {}
        (false, true) => cx.report(rules.constraint_narrowed, here, "there are no other members", rust()),
        (true, false) => cx.report(rules.constraint_widened, here, "there can be other members", rust()),
        (false, false) => match (old.others(), new.others()) {
            (None, None) => {}
            (before, after) => schema::compare_optional(cx, rules, before, after, here, &spot.value()),
        },
    }
}
