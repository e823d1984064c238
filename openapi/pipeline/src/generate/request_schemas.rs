//! The schemas of requests: kept strict, without features that the generator's code does not support.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value, json};

use super::schema_record::describe;
use super::walker::{Side, Site, sites};
use crate::normalize::unchecked_reason;
use crate::plain::short;
use crate::repair::Repairs;
use crate::{name, walk};

/// The maximum number of values in the description of an enum that cannot be a Rust enum.
const MAX_SHOWN_VALUES: usize = 100;

/// Repairs the schemas that requests use: component schemas, parameters and bodies.
pub(crate) fn repair(document: &mut Value, requests: &BTreeSet<String>, repairs: &mut Repairs) {
    let mut sites: Vec<Site> = sites(document).filter(|site| site.side(requests) == Side::Request).collect();
    // The repairs of components are listed by name, before those of calls.
    sites.sort_by_cached_key(|site| (site.component.is_none(), site.component.clone()));
    for site in sites {
        if let Some(schema) = document.pointer_mut(&site.pointer) {
            repair_schema(schema, &site.pointer, repairs);
        }
    }
}

fn repair_schema(schema: &mut Value, at: &str, repairs: &mut Repairs) {
    let mut done = BTreeSet::new();
    let mut narrowed = BTreeSet::new();
    walk::schemas(schema, &mut |schema| {
        let Some(object) = schema.as_object_mut() else { return };
        // With `true` the generator would drop the additional members that the document allows; with `{}` they are kept in
        // `extra`.
        if object.get("additionalProperties") == Some(&json!(true)) {
            object.insert("additionalProperties".to_owned(), json!({}));
            done.insert(("extra-members", "members beyond the named ones are kept"));
        }
        // The generator would use a type from a crate that the client does not depend on.
        if object.get("format") == Some(&json!("uuid")) {
            object.shift_remove("format");
            done.insert(("uuid", "a uuid is a string"));
        }
        narrowed.extend(normalize_enum(object).map(|why| ("enum", why.to_owned())));
        if let Some(why) = object.get("pattern").and_then(Value::as_str).and_then(unchecked_reason) {
            let pattern = object.shift_remove("pattern").unwrap_or_default();
            describe(
                object,
                &format!(
                    "Not checked before it is sent: the pattern `{}`.",
                    short(pattern.as_str().unwrap_or_default())
                ),
            );
            narrowed.insert(("pattern", format!("not checked before it is sent: {why}")));
        }
    });
    for (rule, note) in done {
        repairs.note(rule, at, note);
    }
    for (rule, note) in narrowed {
        repairs.narrow(rule, at, note);
    }
}

/// Converts an enum to the form that the generator reads, or drops it and returns the reason.
fn normalize_enum(object: &mut Map<String, Value>) -> Option<&'static str> {
    let values = object.get("enum")?.as_array()?.clone();
    let mut kept: Vec<Value> = Vec::new();
    for value in &values {
        if value.is_null() {
            object.insert("nullable".to_owned(), json!(true));
        } else if !kept.contains(value) {
            kept.push(value.clone());
        }
    }
    let mut names = HashSet::new();
    let texts = kept.iter().filter_map(Value::as_str).count();
    let why = match object.get("type").and_then(Value::as_str) {
        _ if kept.is_empty() => Some("an enum without values: any value"),
        None if texts < kept.len() => Some("an enum of several types: any value"),
        Some("string") if texts < kept.len() => Some("an enum with values that are no text: any text"),
        Some("integer") if !kept.iter().all(Value::is_i64) => Some("an enum with values that are no integers: any one"),
        Some("number" | "boolean") => Some("an enum of values that are no names: any value of the type"),
        _ if kept.iter().filter_map(Value::as_str).any(|text| !names.insert(variant(text))) => {
            Some("an enum whose values give one Rust name: any text")
        }
        _ => None,
    };
    if why.is_none() {
        object.insert("enum".to_owned(), Value::Array(kept));
        return None;
    }
    object.shift_remove("enum");
    if texts > 0 && texts == kept.len() {
        object.entry("type").or_insert_with(|| json!("string"));
    }
    let known: Vec<String> = values.iter().take(MAX_SHOWN_VALUES).map(Value::to_string).collect();
    let more = if values.len() > MAX_SHOWN_VALUES {
        format!(" and {} more", values.len() - MAX_SHOWN_VALUES)
    } else {
        String::new()
    };
    describe(object, &format!("Known values: `{}`{more}.", known.join("`, `")));
    why
}

/// Returns the generator's name for a value: values without letters have the same name.
fn variant(text: &str) -> String {
    name::of_type(text)
}
