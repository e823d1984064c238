//! The outcome of the items of a batch in the form of the document, if the overlay says that answers report it.

use keyfit_openapi::schema::{self, Direction, Mismatch};
use keyfit_openapi::{Api, Operation, Partial, example};
use serde_json::{Map, Value, json};

use crate::contract::Batch;
use crate::text::pointer::{join, put};

/// An item as it was sent, with its flaw.
pub(crate) type Item = (Value, Option<Mismatch>);

/// Defects of an outcome.
#[derive(Clone, Copy, Default)]
pub(crate) struct OutcomeDefects {
    pub(crate) reorders: bool,
    pub(crate) miscounts: bool,
    pub(crate) loses_item: bool,
}

/// Writes outcomes in the form of one description.
pub(crate) struct OutcomeWriter<'a> {
    pub(crate) api: &'a Api,
    pub(crate) operation: &'a Operation,
    pub(crate) described: &'a Partial,
    pub(crate) batch: &'a Batch,
}

/// The documentation of a list, with a minimal entry.
struct OutcomeList<'a> {
    entry: Option<&'a Value>,
    model: Value,
    is_object: bool,
}

impl OutcomeWriter<'_> {
    /// Returns the body that reports the outcome of each item.
    pub(crate) fn body(&self, items: &[Item], defects: OutcomeDefects) -> Value {
        let Partial { received, accepted, rejected, accepted_items, rejected_items, outcomes, .. } = self.described;
        let answer = self.answer();
        let mut body = answer.map_or_else(|| json!({}), |schema| required(self.api, schema));
        let lists = [(accepted_items, Some(true)), (rejected_items, Some(false)), (outcomes, None)];
        let has_counts = accepted.is_some() || rejected.is_some() || received.is_some();
        for (place, only) in lists {
            let Some(place) = place else { continue };
            let mut list = self.list(answer, place, items, only, defects);
            // Without counts, the lengths of the lists are the counts: a miscount is an item that is not listed.
            if defects.miscounts && !has_counts && (only == Some(false) || rejected_items.is_none()) {
                list.as_array_mut().and_then(Vec::pop);
            }
            put(&mut body, place, list);
        }
        let failed = items.iter().filter(|(_, mismatch)| mismatch.is_some()).count();
        let good = (items.len() - failed).saturating_sub(usize::from(defects.miscounts));
        for (place, count) in [(received, items.len()), (accepted, good), (rejected, failed)] {
            if let Some(place) = place {
                put(&mut body, place, json!(count));
            }
        }
        body
    }

    /// Returns the schema of the answer.
    fn answer(&self) -> Option<&Value> {
        let mut successes = self.operation.responses.iter().filter(|(status, _)| status.starts_with('2'));
        let shape = successes.find_map(|(_, shape)| shape.schema.as_ref().filter(|_| shape.is_json()))?;
        Some(self.described.schema(self.api, shape))
    }

    /// Returns the list at a place: of the accepted items, of the rejected ones, or of all.
    fn list(
        &self,
        answer: Option<&Value>,
        place: &str,
        items: &[Item],
        only: Option<bool>,
        defects: OutcomeDefects,
    ) -> Value {
        let schema = answer.and_then(|answer| self.api.member(answer, place));
        let entry = schema.and_then(|list| self.api.entries(list));
        let list = OutcomeList {
            entry,
            model: entry.map_or_else(|| json!({}), |entry| required(self.api, entry)),
            is_object: schema.is_some_and(|list| list["type"] == "object"),
        };
        let listed = items.iter().enumerate().filter(|(_, item)| only.is_none_or(|only| only == item.1.is_none()));
        let entries = listed.map(|(index, item)| {
            // Entries with positions have no order of their own: the positions are wrong instead.
            let position = if defects.reorders { (index + 1) % items.len() } else { index };
            self.entry(&list, item, position, only.is_none())
        });
        let mut entries: Vec<Value> = entries.collect();
        if defects.loses_item {
            entries.pop();
        }
        if defects.reorders {
            entries.reverse();
        }
        if list.is_object {
            return entries.into_iter().enumerate().map(|(index, entry)| (index.to_string(), entry)).collect();
        }
        Value::Array(entries)
    }

    fn entry(&self, list: &OutcomeList<'_>, item: &Item, position: usize, is_outcome: bool) -> Value {
        let Partial { outcome, reason, position: position_at, item: item_at, first, .. } = self.described;
        let (sent, mismatch) = item;
        if !list.model.is_object() {
            let id =
                self.batch.id_field.as_ref().and_then(|field| sent.get(field)).filter(|id| self.fits(list.entry, id));
            return id.unwrap_or(&list.model).clone();
        }
        let mut entry = list.model.clone();
        match item_at.as_deref() {
            Some("") => self.repeat(list, sent, &mut entry),
            Some(at) => put(&mut entry, at, sent.clone()),
            None => {}
        }
        let of = |at: &str| list.entry.and_then(|schema| self.api.member(schema, at));
        if let Some(at) = position_at {
            put(&mut entry, at, json!(first + position as u64));
        }
        if let (Some(at), true) = (outcome, is_outcome) {
            let accepted = self.described.accepted_as.first().cloned().unwrap_or_default();
            put(&mut entry, at, if mismatch.is_none() { accepted } else { self.rejection(of(at), &accepted) });
        }
        if let (Some(at), Some(mismatch)) = (reason, mismatch) {
            put(&mut entry, at, self.reason(of(at), mismatch));
        }
        entry
    }

    /// Copies the members of an item that an entry also has; only the id if entries may hold anything.
    fn repeat(&self, list: &OutcomeList<'_>, sent: &Value, entry: &mut Value) {
        for (name, value) in sent.as_object().into_iter().flatten() {
            let is_id = self.batch.id_field.as_ref() == Some(name);
            let at = join("", name);
            let schema = list.entry.and_then(|schema| self.api.member(schema, &at));
            let is_known = schema.is_some_and(Value::is_object) || is_id;
            // A value that is not a valid id is not copied as one.
            if is_known && schema.is_some() && self.fits(schema, value) && (value.is_string() || !is_id) {
                entry[name] = value.clone();
            }
        }
    }

    fn fits(&self, schema: Option<&Value>, value: &Value) -> bool {
        schema.is_none_or(|schema| schema::mismatch(self.api, Direction::Answer, schema, value).is_none())
    }

    /// Returns the value for a rejected item: a documented value that does not mean accepted.
    fn rejection(&self, schema: Option<&Value>, accepted: &Value) -> Value {
        let documented = schema.and_then(|schema| schema["enum"].as_array()).into_iter().flatten();
        let other = documented.into_iter().find(|value| !self.described.accepted_as.contains(value));
        other.cloned().unwrap_or_else(|| match accepted {
            Value::Bool(accepted) => json!(!accepted),
            Value::Number(_) => json!(422),
            _ => json!("rejected"),
        })
    }

    /// Returns the reason for a rejection: messages by field, a list of messages, or a text, as the document has it.
    fn reason(&self, schema: Option<&Value>, mismatch: &Mismatch) -> Value {
        let (field, problem) = (mismatch.field(), &mismatch.problem);
        let forms =
            [json!(mismatch.to_string()), json!({ field: [problem] }), json!({ field: problem }), json!([problem])];
        let fitting = forms.iter().find(|form| self.fits(schema, form));
        fitting.unwrap_or(&forms[0]).clone()
    }
}

/// Returns a value of a schema with only its required members.
fn required(api: &Api, schema: &Value) -> Value {
    let mut value = example::value(api, Direction::Answer, schema);
    let required = api.resolve(schema)["required"].as_array();
    // Compositions are not searched for required members: their whole example is used.
    if let Some(members) = value.as_object_mut().filter(|_| api.resolve(schema).get("properties").is_some()) {
        let is_required = |name: &String| required.is_some_and(|required| required.iter().any(|it| it == name));
        *members = std::mem::take(members).into_iter().filter(|(name, _)| is_required(name)).collect::<Map<_, _>>();
    }
    value
}
