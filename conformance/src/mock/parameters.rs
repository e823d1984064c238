//! Checks whether the parameters of a request match the document.

use std::collections::BTreeMap;

use keyfit_openapi::{ListStyle, Operation, Parameter, ParameterLocation};
use serde_json::Value;

use super::call::{Call, Refusal};
use super::core::Core;
use super::mutant::Mutant;
use crate::{form, parameter};

impl Core {
    /// Checks the query; undocumented parameters are ignored.
    pub(super) fn query_parameters(&self, call: &Call, operation: &Operation) -> Result<(), Refusal> {
        for parameter in parameters(operation, ParameterLocation::Query) {
            if self.has_members(parameter) {
                if let Some(problem) = self.problem_of_object(call, operation, parameter) {
                    return Err(Refusal::new(self.bad_request(operation), format!("{} {problem}", parameter.name)));
                }
                continue;
            }
            let name = parameter::name(parameter);
            let sent: Vec<&str> =
                call.query.iter().filter(|(known, _)| *known == name).map(|(_, value)| value.as_str()).collect();
            let is_list = self.api.kind(&parameter.schema) == Some("array");
            let is_repeated = is_list && parameter.style.is_none_or(|style| style.separator().is_none());
            let problem = match sent[..] {
                [] if parameter.required && !self.has(Mutant::WaivesParameters) => Some("is missing".to_owned()),
                [] => None,
                _ if is_repeated => {
                    self.problem_of_list(parameter, sent.iter().map(|text| (*text).to_owned()).collect())
                }
                [one] => self.problem(parameter, one),
                _ => Some("is given more than once".to_owned()),
            };
            if let Some(problem) = problem {
                return Err(Refusal::new(self.bad_request(operation), format!("{} {problem}", parameter.name)));
            }
        }
        Ok(())
    }

    /// Returns whether the values of a parameter are objects, whose members are separate pairs.
    fn has_members(&self, parameter: &Parameter) -> bool {
        let schema = self.api.resolve(&parameter.schema);
        let items = || self.api.kind(self.api.resolve(&schema["items"]));
        match self.api.kind(schema) {
            Some("object") => true,
            Some("array") if parameter.style == Some(ListStyle::Brackets) => items() == Some("object"),
            _ => false,
        }
    }

    /// Returns the flaw of such a parameter. An object without members cannot be detected.
    fn problem_of_object(&self, call: &Call, operation: &Operation, parameter: &Parameter) -> Option<String> {
        if parameter.style != Some(ListStyle::Brackets) {
            return None;
        }
        let begins = |text: &str, name: &str| text.strip_prefix(name).is_some_and(|rest| rest.starts_with('['));
        // Members that the document names are separate parameters.
        let is_of_another = |text: &str| {
            parameters(operation, ParameterLocation::Query)
                .filter(|other| begins(&other.name, &parameter.name))
                .any(|other| text == other.name || begins(text, &other.name))
        };
        let own = call.query.iter().filter(|(name, _)| begins(name, &parameter.name) && !is_of_another(name));
        let own: Vec<(String, String)> = own.cloned().collect();
        if own.is_empty() {
            return None;
        }
        let schema = self.api.resolve(&parameter.schema);
        let value = form::of_brackets(&self.api, schema, &parameter.name, &own);
        self.mismatch(schema, &value).map(|mismatch| mismatch.problem)
    }

    /// Checks the headers: the required ones are present, and each matches its schema.
    pub(super) fn header_parameters(&self, call: &Call, operation: &Operation) -> Result<(), Refusal> {
        for parameter in parameters(operation, ParameterLocation::Header) {
            let sent = call.headers.get(&parameter.name).map(|value| String::from_utf8_lossy(value.as_bytes()));
            let problem = match sent {
                None if parameter.required && !self.has(Mutant::WaivesParameters) => Some("is missing".to_owned()),
                None => None,
                Some(text) => self.problem(parameter, &text),
            };
            if let Some(problem) = problem {
                return Err(Refusal::new(self.bad_request(operation), format!("{} {problem}", parameter.name)));
            }
        }
        Ok(())
    }

    /// Checks the path: an id that no resource can have is answered with 404.
    pub(super) fn path_parameters(
        &self,
        operation: &Operation,
        path: &BTreeMap<String, String>,
    ) -> Result<(), Refusal> {
        let is_bad = |parameter: &Parameter| {
            let sent = path.get(&parameter.name);
            // The pattern that all path parameters have; other constraints are not checked.
            sent.is_some_and(|text| text.contains('\\') || matches!(text.as_str(), "." | ".."))
                || sent.is_some_and(|text| self.problem(parameter, text).is_some())
        };
        if parameters(operation, ParameterLocation::Path).any(is_bad) {
            return Err(Refusal::new(404, "Not found"));
        }
        Ok(())
    }

    /// Returns the status with which an operation refuses invalid parameters.
    fn bad_request(&self, operation: &Operation) -> u16 {
        let documented = || [400, 422].into_iter().find(|status| operation.documents(*status));
        self.status_of_breach(operation).or_else(documented).unwrap_or(400)
    }

    /// Returns the flaw of a value, parsed by its schema.
    fn problem(&self, parameter: &Parameter, text: &str) -> Option<String> {
        let Some(mut values) = parameter::values(parameter, text) else {
            return Some("is not written as the document says".to_owned());
        };
        let schema = self.api.resolve(&parameter.schema);
        if self.api.kind(schema) == Some("array") {
            return self.problem_of_list(parameter, values);
        }
        let text = if values.len() == 1 { values.remove(0) } else { text.to_owned() };
        let value = self.typed(schema, text)?;
        self.mismatch(schema, &value).map(|mismatch| mismatch.problem)
    }

    /// Returns the flaw of the values of a list.
    fn problem_of_list(&self, parameter: &Parameter, values: Vec<String>) -> Option<String> {
        let schema = self.api.resolve(&parameter.schema);
        let items = self.api.resolve(&schema["items"]);
        let values: Option<Vec<Value>> = values.into_iter().map(|text| self.typed(items, text)).collect();
        self.mismatch(schema, &Value::Array(values?)).map(|mismatch| mismatch.problem)
    }

    /// Parses a text by its schema; `None` for unions and objects, which have several notations.
    fn typed(&self, schema: &Value, text: String) -> Option<Value> {
        match self.kind(schema) {
            Some("integer" | "number" | "boolean") => Some(serde_json::from_str(&text).unwrap_or(Value::String(text))),
            Some("string") => Some(Value::String(text)),
            _ => None,
        }
    }

    /// Returns the type of a schema, or of its only alternative besides null.
    fn kind<'s>(&'s self, schema: &'s Value) -> Option<&'s str> {
        let schema = self.api.resolve(schema);
        let variants = ["anyOf", "oneOf"].iter().filter_map(|key| schema.get(*key)?.as_array()).flatten();
        let mut variants = variants.filter(|variant| self.api.kind(variant) != Some("null"));
        match (self.api.kind(schema), variants.next(), variants.next()) {
            (Some(kind), _, _) => Some(kind),
            (None, Some(only), None) => self.kind(only),
            _ => None,
        }
    }
}

fn parameters(operation: &Operation, place: ParameterLocation) -> impl Iterator<Item = &Parameter> {
    operation.parameters.iter().filter(move |parameter| parameter.location == place)
}
