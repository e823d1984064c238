//! Discriminators: the member that identifies the shape of a value, and its values.

use std::collections::{BTreeMap, BTreeSet};

use super::comparison::Comparison;
use super::flat_schema::Union;
use super::node::Node;
use super::rules::surface as surf;
use super::schema::SchemaPair;
use crate::walk;

/// Compares discriminators for the shapes that exist before and after: added and removed shapes are other findings.
pub(super) fn compare<'a>(cx: &mut Comparison<'a>, schemas: &SchemaPair<'a, '_>, old: &[Union<'a>], new: &[Union<'a>]) {
    let mut before: Vec<Node<'a>> = schemas.old.all("discriminator").collect();
    let mut after: Vec<Node<'a>> = schemas.new.all("discriminator").collect();
    before.retain(|node| match after.iter().position(|other| other.value == node.value) {
        Some(place) => {
            after.remove(place);
            false
        }
        None => true,
    });
    if before.is_empty() && after.is_empty() {
        return;
    }
    let (had, has) = (shapes(old), shapes(new));
    let read = |nodes: &[Node<'a>], shapes: &[&'a str]| -> Vec<DiscriminatorValues<'a>> {
        nodes
            .iter()
            .map(|node| DiscriminatorValues { property: node.text("propertyName"), values: values(node, shapes) })
            .collect()
    };
    let (was, is) = (read(&before, &had), read(&after, &has));
    let rust_item = schemas.rust_item;
    let at = after.first().unwrap_or(schemas.here);
    if was.len() != is.len() || !was.iter().zip(&is).all(|(was, is)| was.agrees(is)) {
        let rust = rust_item.effect(|| format!("{} is told apart in another way", rust_item.holder()));
        cx.report(&surf::DISCRIMINATOR_CHANGED, at, "the discriminator has changed", rust);
        return;
    }
    if !had.is_empty() || !has.is_empty() {
        return;
    }
    // Without a list of shapes, the mapping is the list.
    let rust = |what: &str| rust_item.effect(|| format!("{} may have {what}", rust_item.holder()));
    for (was, is) in was.iter().zip(&is) {
        for shape in was.shapes().filter(|shape| is.shapes().all(|other| other != *shape)) {
            let detail = format!("the shape `{shape}` is gone");
            cx.report(schemas.rules.variant_removed, at, detail, rust("a variant less"));
        }
        for shape in is.shapes().filter(|shape| was.shapes().all(|other| other != *shape)) {
            let detail = format!("the shape `{shape}` is new");
            cx.report(schemas.rules.variant_added, at, detail, rust("another variant"));
        }
    }
}

/// The content of a discriminator: the shape for each value of the member.
struct DiscriminatorValues<'a> {
    property: Option<&'a str>,
    values: BTreeMap<&'a str, &'a str>,
}

impl<'a> DiscriminatorValues<'a> {
    fn shapes(&self) -> impl Iterator<Item = &'a str> {
        self.values.values().copied()
    }

    /// Returns whether both agree on the shapes that both know.
    fn agrees(&self, other: &Self) -> bool {
        let known = |own: &Self, other: &Self| -> BTreeMap<&'a str, &'a str> {
            let shapes: BTreeSet<&str> = other.shapes().collect();
            own.values
                .iter()
                .filter(|(_, shape)| shapes.contains(*shape))
                .map(|(value, shape)| (*value, *shape))
                .collect()
        };
        self.property == other.property && known(self, other) == known(other, self)
    }
}

/// Returns the components that the lists refer to.
fn shapes<'a>(choices: &[Union<'a>]) -> Vec<&'a str> {
    choices
        .iter()
        .flat_map(|choice| &choice.variants)
        .filter_map(|variant| walk::component(variant.reference()?))
        .collect()
}

/// Returns the shape for each value: those of the mapping, which may name a component or refer to it. Shapes without an entry
/// have their names as values.
fn values<'a>(discriminator: &Node<'a>, shapes: &[&'a str]) -> BTreeMap<&'a str, &'a str> {
    let mapping = discriminator.get("mapping");
    let entries =
        mapping.iter().flat_map(Node::entries).filter_map(|(value, target)| Some((value, target.value.as_str()?)));
    let mut values: BTreeMap<&str, &str> =
        entries.map(|(value, target)| (value, walk::component(target).unwrap_or(target))).collect();
    for shape in shapes {
        if !values.values().any(|mapped| mapped == shape) {
            values.entry(shape).or_insert(shape);
        }
    }
    values
}
