//! Unions in responses whose alternatives cannot be distinguished. The generator decodes the first alternative that fits, and
//! drops unknown members. If one alternative could be mistaken for another, the value is left undecoded.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Value, json};

use super::distinguished::DistinguishedUnion;
use super::walker::{Side, for_each_schema};
use crate::repair::Repairs;
use crate::walk;

/// Narrows the unions in responses whose first alternative could be mistaken for another one, except for the tagged ones.
pub(crate) fn narrow_ambiguous(
    document: &mut Value,
    requests: &BTreeSet<String>,
    tagged: &[DistinguishedUnion],
    repairs: &mut Repairs,
) {
    let tagged: HashSet<&str> = tagged.iter().map(|union| union.name.as_str()).collect();
    for_each_schema(document, |document, site, schema| {
        let is_tagged = site.component.as_deref().is_some_and(|name| tagged.contains(name));
        if site.side(requests) == Side::Request || is_tagged {
            return;
        }
        let mut found = false;
        walk::schemas(schema, &mut |inner| {
            if !is_ambiguous(document, inner) {
                return;
            }
            found = true;
            let nullable = inner.get("nullable").cloned();
            let names: Vec<&str> = inner["oneOf"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(walk::schema_name)
                .map(pointer_end)
                .collect();
            let which = if names.is_empty() { String::new() } else { format!(": `{}`", names.join("`, `")) };
            let mut any =
                json!({ "description": format!("Any JSON value: one of several objects that fit each other{which}.") });
            if let Some(nullable) = nullable {
                any["nullable"] = nullable;
            }
            *inner = any;
        });
        if found {
            let why = "an answer of one alternative would be read as another: any JSON value, which loses nothing";
            repairs.narrow("ambiguous-union", &site.pointer, why);
        }
    });
}

fn pointer_end(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Returns whether a value of a later alternative may have all members that an earlier one requires. For lists, the items are
/// compared.
fn is_ambiguous<'d>(document: &'d Value, schema: &'d Value) -> bool {
    let parts = || schema["oneOf"].as_array().into_iter().flatten().map(|part| walk::resolve(document, part));
    let objects = |parts: &mut dyn Iterator<Item = &'d Value>| -> Vec<&'d Value> {
        parts.filter(|part| walk::kind(part) == Some("object")).collect()
    };
    let items = parts().filter_map(|part| part.get("items")).map(|items| walk::resolve(document, items));
    are_ambiguous(document, &objects(&mut parts())) || are_ambiguous(document, &objects(&mut items.into_iter()))
}

fn are_ambiguous(document: &Value, alternatives: &[&Value]) -> bool {
    alternatives.iter().enumerate().any(|(index, later)| {
        let known = member_names(document, later, "properties");
        alternatives[..index].iter().any(|earlier| member_names(document, earlier, "required").is_subset(&known))
    })
}

/// Returns the names of an object's members, or of its required members, with those of its parts.
fn member_names(document: &Value, schema: &Value, key: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for part in walk::composed(document, schema) {
        match &part[key] {
            Value::Object(members) => names.extend(members.keys().cloned()),
            Value::Array(list) => names.extend(list.iter().filter_map(Value::as_str).map(str::to_owned)),
            _ => {}
        }
    }
    names
}
