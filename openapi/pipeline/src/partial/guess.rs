//! Guesses which calls take many items and report the outcome of each. A guess needs both: a single list of objects in the
//! request body, and places in the response that report failed items. A response about a task that has only begun reports no
//! outcome.

use serde_json::Value;

use super::Partial;
use super::names::{self, has};
use crate::body_members::{items, member, property_names};
use crate::schema::{Direction, is_sent};
use crate::{Api, BodyFormat, Operation, pointer, walk};

/// A call that appears to take many items, although the document does not declare it.
#[derive(Clone, Debug)]
pub struct BatchGuess {
    /// The places where its response reports on items.
    pub partial: Partial,
    /// The place of the items in the request body: a JSON pointer.
    pub items_at: String,
    /// The member that identifies an item, if there is one that accepts any text.
    pub id_field: Option<String>,
    /// A member that each item needs.
    pub required_member: String,
    /// The maximum number of items of one call, if the document states it.
    pub maximum: Option<u64>,
    /// The reason for the guess.
    pub why: String,
    /// True if the response gives the position of each failed item, counted from a known first position, and also counts
    /// items.
    pub is_certain: bool,
}

/// The maximum depth of the search for the list in a request body, and for item results in a response.
const MAX_DEPTH: usize = 3;

impl BatchGuess {
    /// Guesses from an operation. If the overlay has `partial`, its places are used; with `partial: []` there is no guess.
    pub fn read(api: &Api, operation: &Operation) -> Option<Self> {
        let body = operation.body.as_ref().filter(|body| body.format(api) == BodyFormat::Json)?;
        let is_said = api.hint(operation, "partial").is_some();
        if !matches!(operation.method.as_str(), "POST" | "PUT" | "PATCH") || (is_said && operation.partial.is_empty()) {
            return None;
        }
        let document = &api.document;
        let (items_at, list, item) = only_list(document, &body.schema)?;
        let id_field = id_field(document, item);
        let required_member = required_member_of(api, item, id_field.as_deref())?;
        let guessed = || {
            let mut successes = operation.responses.iter().filter(|(status, _)| status.starts_with('2'));
            let answer = successes.find_map(|(_, shape)| shape.schema.as_ref().filter(|_| shape.is_json()))?;
            item_reports(document, answer, "", MAX_DEPTH)
        };
        let said = operation.partial.first().map(|said| ItemReports { partial: said.clone(), is_certain: true });
        let ItemReports { partial, is_certain } = said.or_else(guessed)?;
        let places: Vec<&str> = partial.locations().into_iter().filter_map(|(_, place)| place).collect();
        let shown = if items_at.is_empty() { "a list" } else { &items_at };
        let why = format!("it takes {shown}, and its answer has {}", places.join(", "));
        let maximum = list.get("maxItems").and_then(Value::as_u64);
        Some(Self { partial, items_at, id_field, required_member, maximum, why, is_certain })
    }
}

impl Partial {
    /// Returns the guess as an overlay hint.
    pub fn hint(&self) -> String {
        let mut told = serde_json::to_value(self).unwrap_or_default();
        let says =
            |value: &Value| !value.is_null() && *value != 0 && value.as_array().is_none_or(|list| !list.is_empty());
        if let Some(members) = told.as_object_mut() {
            members.retain(|_, value| says(value));
        }
        format!("partial: {told}")
    }
}

/// Returns the only list of objects in a body: its place, its schema, and the schema of its items.
pub(crate) fn only_list<'a>(document: &'a Value, body: &'a Value) -> Option<(String, &'a Value, &'a Value)> {
    let mut lists = Vec::new();
    collect_lists(document, body, "", MAX_DEPTH, &mut lists);
    let Ok([(at, list)]) = <[_; 1]>::try_from(lists) else { return None };
    Some((at, list, items(document, list)?))
}

/// Collects the lists of objects in a body, by their places.
fn collect_lists<'a>(
    document: &'a Value,
    schema: &'a Value,
    at: &str,
    depth: usize,
    found: &mut Vec<(String, &'a Value)>,
) {
    let schema = walk::resolve(document, schema);
    let is_object = |item: &Value| walk::kind(item) == Some("object") && !property_names(document, item).is_empty();
    match walk::kind(schema) {
        Some("array") if items(document, schema).is_some_and(is_object) => found.push((at.to_owned(), schema)),
        Some("object") | None if depth > 0 => {
            for (name, inner) in property_names(document, schema) {
                collect_lists(document, inner, &pointer::join(at, name), depth - 1, found);
            }
        }
        _ => {}
    }
}

/// Returns the member of an item that accepts any text and has the name of a caller-chosen id.
pub(crate) fn id_field(document: &Value, item: &Value) -> Option<String> {
    let is_free = |schema: &Value| {
        let limits = ["format", "pattern", "enum", "const", "minLength", "readOnly"];
        walk::kind(schema) == Some("string")
            && limits.iter().all(|word| schema.get(word).is_none())
            && schema.get("maxLength").and_then(Value::as_u64).is_none_or(|longest| longest >= 16)
    };
    let members = property_names(document, item);
    let named = |id: &&str| members.iter().find(|(name, schema)| has(&[id], name) && is_free(schema));
    names::IDS.iter().find_map(named).map(|(name, _)| (*name).to_owned())
}

/// Returns a required member of an item: another than its id, if there is one.
fn required_member_of(api: &Api, item: &Value, id_field: Option<&str>) -> Option<String> {
    let document = &api.document;
    let is_needed = |name: &str| {
        let found = member(document, item, &pointer::join("", name));
        found.is_some_and(|found| found.is_required) && is_sent(api, Direction::Request, item, name)
    };
    let needed: Vec<&str> =
        property_names(document, item).into_iter().map(|(name, _)| name).filter(|name| is_needed(name)).collect();
    let other = needed.iter().find(|name| Some(**name) != id_field);
    other.or(needed.first()).map(|name| (*name).to_owned())
}

/// The places of item results in a response.
struct ItemReports {
    partial: Partial,
    is_certain: bool,
}

/// Returns the item results of the first object that has them: the response, or an object in it.
fn item_reports(document: &Value, answer: &Value, at: &str, depth: usize) -> Option<ItemReports> {
    let answer = walk::resolve(document, answer);
    if walk::kind(answer).is_some_and(|kind| kind != "object") {
        return None;
    }
    let members = property_names(document, answer);
    if members.iter().any(|(name, _)| has(names::TASK, name)) {
        return None;
    }
    let inner = || {
        let depth = depth.checked_sub(1)?;
        members.iter().find_map(|(name, inner)| item_reports(document, inner, &pointer::join(at, name), depth))
    };
    reports_of(document, &members, at).or_else(inner)
}

fn reports_of(document: &Value, members: &[(&str, &Value)], at: &str) -> Option<ItemReports> {
    let count = |known: &[&str]| {
        let mut counts = members.iter().filter(|(_, schema)| walk::kind(schema) == Some("integer"));
        counts.find(|(name, _)| has(known, name)).map(|(name, _)| pointer::join(at, name))
    };
    let (received, accepted, rejected) = (count(names::RECEIVED), count(names::ACCEPTED), count(names::REJECTED));
    let lists = || members.iter().filter(|(_, schema)| walk::kind(schema) == Some("array"));
    let failed = lists().find(|(name, _)| has(names::FAILED, name));
    let entry = failed.and_then(|(_, list)| items(document, list)).map(|entry| property_names(document, entry));
    let entry = entry.unwrap_or_default();
    let position = entry.iter().find_map(|(name, schema)| Some((*name, first_position(name, schema)?)));
    let reason = entry.iter().find(|(name, _)| has(names::REASONS, name)).map(|(name, _)| pointer::join("", name));
    let counts = [&received, &accepted, &rejected].into_iter().flatten().count();
    let is_certain = position.is_some() && counts > 0;
    if position.is_none() && (rejected.is_none() || counts + usize::from(failed.is_some()) < 2) {
        return None;
    }
    let partial = Partial {
        received,
        accepted,
        rejected,
        rejected_items: failed.map(|(name, _)| pointer::join(at, name)),
        reason,
        position: position.map(|(name, _)| pointer::join("", name)),
        first: position.map_or(0, |(_, first)| first),
        ..Partial::default()
    };
    Some(ItemReports { partial, is_certain })
}

/// Returns the position of the first item if a member holds positions, and its name or bounds determine it.
fn first_position(name: &str, schema: &Value) -> Option<u64> {
    if walk::kind(schema) != Some("integer") {
        return None;
    }
    let is_index = has(names::INDEXES, name);
    let least = schema.get("minimum").and_then(Value::as_u64).filter(|least| *least <= 1);
    (is_index || has(names::POSITIONS, name)).then_some(())?;
    least.or(is_index.then_some(0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Source, Text};

    /// Guesses from a call with this request schema and this response schema.
    fn guessed(sent: Value, answer: Value) -> Option<BatchGuess> {
        let content = |schema: Value| json!({ "application/json": { "schema": schema } });
        let document = json!({
            "openapi": "3.0.3", "info": { "title": "Rows", "version": "1" },
            "servers": [{ "url": "https://rows.example" }],
            "paths": { "/rows": { "post": {
                "operationId": "push",
                "requestBody": { "required": true, "content": content(sent) },
                "responses": { "202": { "description": "Taken.", "content": content(answer) } },
            } } },
        });
        let document = Text::new("rows.json", document.to_string());
        let api = Api::read(&Source { name: "rows".to_owned(), document, overlay: None, contract: None })
            .expect("it is read");
        BatchGuess::read(&api, &api.operations[0])
    }

    fn rows() -> Value {
        let row = json!({
            "type": "object", "required": ["id", "size"],
            "properties": { "id": { "type": "string" }, "size": { "type": "integer" }, "note": { "type": "string" } },
        });
        json!({ "type": "array", "maxItems": 50, "items": row })
    }

    fn object(members: Value) -> Value {
        let mut schema = json!({ "type": "object" });
        schema["properties"] = members;
        schema
    }

    fn failures(position: Value) -> Value {
        json!({ "type": "array", "items": object(position) })
    }

    #[test]
    fn counts_and_positions_tell_the_outcome_of_items() {
        let number = json!({ "type": "integer" });
        let answer = object(json!({
            "accepted": number, "failed": number, "errors": failures(json!({ "index": number, "message": { "type": "string" } })),
        }));
        let found = guessed(object(json!({ "rows": rows() })), answer.clone()).expect("a batch");
        assert_eq!(
            found.partial.hint(),
            r#"partial: {"accepted":"/accepted","rejected":"/failed","rejected-items":"/errors","reason":"/message","position":"/index"}"#
        );
        assert_eq!(
            (found.items_at.as_str(), found.id_field.as_deref(), found.required_member.as_str()),
            ("/rows", Some("id"), "size")
        );
        assert_eq!((found.maximum, found.is_certain), (Some(50), true));
        let bare = guessed(rows(), object(json!({ "result": answer }))).expect("a batch");
        assert_eq!((bare.items_at.as_str(), bare.partial.rejected.as_deref()), ("", Some("/result/failed")));
    }

    #[test]
    fn a_position_counts_where_it_is_known_which_the_first_is() {
        let number = json!({ "type": "integer" });
        let of = |position: Value| guessed(rows(), object(json!({ "total": number, "errors": failures(position) })));
        let from_one = of(json!({ "row": { "type": "integer", "minimum": 1 } })).expect("a batch");
        assert_eq!((from_one.partial.first, from_one.is_certain), (1, true));
        assert!(of(json!({ "row": number })).is_none(), "from zero or from one");
        assert!(of(json!({ "index": { "type": "string" } })).is_none());
    }

    #[test]
    fn counts_alone_are_a_guess() {
        let number = json!({ "type": "integer" });
        let found = guessed(rows(), object(json!({ "imported": number, "rejected": number }))).expect("a batch");
        assert!(!found.is_certain);
        for answer in
            [json!({ "failed": number }), json!({ "count": number }), json!({ "succeeded": number, "total": number })]
        {
            assert!(guessed(rows(), object(answer.clone())).is_none(), "{answer}");
        }
    }

    #[test]
    fn what_has_only_begun_and_errors_of_the_whole_call_tell_nothing_of_items() {
        let number = json!({ "type": "integer" });
        let text = json!({ "type": "string" });
        let task = json!({ "status": text, "succeeded": number, "failed": number, "errors": failures(json!({ "index": number })) });
        assert!(guessed(rows(), object(task)).is_none());
        let whole = json!({ "errors": failures(json!({ "code": text, "field": text })), "rows": rows() });
        assert!(guessed(rows(), object(whole)).is_none());
    }

    #[test]
    fn a_body_with_several_lists_or_with_none_of_objects_is_no_batch() {
        let number = json!({ "type": "integer" });
        let answer = object(json!({ "accepted": number, "errors": failures(json!({ "index": number })) }));
        let texts = json!({ "type": "array", "items": { "type": "string" } });
        let optional = json!({ "type": "array", "items": object(json!({ "id": { "type": "string" } })) });
        for sent in [object(json!({ "rows": rows(), "others": rows() })), object(json!({ "ids": texts })), optional] {
            assert!(guessed(sent.clone(), answer.clone()).is_none(), "{sent}");
        }
    }
}
