//! Path items and operations.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::bodies::BodyParameter;
use super::{Converter, copied, texts};
use crate::pointer;
use crate::versions::{UnsendableCall, is_method};

impl<'a> Converter<'a> {
    pub(super) fn paths(&mut self, paths: &'a Value) -> Value {
        let Some(items) = paths.as_object() else { return paths.clone() };
        let convert =
            |(path, item): (&String, &'a Value)| (path.clone(), self.path_item(item, &pointer::join("/paths", path)));
        Value::Object(items.iter().map(convert).collect())
    }

    fn path_item(&mut self, item: &'a Value, at: &str) -> Value {
        let Some(own) = item.as_object() else { return item.clone() };
        let shared = pointer::join(at, "parameters");
        let (plain, bodies) = self.split_parameters(item.get("parameters"), &shared);
        let mut converted = Map::new();
        for (key, value) in own {
            let value = match key.as_str() {
                "parameters" if value.is_array() => self.parameters(&plain, &shared),
                key if is_method(key) && value.is_object() => self.operation(value, &pointer::join(at, key), &bodies),
                _ => value.clone(),
            };
            converted.insert(key.clone(), value);
        }
        Value::Object(converted)
    }

    /// Converts an operation. `shared` are the parameters of the path item that are part of a body.
    fn operation(&mut self, operation: &'a Value, at: &str, shared: &[BodyParameter<'a>]) -> Value {
        let own = operation.as_object().into_iter().flatten();
        let list = pointer::join(at, "parameters");
        let (plain, mut bodies) = self.split_parameters(operation.get("parameters"), &list);
        let has_body = bodies.iter().any(BodyParameter::is_body);
        let names: HashSet<&str> = bodies.iter().filter_map(BodyParameter::name).collect();
        let inherited = shared.iter().filter(|given| {
            if given.is_body() { !has_body } else { given.name().is_none_or(|name| !names.contains(name)) }
        });
        let inherited: Vec<BodyParameter<'a>> = inherited.cloned().collect();
        bodies.extend(inherited);
        let mut converted = Map::new();
        for (key, value) in own {
            match key.as_str() {
                "consumes" | "produces" | "schemes" => {}
                "parameters" if value.is_array() => {
                    converted.insert(key.clone(), self.parameters(&plain, &list));
                }
                "responses" => {
                    let produces = operation.get("produces").map(|list| texts(Some(list)));
                    converted.insert(key.clone(), self.responses(value, &pointer::join(at, key), produces.as_deref()));
                }
                _ => drop(converted.insert(key.clone(), value.clone())),
            }
        }
        self.body(operation, &bodies, at, &mut converted);
        if let Some(servers) = self.servers_of(operation) {
            self.moves.add(pointer::join(at, "servers"), pointer::join(at, "schemes"));
            converted.insert("servers".to_owned(), servers);
        }
        Value::Object(converted)
    }

    /// Adds the request body of an operation.
    fn body(
        &mut self,
        operation: &'a Value,
        given: &[BodyParameter<'a>],
        at: &str,
        converted: &mut Map<String, Value>,
    ) {
        let place = pointer::join(at, "requestBody");
        if given.is_empty() {
            if converted.contains_key("requestBody") {
                self.repairs.note("mixed-versions", &place, "a key of OpenAPI 3.0 in a document of 2.0: read as there");
            }
            return;
        }
        if converted.contains_key("requestBody") {
            let note = "a key of OpenAPI 3.0 beside parameters of the body, which count in a document of 2.0";
            self.repairs.narrow("mixed-versions", &place, note);
        }
        let (bodies, forms): (Vec<&BodyParameter<'a>>, Vec<&BodyParameter<'a>>) =
            given.iter().partition(|given| given.is_body());
        if bodies.len() > 1 || !bodies.is_empty() && !forms.is_empty() {
            let what = if forms.is_empty() {
                "several parameters are its body"
            } else {
                "parameters of a form stand beside one that is the whole body"
            };
            let reason = format!("{what}, and a request has one body: leave one of them, by overlay");
            self.set_aside.push(UnsendableCall { at: at.to_owned(), reason });
        }
        let consumes = operation.get("consumes").map_or_else(|| self.consumes.clone(), |list| texts(Some(list)));
        let body = match bodies.first() {
            Some(body) => self.whole_body(body, &consumes, &place),
            None => self.form(&forms, consumes, at),
        };
        converted.insert("requestBody".to_owned(), body);
    }

    fn responses(&mut self, responses: &'a Value, at: &str, produces: Option<&[String]>) -> Value {
        let Some(own) = responses.as_object() else { return responses.clone() };
        let mut converted = Map::new();
        for (status, response) in own {
            let at = pointer::join(at, status);
            let is_extension = status.starts_with("x-");
            // The media types of an operation apply to its own responses only.
            let is_shared = response.get("$ref").is_some() && produces.is_none();
            let response = if is_extension || is_shared {
                response.clone()
            } else {
                let (whole, origin) = self.resolved(response, &at);
                self.response(whole, &at, &origin, produces)
            };
            converted.insert(status.clone(), response);
        }
        Value::Object(converted)
    }
}

/// Returns the vendor extensions, which are the same in both versions.
pub(super) fn extensions(from: &Map<String, Value>) -> Map<String, Value> {
    copied(from, |key| key.starts_with("x-"))
}

/// Returns `required` as a flag of 3.0; a value that is not a boolean counts as false.
pub(super) fn required(parameter: &Value) -> Value {
    json!(parameter.get("required") == Some(&json!(true)))
}
