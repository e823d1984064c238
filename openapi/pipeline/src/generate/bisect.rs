//! Bisects the client document for schemas that the generator cannot express, and narrows these, so that one odd schema does
//! not prevent the client.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::schema_record::describe;
use super::walker::schema_pointers;
use crate::normalize::PATH_GUARD;
use crate::repair::Repairs;
use crate::{pointer, walk};

/// The keywords that can be removed without changing the structure of a value, the least important first.
const DISPENSABLE: [&[&str]; 4] = [
    &["pattern"],
    &["enum"],
    &[
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "uniqueItems",
    ],
    &["format"],
];

/// The maximum number of generator runs for parts of one document.
const MAX_RUNS: usize = 4000;

/// A function that returns true if the generator can express a document.
type Accepts<'a> = &'a dyn Fn(&Value) -> bool;

/// Narrows the schemas that the generator cannot express; returns the operations (method, path) that it cannot express at
/// all.
pub(crate) fn narrow(document: &mut Value, accepts: Accepts<'_>, repairs: &mut Repairs) -> Vec<String> {
    let mut bisection = Bisection { accepts, budget: MAX_RUNS, repairs };
    let types_fit = bisection.narrow_components(document);
    let mut lost = Vec::new();
    let calls = walk::operation_pointers(document);
    // The whole document fails, so if all types pass, the cause is a call.
    bisection.bisect(document, &calls, types_fit, &calls_alone, &mut |bisection, document, at| {
        if !bisection.narrow_operation(document, at) {
            lost.push(at.clone());
        }
    });
    lost
}

struct Bisection<'a> {
    accepts: Accepts<'a>,
    budget: usize,
    repairs: &'a mut Repairs,
}

impl Bisection<'_> {
    fn fits(&mut self, document: &Value) -> bool {
        self.budget = self.budget.saturating_sub(1);
        (self.accepts)(document)
    }

    /// Checks each component with the components that it refers to, the smallest such group first: when a component is
    /// checked, the components that it refers to are repaired already. Returns whether all of them passed.
    fn narrow_components(&mut self, document: &mut Value) -> bool {
        let names: Vec<String> =
            walk::members(document, "/components/schemas").iter().map(|(at, _)| pointer::name(at)).collect();
        let mut groups: Vec<(usize, String)> = names
            .into_iter()
            .map(|name| (closure(document, &[&json!({ "$ref": reference(&name) })]).len(), name))
            .collect();
        groups.sort_by_key(|(size, _)| *size);
        let names: Vec<String> = groups.into_iter().map(|(_, name)| name).collect();
        self.bisect(document, &names, false, &components_alone, &mut |bisection, document, name| {
            let at = pointer::join("/components/schemas", name);
            let mut alone = components_alone(document, std::slice::from_ref(name));
            bisection.narrow_schema(&mut alone, &at, &json!({}));
            let narrowed = alone.pointer(&at).cloned();
            if let (Some(place), Some(schema)) = (document.pointer_mut(&at), narrowed) {
                *place = schema;
            }
        })
    }

    /// Checks all parts at once, and if they fail, each half of them, in their order: few of thousands are odd. `alone` makes
    /// a document of some parts, and `mend` is called with each part that fails. Parts that are known to fail are not
    /// checked. Returns whether all parts passed.
    fn bisect(
        &mut self,
        document: &mut Value,
        parts: &[String],
        is_known_odd: bool,
        alone: &dyn Fn(&Value, &[String]) -> Value,
        mend: &mut dyn FnMut(&mut Self, &mut Value, &String),
    ) -> bool {
        if parts.is_empty() || !is_known_odd && self.fits(&alone(document, parts)) {
            return true;
        }
        if let [part] = parts {
            mend(self, document, part);
            return false;
        }
        let (first, rest) = parts.split_at(parts.len() / 2);
        let first_fits = self.bisect(document, first, false, alone, mend);
        self.bisect(document, rest, first_fits, alone, mend);
        false
    }

    /// Narrows an operation that cannot be expressed. Returns `false` if that does not help.
    fn narrow_operation(&mut self, document: &mut Value, at: &String) -> bool {
        let mut alone = calls_alone(document, std::slice::from_ref(at));
        // All parts are replaced by their plainest form. Then each is restored, and narrowed if it fails.
        let parts: Vec<(String, Value, Value)> = schema_pointers(&alone)
            .into_iter()
            .filter(|part| part.starts_with("/paths/"))
            .filter_map(|part| {
                let own = alone.pointer(&part)?.clone();
                let plainest = most_general(&alone, &part);
                Some((part, own, plainest))
            })
            .collect();
        for (part, _, plainest) in &parts {
            replace(&mut alone, part, plainest);
        }
        if !self.fits(&alone) {
            return false;
        }
        for (part, own, plainest) in &parts {
            replace(&mut alone, part, own);
            self.narrow_schema(&mut alone, part, plainest);
        }
        if let (Some(place), Some(call)) = (document.pointer_mut(at), alone.pointer(at).cloned()) {
            *place = call;
        }
        true
    }

    /// Narrows the schema at a place of a small document until the generator can express it. Inner schemas are narrowed
    /// first: a list of odd values is still a list.
    fn narrow_schema(&mut self, document: &mut Value, at: &str, last_resort: &Value) {
        if self.fits(document) {
            return;
        }
        let Some(own) = document.pointer(at).cloned() else { return };
        let children = children(&own);
        let mut outer = own.clone();
        for child in &children {
            if let Some(inner) = outer.pointer_mut(child) {
                *inner = json!({});
            }
        }
        replace(document, at, &outer);
        // The guard of a path is part of its pattern.
        let is_guarded = last_resort.get("pattern").is_some();
        if !self.fits(document) && (is_guarded || !self.remove_keywords(document, at)) {
            let why = "the client generator cannot express it";
            self.repairs.narrow("any-value", at, format!("{why}: {}", description(last_resort)));
            let mut schema = last_resort.as_object().cloned().unwrap_or_default();
            if let Some(text) = own.get("description").filter(|text| text.is_string()) {
                schema.insert("description".to_owned(), text.clone());
            }
            describe(&mut schema, &format!("Any value: {why}."));
            return replace(document, at, &Value::Object(schema));
        }
        for child in children {
            let place = format!("{at}{child}");
            let Some(inner) = own.pointer(&child) else { continue };
            replace(document, &place, inner);
            if self.budget == 0 {
                replace(document, &place, &json!({}));
                self.repairs.narrow("any-value", &place, "too much of the document is odd: any JSON value");
            } else if !self.fits(document) {
                self.narrow_schema(document, &place, &json!({}));
            }
        }
    }

    /// Removes dispensable keywords from the schema.
    fn remove_keywords(&mut self, document: &mut Value, at: &str) -> bool {
        let Some(own) = document.pointer(at).and_then(Value::as_object).cloned() else { return false };
        for keys in DISPENSABLE {
            let mut without = own.clone();
            without.retain(|key, _| !keys.contains(&key.as_str()));
            if without.len() == own.len() {
                continue;
            }
            let gone: Vec<&str> = own.keys().map(String::as_str).filter(|key| keys.contains(key)).collect();
            describe(&mut without, &format!("Not checked before it is sent: `{}`.", gone.join("`, `")));
            replace(document, at, &Value::Object(without));
            if self.fits(document) {
                let note = format!("the client generator cannot express it, and does without: `{}`", gone.join("`, `"));
                self.repairs.narrow("unchecked", at, note);
                return true;
            }
        }
        replace(document, at, &Value::Object(own));
        false
    }
}

fn replace(document: &mut Value, at: &str, schema: &Value) {
    if let Some(place) = document.pointer_mut(at) {
        place.clone_from(schema);
    }
}

/// Returns the plainest schema of a part of a call: text for a parameter, any value elsewhere. The guard of a path is kept.
fn most_general(document: &Value, part: &str) -> Value {
    let Some(parameter) = part.strip_suffix("/schema").filter(|part| part.contains("/parameters/")) else {
        return json!({});
    };
    match document.pointer(parameter).map(|parameter| &parameter["in"]) {
        Some(place) if place == "path" => json!({ "type": "string", "pattern": PATH_GUARD }),
        _ => json!({ "type": "string" }),
    }
}

fn description(last_resort: &Value) -> &'static str {
    if last_resort["type"] == "string" { "any text" } else { "any JSON value" }
}

fn reference(name: &str) -> String {
    pointer::join("#/components/schemas", name)
}

/// Returns the pointers of the schemas directly inside a schema.
fn children(schema: &Value) -> Vec<String> {
    let mut found: Vec<String> = walk::members(schema, "/properties").into_iter().map(|(at, _)| at).collect();
    for key in ["items", "additionalProperties"] {
        if schema.get(key).is_some_and(Value::is_object) {
            found.push(format!("/{key}"));
        }
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        let count = schema.get(key).and_then(Value::as_array).map_or(0, Vec::len);
        found.extend((0..count).map(|index| format!("/{key}/{index}")));
    }
    found
}

/// Returns the names of the components that the nodes refer to, directly and indirectly.
fn closure(document: &Value, nodes: &[&Value]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut seen: HashSet<String> = HashSet::new();
    let mut open: Vec<String> = Vec::new();
    for node in nodes {
        walk::references(node, &mut |_, target| open.extend(walk::component(target).map(str::to_owned)));
    }
    while let Some(name) = open.pop() {
        let name = pointer::name(&name);
        if let Some(schema) = document["components"]["schemas"].get(&name)
            && seen.insert(name.clone())
        {
            walk::references(schema, &mut |_, target| open.extend(walk::component(target).map(str::to_owned)));
            found.push(name);
        }
    }
    found
}

/// Returns the document reduced to these components and those that they refer to.
fn components_alone(document: &Value, names: &[String]) -> Value {
    let references: Vec<Value> = names.iter().map(|name| json!({ "$ref": reference(name) })).collect();
    part_of(document, &closure(document, &references.iter().collect::<Vec<_>>()))
}

/// Returns the document reduced to these operations and the components that they refer to.
fn calls_alone(document: &Value, pointers: &[String]) -> Value {
    let calls: Vec<(&String, &Value)> = pointers.iter().filter_map(|at| Some((at, document.pointer(at)?))).collect();
    let nodes: Vec<&Value> = calls.iter().map(|(_, call)| *call).collect();
    let mut alone = part_of(document, &closure(document, &nodes));
    for (at, call) in calls {
        let (method, path) = walk::method_and_path(at);
        alone["paths"][path][method] = call.clone();
    }
    alone
}

/// Returns the document reduced to these components.
fn part_of(document: &Value, names: &[String]) -> Value {
    let all = &document["components"]["schemas"];
    let schemas: Map<String, Value> =
        names.iter().filter_map(|name| Some((name.clone(), all.get(name)?.clone()))).collect();
    json!({
        "openapi": document["openapi"], "info": document["info"], "paths": {}, "components": { "schemas": schemas },
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Returns a document with this number of components, each with a call; the patterns with these numbers are odd.
    fn document(count: usize, odd: &[usize]) -> Value {
        let mut document = json!({ "openapi": "3.0.3", "info": {}, "paths": {}, "components": { "schemas": {} } });
        for number in 0..count {
            let pattern = if odd.contains(&number) { "odd" } else { "plain" };
            let name = format!("S{number}");
            document["components"]["schemas"][&name] = json!({ "type": "string", "pattern": pattern });
            let content = json!({ "application/json": { "schema": { "$ref": reference(&name) } } });
            document["paths"][format!("/{number}")]["post"] =
                json!({ "operationId": name, "requestBody": { "content": content }, "responses": {} });
        }
        document
    }

    #[test]
    fn few_odd_parts_of_many_are_found_in_few_steps_and_nothing_else_is_touched() {
        for (count, odd) in [(1, vec![0]), (64, vec![5]), (1000, vec![0, 499, 999]), (1000, vec![])] {
            let mut found = document(count, &odd);
            let asked = Cell::new(0);
            let accepts = |part: &Value| {
                asked.set(asked.get() + 1);
                !part.to_string().contains("odd")
            };
            let mut repairs = Repairs::default();
            let lost = narrow(&mut found, &accepts, &mut repairs);
            assert!(lost.is_empty(), "{lost:?}");
            let places: Vec<&str> = repairs.iter().map(|repair| repair.pointer.as_str()).collect();
            let expected: Vec<String> = odd.iter().map(|number| format!("/components/schemas/S{number}")).collect();
            assert_eq!(places, expected);
            let mut whole = document(count, &odd);
            for at in &expected {
                replace(&mut whole, at, found.pointer(at).expect("it stays"));
            }
            assert_eq!(found, whole);
            // The whole document counts as odd, so if no part is odd, one descent through the halves is in vain.
            let steps = 2 + odd.len().max(1) * (2 * count.ilog2() as usize + 8);
            assert!(asked.get() <= steps, "{count}: {} of {steps}", asked.get());
        }
    }

    #[test]
    fn only_a_call_that_nothing_helps_is_lost() {
        let mut document = document(20, &[]);
        document["paths"]["/7"]["post"]["operationId"] = json!("odd");
        let lost = narrow(&mut document, &|part| !part.to_string().contains("odd"), &mut Repairs::default());
        assert_eq!(lost, ["/paths/~17/post"]);
    }
}
