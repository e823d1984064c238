//! Schemas with a better type than the generator's: a type of keyfit, or one that an overlay names.

use std::collections::HashSet;

use serde_json::Value;

use super::distinguished::DistinguishedUnion;
use super::enums::Enum;
use super::paths::ROOT;
use super::sharing;
use crate::hints::SchemaHints;
use crate::repair::Repairs;
use crate::{Api, name, pointer, walk};

/// A schema and the Rust type that replaces it.
#[derive(Clone, Debug)]
pub(crate) struct Replacement {
    pub(crate) schema: String,
    pub(crate) path: String,
}

/// Empties the schemas for which the overlay names a type: no type is made of their content, and no pass can change it.
pub(crate) fn unwrap_extensions(document: &mut Value) {
    let schemas = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
    for schema in schemas.into_iter().flat_map(|schemas| schemas.values_mut()) {
        if SchemaHints::of(schema).rust_type.is_some() {
            schema.as_object_mut().into_iter().for_each(|schema| schema.retain(|key, _| key == "x-keyfit"));
        }
    }
}

/// Returns the replacements: types that an overlay names; batches, which are shared and not copied; lists in every form;
/// enums and unions, which are types of ours.
pub(crate) fn replacements(
    api: &Api,
    document: &Value,
    enums: &[Enum],
    tagged: &[DistinguishedUnion],
    repairs: &mut Repairs,
) -> Vec<Replacement> {
    let values = enums.iter().map(|known| &known.name).chain(tagged.iter().map(|union| &union.name));
    let mut found: Vec<Replacement> = values
        .map(|name| {
            let schema = name::of_type(name);
            Replacement { path: format!("{ROOT}::values::{schema}"), schema }
        })
        .collect();
    let mut known: HashSet<String> = found.iter().map(|known| known.schema.clone()).collect();
    let mut add = |schema: &str, path: String| {
        let kind = name::of_type(schema);
        if known.insert(kind.clone()) {
            let place = pointer::join("/components/schemas", schema);
            repairs.note("replaced-type", &place, format!("a type that is written by hand stands for it: {path}"));
            found.push(Replacement { schema: kind, path });
        }
    };
    for operation in &api.operations {
        if let Some((name, path)) = operation.body.as_ref().and_then(|body| batch(document, &body.schema)) {
            add(name, path);
        }
    }
    for (at, schema) in walk::members(document, "/components/schemas") {
        let hints = SchemaHints::of(schema);
        if let Some(path) = hints.rust_type {
            add(&pointer::name(&at), path);
        }
        if let Some(item) = hints.list.and_then(|member| item(schema, &member)) {
            add(&pointer::name(&at), format!("::keyfit::List<{ROOT}::types::{item}>"));
        }
    }
    found
}

/// Returns the replacements for the schemas of a document. A small document with thousands of replacements would take the
/// generator much longer.
pub(crate) fn of_schemas(replacements: &[Replacement], document: &Value) -> Vec<Replacement> {
    let names = sharing::type_names(document);
    replacements.iter().filter(|known| names.contains(&known.schema)).cloned().collect()
}

/// Returns the type of the items of a list in a member.
fn item(schema: &Value, member: &str) -> Option<String> {
    Some(name::of_type(walk::schema_name(schema["properties"][member].get("items")?)?))
}

/// Returns the type of a named array of named objects with a limit: `Batch<Contact, 100>`.
fn batch<'a>(document: &Value, schema: &'a Value) -> Option<(&'a str, String)> {
    let name = walk::schema_name(schema)?;
    let array = walk::resolve(document, schema);
    let item = name::of_type(walk::schema_name(array.get("items")?)?);
    let limit = array.get("maxItems")?.as_u64()?;
    Some((name, format!("::keyfit::batch::Batch<{ROOT}::types::{item}, {limit}>")))
}
