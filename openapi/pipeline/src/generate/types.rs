//! Schemas for which keyfit has a better type than the generator.

use serde_json::Value;

use super::leniency::OpenEnum;
use super::paths::ROOT;
use super::tagged::Tagged;
use crate::operation::Partial;
use crate::repair::Repairs;
use crate::{Api, name, pointer, walk};

/// A schema and the Rust type that stands for it.
#[derive(Clone, Debug)]
pub(crate) struct Replacement {
    pub(crate) schema: String,
    pub(crate) path: String,
}

/// Batches are shared, not copied; ingest envelopes are read in both documented shapes; enums in answers are open, and unions go by their tag.
pub(crate) fn replacements(
    api: &Api,
    document: &Value,
    open_enums: &[OpenEnum],
    tagged: &[Tagged],
    repairs: &mut Repairs,
) -> Vec<Replacement> {
    let values = open_enums.iter().map(|open| &open.name).chain(tagged.iter().map(|union| &union.name));
    let mut found: Vec<Replacement> = values
        .map(|name| {
            let schema = name::of_type(name);
            Replacement { path: format!("{ROOT}::values::{schema}"), schema }
        })
        .collect();
    let mut add = |schema: &str, path: String| {
        let kind = name::of_type(schema);
        if !found.iter().any(|known| known.schema == kind) {
            let place = pointer::join("/components/schemas", schema);
            repairs.note("replaced-type", &place, format!("keyfit has a type for it: {path}"));
            found.push(Replacement { schema: kind, path });
        }
    };
    for operation in &api.operations {
        let call = &document["paths"][&operation.path][operation.method.to_lowercase()];
        if let Some((name, path)) = operation.body.as_ref().and_then(|body| batch(document, &body.schema)) {
            add(name, path);
        }
        if operation.partial == Some(Partial::Items)
            && let Some(name) =
                call.pointer("/responses/2XX/content/application~1json/schema").and_then(walk::schema_name)
        {
            add(name, "::keyfit::batch::BatchOutcome".to_owned());
        }
    }
    for (at, schema) in walk::members(document, "/components/schemas") {
        if let Some(item) = list(schema) {
            add(&pointer::name(&at), format!("::keyfit::List<{ROOT}::types::{item}>"));
        }
    }
    found
}

/// A schema that an overlay calls a list, by the name of its items.
fn list(schema: &Value) -> Option<String> {
    let member = schema.pointer("/x-keyfit/list")?.as_str()?;
    Some(name::of_type(walk::schema_name(schema["properties"][member].get("items")?)?))
}

/// A named array of named objects with a limit: `Batch<Contact, 100>`.
fn batch<'a>(document: &Value, schema: &'a Value) -> Option<(&'a str, String)> {
    let name = walk::schema_name(schema)?;
    let array = walk::resolve(document, schema);
    let item = name::of_type(walk::schema_name(array.get("items")?)?);
    let limit = array.get("maxItems")?.as_u64()?;
    Some((name, format!("::keyfit::batch::Batch<{ROOT}::types::{item}, {limit}>")))
}
