//! Names that would collide in Rust: types, and the arguments of one call. The generator gets other names; the names on the
//! wire stay as documented.

use std::collections::{HashMap, HashSet};

use heck::ToPascalCase as _;
use serde_json::{Map, Value, json};

use super::{batches, paging, polling, sharing, streams, walker};
use crate::repair::Repairs;
use crate::{Operation, name, pointer, walk};

/// Names that the generator's code uses unqualified in the module of the types.
const TAKEN_TYPES: [&str; 14] = [
    "AsRef", "Box", "Clone", "Debug", "Default", "Err", "From", "Into", "None", "Ok", "Some", "ToString", "TryFrom",
    "TryInto",
];

/// Methods that the builder of every call has, and local variables of its code that an argument would shadow.
const TAKEN_ARGUMENTS: [&str; 6] = ["client", "header_map", "new", "response", "send", "transmit"];

/// An argument whose name in the generator's input differs from its name on the wire.
#[derive(Clone, Debug)]
pub(crate) struct Alias {
    /// The name in the generator's input.
    pub(crate) alias: String,
    /// The name on the wire.
    pub(crate) wire: String,
}

/// Renames schemas whose names collide, or that mean something else in the generator's code.
pub(crate) fn types(document: &mut Value, repairs: &mut Repairs) {
    let names: Vec<String> =
        walk::members(document, "/components/schemas").iter().map(|(at, _)| pointer::name(at)).collect();
    let mut taken: HashSet<String> = names.iter().map(|name| name::of_type(name)).collect();
    taken.extend(TAKEN_TYPES.map(str::to_owned));
    let mut seen: HashSet<String> = TAKEN_TYPES.into_iter().map(str::to_owned).collect();
    let renamed: Vec<(String, String)> = names
        .into_iter()
        .filter(|name| !seen.insert(name::of_type(name)))
        .map(|name| {
            let new = name::unique(&name::of_type(&name), &mut taken);
            (name, new)
        })
        .collect();
    rename(document, &renamed, repairs);
}

/// Renames schemas and the references to them.
pub(crate) fn rename(document: &mut Value, renamed: &[(String, String)], repairs: &mut Repairs) {
    if renamed.is_empty() {
        return;
    }
    let map: HashMap<&str, String> = renamed.iter().map(|(old, new)| (old.as_str(), new.clone())).collect();
    sharing::rename(document, &map);
    let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) else { return };
    let all = std::mem::take(schemas);
    for (name, schema) in all {
        match map.get(name.as_str()) {
            Some(new) => {
                let at = pointer::join("/components/schemas", &name);
                repairs.note("type-name", &at, format!("its Rust name is taken: called `{new}`"));
                schemas.insert(new.clone(), schema);
            }
            None => drop(schemas.insert(name, schema)),
        }
    }
}

/// Removes titles that several different schemas share, and titles that are the name of a component: the generator names a
/// type after its title, and would merge types of one name or fail.
pub(crate) fn titles(document: &mut Value) {
    let components: HashSet<String> = sharing::type_names(document);
    let mut titled: HashMap<String, Value> = HashMap::new();
    let mut shared: HashSet<String> = HashSet::new();
    let places = walker::schema_pointers(document);
    let mut all = |change: &mut dyn FnMut(&mut Map<String, Value>, String)| {
        for at in &places {
            let Some(schema) = document.pointer_mut(at) else { continue };
            // A component has its own name. The non-null part of a nullable component is named after its title.
            let mut is_named = at.starts_with("/components/schemas/") && schema["nullable"] != true;
            walk::schemas(schema, &mut |inner| {
                if std::mem::take(&mut is_named) {
                    return;
                }
                let title = inner.get("title").and_then(Value::as_str).map(name::of_type);
                if let (Some(title), Some(object)) = (title, inner.as_object_mut()) {
                    change(object, title);
                }
            });
        }
    };
    all(&mut |object, title| {
        let schema = Value::Object(object.clone());
        let known = titled.entry(title.clone()).or_insert_with(|| schema.clone());
        if components.contains(&title) || *known != schema {
            shared.insert(title);
        }
    });
    all(&mut |object, title| {
        if shared.contains(&title) {
            object.shift_remove("title");
        }
    });
}

/// Calls `found` with each schema directly inside another one, and with its name by its place.
pub(crate) fn for_each_inner(schema: &mut Value, name: &str, found: &mut dyn FnMut(&mut Value, &str)) {
    let Some(object) = schema.as_object_mut() else { return };
    for (key, inner) in object.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        found(inner, &format!("{name}{}", key.to_pascal_case()));
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = object.get_mut(key).filter(|inner| inner.is_object()) {
            found(inner, &format!("{name}Item"));
        }
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        for (index, inner) in object.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten().enumerate() {
            found(inner, &format!("{name}Variant{index}"));
        }
    }
}

/// Moves a schema out of its place and leaves a reference to a component with this name. A reference cannot be nullable, so
/// the schema around it is.
pub(crate) fn hoist(place: &mut Value, name: &str) -> Value {
    let nullable = place.as_object_mut().and_then(|object| object.shift_remove("nullable"));
    let reference = json!({ "$ref": pointer::join("#/components/schemas", name) });
    let kept =
        if nullable == Some(json!(true)) { json!({ "nullable": true, "allOf": [reference] }) } else { reference };
    std::mem::replace(place, kept)
}

/// Gives the arguments of each call unique names. Returns the aliases by function.
pub(crate) fn arguments(
    document: &mut Value,
    operations: &[Operation],
    repairs: &mut Repairs,
) -> HashMap<String, Vec<Alias>> {
    let mut found = HashMap::new();
    let of = |has: &dyn Fn(&Operation) -> bool| -> HashSet<String> {
        operations.iter().filter(|operation| has(operation)).map(|operation| operation.function.clone()).collect()
    };
    let paged = of(&|operation| operation.pagination.is_some());
    let streaming = of(&|operation| operation.streaming.as_ref().is_some_and(|streaming| !streaming.is_only));
    let polled = of(&|operation| operation.polls);
    let writers = of(&|operation| operation.batching.is_some());
    for at in walk::operation_pointers(document) {
        let Some(call) = document.pointer_mut(&at).and_then(Value::as_object_mut) else { continue };
        let function = call["operationId"].as_str().unwrap_or_default().to_owned();
        let paging = paging::METHODS.iter().filter(|_| paged.contains(&function));
        let streaming = streams::METHODS.iter().filter(|_| streaming.contains(&function));
        let polling = polling::METHODS.iter().filter(|_| polled.contains(&function));
        let batches = batches::METHODS.iter().filter(|_| writers.contains(&function));
        let more: Vec<&str> = paging.chain(streaming).chain(polling).chain(batches).copied().collect();
        let aliases = arguments_of_call(call, &more, &at, repairs);
        let in_path: Vec<Alias> =
            aliases.iter().filter(|(_, is_path)| *is_path).map(|(alias, _)| alias.clone()).collect();
        if !in_path.is_empty() {
            rename_in_path(document, &at, &in_path);
        }
        if !aliases.is_empty() {
            found.insert(function, aliases.into_iter().map(|(alias, _)| alias).collect());
        }
    }
    found
}

fn arguments_of_call(
    call: &mut Map<String, Value>,
    methods: &[&str],
    at: &str,
    repairs: &mut Repairs,
) -> Vec<(Alias, bool)> {
    let mut taken: HashSet<String> = TAKEN_ARGUMENTS.iter().chain(methods).map(|name| (*name).to_owned()).collect();
    if call.contains_key("requestBody") {
        taken.insert("body".to_owned());
    }
    let mut aliases = Vec::new();
    // Path parameters first: their template is the part that callers know best.
    let mut parameters: Vec<&mut Value> =
        call.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten().collect();
    parameters.sort_by_key(|parameter| parameter["in"] != "path");
    for parameter in parameters {
        let wire = parameter["name"].as_str().unwrap_or_default().to_owned();
        let place = parameter["in"].as_str().unwrap_or_default().to_owned();
        if taken.insert(name::of_argument(&wire)) {
            continue;
        }
        let wanted = format!("{}_{place}", name::of_argument(&wire).trim_matches('_'));
        let mut alias = wanted.clone();
        let mut count = 2;
        while !taken.insert(name::of_argument(&alias)) {
            alias = format!("{wanted}_{count}");
            count += 1;
        }
        repairs.note(
            "argument-name",
            at,
            format!("the argument for `{wire}` is called `{alias}`: the other name is taken"),
        );
        parameter["name"] = json!(alias);
        aliases.push((Alias { alias, wire }, place == "path"));
    }
    aliases
}

/// Renames parameters in a path template, in which the generator finds them by name. All methods of a path share the
/// template.
fn rename_in_path(document: &mut Value, at: &str, aliases: &[Alias]) {
    let (method, path) = walk::method_and_path(at);
    let Some(paths) = document["paths"].as_object_mut() else { return };
    let mut template = path.clone();
    for Alias { alias, wire } in aliases {
        template = template.replace(&format!("{{{wire}}}"), &format!("{{{alias}}}"));
    }
    let Some(call) = paths.get_mut(&path).and_then(Value::as_object_mut).and_then(|item| item.shift_remove(&method))
    else {
        return;
    };
    let item = paths.entry(template).or_insert_with(|| json!({}));
    item[method] = call;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_of_a_component_that_may_be_null_does_not_meet_another_name() {
        let mut document = json!({ "openapi": "3.0.3", "paths": {}, "components": { "schemas": {
            "user": { "title": "User", "type": "object" },
            "maybe-user": { "title": "User", "type": "object", "nullable": true },
            "maybe-team": { "title": "Team", "type": "object", "nullable": true, "properties": {
                "lead": { "title": "Lead", "type": "object" },
            } },
        } } });
        titles(&mut document);
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["user"]["title"], "User");
        assert_eq!(schemas["maybe-user"]["title"], Value::Null);
        assert_eq!(schemas["maybe-team"]["title"], "Team");
        assert_eq!(schemas["maybe-team"]["properties"]["lead"]["title"], "Lead");
    }
}
