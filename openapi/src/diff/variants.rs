//! Shapes: the schemas of which a value has to fit one, and what tells them apart.

use std::collections::{HashMap, HashSet};

use super::comparison::Comparison;
use super::flat::Flat;
use super::node::Node;
use super::rules::surface as surf;
use super::schema::{self, Facing};
use crate::{name, walk};

/// Compares the shapes: references by their names, others by what they are, then by their order.
pub(super) fn compare<'a>(cx: &mut Comparison<'a>, facing: &Facing<'a, '_>) {
    let Facing { rules, old, new, here, spot } = facing;
    discriminator(cx, facing);
    let (before, mut after) = (old.variants(), new.variants());
    match (before.is_empty(), after.is_empty()) {
        (true, true) => return,
        (false, false) => {}
        (true, false) => {
            cx.report(
                rules.enum_closed,
                here,
                "only listed shapes are left",
                format!("{} becomes an enum", spot.holder()),
            );
            return;
        }
        (false, true) => {
            cx.report(
                rules.enum_opened,
                here,
                "the list of shapes is gone",
                format!("{} is no longer an enum", spot.holder()),
            );
            return;
        }
    }
    if !cx.step(before.len() + after.len(), here) {
        return;
    }
    let mut places: HashMap<String, usize> = HashMap::new();
    for (place, variant) in after.iter().enumerate() {
        places.insert(key(variant), place);
    }
    let mut taken = HashSet::new();
    let mut left = Vec::new();
    for variant in before {
        match places.remove(&key(&variant)) {
            Some(place) => {
                taken.insert(place);
                schema::compare(cx, rules, &variant, &after[place], spot);
            }
            None => left.push(variant),
        }
    }
    let mut place = 0;
    after.retain(|_| {
        place += 1;
        !taken.contains(&(place - 1))
    });
    let is_inline = |node: &Node<'_>| node.reference().is_none() && node.text("title").is_none();
    let (inline, named): (Vec<_>, Vec<_>) = left.into_iter().partition(is_inline);
    let (new_inline, new_named): (Vec<_>, Vec<_>) = after.into_iter().partition(is_inline);
    for (before, after) in inline.iter().zip(&new_inline) {
        schema::compare(cx, rules, before, after, spot);
    }
    let rust = |variant: &Node<'_>, what: &str| format!("the variant `{}::{}` {what}", spot.name(), shape(variant));
    for gone in named.iter().chain(inline.iter().skip(new_inline.len())) {
        cx.report(rules.variant_removed, gone, format!("the shape `{}` is gone", shape(gone)), rust(gone, "is gone"));
    }
    for came in new_named.iter().chain(new_inline.iter().skip(inline.len())) {
        cx.report(rules.variant_added, came, format!("the shape `{}` is new", shape(came)), rust(came, "is new"));
    }
}

/// Compares a schema with nothing but a list of shapes, where it is like one of them: the others make it wider, or
/// narrower. `false` where there is no such pair.
pub(super) fn compare_with_list<'a>(cx: &mut Comparison<'a>, facing: &Facing<'a, '_>) -> bool {
    let Facing { rules, old, new, here, spot } = *facing;
    let (alone, list, is_wider) = match (old.is_list_of_shapes(), new.is_list_of_shapes()) {
        (false, true) => (old, new, true),
        (true, false) => (new, old, false),
        _ => return false,
    };
    let mut shapes = list.variants();
    let (itself, kind) = (alone.first().map(|part| &part.at), alone.kind());
    let is_itself = |shape: &Node<'_>| Some(&shape.resolved().at) == itself;
    let is_alike = |shape: &Node<'_>| kind.is_some() && Flat::of(shape).kind() == kind;
    let Some(place) = shapes.iter().position(is_itself).or_else(|| shapes.iter().position(is_alike)) else {
        return false;
    };
    let like = shapes.remove(place);
    let shape_of = Flat::of(&like);
    let pair = if is_wider {
        Facing { rules, old, new: &shape_of, here: &like, spot }
    } else {
        Facing { rules, old: &shape_of, new, here, spot }
    };
    schema::contents(cx, &pair);
    let rust = format!("{} has another type", spot.holder());
    for other in &shapes {
        let name = shape(other);
        if is_wider {
            cx.report(rules.type_widened, other, format!("it can be `{name}`, too"), rust.clone());
        } else {
            cx.report(rules.type_narrowed, other, format!("it is never `{name}` again"), rust.clone());
        }
    }
    true
}

fn discriminator(cx: &mut Comparison<'_>, facing: &Facing<'_, '_>) {
    let Facing { old, new, here, spot, .. } = facing;
    let (before, after) = (old.get("discriminator"), new.get("discriminator"));
    if before.as_ref().map(|node| node.value) != after.as_ref().map(|node| node.value) {
        let at = after.unwrap_or_else(|| (*here).clone());
        let rust = format!("{} is told apart in another way", spot.holder());
        cx.report(&surf::DISCRIMINATOR_CHANGED, &at, "the discriminator has changed", rust);
    }
}

/// What tells a shape from the others.
fn key(variant: &Node<'_>) -> String {
    let name = variant.reference().or_else(|| variant.text("title"));
    name.map_or_else(|| variant.value.to_string(), str::to_owned)
}

/// What a shape is called.
fn shape(variant: &Node<'_>) -> String {
    let named = variant.reference().and_then(walk::component).or_else(|| variant.text("title"));
    named.or_else(|| variant.text("type")).map_or_else(|| "Variant".to_owned(), name::of_type)
}
