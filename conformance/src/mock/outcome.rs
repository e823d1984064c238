//! What becomes of the items of a batch, in each of the shapes that the sources describe.

use keyfit_openapi::schema::Mismatch;
use serde_json::{Map, Value, json};

use crate::contract::{Batch, BatchMembers, BatchShape};
use crate::pointer::put;

/// An item as it was sent, and what is wrong with it.
pub(crate) type Item = (Value, Option<Mismatch>);

/// Defects of an outcome.
#[derive(Clone, Copy, Default)]
pub(crate) struct Defects {
    pub(crate) reorders: bool,
    pub(crate) miscounts: bool,
    pub(crate) loses_item: bool,
}

/// The body that tells the outcome of each item.
pub(crate) fn outcome(batch: &Batch, items: &[Item], status: u16, defects: Defects) -> Value {
    let failed = items.iter().filter(|(_, mismatch)| mismatch.is_some()).count();
    let accepted = (items.len() - failed).saturating_sub(usize::from(defects.miscounts));
    let mut listed: Vec<(usize, &Item)> = items.iter().enumerate().collect();
    if defects.loses_item {
        listed.pop();
    }
    if defects.reorders {
        listed.reverse();
    }
    match &batch.shape {
        BatchShape::EntityItems => {
            let items: Vec<Value> = listed.iter().map(|(_, item)| entry(batch, item)).collect();
            json!({ "entity": { "successful": accepted, "failed": failed, "items": items } })
        }
        BatchShape::Positions => {
            let position = |index: usize| if defects.reorders { items.len() - 1 - index } else { index };
            let good = listed.iter().filter(|(_, item)| item.1.is_none());
            let bad = listed.iter().filter(|(_, item)| item.1.is_some());
            json!({
                "success": failed == 0,
                "status": status,
                "entitiesSuccess": accepted,
                "entitiesFailures": failed,
                "accepted": good.map(|(index, item)| json!({ "position": position(*index), "item": item.0 })).collect::<Vec<_>>(),
                "errors": bad.map(|(index, item)| json!({ "position": position(*index), "item": item.0, "error": text(item) })).collect::<Vec<_>>(),
            })
        }
        BatchShape::Lists => lists(&listed, defects),
        BatchShape::Members(named) => members(named, items.len(), accepted, &listed, defects),
    }
}

fn members(
    named: &BatchMembers,
    received: usize,
    accepted: usize,
    listed: &[(usize, &Item)],
    defects: Defects,
) -> Value {
    let mut body = json!({});
    let failed = listed.iter().filter(|(_, item)| item.1.is_some());
    let of = |is_good: bool| {
        let entries = listed.iter().filter(|(_, item)| item.1.is_none() == is_good).map(|(index, item)| {
            let mut entry = json!({ "reason": text(item) });
            // Lists that name positions have no order of their own: the positions are wrong.
            let position = if defects.reorders { (index + 1) % received } else { *index };
            if let Some(pointer) = &named.position {
                put(&mut entry, pointer, json!(named.first + position as u64));
            }
            entry
        });
        let mut entries: Vec<Value> = entries.collect();
        if defects.loses_item {
            entries.pop();
        }
        Value::Array(entries)
    };
    for (pointer, value) in [
        (&named.received, json!(received)),
        (&named.accepted, json!(accepted)),
        (&named.rejected, json!(failed.count())),
        (&named.accepted_items, of(true)),
        (&named.rejected_items, of(false)),
    ] {
        if let Some(pointer) = pointer {
            put(&mut body, pointer, value);
        }
    }
    body
}

/// Counts are the lengths of the lists here: a miscount is a rejected item that is not listed.
fn lists(listed: &[(usize, &Item)], defects: Defects) -> Value {
    let mut accepted: Vec<Value> = Vec::new();
    let mut errors: Vec<Value> = Vec::new();
    for (index, item) in listed {
        if item.1.is_some() {
            errors.push(json!({ "position": index, "item": item.0, "errors": reasons(item) }));
        } else {
            let mut entity = item.0.as_object().cloned().unwrap_or_default();
            entity.insert("id".to_owned(), json!(format!("item-{index}")));
            accepted.push(Value::Object(entity));
        }
    }
    if defects.miscounts {
        let list = if errors.is_empty() { &mut accepted } else { &mut errors };
        list.pop();
    }
    json!({ "entities": accepted, "errors": errors })
}

fn entry(batch: &Batch, item: &Item) -> Value {
    let mut entry = Map::new();
    let failed = item.1.is_some();
    entry.insert("status".to_owned(), json!(if failed { "error" } else { "success" }));
    // What is no id is not repeated as one.
    if let Some(id) = item.0.get(&batch.id_field).filter(|id| id.is_string()) {
        entry.insert(batch.id_field.clone(), id.clone());
    }
    if failed {
        entry.insert("errors".to_owned(), reasons(item));
    }
    Value::Object(entry)
}

fn reasons(item: &Item) -> Value {
    let Some(mismatch) = &item.1 else { return json!({}) };
    json!({ mismatch.field(): [mismatch.problem] })
}

fn text(item: &Item) -> String {
    item.1.as_ref().map(ToString::to_string).unwrap_or_default()
}
