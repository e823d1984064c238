//! Tests that each violation breaks its constraint and nothing else.

use serde_json::json;

use super::*;
use crate::schema::{self, Direction};
use crate::{Source, Text};

fn api() -> Api {
    let document = json!({
        "openapi": "3.1.0",
        "info": { "title": "a", "version": "1" },
        "paths": {},
        "components": { "schemas": {
            "Named": { "type": "object", "required": ["name"], "properties": { "name": { "type": "string", "minLength": 2, "maxLength": 4 } } },
        } },
    });
    let document = Text::new("a.json", document.to_string());
    let source = Source { name: "a".to_owned(), document, overlay: None, contract: None };
    Api::read(&source).unwrap_or_else(|error| panic!("{error}"))
}

fn descriptions(schema: &Value, value: &Value, written: ValueFormat) -> Vec<String> {
    let api = api();
    let found = violations(&api, schema, value, written, &|_| MAX_VIOLATIONS);
    for violation in &found {
        let fits = schema::mismatch(&api, Direction::Request, schema, &violation.applied(value)).is_none();
        assert_eq!(fits, violation.constraint.is_none(), "{violation:?}");
    }
    let description = |violation: &Violation| {
        violation.constraint.map(|constraint| format!("{constraint:?} {}: {}", violation.at, violation.description))
    };
    found.iter().filter_map(description).collect()
}

#[test]
fn each_thing_that_a_schema_says_is_broken_once() {
    let schema = json!({
        "allOf": [{ "$ref": "#/components/schemas/Named" }],
        "required": ["count"],
        "properties": {
            "count": { "type": "integer", "minimum": 1, "maximum": 20 },
            "step": { "type": "integer", "exclusiveMinimum": 10, "multipleOf": 5 },
            "kind": { "type": "string", "enum": ["a", "b"] },
            "code": { "type": "string", "pattern": "^[A-Z]{3}$" },
            "odd": { "type": "string", "pattern": "(?i)^[a-z]+$" },
            "size": { "anyOf": [{ "type": "number", "maximum": 2.5 }, { "type": "null" }] },
            "either": { "anyOf": [{ "type": "number" }, { "type": "string", "maxLength": 2 }] },
            "tags": { "type": "array", "minItems": 1, "maxItems": 2, "uniqueItems": true, "items": { "type": "string" } },
            "inner": { "type": "object", "additionalProperties": false, "properties": { "on": { "type": "boolean" } } },
        },
    });
    let value = json!({
        "name": "abc", "count": 5, "step": 15, "kind": "a", "code": "ABC", "odd": "x", "size": 1.5, "either": "x", "tags": ["x"],
        "inner": { "on": true },
    });
    insta::assert_snapshot!(descriptions(&schema, &value, ValueFormat::Json).join("\n"));
}

#[test]
fn of_what_is_written_as_text_no_text_is_of_another_type() {
    let limit = json!({ "type": "integer", "minimum": 1 });
    assert_eq!(
        descriptions(&limit, &json!(3), ValueFormat::Text),
        ["Type : `keyfit` where a number is due", "Bounds : -5, below 1"]
    );
    assert_eq!(descriptions(&json!({ "type": "boolean" }), &json!(true), ValueFormat::Text), [""; 0]);
    assert_eq!(descriptions(&json!({ "type": "string", "minLength": 1 }), &json!("a"), ValueFormat::Text), [""; 0]);
    assert_eq!(descriptions(&limit, &json!(0), ValueFormat::Text), [""; 0], "what does not fit is not broken");
}

#[test]
fn what_still_fits_and_need_not_be_expected_is_named() {
    let extremes = |schema: &Value, value: &Value| {
        let found = violations(&api(), schema, value, ValueFormat::Json, &|_| MAX_VIOLATIONS).into_iter();
        found
            .filter(|violation| violation.constraint.is_none())
            .map(|violation| violation.description)
            .collect::<Vec<_>>()
    };
    let integer = json!({ "type": "integer" });
    assert_eq!(extremes(&integer, &json!(1)), ["-5, a negative number", "a number that fits into no signed 64 bits"]);
    let text = json!({ "type": "string" });
    assert_eq!(
        extremes(&text, &json!("a")),
        ["a text of 10000 characters", "a text with the character NUL", "a text with a character beyond 16 bits"]
    );
    let bounded = json!({ "type": "integer", "minimum": 1, "maximum": 9 });
    assert_eq!(extremes(&bounded, &json!(1)), ["9, the most that is allowed"], "the least was sent already");
    assert_eq!(extremes(&json!({ "type": "string", "format": "date" }), &json!("2026-01-22")), [""; 0]);
    assert_eq!(extremes(&json!({ "type": "string", "enum": ["a"] }), &json!("a")), [""; 0]);
}

#[test]
fn no_more_is_looked_for_than_is_asked_for() {
    let schema = json!({ "properties": {
        "a": { "type": "integer", "minimum": 1 },
        "b": { "type": "integer", "minimum": 1 },
    } });
    let one_type = |constraint: Option<Constraint>| usize::from(constraint == Some(Constraint::Type));
    let found = violations(&api(), &schema, &json!({ "a": 1, "b": 2 }), ValueFormat::Json, &one_type);
    let description: Vec<_> = found.iter().map(|violation| (violation.constraint, violation.at.as_str())).collect();
    assert_eq!(description, [(Some(Constraint::Type), "/a")]);
}

#[test]
fn without_a_constraint_what_breaks_it_fits() {
    let api = api();
    let schema = json!({ "$ref": "#/components/schemas/Named" });
    let value = json!({ "name": "abcdef" });
    let fits = |api: &Api| schema::mismatch(api, Direction::Request, &schema, &value).is_none();
    assert!(!fits(&api) && fits(&api.without(Constraint::Length)) && !fits(&api.without(Constraint::Enum)));
    let mut node = json!({ "required": ["type"], "properties": { "type": { "type": "string" } } });
    strip(&mut node, &["type"], false);
    assert_eq!(node, json!({ "required": ["type"], "properties": { "type": {} } }));
}
