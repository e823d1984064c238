//! Types of the bodies that refusals have: a schema of the components, or that of a response of the components, which is called after it.
//! The generator knows one type of error for a call; so these are types beside the calls, and the documentation says which status has
//! which. Other bodies are read as types of the caller's own.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::split;
use crate::pointer;
use crate::{Api, Operation, name, walk};

/// Where the client document keeps the schemas of an operation's refusals, by status.
pub(crate) const ERRORS: &str = "x-keyfit-errors";

/// Where responses are components.
const RESPONSES: &str = "#/components/responses/";

/// The schemas of refusals that are components, and those that become some.
pub(crate) struct Errors {
    taken: HashSet<String>,
    /// Schemas of responses, by their new name.
    pub(crate) added: Map<String, Value>,
    /// These names, by the name of the response.
    known: HashMap<String, String>,
}

impl Errors {
    pub(crate) fn new(api: &Api) -> Self {
        Self { taken: split::type_names(&api.document), added: Map::new(), known: HashMap::new() }
    }

    /// The references to the schemas of an operation's refusals, by status.
    pub(crate) fn of(&mut self, operation: &Operation, responses: &Value) -> Value {
        let mut found = Map::new();
        let has_success = !operation.success_statuses().is_empty();
        for (status, shape) in &operation.responses {
            // Where nothing else is documented, `default` is what a success looks like too.
            let is_refusal = status.starts_with(['4', '5']) || (status == "default" && has_success);
            let Some(schema) = shape.schema.as_ref().filter(|_| is_refusal && shape.is_json()) else { continue };
            let component = match walk::schema_name(schema) {
                Some(name) => (!name.contains('/')).then(|| name.to_owned()),
                None => self.of_response(responses, status, schema),
            };
            if let Some(component) = component {
                found.insert(status.clone(), json!({ "$ref": format!("#/components/schemas/{component}") }));
            }
        }
        Value::Object(found)
    }

    /// The name of the schema that a response of the components has for itself.
    fn of_response(&mut self, responses: &Value, status: &str, schema: &Value) -> Option<String> {
        let (_, response) = responses.as_object()?.iter().find(|(known, _)| known.eq_ignore_ascii_case(status))?;
        let response = response.get("$ref")?.as_str()?.strip_prefix(RESPONSES)?;
        // An object without members is as good as any JSON.
        schema.get("properties")?.as_object().filter(|members| !members.is_empty())?;
        if let Some(known) = self.known.get(response) {
            return Some(known.clone());
        }
        let fresh = name::fresh(&name::of_type(&pointer::name(response)), &mut self.taken);
        self.added.insert(fresh.clone(), schema.clone());
        self.known.insert(response.to_owned(), fresh.clone());
        Some(fresh)
    }
}

/// The types of the refusals of each function, each with its statuses.
pub(crate) type ErrorTypes = HashMap<String, Vec<(String, Vec<String>)>>;

/// Those of a client document, of the types that there are.
pub(crate) fn types(document: &Value, known: &HashSet<String>) -> ErrorTypes {
    let mut found = HashMap::new();
    for (_, call) in walk::operations(document) {
        let (Some(function), Some(errors)) = (call["operationId"].as_str(), call[ERRORS].as_object()) else { continue };
        let mut of_call: Vec<(String, Vec<String>)> = Vec::new();
        for (status, schema) in errors {
            let Some(kind) = walk::schema_name(schema).map(|name| name::of_type(&pointer::name(name))) else {
                continue;
            };
            match of_call.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, statuses)) => statuses.push(status.clone()),
                None if known.contains(&kind) => of_call.push((kind, vec![status.clone()])),
                None => {}
            }
        }
        if !of_call.is_empty() {
            found.insert(function.to_owned(), of_call);
        }
    }
    found
}

/// The names of the types of refusals.
pub(crate) fn names(document: &Value) -> impl Iterator<Item = String> {
    let calls = walk::operations(document).into_iter();
    let errors = calls.filter_map(|(_, call)| call[ERRORS].as_object()).flat_map(Map::values);
    errors.filter_map(walk::schema_name).map(|name| name::of_type(&pointer::name(name)))
}
