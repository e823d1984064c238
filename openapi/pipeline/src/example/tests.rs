//! Values fit their schemas, and cost no more than they may.

use super::*;

/// The example of a schema, in a document with two schemas that differ in nothing but their names.
fn example(schema: &Value) -> Value {
    let document = json!({ "components": { "schemas": {
        "Cat": { "type": "object", "required": ["kind"], "properties": { "kind": { "type": "string" } } },
        "Dog": { "type": "object", "required": ["kind"], "properties": { "kind": { "type": "string" } } },
    } } });
    let mut maker = Maker::new(&document, EXAMPLE);
    let value = maker.value(schema, 0);
    assert_eq!(maker.gap, None, "{schema}");
    assert!(schema::fits(&Scope::of(&document), schema, &value), "{schema}: {value}");
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
    // Written without quotes, where text is meant.
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
fn what_cannot_be_made_is_left_out_or_named() {
    let document = json!({});
    let odd = json!({ "type": "string", "pattern": "^(\\w)-\\1\\1$" });
    let object = |required: Value| json!({ "type": "object", "required": required, "properties": { "odd": odd } });
    let mut maker = Maker::new(&document, EXAMPLE);
    assert_eq!(maker.value(&object(json!([])), 0), json!({}));
    assert_eq!(maker.gap, None);
    maker.value(&object(json!(["odd"])), 0);
    assert!(maker.gap.is_some_and(|gap| gap.contains("pattern")));
}

#[test]
fn what_stands_at_the_end_of_the_depth_is_counted() {
    let members: Map<String, Value> =
        (0..20).map(|index| (format!("m{index}"), json!({ "$ref": "#/components/schemas/All" }))).collect();
    let names: Vec<&String> = members.keys().collect();
    let all = json!({ "type": "object", "required": names, "properties": members });
    let document = json!({ "components": { "schemas": { "All": all } } });
    let mut maker = Maker::new(&document, EXAMPLE);
    let value = maker.value(&document["components"]["schemas"]["All"], 0);
    assert!(walk::size(&value) < EXAMPLE + 20 * END, "{}", walk::size(&value));
    assert!(maker.gap.is_some_and(|gap| gap.contains("more than")));
}
