//! Many items in one call.

use keyfit_openapi::{Api, Operation};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Citation, Contract};
use crate::pointer::names;

/// The calls that take many items: those whose overlay says, under `partial`, where their answers tell of failed ones.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Batch {
    /// The most items that one call takes.
    pub maximum: usize,
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
        self.batch.as_ref().filter(|_| !operation.partial.is_empty())
    }
}
