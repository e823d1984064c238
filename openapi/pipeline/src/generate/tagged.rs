//! Unions of objects that a member tells apart: by `discriminator`, with the subtypes of a base, or by constants. In answers each
//! is an enum of ours, which goes by that member and keeps what it does not know.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::dialect::schema_pointers;
use super::{names, split};
use crate::repair::Repairs;
use crate::{name, pointer, walk};

/// Where a union says what its alternatives are told apart by, until [`settle`] has read it.
const TAGS: &str = "tags";

/// A union that one member tells apart.
#[derive(Clone, Debug)]
pub(crate) struct Tagged {
    /// The component.
    pub(crate) name: String,
    pub(crate) description: String,
    /// The member.
    pub(crate) tag: String,
    /// The alternatives: the component of each, and what the member is there.
    pub(crate) variants: Vec<Variant>,
}

/// An alternative.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    pub(crate) component: String,
    pub(crate) values: Vec<String>,
}

/// Makes a union of each base with a discriminator, and writes down what tells the alternatives of a union apart: while schemas have
/// the names that the document gave them, which are values of the member where nothing else is said.
pub(crate) fn annotate(document: &mut Value, repairs: &mut Repairs) {
    subtypes(document, repairs);
    let known = document.clone();
    for at in schema_pointers(&known) {
        let Some(schema) = document.pointer_mut(&at) else { continue };
        walk::schemas(schema, &mut |union| {
            if let (Some(tags), Some(object)) = (tags(&known, union), union.as_object_mut()) {
                let hints = object.entry("x-keyfit").or_insert_with(|| json!({}));
                if let Some(hints) = hints.as_object_mut() {
                    hints.insert(TAGS.to_owned(), tags);
                }
            }
        });
    }
}

/// A base that others are composed of, and that has a discriminator, stands for any of them.
fn subtypes(document: &mut Value, repairs: &mut Repairs) {
    let components: HashMap<String, Vec<String>> = walk::members(document, "/components/schemas")
        .into_iter()
        .map(|(at, schema)| {
            let parts = schema["allOf"].as_array().into_iter().flatten().filter_map(walk::schema_name);
            (pointer::name(&at), parts.map(pointer::name).collect())
        })
        .collect();
    let bases: Vec<String> = walk::members(document, "/components/schemas")
        .into_iter()
        .filter(|(_, schema)| {
            schema["discriminator"]["propertyName"].is_string()
                && alternatives(schema).is_none()
                && schema.get("$ref").is_none()
        })
        .map(|(at, _)| pointer::name(&at))
        .collect();
    let mut taken = split::type_names(document);
    for base in bases {
        let mut found: BTreeSet<&String> = BTreeSet::new();
        let mut open = vec![&base];
        while let Some(known) = open.pop() {
            for (name, parts) in &components {
                if parts.contains(known) && *name != base && found.insert(name) {
                    open.push(name);
                }
            }
        }
        if found.is_empty() {
            continue;
        }
        // In the document's order.
        let order: Vec<String> = walk::members(document, "/components/schemas")
            .iter()
            .map(|(at, _)| pointer::name(at))
            .filter(|name| found.contains(name))
            .collect();
        let own = name::fresh(&format!("{base}Base"), &mut taken);
        let reference = |name: &str| json!({ "$ref": pointer::join("#/components/schemas", name) });
        let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) else { return };
        for name in &order {
            for part in schemas.get_mut(name).and_then(|schema| schema["allOf"].as_array_mut()).into_iter().flatten() {
                if walk::schema_name(part).is_some_and(|part| pointer::name(part) == base) {
                    *part = reference(&own);
                }
            }
        }
        let Some(mut whole) = schemas.get(&base).cloned() else { continue };
        let mut union = Map::new();
        for key in ["discriminator", "description", "nullable"] {
            union.extend(
                whole.as_object_mut().and_then(|whole| whole.shift_remove(key)).map(|value| (key.to_owned(), value)),
            );
        }
        union.insert("oneOf".to_owned(), order.iter().map(|name| reference(name)).collect());
        schemas.insert(base.clone(), Value::Object(union));
        schemas.insert(own.clone(), whole);
        let at = pointer::join("/components/schemas", &base);
        repairs.note("subtypes", &at, format!("one of its subtypes; what they share is `{own}`"));
    }
}

/// The key of a union's alternatives, and those of them that are not null.
fn alternatives(schema: &Value) -> Option<(&'static str, Vec<&Value>)> {
    let key = ["oneOf", "anyOf"].into_iter().find(|key| schema.get(*key).is_some())?;
    let is_null = |part: &Value| part.get("type") == Some(&json!("null"));
    Some((key, schema[key].as_array()?.iter().filter(|part| !is_null(part)).collect()))
}

/// What tells the alternatives apart: the member, and its values for each.
fn tags(document: &Value, union: &Value) -> Option<Value> {
    let (_, parts) = alternatives(union)?;
    let is_alone = ["properties", "allOf"].iter().all(|key| union.get(key).is_none());
    let are_objects = parts.iter().all(|part| walk::kind(walk::resolve(document, part)) == Some("object"));
    if parts.len() < 2 || !is_alone || !are_objects {
        return None;
    }
    let told = |member: &str, of: &dyn Fn(&Value) -> Vec<String>| {
        let values: Vec<Vec<String>> = parts.iter().map(|part| of(part)).collect();
        let mut seen = HashSet::new();
        let are_apart = values.iter().all(|values| !values.is_empty() && values.iter().all(|value| seen.insert(value)));
        are_apart.then(|| json!({ "by": member, "values": values }))
    };
    if let Some(member) = union["discriminator"]["propertyName"].as_str() {
        let mapping = union["discriminator"]["mapping"].as_object();
        let of = |part: &Value| {
            let name = walk::schema_name(part).map(pointer::name);
            let leads = |target: &str| {
                name.as_ref().is_some_and(|name| {
                    target == name || walk::component(target).is_some_and(|target| pointer::name(target) == *name)
                })
            };
            let mapped = mapping.into_iter().flatten().filter(|(_, to)| to.as_str().is_some_and(leads));
            let mapped: Vec<String> = mapped.map(|(value, _)| value.clone()).collect();
            match constants(document, part, member) {
                _ if !mapped.is_empty() => mapped,
                constants if constants.is_empty() => name.into_iter().collect(),
                constants => constants,
            }
        };
        if let Some(tags) = told(member, &of) {
            return Some(tags);
        }
    }
    let members = members(document, parts[0]);
    members.iter().find_map(|member| told(member, &|part| constants(document, part, member)))
}

/// The texts that a member of an object may be, where they are listed.
fn constants(document: &Value, schema: &Value, member: &str) -> Vec<String> {
    let listed = walk::composed(document, schema).into_iter().find_map(|part| {
        let own = walk::resolve(document, part.get("properties")?.get(member)?);
        own["enum"].as_array().cloned().or_else(|| Some(vec![own.get("const")?.clone()]))
    });
    let texts = listed.filter(|values| values.iter().all(Value::is_string));
    texts.iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The names of an object's members, those that it requires first.
fn members(document: &Value, schema: &Value) -> Vec<String> {
    let parts = walk::composed(document, schema);
    let required = parts.iter().flat_map(|part| part["required"].as_array().into_iter().flatten());
    let required: HashSet<&str> = required.filter_map(Value::as_str).collect();
    let names = parts.iter().flat_map(|part| part["properties"].as_object().into_iter().flatten());
    let mut names: Vec<String> = names.map(|(name, _)| name.clone()).collect();
    names.sort_by_key(|name| !required.contains(name.as_str()));
    names
}

/// Gives the tagged unions of answers names, and their alternatives too. `requests` are the schemas that requests use: there a caller
/// chooses the alternative.
pub(crate) fn settle(document: &mut Value, requests: &BTreeSet<String>) -> Vec<Tagged> {
    let mut settler = Settler { taken: split::type_names(document), found: Vec::new(), hoisted: BTreeMap::new() };
    for at in schema_pointers(document) {
        let component = at.strip_prefix("/components/schemas/").map(pointer::name);
        let is_answer = component.as_ref().map_or_else(|| at.contains("/responses/"), |name| !requests.contains(name));
        let call = walk::method_and_path(at.split("/responses/").next().unwrap_or_default());
        let id = document["paths"][&call.1][&call.0]["operationId"].as_str().unwrap_or_default().to_owned();
        let Some(schema) = document.pointer_mut(&at) else { continue };
        match component {
            _ if !is_answer => walk::schemas(schema, &mut |inner| drop(taken_tags(inner))),
            Some(name) => settler.component(schema, &name),
            None => settler.inner(schema, &format!("{}Answer", name::of_type(&id))),
        }
    }
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        schemas.extend(settler.hoisted);
    } else if !settler.hoisted.is_empty() {
        document["components"]["schemas"] = Value::Object(settler.hoisted.into_iter().collect());
    }
    settler.found
}

/// The note of [`annotate`], which nobody needs any more.
fn taken_tags(schema: &mut Value) -> Option<Value> {
    let hints = schema.get_mut("x-keyfit")?.as_object_mut()?;
    let tags = hints.shift_remove(TAGS);
    if hints.is_empty() {
        schema.as_object_mut()?.shift_remove("x-keyfit");
    }
    tags
}

struct Settler {
    /// The Rust names of schemas that are taken.
    taken: HashSet<String>,
    found: Vec<Tagged>,
    hoisted: BTreeMap<String, Value>,
}

impl Settler {
    fn component(&mut self, schema: &mut Value, name: &str) {
        self.members(schema, name);
        if let Some((tag, values)) = tags_of(schema) {
            self.union(schema, name, tag, values);
        }
    }

    fn inner(&mut self, schema: &mut Value, name: &str) {
        self.members(schema, name);
        let Some((tag, values)) = tags_of(schema) else { return };
        let name = name::fresh(name, &mut self.taken);
        self.union(schema, &name, tag, values);
        let whole = names::hoist(schema, &name);
        self.hoisted.insert(name, whole);
    }

    fn members(&mut self, schema: &mut Value, name: &str) {
        names::inside(schema, name, &mut |inner, name| self.inner(inner, name));
    }

    /// Gives each alternative a name.
    fn union(&mut self, schema: &mut Value, name: &str, tag: String, values: Vec<Vec<String>>) {
        let description = schema["description"].as_str().unwrap_or_default().to_owned();
        let key = if schema.get("oneOf").is_some() { "oneOf" } else { "anyOf" };
        let parts = schema[key].as_array_mut().into_iter().flatten();
        let variants = parts
            .zip(values)
            .map(|(part, values)| {
                let known = walk::schema_name(part).map(pointer::name);
                let component = known.unwrap_or_else(|| {
                    let wanted = format!("{name}{}", name::of_type(&values[0]));
                    let component = name::fresh(&wanted, &mut self.taken);
                    let reference = json!({ "$ref": pointer::join("#/components/schemas", &component) });
                    self.hoisted.insert(component.clone(), std::mem::replace(part, reference));
                    component
                });
                Variant { component, values }
            })
            .collect();
        self.found.push(Tagged { name: name.to_owned(), description, tag, variants });
    }
}

/// What tells the alternatives of a union apart, if all of them are still there.
fn tags_of(schema: &mut Value) -> Option<(String, Vec<Vec<String>>)> {
    let tags = taken_tags(schema)?;
    let values: Vec<Vec<String>> = serde_json::from_value(tags["values"].clone()).ok()?;
    let (_, parts) = alternatives(schema)?;
    (parts.len() == values.len()).then(|| Some((tags["by"].as_str()?.to_owned(), values)))?
}
