//! Whether an answer tells the outcome of the items that were sent: none lost, none doubled, in order, with counts that
//! add up. Which of the documented shapes it has is read off the answer.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::contract::{Batch, BatchMembers, BatchShape};

/// What is wrong with the outcome; `None` if it is in order.
pub(super) fn mismatch(batch: &Batch, sent: &[(Value, bool)], body: &Value) -> Option<String> {
    let checked = if let BatchShape::Members(named) = &batch.shape {
        members(batch, named, sent, body)
    } else if let Some(entity) = body.get("entity").filter(|entity| entity.get("items").is_some()) {
        entity_items(batch, sent, entity)
    } else if body.get("entitiesSuccess").is_some() {
        positions(batch, sent, body)
    } else if body.get("entities").is_some() {
        lists(batch, sent, body)
    } else {
        Err("the answer has none of the documented shapes".to_owned())
    };
    checked.err()
}

fn entity_items(batch: &Batch, sent: &[(Value, bool)], entity: &Value) -> Result<(), String> {
    count(entity, "successful", good(sent).count())?;
    count(entity, "failed", bad(sent).count())?;
    let entries = list(entity, "items")?;
    same_length("items", entries, sent.len())?;
    for (position, (entry, (item, is_good))) in entries.iter().zip(sent).enumerate() {
        let expected = if *is_good { "success" } else { "error" };
        if entry["status"] != expected {
            return Err(format!("items[{position}] is {}, not \"{expected}\"", entry["status"]));
        }
        same_id(batch, &format!("items[{position}]"), entry, item)?;
    }
    Ok(())
}

fn positions(batch: &Batch, sent: &[(Value, bool)], body: &Value) -> Result<(), String> {
    count(body, "entitiesSuccess", good(sent).count())?;
    count(body, "entitiesFailures", bad(sent).count())?;
    for (name, is_good) in [("accepted", true), ("errors", false)] {
        let entries = list(body, name)?;
        let expected = sent.iter().enumerate().filter(|(_, (_, good))| *good == is_good);
        same_length(name, entries, expected.clone().count())?;
        for (entry, (position, (item, _))) in entries.iter().zip(expected) {
            if entry["position"] != position {
                return Err(format!("`{name}` says position {} where {position} is next", entry["position"]));
            }
            same_id(batch, &format!("`{name}` at position {position}"), &entry["item"], item)?;
        }
    }
    Ok(())
}

fn lists(batch: &Batch, sent: &[(Value, bool)], body: &Value) -> Result<(), String> {
    let entities = list(body, "entities")?;
    same_length("entities", entities, good(sent).count())?;
    same_length("errors", list(body, "errors")?, bad(sent).count())?;
    for (entity, item) in entities.iter().zip(good(sent)) {
        if entity.get("id").is_none() {
            return Err("an accepted item has no `id`".to_owned());
        }
        same_id(batch, "`entities`", entity, item)?;
    }
    Ok(())
}

/// Counts that add up, and lists that name each of their items once.
fn members(batch: &Batch, named: &BatchMembers, sent: &[(Value, bool)], body: &Value) -> Result<(), String> {
    let counts =
        [(&named.received, sent.len()), (&named.accepted, good(sent).count()), (&named.rejected, bad(sent).count())];
    for (pointer, expected) in counts {
        let Some(pointer) = pointer else { continue };
        let told = body.pointer(pointer).unwrap_or(&Value::Null);
        if *told != expected {
            return Err(format!("`{pointer}` is {told}, not {expected}"));
        }
    }
    for (pointer, is_good) in [(&named.accepted_items, true), (&named.rejected_items, false)] {
        let Some(pointer) = pointer else { continue };
        let entries =
            body.pointer(pointer).and_then(Value::as_array).ok_or_else(|| format!("`{pointer}` is no list"))?;
        let expected: BTreeSet<u64> =
            (named.first..).zip(sent).filter(|(_, (_, good))| *good == is_good).map(|(position, _)| position).collect();
        same_length(pointer, entries, expected.len())?;
        let Some(position) = &named.position else { continue };
        let mut seen = BTreeSet::new();
        for entry in entries {
            let told = entry.pointer(position).and_then(Value::as_u64);
            let told = told.ok_or_else(|| format!("an entry of `{pointer}` has no position at `{position}`"))?;
            let item = usize::try_from(told.saturating_sub(named.first)).ok().and_then(|place| sent.get(place));
            if !expected.contains(&told) || !seen.insert(told) {
                return Err(format!(
                    "`{pointer}` names the position {told} {}",
                    if seen.contains(&told) { "twice" } else { "wrongly" }
                ));
            }
            if let Some((item, _)) = item {
                same_id(batch, &format!("`{pointer}` at position {told}"), entry, item)?;
            }
        }
    }
    Ok(())
}

/// An entry that repeats the id must repeat the right one.
fn same_id(batch: &Batch, at: &str, entry: &Value, item: &Value) -> Result<(), String> {
    let field = &batch.id_field;
    match (entry.get(field), item.get(field)) {
        (Some(told), Some(sent)) if told != sent => Err(format!("{at} is about {told}, not about {sent}")),
        _ => Ok(()),
    }
}

fn count(body: &Value, name: &str, expected: usize) -> Result<(), String> {
    if body[name] == expected { Ok(()) } else { Err(format!("`{name}` is {}, not {expected}", body[name])) }
}

fn list<'a>(body: &'a Value, name: &str) -> Result<&'a [Value], String> {
    body[name].as_array().map(Vec::as_slice).ok_or_else(|| format!("`{name}` is no list"))
}

fn same_length(name: &str, entries: &[Value], expected: usize) -> Result<(), String> {
    if entries.len() == expected {
        return Ok(());
    }
    Err(format!("`{name}` has {} entries, not {expected}", entries.len()))
}

fn good(sent: &[(Value, bool)]) -> impl Iterator<Item = &Value> {
    sent.iter().filter(|(_, is_good)| *is_good).map(|(item, _)| item)
}

fn bad(sent: &[(Value, bool)]) -> impl Iterator<Item = &Value> {
    sent.iter().filter(|(_, is_good)| !*is_good).map(|(item, _)| item)
}
