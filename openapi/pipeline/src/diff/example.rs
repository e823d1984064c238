//! The examples of the rules, as complete documents.

use serde_json::{Map, Value};

use super::Document;
use super::rules::{ExamplePart, Rule};
use crate::parse::ParsedText;
use crate::{Error, Text};

/// The document into which the fragments of all examples are merged.
pub const BASE: &str = "\
openapi: 3.0.3
info: {title: Pets, version: 1.0.0}
servers: [{url: https://api.example.com}]
paths:
  /pets:
    get:
      operationId: pets-list
      responses: {'200': {description: The pets}}
    post:
      operationId: pets-create
      security: [{key: []}, {login: []}, {web: []}]
      responses: {'201': {description: The pet}}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
    login:
      type: oauth2
      flows:
        clientCredentials: {tokenUrl: https://login.example.com/token, scopes: {read: See pets, write: Change pets}}
";

/// Returns the documents of a rule's example, before and after, as JSON.
///
/// # Errors
/// Returns an error if a fragment is not YAML, which is a mistake in the table.
pub fn texts(rule: &Rule) -> Result<(Text, Text), Error> {
    let text = |name: &str, fragment: &str| {
        let mut document = ParsedText::read(&Text::new("base.yaml", BASE))?.value;
        let fragment = ParsedText::read(&Text::new(rule.id, fragment))?.value;
        merge(&mut document, at_place(rule.at, fragment));
        Ok(Text::new(format!("{name}.json"), format!("{document:#}")))
    };
    Ok((text("old", rule.old)?, text("new", rule.new)?))
}

/// Returns the same documents, parsed.
///
/// # Errors
/// Returns an error if [`texts`] does, or if a document cannot be read.
pub fn documents(rule: &Rule) -> Result<(Document, Document), Error> {
    let (old, new) = texts(rule)?;
    Ok((Document::read(&old)?, Document::read(&new)?))
}

/// Returns the fragment at its place in an otherwise empty document.
fn at_place(at: ExamplePart, fragment: Value) -> Value {
    let body = ["content", "application/json", "schema"];
    let path: Vec<&str> = match at {
        ExamplePart::Document => vec![],
        ExamplePart::Operation => vec!["paths", "/pets", "get"],
        ExamplePart::Request => [&["paths", "/pets", "post", "requestBody"][..], &body].concat(),
        ExamplePart::Answer => [&["paths", "/pets", "get", "responses", "200"][..], &body].concat(),
        ExamplePart::Refusal => [&["paths", "/pets", "get", "responses", "404"][..], &body].concat(),
    };
    path.into_iter().rev().fold(fragment, |inner, key| Value::Object(Map::from_iter([(key.to_owned(), inner)])))
}

/// Applies a merge patch (RFC 7386): members are merged, null removes, everything else is replaced.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(members) = target.as_object_mut() else { return };
    for (key, value) in patch {
        if value.is_null() {
            members.shift_remove(&key);
        } else {
            merge(members.entry(key).or_insert(Value::Null), value);
        }
    }
}
