//! The similarity of shapes, which pairs the shapes of two lists that have not kept their names.

use super::flat_schema::FlatSchema;
use super::node::Node;
use super::schema_set::SchemaSet;

/// The maximum number of pairs that are compared.
const MAX_PAIRS: usize = 10_000;

/// Returns the pairs of similar shapes, each shape in at most one pair, the most similar first, as indexes into the two
/// lists.
pub(super) fn pairs<'a>(before: &[Node<'a>], after: &[Node<'a>]) -> Vec<(usize, usize)> {
    if before.len().saturating_mul(after.len()) > MAX_PAIRS {
        return Vec::new();
    }
    let flats = |shapes: &[Node<'a>]| -> Vec<FlatSchema<'a>> {
        shapes.iter().map(|shape| SchemaSet::of(shape.clone()).resolved().flat()).collect()
    };
    let (had, has) = (flats(before), flats(after));
    let mut similar: Vec<(usize, usize, usize)> = Vec::new();
    for (old, was) in had.iter().enumerate() {
        for (new, is) in has.iter().enumerate() {
            // Two names that both documents have denote two things, so their shapes must be equal to form a pair.
            let is_named = before[old].reference().is_some() && after[new].reference().is_some();
            similar.extend(shared(was, is, is_named).map(|shared| (shared, old, new)));
        }
    }
    // The sort is stable: equally similar pairs stay in order.
    similar.sort_by_key(|(shared, ..)| std::cmp::Reverse(*shared));
    let (mut taken_old, mut taken_new) = (vec![false; before.len()], vec![false; after.len()]);
    similar.retain(|(_, old, new)| {
        let is_free = !taken_old[*old] && !taken_new[*new];
        if is_free {
            (taken_old[*old], taken_new[*new]) = (true, true);
        }
        is_free
    });
    similar.into_iter().map(|(_, old, new)| (old, new)).collect()
}

/// Returns the number of members that two schemas share; `None` if they are not similar. Similar schemas have one type, no
/// constant that distinguishes them, and at least half of their members in common, or all of them if `all` is set.
pub(super) fn shared(old: &FlatSchema<'_>, new: &FlatSchema<'_>, all: bool) -> Option<usize> {
    let kind = old.kind().filter(|kind| new.kind() == Some(kind))?;
    if are_disjoint(old, new) {
        return None;
    }
    if kind != "object" {
        return (old.texts("format") == new.texts("format")).then_some(1);
    }
    let (had, has) = (old.members(), new.members());
    let mut shared = 0;
    for (name, was) in &had {
        let Some(is) = has.get(name) else { continue };
        shared += 1;
        if let (Some(was), Some(is)) = (was, is)
            && are_disjoint(&was.resolved().flat(), &is.resolved().flat())
        {
            return None;
        }
    }
    let count = had.len() + has.len() - shared;
    let is_enough = if all { shared == count } else { shared * 2 >= count };
    is_enough.then_some(1 + shared)
}

/// Returns whether no value of one is a value of the other.
fn are_disjoint(old: &FlatSchema<'_>, new: &FlatSchema<'_>) -> bool {
    let (Some(had), Some(has)) = (old.values(), new.values()) else { return false };
    !had.shares(&has)
}
