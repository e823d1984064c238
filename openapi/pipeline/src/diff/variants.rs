//! Shapes: the schemas of which a value has to fit one.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::comparison::Comparison;
use super::discriminators;
use super::flat_schema::{FlatSchema, Union};
use super::node::Node;
use super::schema::{self, SchemaPair};
use super::schema_set::SchemaSet;
use super::similarity;
use crate::{name, walk};

/// Compares the lists of shapes, each with the one that it shares most shapes with: a value has to fit one shape of each
/// list.
pub(super) fn compare<'a>(cx: &mut Comparison<'a>, schemas: &SchemaPair<'a, '_>) {
    let SchemaPair { rules, old, new, here, rust_item } = schemas;
    let (before, after) = (old.unions(), new.unions());
    discriminators::compare(cx, schemas, &before, &after);
    if before.is_empty() && after.is_empty() {
        return;
    }
    let count: usize = before.iter().chain(&after).map(|choice| choice.variants.len()).sum();
    if !cx.spend(count, here) {
        return;
    }
    let (pairs, gone, came) = pairs(before, after);
    for (before, after) in pairs {
        compare_pair(cx, schemas, before.variants, after.variants);
    }
    for choice in came {
        let rust = rust_item.effect(|| format!("{} becomes an enum", rust_item.holder()));
        cx.report(rules.enum_closed, &choice.list, "only listed shapes are left", rust);
    }
    for _ in gone {
        let rust = rust_item.effect(|| format!("{} is no longer an enum", rust_item.holder()));
        cx.report(rules.enum_opened, here, "the list of shapes is gone", rust);
    }
}

/// The matching lists, and the remaining ones of both documents.
type UnionPairs<'a> = (Vec<(Union<'a>, Union<'a>)>, Vec<Union<'a>>, Vec<Union<'a>>);

fn pairs<'a>(before: Vec<Union<'a>>, after: Vec<Union<'a>>) -> UnionPairs<'a> {
    if before.len() == 1 && after.len() == 1 {
        return (before.into_iter().zip(after).collect(), Vec::new(), Vec::new());
    }
    let keys = |choice: &Union<'_>| -> BTreeSet<String> { choice.variants.iter().map(key).collect() };
    let mut left: Vec<(BTreeSet<String>, Union<'a>)> =
        after.into_iter().map(|choice| (keys(&choice), choice)).collect();
    let mut pairs = Vec::new();
    let mut open = Vec::new();
    for choice in before {
        let own = keys(&choice);
        let shared = |(place, (other, _)): (usize, &(BTreeSet<String>, _))| {
            // More shared shapes are better, then fewer other shapes.
            let count = own.intersection(other).count();
            (count > 0).then_some(((count, std::cmp::Reverse(other.len()), std::cmp::Reverse(place)), place))
        };
        match left.iter().enumerate().filter_map(shared).max() {
            Some((_, place)) => pairs.push((choice, left.remove(place).1)),
            None => open.push(choice),
        }
    }
    // Lists without shared shapes are compared in order.
    let mut left = left.into_iter().map(|(_, choice)| choice);
    let mut gone = Vec::new();
    for choice in open {
        match left.next() {
            Some(other) => pairs.push((choice, other)),
            None => gone.push(choice),
        }
    }
    (pairs, gone, left.collect())
}

/// Removes the shapes at these indexes.
fn remove_indexes(shapes: &mut Vec<Node<'_>>, taken: &HashSet<usize>) {
    let mut place = 0;
    shapes.retain(|_| {
        place += 1;
        !taken.contains(&(place - 1))
    });
}

/// Compares the shapes of two lists: by their names, then by similarity; remaining inline shapes by their order.
fn compare_pair<'a>(
    cx: &mut Comparison<'a>,
    schemas: &SchemaPair<'a, '_>,
    before: Vec<Node<'a>>,
    mut after: Vec<Node<'a>>,
) {
    let SchemaPair { rules, rust_item, .. } = *schemas;
    let compare = |cx: &mut Comparison<'a>, before: &Node<'a>, after: &Node<'a>| {
        schema::compare(cx, rules, &SchemaSet::of(before.clone()), &SchemaSet::of(after.clone()), rust_item);
    };
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
                compare(cx, &variant, &after[place]);
            }
            None => left.push(variant),
        }
    }
    remove_indexes(&mut after, &taken);
    if !cx.spend(left.len() * after.len(), schemas.here) {
        return;
    }
    let alike = similarity::pairs(&left, &after);
    for (old, new) in &alike {
        compare(cx, &left[*old], &after[*new]);
    }
    remove_indexes(&mut left, &alike.iter().map(|(old, _)| *old).collect());
    remove_indexes(&mut after, &alike.iter().map(|(_, new)| *new).collect());
    let is_inline = |node: &Node<'_>| node.reference().is_none() && node.text("title").is_none();
    let (inline, named): (Vec<_>, Vec<_>) = left.into_iter().partition(is_inline);
    let (new_inline, new_named): (Vec<_>, Vec<_>) = after.into_iter().partition(is_inline);
    for (before, after) in inline.iter().zip(&new_inline) {
        compare(cx, before, after);
    }
    let rust = |what: &str| rust_item.effect(|| format!("{} may have {what}", rust_item.holder()));
    for gone in named.iter().chain(inline.iter().skip(new_inline.len())) {
        cx.report(rules.variant_removed, gone, format!("the shape `{}` is gone", shape(gone)), rust("a variant less"));
    }
    for came in new_named.iter().chain(new_inline.iter().skip(inline.len())) {
        cx.report(rules.variant_added, came, format!("the shape `{}` is new", shape(came)), rust("another variant"));
    }
}

/// Compares a schema with a list of shapes that has a similar one: the other shapes make it wider or narrower. Returns
/// `false` if there is no such pair.
pub(super) fn compare_with_list<'a>(cx: &mut Comparison<'a>, schemas: &SchemaPair<'a, '_>) -> bool {
    let SchemaPair { rules, old, new, here, rust_item } = *schemas;
    let (alone, mut shapes, is_wider) = match (old.only_union(), new.only_union()) {
        (None, Some(shapes)) => (old, shapes, true),
        (Some(shapes), None) => (new, shapes, false),
        _ => return false,
    };
    let (itself, kind) = (alone.first().map(|part| &part.at), alone.kind());
    let flat = |shape: &Node<'a>| SchemaSet::of(shape.clone()).flat();
    let is_itself = |shape: &Node<'_>| Some(&shape.resolved().at) == itself;
    let most_alike = || {
        let shared = |(place, shape): (usize, &Node<'a>)| {
            Some((similarity::shared(alone, &flat(shape), false)?, std::cmp::Reverse(place)))
        };
        shapes.iter().enumerate().filter_map(shared).max().map(|(_, place)| place.0)
    };
    let is_alike = |shape: &Node<'a>| kind.is_some() && flat(shape).kind() == kind;
    let place = shapes.iter().position(is_itself).or_else(most_alike);
    let Some(place) = place.or_else(|| shapes.iter().position(is_alike)) else { return false };
    let like = shapes.remove(place);
    let shape_of: FlatSchema<'a> = flat(&like);
    let pair = if is_wider {
        SchemaPair { rules, old, new: &shape_of, here: &like, rust_item }
    } else {
        SchemaPair { rules, old: &shape_of, new, here, rust_item }
    };
    schema::contents(cx, &pair);
    let rust = rust_item.effect(|| format!("{} has another type", rust_item.holder()));
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

/// Returns the key that identifies a shape.
fn key(variant: &Node<'_>) -> String {
    let name = variant.reference().or_else(|| variant.text("title"));
    name.map_or_else(|| variant.value.to_string(), str::to_owned)
}

/// Returns the name of a shape.
fn shape(variant: &Node<'_>) -> String {
    let named = variant.reference().and_then(walk::component).or_else(|| variant.text("title"));
    named.or_else(|| variant.text("type")).map_or_else(|| "Variant".to_owned(), name::of_type)
}
