//! Tests that example values fit their schemas within their budget.

use serde_json::json;

use super::maker::{MAX_DEPTH, MAX_OPTIONAL_DEPTH};
use super::*;
use crate::schema::{self, Validation};

/// Returns the example of a schema, in a document with two schemas that differ in nothing but their names.
fn example(schema: &Value) -> Value {
    let document = json!({ "components": { "schemas": {
        "Cat": { "type": "object", "required": ["kind"], "properties": { "kind": { "type": "string" } } },
        "Dog": { "type": "object", "required": ["kind"], "properties": { "kind": { "type": "string" } } },
    } } });
    let mut maker = ExampleMaker::new(&document, Direction::Request, EXAMPLE_BUDGET);
    let value = maker.valid_value(schema);
    assert_eq!(maker.gap, None, "{schema}");
    assert!(schema::fits(&Validation::of(&document, Direction::Request), schema, &value), "{schema}: {value}");
    value
}

#[test]
fn limits_are_kept() {
    for (schema, expected) in [
        (json!({ "type": "integer", "minimum": 10, "maximum": 12, "multipleOf": 4 }), json!(12)),
        (json!({ "type": "integer", "exclusiveMinimum": 0 }), json!(1)),
        (json!({ "type": "integer", "maximum": -3 }), json!(-3)),
        (json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 0.5 }), json!(0.25)),
        (json!({ "type": "string", "pattern": "^[A-Z]{3}$" }), json!("AAA")),
        (json!({ "type": ["null", "integer"] }), json!(1)),
        (json!({ "const": "fixed" }), json!("fixed")),
    ] {
        assert_eq!(example(&schema), expected, "{schema}");
    }
}

#[test]
fn what_a_document_shows_and_does_not_fit_is_not_taken() {
    assert_eq!(example(&json!({ "type": "string", "default": 5 })), "text");
    assert_eq!(example(&json!({ "type": "string", "example": "x", "minLength": 2 })), "text");
    assert_eq!(example(&json!({ "type": "string", "examples": [1, "two"] })), "two");
    // The values were written without quotes, although text is meant.
    assert_eq!(example(&json!({ "type": "string", "enum": [1, true] })), "1");
    assert_eq!(example(&json!({ "type": ["string", "null"], "enum": [null, "a"] })), "a");
}

#[test]
fn a_union_is_met_by_one_of_its_alternatives() {
    let refs = json!([{ "$ref": "#/components/schemas/Cat" }, { "$ref": "#/components/schemas/Dog" }]);
    let tagged = json!({ "oneOf": refs, "discriminator": { "propertyName": "kind" } });
    assert_eq!(example(&tagged), json!({ "kind": "Cat" }));
    let mapped = json!({ "oneOf": refs, "discriminator": {
        "propertyName": "kind", "mapping": { "tom": "#/components/schemas/Cat", "rex": "Dog" },
    } });
    assert_eq!(example(&mapped), json!({ "kind": "tom" }));
    assert_eq!(
        example(&json!({ "oneOf": [{ "type": "integer" }, { "type": "number" }, { "type": "string" }] })),
        "text"
    );
    assert_eq!(example(&json!({ "anyOf": [{ "type": "null" }, { "type": "integer" }] })), 1);
}

#[test]
fn a_composition_is_met_at_once() {
    let text = json!({ "type": "string" });
    // A member of one part is required by another part, at any depth.
    let mut demanded = json!({ "allOf": [{ "properties": { "label": text } }, { "required": ["label"] }] });
    for _ in 0..MAX_OPTIONAL_DEPTH + 2 {
        demanded = json!({ "type": "object", "required": ["in"], "properties": { "in": demanded } });
    }
    let deepest = "/in".repeat(MAX_OPTIONAL_DEPTH + 2) + "/label";
    assert_eq!(example(&demanded).pointer(&deepest), Some(&json!("text")));
    // A member that two parts describe has one value.
    let counts = |limits: Value| json!({ "type": "object", "properties": { "count": limits } });
    let parts = [counts(json!({ "type": "number", "minimum": 3 })), counts(json!({ "type": "integer", "maximum": 3 }))];
    assert_eq!(example(&json!({ "allOf": parts })), json!({ "count": 3 }));
    let texts = [json!({ "type": "string", "minLength": 6 }), json!({ "maxLength": 7 }), json!({ "pattern": "^t" })];
    assert_eq!(example(&json!({ "allOf": texts })), "textxx");
    // An example of a part is not one of the whole.
    let shown = json!({ "type": "object", "properties": { "a": text }, "example": { "a": "shown" } });
    let whole = json!({ "allOf": [shown, { "type": "object", "required": ["b"], "properties": { "b": text } }] });
    assert_eq!(example(&whole), json!({ "a": "text", "b": "text" }));
    // The member is required, and described only by `additionalProperties`.
    let others = json!({ "type": "object", "required": ["a"], "additionalProperties": { "type": "integer" } });
    assert_eq!(example(&others), json!({ "a": 1 }));
}

#[test]
fn a_union_beside_members_is_met_with_them() {
    let one = |name: &str| {
        json!({ "type": "object", "required": [name], "properties": { name: { "type": "boolean" } },
            "additionalProperties": true })
    };
    let schema = json!({ "type": "object", "required": ["id"], "properties": { "id": { "type": "integer" } },
        "allOf": [{ "oneOf": [one("a"), one("b")] }], "anyOf": [one("c")] });
    assert_eq!(example(&schema), json!({ "id": 1, "c": true, "a": true }));
    // A value with all members would fit both alternatives.
    let asks = |name: &str| {
        json!({ "type": "object", "required": [name],
            "properties": { "a": { "type": "boolean" }, "b": { "type": "boolean" } } })
    };
    assert_eq!(example(&json!({ "oneOf": [asks("a"), asks("b")] })), json!({ "a": true }));
}

#[test]
fn lists_have_the_items_that_they_need() {
    let mut nested = json!({ "type": "array", "minItems": 1, "items": { "type": "integer" } });
    for _ in 0..MAX_OPTIONAL_DEPTH {
        nested = json!({ "type": "object", "required": ["in"], "properties": { "in": nested } });
    }
    assert_eq!(example(&nested).pointer(&("/in".repeat(MAX_OPTIONAL_DEPTH) + "/0")), Some(&json!(1)));
    assert_eq!(example(&json!({ "type": "array", "maxItems": 0, "items": { "type": "integer" } })), json!([]));
}

#[test]
fn what_no_value_fits_is_no_example() {
    let document = json!({});
    let gap = |schema: Value| {
        let mut maker = ExampleMaker::new(&document, Direction::Request, EXAMPLE_BUDGET);
        maker.valid_value(&schema);
        maker.gap.unwrap_or_default()
    };
    let open = |name: &str| json!({ "type": "object", "properties": { name: { "type": "string" } } });
    assert!(gap(json!({ "oneOf": [open("a"), open("b")] })).contains("alternatives alone"));
    assert!(gap(json!({ "allOf": [{ "type": "integer" }, { "type": "string" }] })).contains("does not fit"));
    let never = json!({ "oneOf": [open("a"), open("b")] });
    // An optional member is left out.
    let member = |required: Value| json!({ "type": "object", "required": required, "properties": { "odd": never } });
    assert_eq!(gap(member(json!([]))), "");
    assert!(gap(member(json!(["odd"]))).contains("alternatives alone"));
    assert_eq!(gap(json!({ "oneOf": [open("a"), open("a")] })), "", "two that say the same are one");
}

#[test]
fn where_all_members_are_too_many_those_that_are_needed_remain() {
    let wide = |to: &str| {
        let reference = json!({ "$ref": format!("#/components/schemas/{to}") });
        let members: Map<String, Value> = (0..12).map(|index| (format!("m{index}"), reference.clone())).collect();
        json!({ "type": "object", "properties": members })
    };
    let document = json!({ "components": { "schemas": { "Wide": wide("Wide") } } });
    let asks = json!({ "type": "object", "required": ["id"],
        "properties": { "wide": document["components"]["schemas"]["Wide"], "id": { "type": "integer" } } });
    let mut maker = ExampleMaker::new(&document, Direction::Request, EXAMPLE_BUDGET);
    assert_eq!(maker.valid_value(&asks), json!({ "id": 1 }));
    assert_eq!(maker.gap, None);
}

#[test]
fn what_cannot_be_made_is_left_out_or_named() {
    let document = json!({});
    let odd = json!({ "type": "string", "pattern": "^(\\w)-\\1\\1$" });
    let object = |required: Value| json!({ "type": "object", "required": required, "properties": { "odd": odd } });
    let mut maker = ExampleMaker::new(&document, Direction::Request, EXAMPLE_BUDGET);
    assert_eq!(maker.value(&object(json!([])), 0), json!({}));
    assert_eq!(maker.gap, None);
    maker.value(&object(json!(["odd"])), 0);
    assert!(maker.gap.is_some_and(|gap| gap.contains("pattern")));
}

#[test]
fn what_is_required_and_not_described_is_there_all_the_same() {
    let object = |more: Value| {
        let mut schema =
            json!({ "type": "object", "required": ["name", "Name"], "properties": { "Name": { "type": "string" } } });
        schema.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        schema
    };
    assert_eq!(example(&object(json!({}))), json!({ "Name": "text", "name": "any" }));
    assert_eq!(example(&object(json!({ "additionalProperties": { "type": "integer" } })))["name"], 1);
    // A part that only requires a member gives way to one that describes it, in either order.
    let (requires, describes) = (
        json!({ "type": "object", "required": ["id"] }),
        json!({ "type": "object", "properties": { "id": { "type": "integer" } } }),
    );
    assert_eq!(example(&json!({ "allOf": [requires, describes] })), json!({ "id": 1 }));
    assert_eq!(example(&json!({ "allOf": [describes, requires] })), json!({ "id": 1 }));
}

#[test]
fn json_that_is_written_as_a_text_is_no_example_of_an_object() {
    let schema = json!({ "required": ["name"], "properties": { "name": { "type": "string" } }, "example": "{ \"Name\": \"a\" }" });
    assert_eq!(example(&schema), json!({ "name": "text" }));
}

#[test]
fn what_stands_at_the_end_of_the_depth_is_counted() {
    let members: Map<String, Value> =
        (0..20).map(|index| (format!("m{index}"), json!({ "$ref": "#/components/schemas/All" }))).collect();
    let names: Vec<&String> = members.keys().collect();
    let all = json!({ "type": "object", "required": names, "properties": members });
    let document = json!({ "components": { "schemas": { "All": all } } });
    let mut maker = ExampleMaker::new(&document, Direction::Request, EXAMPLE_BUDGET);
    let value = maker.value(&document["components"]["schemas"]["All"], 0);
    assert!(walk::size(&value) < EXAMPLE_BUDGET + 20 * MAX_DEPTH, "{}", walk::size(&value));
    assert!(maker.gap.is_some_and(|gap| gap.contains("more than")));
}
