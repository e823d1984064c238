//! The outcome of a push, item by item. Two descriptions of its envelope are in circulation, and both are read.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

pub use crate::client::batch_writer::Reason;

use crate::client::Response;
use crate::error::redact::Redactor;
use crate::error::{Error, ErrorKind};

/// The outcome of each item of a push. It reads both documented envelopes (`entity.items`, and `accepted` with
/// `errors`); the envelope itself stays available.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchOutcome {
    shape: BatchShape,
    items: Vec<BatchItem>,
    accepted: usize,
    rejected: usize,
    raw: Value,
}

/// Which of the two documented envelopes a server sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BatchShape {
    /// `{entity: {successful, failed, items: [..]}}`, of the errors page.
    Items,
    /// `{entitiesSuccess, entitiesFailures, accepted: [..], errors: [..]}`, seen by executing clients.
    Lists,
}

/// The outcome of one item.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct BatchItem {
    /// The item's index in the batch that was sent, from 0.
    pub position: usize,
    /// The item's `_user_id`, where the server echoes it.
    pub user_id: Option<String>,
    /// The reasons of the rejection; empty if the item was accepted.
    pub reasons: Vec<Reason>,
    /// True if the server accepted it.
    pub is_accepted: bool,
}

impl BatchOutcome {
    /// Returns the outcome of each item of a failed push, if the body reports it: after a partial failure, and in the 422 of a
    /// batch of which every item failed. Secrets are masked in the reasons, not in [`raw`](Self::raw).
    pub fn of(error: &Error) -> Option<Self> {
        error.decode().ok().map(|outcome: Self| outcome.masked(error.redactors()))
    }

    /// Which envelope the server sent.
    pub fn shape(&self) -> BatchShape {
        self.shape
    }

    /// The items that the server reports, by position.
    pub fn items(&self) -> &[BatchItem] {
        &self.items
    }

    /// The items that were rejected.
    pub fn rejected(&self) -> impl Iterator<Item = &BatchItem> {
        self.items.iter().filter(|item| !item.is_accepted)
    }

    /// Returns the number of accepted items, by the server's own count.
    pub fn accepted_count(&self) -> usize {
        self.accepted
    }

    /// Returns the number of rejected items: the server's own count, or the number of rejected items that it lists if that is higher.
    pub fn rejected_count(&self) -> usize {
        self.rejected.max(self.rejected().count())
    }

    /// Returns whether every item was accepted.
    pub fn is_complete(&self) -> bool {
        self.rejected_count() == 0
    }

    /// The envelope as the server sent it.
    pub fn raw(&self) -> &Value {
        &self.raw
    }

    /// Without secrets in the reasons.
    pub(crate) fn masked(mut self, secrets: &[Redactor]) -> Self {
        for reason in self.items.iter_mut().flat_map(|item| &mut item.reasons) {
            reason.mask(secrets);
        }
        self
    }

    fn read(raw: Value) -> Result<Self, &'static str> {
        if let Some(entity) = raw.get("entity").filter(|entity| entity.get("items").is_some()) {
            let items = entity["items"].as_array().ok_or("`entity.items` is not a list")?;
            let items = items.iter().enumerate().map(|(position, item)| item_of_entity(position, item)).collect();
            let (accepted, rejected) = (count(&entity["successful"])?, count(&entity["failed"])?);
            return Ok(Self { shape: BatchShape::Items, items, accepted, rejected, raw });
        }
        if raw.get("entitiesSuccess").is_some() {
            let mut items = Vec::new();
            for item in list(&raw, "accepted")? {
                items.push(BatchItem { is_accepted: true, reasons: Vec::new(), ..listed(item)? });
            }
            for item in list(&raw, "errors")? {
                let message = item["error"].as_str().map_or_else(|| item["error"].to_string(), str::to_owned);
                items.push(BatchItem { reasons: vec![Reason::new(message)], ..listed(item)? });
            }
            items.sort_by_key(|item| item.position);
            let (accepted, rejected) = (count(&raw["entitiesSuccess"])?, count(&raw["entitiesFailures"])?);
            return Ok(Self { shape: BatchShape::Lists, items, accepted, rejected, raw });
        }
        Err("neither `entity.items` nor `entitiesSuccess` is there")
    }
}

impl<'de> Deserialize<'de> for BatchOutcome {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Value::deserialize(deserializer)?;
        Self::read(raw).map_err(|reason| de::Error::custom(format!("not a documented batch outcome: {reason}")))
    }
}

impl Serialize for BatchOutcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.raw.serialize(serializer)
    }
}

impl fmt::Display for BatchOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} accepted, {} rejected", self.accepted, self.rejected_count())
    }
}

/// The outcome of a push for callers who handle items themselves: a partial failure, and the 422 of a batch of which
/// every item failed, are values here. Any other failure stays an error.
///
/// # Errors
/// Returns an error if the push failed and the failure does not report items.
pub fn outcome(result: Result<Response<BatchOutcome>, Error>) -> Result<BatchOutcome, Error> {
    match result {
        Ok(answer) => Ok(answer.into_inner()),
        Err(error) if matches!(error.kind(), ErrorKind::PartialFailure | ErrorKind::Unprocessable) => {
            BatchOutcome::of(&error).ok_or(error)
        }
        Err(error) => Err(error),
    }
}

fn item_of_entity(position: usize, item: &Value) -> BatchItem {
    let mut reasons = Vec::new();
    for (field, messages) in item["errors"].as_object().into_iter().flatten() {
        let texts = messages.as_array().cloned().unwrap_or_else(|| vec![messages.clone()]);
        for text in texts {
            let message = text.as_str().map_or_else(|| text.to_string(), str::to_owned);
            reasons.push(Reason::of_field(field.clone(), message));
        }
    }
    BatchItem { position, user_id: user_id(item), reasons, is_accepted: item["status"] == "success" }
}

/// An item of `accepted` or `errors`, taken as rejected.
fn listed(item: &Value) -> Result<BatchItem, &'static str> {
    // A position that is missing is not 0: it would blame another item.
    let position = item["position"].as_u64().and_then(|position| position.try_into().ok());
    let position = position.ok_or("an item has no position")?;
    Ok(BatchItem { position, user_id: user_id(&item["item"]), reasons: Vec::new(), is_accepted: false })
}

/// The `_user_id` of an item, or the item itself where it is the id (as in the reply to a deletion).
fn user_id(item: &Value) -> Option<String> {
    item.as_str().or_else(|| item["_user_id"].as_str()).map(str::to_owned)
}

fn list<'a>(raw: &'a Value, key: &str) -> Result<&'a [Value], &'static str> {
    match raw.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err("`accepted` or `errors` is not a list"),
    }
}

fn count(value: &Value) -> Result<usize, &'static str> {
    match value {
        Value::Null => Ok(0),
        value => value.as_u64().and_then(|count| count.try_into().ok()).ok_or("a count is not a whole number"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(raw: Value) -> BatchOutcome {
        serde_json::from_value(raw).expect("a documented envelope")
    }

    #[test]
    fn both_documented_envelopes_say_the_same() {
        let items = read(json!({"entity": {"successful": 1, "failed": 1, "items": [
            {"status": "success", "_user_id": "a"},
            {"status": "error", "_user_id": "b", "errors": {"_email": ["is no address"]}},
        ]}}));
        let lists = read(json!({"success": false, "status": 202, "entitiesSuccess": 1, "entitiesFailures": 1,
            "accepted": [{"position": 0, "item": {"_user_id": "a"}}],
            "errors": [{"position": 1, "item": {"_user_id": "b"}, "error": "is no address"}],
        }));
        for outcome in [&items, &lists] {
            assert!(!outcome.is_complete());
            assert_eq!((outcome.accepted_count(), outcome.rejected_count()), (1, 1));
            let ids: Vec<_> = outcome.items().iter().map(|item| (item.position, item.user_id.as_deref())).collect();
            assert_eq!(ids, [(0, Some("a")), (1, Some("b"))]);
            assert_eq!(outcome.rejected().next().map(|item| item.reasons[0].message.as_str()), Some("is no address"));
        }
        assert_eq!(items.rejected().next().and_then(|item| item.reasons[0].field.as_deref()), Some("_email"));
    }

    #[test]
    fn a_count_that_contradicts_the_list_is_not_complete() {
        let outcome = read(json!({"entity": {"successful": 0, "failed": 2, "items": []}}));
        assert_eq!(outcome.rejected_count(), 2);
        let outcome = read(json!({"entity": {"successful": 1, "failed": 0, "items": [{"status": "error"}]}}));
        assert_eq!(outcome.rejected_count(), 1);
    }

    #[test]
    fn another_envelope_is_refused() {
        let unplaced = json!({"entitiesSuccess": 0, "entitiesFailures": 1, "errors": [{"error": "is no address"}]});
        for raw in [json!({}), json!([]), json!({"entity": {}}), json!({"entity": {"items": 1}}), unplaced] {
            assert!(serde_json::from_value::<BatchOutcome>(raw).is_err());
        }
    }

    #[test]
    fn the_envelope_is_kept_as_it_came() {
        let raw = json!({"entitiesSuccess": 1, "entitiesFailures": 0, "accepted": [{"position": 0, "item": "u1"}], "apiSpeedTier": 2});
        let outcome = read(raw.clone());
        assert_eq!(outcome.items()[0].user_id.as_deref(), Some("u1"));
        assert_eq!(serde_json::to_value(&outcome).ok(), Some(raw));
    }
}
