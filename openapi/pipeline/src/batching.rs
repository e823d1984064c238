//! Operations that take many items, of which a client may send any number in batches. The contract, the overlay and the
//! document are the sources.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::body_members::{items, member};
use crate::glob::matches_pattern;
use crate::partial::guess;
use crate::{Api, BodyFormat, Operation, walk};

/// The batch parameters of an operation that takes many items in one call.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Batching {
    /// The JSON pointer of the items in the request body; empty if the body is the list.
    pub items_at: String,
    /// The maximum number of items of one call, if the contract or the document states it (`maxItems`).
    pub maximum: Option<u64>,
    /// The maximum size of a request body in bytes, if the contract states it.
    pub maximum_bytes: Option<u64>,
    /// The field that identifies an item in the response.
    pub id_field: Option<String>,
}

/// A table `[[batch]]` of a contract, with the keys that clients need.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct BatchTable {
    #[serde(default)]
    operations: Vec<String>,
    maximum: Option<u64>,
    maximum_bytes: Option<u64>,
    #[serde(default)]
    items_at: String,
    id_field: Option<String>,
}

/// Sets the batch parameters of each operation. A table applies to operations whose responses report on single items, and to
/// the operations that it names; for the latter, a success is a success of all items. If the overlay describes item results
/// and no table applies to the operation, the only list in its request body holds the items.
pub(crate) fn assign(api: &mut Api, tables: &[BatchTable]) {
    let found: Vec<Option<Batching>> = api.operations.iter().map(|operation| of(api, operation, tables)).collect();
    for (operation, batching) in api.operations.iter_mut().zip(found) {
        operation.batching = batching;
    }
}

fn of(api: &Api, operation: &Operation, tables: &[BatchTable]) -> Option<Batching> {
    let body = operation.body.as_ref().filter(|body| body.format(api) == BodyFormat::Json)?;
    let is_named = |table: &&BatchTable| table.operations.iter().any(|pattern| matches_pattern(pattern, &operation.id));
    let tells = !operation.partial.is_empty();
    let table = tables.iter().find(|table| is_named(table) || (tells && table.operations.is_empty()));
    if let Some(BatchTable { maximum, maximum_bytes, items_at, id_field, .. }) = table {
        let list = list(&api.document, &body.schema, items_at)?;
        let documented = list.get("maxItems").and_then(Value::as_u64);
        return Some(Batching {
            items_at: items_at.clone(),
            maximum: maximum.map(|most| documented.map_or(most, |other| most.min(other))).or(documented),
            maximum_bytes: *maximum_bytes,
            id_field: id_field.clone(),
        });
    }
    let (items_at, list, item) = tells.then(|| guess::only_list(&api.document, &body.schema)).flatten()?;
    Some(Batching {
        maximum: list.get("maxItems").and_then(Value::as_u64),
        maximum_bytes: None,
        id_field: guess::id_field(&api.document, item),
        items_at,
    })
}

/// Returns the schema of the list at a place of a body.
fn list<'a>(document: &'a Value, body: &'a Value, at: &str) -> Option<&'a Value> {
    let schema = if at.is_empty() { body } else { member(document, body, at)?.schema };
    let schema = walk::resolve(document, schema);
    items(document, schema).map(|_| schema)
}

/// Reads one table or a list of tables. The error message of a table is kept.
///
/// # Errors
/// Returns an error if the value is neither a table nor a list, or if a table is not valid.
pub fn one_or_several<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct TableVisitor<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for TableVisitor<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a table or a list of tables")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map)).map(|table| vec![table])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, several: A) -> Result<Self::Value, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(several))
        }
    }

    deserializer.deserialize_any(TableVisitor(PhantomData))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Source, Text};

    const DOCUMENT: &str = r"
openapi: 3.0.3
info: { title: Rows, version: '1' }
servers: [{ url: https://rows.example }]
paths:
  /rows:
    post:
      operationId: push
      requestBody: { content: { application/json: { schema: { type: object, properties: { note: { type: string }, rows: { type: array, maxItems: 9, items: { type: object, properties: { id: { type: string }, size: { type: integer } } } } } } } } }
      responses: { '200': { description: Taken., content: { application/json: { schema: { type: object, properties: { failed: { type: integer } } } } } } }
";

    fn read(overlay: &str, contract: &str) -> Option<Batching> {
        let overlay = format!("overlay: 1.0.0\ninfo: {{ title: x, version: '1' }}\nactions: [{overlay}]\n");
        let source = Source {
            name: "rows".to_owned(),
            document: Text::new("openapi.yaml", DOCUMENT),
            overlay: Some(Text::new("overlay.yaml", overlay)),
            contract: Some(Text::new("contract.toml", contract)),
        };
        Api::read(&source).expect("an API").operations[0].batching.clone()
    }

    const TELLS: &str =
        "{ target: \"$.paths['/rows'].post\", update: { x-keyfit: { partial: { rejected: /failed } } } }";

    #[test]
    fn a_table_counts_where_answers_tell_of_items_or_it_names_the_operation() {
        let table = "[batch]\nitems-at = \"/rows\"\nmaximum = 5\nid-field = \"id\"\nspoil = \"size\"\n";
        let found = read(TELLS, table).expect("a batch");
        assert_eq!((found.items_at.as_str(), found.maximum, found.id_field.as_deref()), ("/rows", Some(5), Some("id")));
        assert_eq!(read("", table), None);
        let named = "[[batch]]\noperations = [\"pu*\"]\nitems-at = \"/rows\"\nmaximum-bytes = 1000\n";
        let found = read("", named).expect("a batch");
        assert_eq!((found.maximum, found.maximum_bytes), (Some(9), Some(1000)));
        assert_eq!(read("", &named.replace("/rows", "/note")), None, "there is no list");
    }

    #[test]
    fn without_a_table_the_one_list_of_the_body_is_taken() {
        let found = read(TELLS, "").expect("a batch");
        assert_eq!((found.items_at.as_str(), found.maximum, found.id_field.as_deref()), ("/rows", Some(9), Some("id")));
        assert_eq!(read("", ""), None);
    }
}
