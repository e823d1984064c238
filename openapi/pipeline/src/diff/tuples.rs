//! Tuples: lists whose positions have schemas of their own, compared position by position.

use std::collections::BTreeMap;

use super::comparison::Comparison;
use super::flat_schema::FlatSchema;
use super::schema::{self, SchemaPair};
use super::schema_set::SchemaSet;

/// Compares the schemas of each position; a position without its own has the schema of the remaining elements.
pub(super) fn compare<'a>(cx: &mut Comparison<'a>, schemas: &SchemaPair<'a, '_>) {
    let SchemaPair { rules, old, new, here, rust_item } = schemas;
    let (mut before, mut after) = (places(old), places(new));
    // Positions beyond the maximum length are not compared: the change of length is another finding.
    let longest = longest(old).min(longest(new));
    let count = before.len().max(after.len()).min(longest);
    if count == 0 || !cx.spend(count, here) {
        return;
    }
    let rust_item = rust_item.element().without_type("no change: the places of a list are JSON values");
    for place in 0..count {
        let (was, is) = (before.remove(&place).or_else(|| old.items()), after.remove(&place).or_else(|| new.items()));
        schema::compare_optional(cx, rules, was, is, here, &rust_item);
    }
}

/// Returns the schema of each position.
fn places<'a>(schema: &FlatSchema<'a>) -> BTreeMap<usize, SchemaSet<'a>> {
    let mut places: BTreeMap<usize, SchemaSet<'a>> = BTreeMap::new();
    for list in schema.all("prefixItems") {
        for (place, node) in list.items().enumerate() {
            match places.get_mut(&place) {
                Some(set) => set.and(node),
                None => drop(places.insert(place, SchemaSet::of(node))),
            }
        }
    }
    places
}

/// Returns the maximum number of elements.
fn longest(schema: &FlatSchema<'_>) -> usize {
    let counts = schema.all("maxItems").filter_map(|node| usize::try_from(node.value.as_u64()?).ok());
    counts.min().unwrap_or(usize::MAX)
}
