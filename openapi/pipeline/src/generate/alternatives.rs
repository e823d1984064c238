//! Unions beside members that all their alternatives have. The generator copies these members to each alternative, and treats
//! `anyOf` like `oneOf`: a value that fits no alternative is refused, and of a value that fits two, members are lost.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value, json};

use super::walker::{Side, Site, for_each_schema, sites};
use super::{contradictions, distinguished, names, sharing};
use crate::repair::Repairs;
use crate::{name, pointer, walk};

/// Keywords that do not constrain values: they stay with the union.
const ANNOTATIONS: [&str; 8] =
    ["default", "deprecated", "description", "nullable", "readOnly", "title", "writeOnly", "x-keyfit"];

/// The maximum number of alternatives with types of their own.
const MAX_ALTERNATIVES: usize = 64;

/// Turns the members of an `anyOf` beside others into optional members: a value may fit several of its alternatives at once.
/// Required members are not checked.
pub(crate) fn merge(document: &mut Value, repairs: &mut Repairs) {
    for_each_schema(document, |document, site, schema| {
        walk::schemas(schema, &mut |inner| match merged(document, inner) {
            None => {}
            Some(MergeResult::OptionalMembers) => {
                let why = "not checked before it is sent: which members are required (`anyOf` beside others)";
                repairs.narrow("unchecked", &site.pointer, why);
            }
            Some(MergeResult::Any) => {
                repairs.narrow("alternatives", &site.pointer, "`oneOf` beside `anyOf`: any JSON value");
            }
        });
    });
}

/// The result of merging an `anyOf` beside others.
enum MergeResult {
    OptionalMembers,
    Any,
}

fn merged(document: &Value, schema: &mut Value) -> Option<MergeResult> {
    if distinguished::is_annotated(schema) || !has_objects_alone(document, schema) {
        convert_to_one_of(schema);
    }
    lift(document, schema);
    let object = schema.as_object_mut()?;
    let has = |key: &str| object.contains_key(key);
    if !has("anyOf") || !["allOf", "oneOf", "properties"].into_iter().any(has) {
        return None;
    }
    if !list(object, "anyOf").all(|part| is_object(document, part)) {
        // A schema with two unions has no Rust type.
        if has("oneOf") {
            let said = object.get("description").cloned();
            *schema = json!({ "description": said.unwrap_or_else(|| json!("Any JSON value.")) });
            return Some(MergeResult::Any);
        }
        return None;
    }
    let known = member_names(document, &Value::Object(object.clone()));
    let parts = object.shift_remove("anyOf");
    let mut members: Map<String, Value> = Map::new();
    let mut is_open = false;
    let parts = parts.as_ref().and_then(Value::as_array).into_iter().flatten();
    for part in parts.flat_map(|part| walk::composed(document, part)) {
        is_open |= part.get("additionalProperties").is_some_and(|others| *others != json!(false));
        for (name, member) in part["properties"].as_object().into_iter().flatten() {
            if known.contains(name) {
                continue;
            }
            let both = members.get(name).map_or_else(|| member.clone(), |other| either_schema(other, member));
            members.insert(name.clone(), both);
        }
    }
    object.insert("type".to_owned(), json!("object"));
    if let Some(own) = object.entry("properties").or_insert_with(|| json!({})).as_object_mut() {
        own.extend(members);
    }
    if is_open {
        object.insert("additionalProperties".to_owned(), json!({}));
    }
    Some(MergeResult::OptionalMembers)
}

/// Returns whether all alternatives of an `anyOf` are objects, whose members can be merged.
fn has_objects_alone(document: &Value, schema: &Value) -> bool {
    schema["anyOf"].as_array().into_iter().flatten().all(|part| is_object(document, part))
}

/// Turns an `anyOf` whose alternatives are distinguished by a member or by type into a `oneOf`: the generator would make one
/// struct of all.
fn convert_to_one_of(schema: &mut Value) {
    if schema.get("oneOf").is_none()
        && let Some(object) = schema.as_object_mut()
        && let Some(parts) = object.shift_remove("anyOf")
    {
        object.insert("oneOf".to_owned(), parts);
    }
}

/// Moves an `anyOf` that is a part of a composition up to the composition.
fn lift(document: &Value, schema: &mut Value) {
    if schema.get("anyOf").is_some() {
        return;
    }
    let is_union = |part: &Value| {
        let part = walk::resolve(document, part);
        let is_alone = ["allOf", "oneOf", "properties"].iter().all(|key| part.get(*key).is_none());
        part.get("anyOf").is_some() && is_alone && !distinguished::is_annotated(part)
    };
    let has_members = schema.get("properties").is_some();
    let Some(parts) = schema.get_mut("allOf").and_then(Value::as_array_mut) else { return };
    if parts.len() < 2 && !has_members {
        return;
    }
    if let Some(index) = parts.iter().position(is_union) {
        let union = walk::resolve(document, &parts.remove(index))["anyOf"].clone();
        schema["anyOf"] = union;
    }
}

/// Returns the schema of a member that two alternatives describe: the schema of both if they are equal, an enum of the texts
/// of both, or any value.
fn either_schema(one: &Value, other: &Value) -> Value {
    let plain = |schema: &Value| {
        let mut plain = schema.clone();
        plain.as_object_mut().into_iter().for_each(|plain| plain.retain(|key, _| !ANNOTATIONS.contains(&key.as_str())));
        plain
    };
    if plain(one) == plain(other) {
        return one.clone();
    }
    if let (Some(texts), Some(more)) = (one["enum"].as_array(), other["enum"].as_array())
        && texts.iter().chain(more).all(Value::is_string)
    {
        let added = more.iter().filter(|text| !texts.contains(text));
        return json!({ "type": "string", "enum": texts.iter().chain(added).collect::<Vec<_>>() });
    }
    json!({ "description": "Any JSON value: alternatives say different things of it." })
}

/// Distributes the members beside a union of responses to its alternatives. `requests` are the schemas that requests use.
pub(crate) fn distribute(document: &mut Value, requests: &BTreeSet<String>) {
    let mut taken = sharing::type_names(document);
    let mut open: Vec<Site> = sites(document).filter(|site| site.side(requests) == Side::Response).collect();
    open.reverse();
    while let Some(site) = open.pop() {
        let name = site.name(document);
        let Some(mut schema) = document.pointer_mut(&site.pointer).map(Value::take) else { continue };
        let mut distributor = MemberDistributor { document, taken: &mut taken, hoisted: Map::new() };
        distributor.schema(&mut schema, &name);
        let hoisted = distributor.hoisted;
        if let Some(place) = document.pointer_mut(&site.pointer) {
            *place = schema;
        }
        // A new type may have members beside another union.
        open.extend(hoisted.keys().rev().map(|name| Site::new(pointer::join("/components/schemas", name))));
        sharing::add(document, hoisted);
    }
}

struct MemberDistributor<'a> {
    document: &'a Value,
    /// The Rust names of schemas that are in use.
    taken: &'a mut HashSet<String>,
    hoisted: Map<String, Value>,
}

/// A union, with the schemas beside it.
struct UnionWithParts {
    /// The parts that every alternative has too.
    parts: Vec<Value>,
    alternatives: Vec<Value>,
    /// The discriminating member and its values, if there is one.
    tags: Option<Value>,
}

impl MemberDistributor<'_> {
    fn schema(&mut self, schema: &mut Value, name: &str) {
        names::for_each_inner(schema, name, &mut |inner, name| self.schema(inner, name));
        let Some(beside) = self.union_with_parts(schema, name) else { return };
        let (kept, alternatives): (Vec<usize>, Vec<Value>) = beside
            .alternatives
            .iter()
            .map(|alternative| with(alternative, &beside.parts))
            .enumerate()
            .filter(|(_, whole)| contradictions::is_satisfiable(self.document, whole))
            .unzip();
        if alternatives.is_empty() {
            return;
        }
        let named = alternatives.into_iter().zip(&kept).map(|(whole, index)| {
            let label = label(&beside.alternatives[*index], *index);
            self.hoist(&format!("{name}{label}"), whole)
        });
        let union: Vec<Value> = named.collect();
        let tags = beside.tags.map(|tags| distinguished::tags_of_some(tags, &kept));
        let Some(object) = schema.as_object_mut() else { return };
        object.retain(|key, _| ANNOTATIONS.contains(&key.as_str()));
        object.insert("oneOf".to_owned(), Value::Array(union));
        distinguished::record_tags(object, tags);
    }

    /// Returns a union of objects with the schemas beside it, if these constrain values. Otherwise keeps the union alone.
    fn union_with_parts(&mut self, schema: &mut Value, name: &str) -> Option<UnionWithParts> {
        let object = schema.as_object_mut()?;
        let has_union = |part: &Value| walk::resolve(self.document, part).get("oneOf").is_some();
        let is_own = object.contains_key("oneOf");
        let index = if is_own { None } else { Some(list(object, "allOf").position(has_union)?) };
        let union = match index {
            None => object.clone(),
            Some(index) => walk::resolve(self.document, &object["allOf"][index]).as_object()?.clone(),
        };
        let alternatives: Vec<Value> = list(&union, "oneOf").cloned().collect();
        let are_objects = alternatives.iter().all(|part| is_object(self.document, part));
        if !are_objects || !(2..=MAX_ALTERNATIVES).contains(&alternatives.len()) {
            return None;
        }
        let mut parts: Vec<Value> = list(object, "allOf").cloned().collect();
        let place = index.map(|index| parts.remove(index));
        let rests = [Some(&*object), place.is_some().then_some(&union)].into_iter().flatten();
        let mut rests: Vec<Value> = rests.map(constraints_beside).filter(constrains_object).collect();
        if place.is_some() {
            parts.extend(list(&union, "allOf").cloned());
        }
        parts.retain(constrains_object);
        if parts.is_empty() && rests.is_empty() {
            keep_union(object, place, &union);
            return None;
        }
        if let [only] = rests.as_mut_slice()
            && parts.is_empty()
        {
            parts.push(self.hoist(&format!("{name}Base"), only.take()));
        } else {
            parts.extend(rests);
        }
        Some(UnionWithParts { parts, alternatives, tags: distinguished::recorded_tags(&union) })
    }

    /// Gives a schema a name, and returns the reference to it.
    fn hoist(&mut self, wanted: &str, schema: Value) -> Value {
        let name = name::unique(wanted, self.taken);
        let reference = json!({ "$ref": pointer::join("#/components/schemas", &name) });
        self.hoisted.insert(name, schema);
        reference
    }
}

/// Keeps a union without constraints beside it.
fn keep_union(object: &mut Map<String, Value>, place: Option<Value>, union: &Map<String, Value>) {
    object.retain(|key, _| ANNOTATIONS.contains(&key.as_str()) || key == "oneOf");
    match place {
        None => {}
        Some(reference) if walk::schema_name(&reference).is_some() => {
            object.insert("allOf".to_owned(), json!([reference]));
        }
        Some(_) => object.extend(union.iter().map(|(key, value)| (key.clone(), value.clone()))),
    }
}

/// Returns an alternative with the parts added.
fn with(alternative: &Value, parts: &[Value]) -> Value {
    let mut whole = match walk::schema_name(alternative) {
        Some(_) => json!({ "allOf": [alternative] }),
        None => alternative.clone(),
    };
    let own = whole["allOf"].as_array().into_iter().flatten();
    whole["allOf"] = parts.iter().chain(own).cloned().collect();
    whole
}

/// Returns the constraints of an object beside its union.
fn constraints_beside(object: &Map<String, Value>) -> Value {
    let is_beside = |key: &str| !ANNOTATIONS.contains(&key) && !matches!(key, "allOf" | "oneOf");
    object.iter().filter(|(key, _)| is_beside(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Returns whether a schema constrains an object further than by its type.
fn constrains_object(schema: &Value) -> bool {
    let keys = schema.as_object().into_iter().flatten();
    let mut keys = keys.filter(|(key, _)| !ANNOTATIONS.contains(&key.as_str()));
    keys.any(|(key, value)| match key.as_str() {
        "type" => false,
        "additionalProperties" => value.as_object().is_some_and(|others| !others.is_empty()),
        _ => value.as_object().is_none_or(|members| !members.is_empty()),
    })
}

/// Returns the label of an alternative in the name of its type: its component or title, the only member that it requires, or
/// its index.
pub(crate) fn label(alternative: &Value, index: usize) -> String {
    let required: Vec<&str> =
        alternative["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let title = alternative["title"].as_str();
    let component = walk::schema_name(alternative).map(pointer::name);
    match (component, title, required.as_slice()) {
        (Some(component), _, _) => {
            let kind = name::of_type(&component);
            kind.strip_suffix("Answer").filter(|short| !short.is_empty()).unwrap_or(&kind).to_owned()
        }
        (_, Some(title), _) => name::of_type(title),
        (_, _, [only]) => name::of_type(only),
        _ => format!("Variant{index}"),
    }
}

/// Returns whether all values that fit are objects of one type.
pub(crate) fn is_object(document: &Value, schema: &Value) -> bool {
    let parts = walk::composed(document, schema);
    parts.iter().any(|part| walk::kind(part) == Some("object"))
        && parts.iter().all(|part| ["anyOf", "enum", "oneOf"].iter().all(|key| part.get(*key).is_none()))
}

/// Returns the names of an object's members, with those of its parts.
fn member_names(document: &Value, schema: &Value) -> HashSet<String> {
    let parts = walk::composed(document, schema);
    let members = parts.into_iter().flat_map(|part| part["properties"].as_object().into_iter().flatten());
    members.map(|(name, _)| name.clone()).collect()
}

fn list<'a>(object: &'a Map<String, Value>, key: &str) -> impl Iterator<Item = &'a Value> {
    object.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// Gives names to alternatives that are objects with a single member. The generator would take the member for the name of a
/// variant, and refuse an object with another member. In requests that is right if no other member is allowed.
pub(crate) fn name_single_members(document: &mut Value, requests: &BTreeSet<String>) {
    let mut taken = sharing::type_names(document);
    let mut hoisted = Map::new();
    for_each_schema(document, |document, site, schema| {
        single_members(schema, &site.name(document), site.side(requests), &mut |wanted, schema| {
            let name = name::unique(wanted, &mut taken);
            let reference = json!({ "$ref": pointer::join("#/components/schemas", &name) });
            hoisted.insert(name, std::mem::replace(schema, reference));
        });
    });
    sharing::add(document, hoisted);
}

fn single_members(schema: &mut Value, name: &str, side: Side, hoist: &mut dyn FnMut(&str, &mut Value)) {
    names::for_each_inner(schema, name, &mut |inner, name| single_members(inner, name, side, hoist));
    for key in ["anyOf", "oneOf"] {
        let Some(parts) = schema.get_mut(key).and_then(Value::as_array_mut) else { continue };
        let is_text = |part: &Value| part["enum"].as_array().is_some_and(|values| values.iter().all(Value::is_string));
        let is_closed =
            |part: &Value| is_text(part) || (side == Side::Request && part["additionalProperties"] == false);
        if parts.iter().all(is_closed) || !parts.iter().all(|part| is_text(part) || has_single_member(part)) {
            continue;
        }
        for (index, part) in parts.iter_mut().enumerate().filter(|(_, part)| has_single_member(part)) {
            hoist(&format!("{name}{}", label(part, index)), part);
        }
    }
}

/// Returns whether an object has a single member, which it requires.
fn has_single_member(schema: &Value) -> bool {
    let count =
        |key: &str| schema[key].as_object().map_or_else(|| schema[key].as_array().map_or(0, Vec::len), Map::len);
    count("properties") == 1 && count("required") == 1
}
