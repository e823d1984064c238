//! Tuples: lists whose positions have schemas of their own, compared position by position.

use std::collections::BTreeMap;

use super::comparison::Comparison;
use super::flat::Flat;
use super::joint::Joint;
use super::schema::{self, Facing};

/// Compares the schemas of each position; a position without its own has the schema of the remaining elements.
pub(super) fn compare<'a>(cx: &mut Comparison<'a>, facing: &Facing<'a, '_>) {
    let Facing { rules, old, new, here, spot } = facing;
    let (mut before, mut after) = (places(old), places(new));
    // Positions beyond the maximum length are not compared: the change of length is another finding.
    let longest = longest(old).min(longest(new));
    let count = before.len().max(after.len()).min(longest);
    if count == 0 || !cx.step(count, here) {
        return;
    }
    let spot = spot.element().without_type("no change: the places of a list are JSON values");
    for place in 0..count {
        let (was, is) = (before.remove(&place).or_else(|| old.items()), after.remove(&place).or_else(|| new.items()));
        schema::compare_optional(cx, rules, was, is, here, &spot);
    }
}

/// Returns the schema of each position.
fn places<'a>(schema: &Flat<'a>) -> BTreeMap<usize, Joint<'a>> {
    let mut places: BTreeMap<usize, Joint<'a>> = BTreeMap::new();
    for list in schema.all("prefixItems") {
        for (place, node) in list.items().enumerate() {
            match places.get_mut(&place) {
                Some(joint) => joint.and(node),
                None => drop(places.insert(place, Joint::of(node))),
            }
        }
    }
    places
}

/// Returns the maximum number of elements.
fn longest(schema: &Flat<'_>) -> usize {
    let counts = schema.all("maxItems").filter_map(|node| usize::try_from(node.value.as_u64()?).ok());
    counts.min().unwrap_or(usize::MAX)
}
