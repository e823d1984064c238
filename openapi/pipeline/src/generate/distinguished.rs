//! Unions of objects that can be distinguished: by the value of one member (`discriminator`, with the subtypes of a base, or
//! constants), or by their members. In responses each becomes an enum of ours, which keeps unknown values.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::walker::{Side, for_each_schema};
use super::{alternatives, names, sharing};
use crate::repair::Repairs;
use crate::{name, pointer, walk};

/// The key of a union for its discriminating values, until [`extract`] has read it.
const TAGS_KEY: &str = "tags";

/// A union whose alternatives can be distinguished.
#[derive(Clone, Debug)]
pub(crate) struct DistinguishedUnion {
    /// The component.
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) distinction: Distinction,
    /// The components of the alternatives.
    pub(crate) variants: Vec<String>,
}

/// The distinction between the alternatives of a union.
#[derive(Clone, Debug)]
pub(crate) enum Distinction {
    /// A member, with its values for each alternative.
    ByTag { tag: String, values: Vec<Vec<String>> },
    /// The members that each alternative requires and knows.
    ByMembers(Vec<MemberNames>),
}

/// The names of members of one alternative.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemberNames {
    pub(crate) required: BTreeSet<String>,
    /// The members that its type has fields for.
    pub(crate) known: BTreeSet<String>,
}

/// Makes a union of each base with a discriminator, and records the distinction between the alternatives of each union. It
/// runs while schemas still have the document's names, which are the default values of a discriminator.
pub(crate) fn annotate(document: &mut Value, repairs: &mut Repairs) {
    subtypes(document, repairs);
    let known = document.clone();
    for_each_schema(document, |_, _, schema| {
        walk::schemas(schema, &mut |union| {
            let tags = tags(&known, union);
            union.as_object_mut().into_iter().for_each(|union| record_tags(union, tags.clone()));
        });
    });
}

/// Records the discriminating values of a union.
pub(crate) fn record_tags(union: &mut Map<String, Value>, tags: Option<Value>) {
    let Some(tags) = tags else { return };
    let hints = union.entry("x-keyfit").or_insert_with(|| json!({}));
    if let Some(hints) = hints.as_object_mut() {
        hints.insert(TAGS_KEY.to_owned(), tags);
    }
}

/// Returns the recorded discriminating values of a union.
pub(crate) fn recorded_tags(union: &Map<String, Value>) -> Option<Value> {
    union.get("x-keyfit")?.get(TAGS_KEY).cloned()
}

/// Returns whether a member distinguishes the alternatives of a union.
pub(crate) fn is_annotated(schema: &Value) -> bool {
    schema.as_object().is_some_and(|union| recorded_tags(union).is_some())
}

/// Returns the discriminating values for a union with only some of the alternatives.
pub(crate) fn tags_of_some(mut tags: Value, kept: &[usize]) -> Value {
    tags["values"] = kept.iter().map(|index| tags["values"][index].clone()).collect();
    tags
}

/// Replaces references to a base with a discriminator by a union of its subtypes.
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
    let mut taken = sharing::type_names(document);
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
        let own = name::unique(&format!("{base}Base"), &mut taken);
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

/// Returns the key of a union's alternatives, and the alternatives without null.
fn alternatives(schema: &Value) -> Option<(&'static str, Vec<&Value>)> {
    let key = ["oneOf", "anyOf"].into_iter().find(|key| schema.get(*key).is_some())?;
    let is_null = |part: &Value| part.get("type") == Some(&json!("null"));
    Some((key, schema[key].as_array()?.iter().filter(|part| !is_null(part)).collect()))
}

/// Returns the discriminating member of a union, and its values for each alternative.
fn tags(document: &Value, union: &Value) -> Option<Value> {
    let (_, parts) = alternatives(union)?;
    let are_objects = parts.iter().all(|part| walk::kind(walk::resolve(document, part)) == Some("object"));
    if parts.len() < 2 || !are_objects {
        return None;
    }
    let distinction = |member: &str, of: &dyn Fn(&Value) -> Vec<String>| {
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
        if let Some(tags) = distinction(member, &of) {
            return Some(tags);
        }
    }
    let members = members(document, parts[0]);
    members.iter().find_map(|member| distinction(member, &|part| constants(document, part, member)))
}

/// Returns the texts that a member of an object may have, if they are listed.
fn constants(document: &Value, schema: &Value, member: &str) -> Vec<String> {
    let listed = walk::composed(document, schema).into_iter().find_map(|part| {
        let own = walk::resolve(document, part.get("properties")?.get(member)?);
        own["enum"].as_array().cloned().or_else(|| Some(vec![own.get("const")?.clone()]))
    });
    let texts = listed.filter(|values| values.iter().all(Value::is_string));
    texts.iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Returns the names of an object's members, the required ones first.
fn members(document: &Value, schema: &Value) -> Vec<String> {
    let parts = walk::composed(document, schema);
    let required = parts.iter().flat_map(|part| part["required"].as_array().into_iter().flatten());
    let required: HashSet<&str> = required.filter_map(Value::as_str).collect();
    let names = parts.iter().flat_map(|part| part["properties"].as_object().into_iter().flatten());
    let mut names: Vec<String> = names.map(|(name, _)| name.clone()).collect();
    names.sort_by_key(|name| !required.contains(name.as_str()));
    names
}

/// Names the unions of responses whose alternatives can be distinguished, and the alternatives. `requests` are the schemas
/// that requests use: in requests, the caller chooses the alternative.
pub(crate) fn extract(document: &mut Value, requests: &BTreeSet<String>) -> Vec<DistinguishedUnion> {
    let mut taken = sharing::type_names(document);
    let (mut found, mut hoisted) = (Vec::new(), Map::new());
    for_each_schema(document, |document, site, schema| {
        let mut extractor = Extractor { document, taken: &mut taken, found: &mut found, hoisted: &mut hoisted };
        match &site.component {
            _ if site.side(requests) == Side::Request => walk::schemas(schema, &mut |inner| drop(take_tags(inner))),
            Some(name) => extractor.component(schema, name),
            None => extractor.inner(schema, &site.name(document)),
        }
    });
    sharing::add(document, hoisted);
    found
}

/// Removes and returns the record of [`annotate`].
fn take_tags(schema: &mut Value) -> Option<Value> {
    let hints = schema.get_mut("x-keyfit")?.as_object_mut()?;
    let tags = hints.shift_remove(TAGS_KEY);
    if hints.is_empty() {
        schema.as_object_mut()?.shift_remove("x-keyfit");
    }
    tags
}

struct Extractor<'a> {
    document: &'a Value,
    /// The Rust names of schemas that are in use.
    taken: &'a mut HashSet<String>,
    found: &'a mut Vec<DistinguishedUnion>,
    hoisted: &'a mut Map<String, Value>,
}

impl Extractor<'_> {
    fn component(&mut self, schema: &mut Value, name: &str) {
        self.members(schema, name);
        if let Some(distinction) = self.distinction(schema) {
            self.union(schema, name, distinction);
        }
    }

    fn inner(&mut self, schema: &mut Value, name: &str) {
        self.members(schema, name);
        let Some(distinction) = self.distinction(schema) else { return };
        let name = name::unique(name, self.taken);
        self.union(schema, &name, distinction);
        let whole = names::hoist(schema, &name);
        self.hoisted.insert(name, whole);
    }

    fn members(&mut self, schema: &mut Value, name: &str) {
        names::for_each_inner(schema, name, &mut |inner, name| self.inner(inner, name));
    }

    /// Returns the distinction between the alternatives of a union, if all of them still exist and no other keywords are
    /// beside them.
    fn distinction(&self, schema: &mut Value) -> Option<Distinction> {
        let tags = take_tags(schema);
        if ["allOf", "properties"].iter().any(|key| schema.get(*key).is_some()) {
            return None;
        }
        let (key, parts) = alternatives(schema)?;
        let by_tag = tags.and_then(|tags| {
            let values: Vec<Vec<String>> = serde_json::from_value(tags["values"].clone()).ok()?;
            let tag = tags["by"].as_str()?.to_owned();
            (parts.len() == values.len()).then_some(Distinction::ByTag { tag, values })
        });
        by_tag.or_else(|| by_members(self.document, &parts, key == "oneOf").map(Distinction::ByMembers))
    }

    /// Gives each alternative a name.
    fn union(&mut self, schema: &mut Value, name: &str, distinction: Distinction) {
        let description = schema["description"].as_str().unwrap_or_default().to_owned();
        let key = if schema.get("oneOf").is_some() { "oneOf" } else { "anyOf" };
        let parts = schema[key].as_array_mut().into_iter().flatten();
        let variants = parts
            .enumerate()
            .map(|(index, part)| {
                let label = match &distinction {
                    Distinction::ByTag { values, .. } => name::of_type(&values[index][0]),
                    Distinction::ByMembers(_) => alternatives::label(part, index),
                };
                let known = walk::schema_name(part).map(pointer::name);
                known.unwrap_or_else(|| {
                    let component = name::unique(&format!("{name}{label}"), self.taken);
                    let reference = json!({ "$ref": pointer::join("#/components/schemas", &component) });
                    self.hoisted.insert(component.clone(), std::mem::replace(part, reference));
                    component
                })
            })
            .collect();
        self.found.push(DistinguishedUnion { name: name.to_owned(), description, distinction, variants });
    }
}

/// Returns the members by which objects can be distinguished: of two objects, one requires a member that the other does not
/// have; if a value may fit both, each does.
fn by_members(document: &Value, parts: &[&Value], is_one_of: bool) -> Option<Vec<MemberNames>> {
    if !(2..=MAX_ALTERNATIVES).contains(&parts.len())
        || !parts.iter().all(|part| alternatives::is_object(document, part))
    {
        return None;
    }
    let mut members: Vec<MemberNames> = parts.iter().map(|part| MemberNames::of(document, part)).collect();
    let is_told = |one: &MemberNames, other: &MemberNames| !one.required.is_subset(&other.known);
    let are_apart = members.iter().enumerate().all(|(index, one)| {
        members[..index].iter().all(|other| match (is_told(one, other), is_told(other, one)) {
            (one, other) if is_one_of => one || other,
            (one, other) => one && other,
        })
    });
    if !are_apart {
        return None;
    }
    let all: BTreeSet<String> = members.iter().flat_map(|one| &one.known).cloned().collect();
    let common = |name: &String| members.iter().all(|one| one.known.contains(name));
    let shared: HashSet<String> = all.iter().filter(|name| common(name)).cloned().collect();
    for (one, part) in members.iter_mut().zip(parts) {
        if walk::composed(document, part).iter().any(|part| part["additionalProperties"].is_object()) {
            one.known.clone_from(&all);
        }
        one.known.retain(|name| !shared.contains(name));
    }
    Some(members)
}

/// The maximum number of alternatives that are distinguished by their members.
const MAX_ALTERNATIVES: usize = 64;

impl MemberNames {
    fn of(document: &Value, schema: &Value) -> Self {
        let mut members = Self::default();
        for part in walk::composed(document, schema) {
            let required = part["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            members.required.extend(required.map(str::to_owned));
            members.known.extend(part["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()));
        }
        members.known.extend(members.required.iter().cloned());
        members
    }
}
