//! Batches: many items in one call.

use keyfit_openapi::{Api, Operation};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Citation, Contract};
use crate::text::glob;
use crate::text::pointer::names;

/// Calls that take many items, of those whose overlay says, under `partial`, where their answers tell of failed ones. Clients write items in
/// batches through calls that `operations` names without that as well: a success is that of all items then.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Batch {
    /// The operations that it is about, as patterns over their ids; all where left out. The first batch that fits counts.
    #[serde(default)]
    pub operations: Vec<String>,
    /// The most items that one call takes; left out where the sources do not say.
    pub maximum: Option<usize>,
    /// The most bytes of the body of a call; left out where the sources do not say. Clients make no larger batches.
    pub maximum_bytes: Option<u64>,
    /// Where the items stand in the body of a call, as a JSON pointer; the body itself where left out.
    #[serde(default)]
    pub items_at: String,
    /// The field by which an item is known again in the answer; items are sent under values of their own there. Left out where
    /// they have none: all good items are alike then.
    pub id_field: Option<String>,
    /// The field whose loss makes an item, and no other, invalid. The probes take it away to spoil an item.
    pub spoil: String,
    /// Whether it is a guess that the calls are of this kind: rules about the items are only observed.
    #[serde(default)]
    pub unverified: bool,
    /// Where this is said.
    pub source: Citation,
}

impl Batch {
    /// Returns the schema of the items in a body with this schema; `None` if it contains no list of them.
    pub(crate) fn items<'a>(&self, api: &'a Api, body: &'a Value) -> Option<&'a Value> {
        let mut schema = api.resolve(body);
        for name in names(&self.items_at) {
            schema = api.resolve(schema.get("properties")?.get(name)?);
        }
        schema.get("items").filter(|_| api.kind(schema) == Some("array"))
    }

    fn covers(&self, operation: &Operation) -> bool {
        self.operations.is_empty() || self.operations.iter().any(|pattern| glob::matches(pattern, &operation.id))
    }
}

impl Contract {
    /// Returns the batch description of an operation that takes many items.
    pub fn batch_of(&self, operation: &Operation) -> Option<&Batch> {
        let mut known = self.batches.iter().filter(|_| !operation.partial.is_empty());
        known.find(|batch| batch.covers(operation))
    }
}

/// The table `[batch]`, or several tables `[[batch]]`.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "what editors are told")]
pub(super) enum Tables {
    One(Batch),
    Several(Vec<Batch>),
}
