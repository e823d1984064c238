//! Compositions that the generator writes out: the parts of `allOf` are merged through their references, and each
//! combination of alternatives becomes a type. A few lines can stand for more than there is memory.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::dialect::schema_pointers;
use crate::repair::Repairs;
use crate::{pointer, walk};

/// How many combinations of alternatives a composition may have.
const COMBINATIONS: usize = 64;

/// How many schemas may be merged for one.
const MERGED: usize = 2000;

/// How deep compositions may lead into each other.
const DEEPEST: usize = 100;

/// Narrows what is too much to any value, the smallest first: what is composed of it is smaller then.
pub(crate) fn settle(document: &mut Value, repairs: &mut Repairs) {
    let mut sizes = Sizes::default();
    let mut places: Vec<(usize, String)> = schema_pointers(document)
        .into_iter()
        .map(|at| {
            let size = document.pointer(&at).map_or(ONE, |schema| sizes.of(document, schema, 0));
            (size.merged, at)
        })
        .collect();
    places.sort_by_key(|(merged, _)| *merged);
    for (_, at) in places {
        let Some(mut schema) = document.pointer(&at).cloned() else { continue };
        let mut found = false;
        walk::schemas(&mut schema, &mut |inner| {
            if is_composed(inner) && sizes.of(document, inner, 0).is_too_large() {
                found = true;
                *inner = json!({ "description": "Any JSON value: its alternatives have too many combinations." });
            }
        });
        if found && let Some(place) = document.pointer_mut(&at) {
            *place = schema;
            sizes.known.clear();
            repairs.narrow("alternatives", &at, "too many combinations of alternatives: any JSON value");
        }
    }
}

/// Whether parts of the schema are merged with each other.
fn is_composed(schema: &Value) -> bool {
    let has = |key| schema.get(key).is_some();
    has("allOf") || (has("oneOf") || has("anyOf")) && has("properties")
}

#[derive(Clone, Copy)]
struct Size {
    combinations: usize,
    merged: usize,
}

const ONE: Size = Size { combinations: 1, merged: 1 };

const ENDLESS: Size = Size { combinations: usize::MAX, merged: usize::MAX };

impl Size {
    fn is_too_large(self) -> bool {
        self.combinations > COMBINATIONS || self.merged > MERGED
    }
}

/// The sizes of components, by name.
#[derive(Default)]
struct Sizes {
    known: HashMap<String, Size>,
}

impl Sizes {
    fn of(&mut self, document: &Value, schema: &Value, depth: usize) -> Size {
        if depth > DEEPEST {
            return ENDLESS;
        }
        if let Some(name) = walk::schema_name(schema) {
            if let Some(size) = self.known.get(name) {
                return *size;
            }
            // A circle ends here.
            self.known.insert(name.to_owned(), ONE);
            let target = document.pointer(&pointer::join("/components/schemas", &pointer::name(name)));
            let size = target.map_or(ONE, |target| self.of(document, target, depth + 1));
            self.known.insert(name.to_owned(), size);
            return size;
        }
        let mut size = ONE;
        for part in list(schema, "allOf") {
            let part = self.of(document, part, depth + 1);
            size.combinations = size.combinations.saturating_mul(part.combinations);
            size.merged = size.merged.saturating_add(part.merged);
        }
        for key in ["anyOf", "oneOf"] {
            let mut alternatives = 0_usize;
            for part in list(schema, key) {
                let part = self.of(document, part, depth + 1);
                alternatives = alternatives.saturating_add(part.combinations);
                size.merged = size.merged.saturating_add(part.merged);
            }
            size.combinations = size.combinations.saturating_mul(alternatives.max(1));
        }
        size
    }
}

fn list<'a>(schema: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    schema.get(key).and_then(Value::as_array).into_iter().flatten()
}
