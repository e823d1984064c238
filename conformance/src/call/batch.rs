//! The items of a batch operation: their schema, and their place in a body.

use std::sync::Arc;

use keyfit::batch_writer::Reason;
use keyfit_openapi::schema::{Direction, mismatch};
use keyfit_openapi::{Api, Operation};
use serde_json::{Value, json};

use super::{Arguments, value};
use crate::UserError;
use crate::text::pointer;

/// The items of an operation, as the document describes them.
#[derive(Clone, Debug)]
pub struct BatchItems {
    api: Arc<Api>,
    schema: Value,
    /// The place of the list in a body.
    at: String,
}

impl BatchItems {
    /// Returns the items of an operation.
    ///
    /// # Errors
    /// Returns an error if the batch format of the operation is unknown.
    pub fn of(api: &Api, operation: &Operation) -> Result<Self, UserError> {
        let unknown = || {
            UserError::new(format!("nothing says how `{}` takes many items in one call", operation.id)).help(
                "add a `[[batch]]` with `operations` and `items-at` to the contract of the API, and `x-keyfit: partial` to its overlay \
                 where answers tell of items",
            )
        };
        let at = &operation.batching.as_ref().ok_or_else(unknown)?.items_at;
        let body = operation.body.as_ref().ok_or_else(unknown)?;
        let list =
            api.resolve(if at.is_empty() { &body.schema } else { api.member(&body.schema, at).ok_or_else(unknown)? });
        let schema = list.get("items").cloned().unwrap_or_default();
        Ok(Self { api: Arc::new(api.clone()), schema, at: at.clone() })
    }

    /// Returns the arguments of the call without the items, with the other members of the body.
    ///
    /// # Errors
    /// Returns an error if [`Arguments::read`] does.
    pub fn arguments(
        &self,
        operation: &Operation,
        typed: &[String],
        body: Option<Vec<u8>>,
    ) -> Result<Arguments, UserError> {
        let names: Vec<String> = pointer::names(&self.at).collect();
        let Some((first, rest)) = names.split_first() else {
            if body.is_some() {
                return Err(UserError::new(format!("a body of `{}` is its items and nothing else", operation.id))
                    .help("leave --body out"));
            }
            return Ok(Arguments::read(&self.api, operation, typed, Some(b"[]".to_vec()))?.without_body());
        };
        let is_given = |argument: &&String| {
            let name = argument.split_once('=').map_or("", |(name, _)| name);
            name.strip_prefix("body:").unwrap_or(name) == first
        };
        if rest.is_empty() && typed.iter().any(|argument| is_given(&argument)) {
            return Err(UserError::new(format!("`{first}` is where the items go")).help("give them in the file"));
        }
        let mut typed = typed.to_vec();
        if body.is_none() && !typed.iter().any(|argument| is_given(&argument)) {
            let empty = rest.iter().rev().fold(json!([]), |inner, name| json!({ name: inner }));
            typed.push(format!("body:{first}={empty}"));
        }
        Arguments::read(&self.api, operation, &typed, body)
    }

    /// Returns the flaws of an item by its schema. Items that are not JSON are reported by the writer.
    pub fn check(&self, item: &[u8]) -> Vec<Reason> {
        let Ok(item) = serde_json::from_slice::<Value>(item) else { return Vec::new() };
        let found = mismatch(&self.api, Direction::Request, &self.schema, &item);
        found.map(|found| vec![Reason::of_field(found.field(), found.to_string())]).unwrap_or_default()
    }

    /// Returns the required members of an item.
    pub fn required(&self) -> Vec<String> {
        let required = self.api.resolve(&self.schema).get("required").and_then(Value::as_array);
        required.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Parses the text of a member by its schema.
    ///
    /// # Errors
    /// Returns an error if the text is not a valid value. It contains the reason.
    pub fn value(&self, member: &str, text: &str) -> Result<Value, String> {
        static ANYTHING: Value = Value::Null;
        let schema = self.api.member(&self.schema, &pointer::join("", member)).unwrap_or(&ANYTHING);
        let json = value::json(&self.api, schema, &[text])?;
        serde_json::from_str(json.get()).map_err(|_| "is not JSON".to_owned())
    }
}
