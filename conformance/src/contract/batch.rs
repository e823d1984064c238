//! Many items in one call.

use keyfit_openapi::{Api, Operation};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Citation, Contract};
use crate::pointer::names;

/// How many items go in one call.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Batch {
    /// The most items that one call takes.
    pub maximum: usize,
    /// How the answer tells the outcome of each item.
    pub shape: BatchShape,
    /// The ids of the operations that take items, beside those whose overlay says `partial`.
    #[serde(default)]
    pub operations: Vec<String>,
    /// Where the items stand in the body of a call, as a JSON pointer; the body itself where left out.
    #[serde(default)]
    pub items_at: String,
    /// The field by which an item is known again in the answer.
    pub id_field: String,
    /// The field whose loss makes an item, and no other, invalid. The probes take it away to spoil an item.
    pub spoil: String,
    /// Where this is said.
    pub source: Citation,
}

/// How an answer tells the outcome of each item.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum BatchShape {
    /// `entity.items`, one entry an item in the order sent, with `entity.successful` and `entity.failed`.
    EntityItems,
    /// `accepted` and `errors` with positions, `entitiesSuccess` and `entitiesFailures`.
    Positions,
    /// `entities` with what was accepted, `errors` with what was not.
    Lists,
    /// Members of other names.
    Members(BatchMembers),
}

/// Where an answer tells what became of the items, each as a JSON pointer; what it does not tell is left out.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct BatchMembers {
    /// How many items came: all that were sent.
    pub received: Option<String>,
    /// How many were accepted.
    pub accepted: Option<String>,
    /// How many were rejected.
    pub rejected: Option<String>,
    /// The list of those that were accepted.
    pub accepted_items: Option<String>,
    /// The list of those that were rejected.
    pub rejected_items: Option<String>,
    /// Where an entry of a list says which item it is about: its position among those that were sent. A pointer into the
    /// entry.
    pub position: Option<String>,
    /// The position of the first item: 0, or 1.
    pub first: u64,
}

impl BatchMembers {
    /// Every pointer, with its key.
    pub(super) fn pointers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("received", &self.received),
            ("accepted", &self.accepted),
            ("rejected", &self.rejected),
            ("accepted-items", &self.accepted_items),
            ("rejected-items", &self.rejected_items),
            ("position", &self.position),
        ]
        .into_iter()
        .filter_map(|(key, pointer)| Some((key, pointer.as_deref()?)))
    }
}

impl Batch {
    /// The schema of the items in a body of this schema; `None` where it holds no list of them.
    pub(crate) fn items<'a>(&self, api: &'a Api, body: &'a Value) -> Option<&'a Value> {
        let mut schema = api.resolve(body);
        for name in names(&self.items_at) {
            schema = api.resolve(schema.get("properties")?.get(name)?);
        }
        schema.get("items").filter(|_| api.kind(schema) == Some("array"))
    }
}

impl Contract {
    /// What is said of the items of an operation that takes many.
    pub fn batch_of(&self, operation: &Operation) -> Option<&Batch> {
        let takes = |batch: &&Batch| operation.partial.is_some() || batch.operations.contains(&operation.id);
        self.batch.as_ref().filter(takes)
    }
}
