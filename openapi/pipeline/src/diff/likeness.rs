//! How alike two shapes are: which of one list goes on as which of another, where neither has kept its name.

use super::flat::Flat;
use super::joint::Joint;
use super::node::Node;

/// How many pairs of shapes are looked at.
const MOST_PAIRS: usize = 10_000;

/// The pairs of shapes that are alike, each in one pair at most, the most alike first: as places in the two lists.
pub(super) fn pairs<'a>(before: &[Node<'a>], after: &[Node<'a>]) -> Vec<(usize, usize)> {
    if before.len().saturating_mul(after.len()) > MOST_PAIRS {
        return Vec::new();
    }
    let flats = |shapes: &[Node<'a>]| -> Vec<Flat<'a>> {
        shapes.iter().map(|shape| Joint::of(shape.clone()).resolved().flat()).collect()
    };
    let (had, has) = (flats(before), flats(after));
    let mut alike: Vec<(usize, usize, usize)> = Vec::new();
    for (old, was) in had.iter().enumerate() {
        for (new, is) in has.iter().enumerate() {
            // Names that stand in both documents stand for two things, which have to be the same to be one.
            let is_named = before[old].reference().is_some() && after[new].reference().is_some();
            alike.extend(shared(was, is, is_named).map(|shared| (shared, old, new)));
        }
    }
    // Stable: what is equally alike stays in order.
    alike.sort_by_key(|(shared, ..)| std::cmp::Reverse(*shared));
    let (mut taken_old, mut taken_new) = (vec![false; before.len()], vec![false; after.len()]);
    alike.retain(|(_, old, new)| {
        let is_free = !taken_old[*old] && !taken_new[*new];
        if is_free {
            (taken_old[*old], taken_new[*new]) = (true, true);
        }
        is_free
    });
    alike.into_iter().map(|(_, old, new)| (old, new)).collect()
}

/// How much two schemas share, `None` where they are not alike: of one type, no constant tells them apart, and they have
/// at least half of their members in common, or all of them.
pub(super) fn shared(old: &Flat<'_>, new: &Flat<'_>, all: bool) -> Option<usize> {
    let kind = old.kind().filter(|kind| new.kind() == Some(kind))?;
    if are_told_apart(old, new) {
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
            && are_told_apart(&was.resolved().flat(), &is.resolved().flat())
        {
            return None;
        }
    }
    let count = had.len() + has.len() - shared;
    let is_enough = if all { shared == count } else { shared * 2 >= count };
    is_enough.then_some(1 + shared)
}

/// Whether no value of one is a value of the other.
fn are_told_apart(old: &Flat<'_>, new: &Flat<'_>) -> bool {
    let (Some(had), Some(has)) = (old.values(), new.values()) else { return false };
    !had.shares(&has)
}
