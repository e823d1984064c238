//! Types of error bodies: a component schema, or the schema of a response component, which gets the name of the response. The
//! generator supports one error type for a call. Therefore these types are separate, and the documentation states the
//! statuses of each. Callers decode other bodies as types of their own.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::sharing;
use crate::pointer;
use crate::{Api, Operation, name, walk};

/// The key of the client document that holds the schemas of an operation's error bodies, by status.
pub(crate) const ERRORS: &str = "x-keyfit-errors";

/// The prefix of references to response components.
const RESPONSES: &str = "#/components/responses/";

/// The schemas of error bodies: existing components and new ones.
pub(crate) struct Errors {
    taken: HashSet<String>,
    /// The new components from responses, by name.
    pub(crate) added: Map<String, Value>,
    /// These names, by the name of the response.
    known: HashMap<String, String>,
}

impl Errors {
    pub(crate) fn new(api: &Api) -> Self {
        Self { taken: sharing::type_names(&api.document), added: Map::new(), known: HashMap::new() }
    }

    /// Returns the references to the schemas of an operation's error bodies, by status.
    pub(crate) fn of(&mut self, operation: &Operation, responses: &Value) -> Value {
        let mut found = Map::new();
        let has_success = !operation.success_statuses().is_empty();
        for (status, shape) in &operation.responses {
            // If no success is documented, `default` describes a success too.
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

    /// Returns the name for the inline schema of a response component.
    fn of_response(&mut self, responses: &Value, status: &str, schema: &Value) -> Option<String> {
        let (_, response) = responses.as_object()?.iter().find(|(known, _)| known.eq_ignore_ascii_case(status))?;
        let response = response.get("$ref")?.as_str()?.strip_prefix(RESPONSES)?;
        // An object without members has no advantage over any JSON value.
        schema.get("properties")?.as_object().filter(|members| !members.is_empty())?;
        if let Some(known) = self.known.get(response) {
            return Some(known.clone());
        }
        let fresh = name::unique(&name::of_type(&pointer::name(response)), &mut self.taken);
        self.added.insert(fresh.clone(), schema.clone());
        self.known.insert(response.to_owned(), fresh.clone());
        Some(fresh)
    }
}

/// The error types of each function, each with its statuses.
pub(crate) type ErrorTypes = HashMap<String, Vec<(String, Vec<String>)>>;

/// Returns the error types of a client document, if they are among the known types.
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

/// Returns the names of all error types.
pub(crate) fn names(document: &Value) -> impl Iterator<Item = String> {
    let calls = walk::operations(document).into_iter();
    let errors = calls.filter_map(|(_, call)| call[ERRORS].as_object()).flat_map(Map::values);
    errors.filter_map(walk::schema_name).map(|name| name::of_type(&pointer::name(name)))
}
