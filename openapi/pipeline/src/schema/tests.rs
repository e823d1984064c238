//! Tests of the validation of values.

use serde_json::json;

use super::*;
use crate::{Source, Text};

#[test]
fn a_variant_may_say_by_a_constant_what_the_discriminator_has_no_word_of() {
    let named = |kind: Value| json!({ "type": "object", "required": ["kind"], "properties": { "kind": kind } });
    let pets = ["Cat", "Dog", "Bird"].map(|name| json!({ "$ref": format!("#/components/schemas/{name}") }));
    let document = json!({
        "openapi": "3.1.0",
        "info": { "title": "a", "version": "1" },
        "paths": {},
        "components": { "schemas": {
            "Pet": {
                "discriminator": { "propertyName": "kind" },
                "oneOf": pets,
            },
            "Cat": named(json!({ "const": "cat" })),
            "Dog": { "allOf": [named(json!({ "enum": ["dog", "hound"] }))] },
            "Bird": named(json!({ "type": "string" })),
        } },
    });
    let document = Text::new("a.json", document.to_string());
    let source = Source { name: "a".to_owned(), document, overlay: None, contract: None };
    let api = Api::read(&source).unwrap_or_else(|error| panic!("{error}"));
    let pet = &api.document["components"]["schemas"]["Pet"];
    for (kind, fits) in [("Bird", true), ("Cat", false), ("worm", false)] {
        assert_eq!(mismatch(&api, Direction::Answer, pet, &json!({ "kind": kind })).is_none(), fits, "{kind}");
    }
    let strict = json!({ "discriminator": pet["discriminator"], "oneOf": [pet["oneOf"][0], pet["oneOf"][1]] });
    for (kind, fits) in [("cat", true), ("hound", true), ("worm", false)] {
        assert_eq!(mismatch(&api, Direction::Answer, &strict, &json!({ "kind": kind })).is_none(), fits, "{kind}");
    }
}
/// Returns for each value whether it does not fit.
fn refused(version: &str, schema: &Value, direction: Direction, values: &[Value]) -> Vec<bool> {
    let document = json!({ "openapi": version, "components": { "schemas": {
        "Text": { "type": "string" }, "Nothing": { "type": "string", "nullable": true },
    } } });
    values.iter().map(|value| check(&Validation::of(&document, direction), schema, value, "").is_err()).collect()
}

#[test]
fn a_format_is_judged_where_it_is_asked_for_and_all_else_fits() {
    let instant = json!({ "type": ["string", "null"], "format": "date-time" });
    let schema = json!({
        "type": "object",
        "required": ["id"],
        "properties": {
            "at": instant,
            "all": { "type": "array", "items": instant },
            "either": { "oneOf": [instant, { "type": "string", "format": "date" }] },
            "loose": { "anyOf": [{ "type": "string", "format": "uuid" }, { "type": "string" }] },
            "number": { "type": "integer", "format": "int32" },
        },
    });
    let document = Text::new("a.json", json!({ "openapi": "3.1.0", "info": {}, "paths": {} }).to_string());
    let source = Source { name: "a".to_owned(), document, overlay: None, contract: None };
    let api = Api::read(&source).unwrap_or_else(|error| panic!("{error}"));
    let found = |value: Value| misformat(&api, Direction::Answer, &schema, &value).map(|found| found.to_string());
    for (value, says) in [
        (json!({ "id": 1, "at": "2026-01-22T10:00:00Z", "either": "2026-01-22", "loose": "a", "number": 1 }), None),
        (json!({ "id": 1, "at": null, "either": "2026-01-22T10:00:00Z" }), None),
        (json!({ "id": 1, "at": "secret" }), Some("/at is no `date-time`")),
        (json!({ "id": 1, "all": ["2026-01-22T10:00:00Z", "no"] }), Some("/all/1 is no `date-time`")),
        (json!({ "id": 1, "either": "no" }), Some("/either fits 0 of the 2 variants")),
        (json!({ "at": "no" }), None),
    ] {
        assert_eq!(found(value.clone()).as_deref(), says, "{value}");
        assert!(value.get("id").is_none() || mismatch(&api, Direction::Answer, &schema, &value).is_none());
    }
}

#[test]
fn a_required_member_is_demanded_of_who_sends_it() {
    let named = |flag: &str| {
        json!({ "allOf": [
        { "required": ["name"] },
        { "type": "object", "properties": { "name": { "type": "string", flag: true } } },
    ] })
    };
    let values = [json!({}), json!({ "name": "Ada" }), json!({ "name": 1 })];
    for (flag, direction, of_none) in [
        ("readOnly", Direction::Request, false),
        ("readOnly", Direction::Answer, true),
        ("writeOnly", Direction::Request, true),
        ("writeOnly", Direction::Answer, false),
    ] {
        assert_eq!(refused("3.0.3", &named(flag), direction, &values), [of_none, false, true], "{flag} {direction:?}");
    }
}

#[test]
fn what_stands_beside_a_reference_counts_as_its_version_says() {
    let text = "#/components/schemas/Text";
    let nullable = json!({ "$ref": text, "nullable": true });
    let short = json!({ "$ref": text, "maxLength": 2 });
    let values = [json!(null), json!("abc"), json!("ab")];
    let all = |version, schema| refused(version, schema, Direction::Request, &values);
    assert_eq!(all("3.0.3", &nullable), [false, false, false]);
    assert_eq!(all("3.0.3", &short), [true, false, false]);
    assert_eq!(all("3.1.0", &short), [true, true, false]);
    assert_eq!(all("3.0.3", &json!({ "$ref": "#/components/schemas/Nothing" })), [false, false, false]);
}

#[test]
fn the_words_of_3_1_are_judged() {
    for (schema, fitting, others) in [
        (
            json!({ "prefixItems": [{ "type": "string" }], "items": { "type": "integer" } }),
            vec![json!(["a", 1, 2]), json!([]), json!("a")],
            vec![json!([1]), json!(["a", "b"])],
        ),
        (json!({ "prefixItems": [{}], "items": false }), vec![json!([1])], vec![json!([1, 2])]),
        (json!({ "items": [{ "type": "string" }] }), vec![json!(["a", 1])], vec![json!([1])]),
        (
            json!({ "patternProperties": { "^x-": { "type": "string" } }, "additionalProperties": false }),
            vec![json!({ "x-a": "b" })],
            vec![json!({ "x-a": 1 }), json!({ "y": "b" })],
        ),
        (json!({ "not": { "type": "string" } }), vec![json!(1)], vec![json!("a")]),
        (json!({ "uniqueItems": true }), vec![json!([1, "1"])], vec![json!([1, 1])]),
        (json!({ "multipleOf": 0.1 }), vec![json!(0.3), json!(1_000_000.1)], vec![json!(0.35)]),
        (
            json!({ "minProperties": 1, "maxProperties": 1 }),
            vec![json!({ "a": 1 })],
            vec![json!({}), json!({ "a": 1, "b": 2 })],
        ),
        (json!({ "pattern": "^a+$" }), vec![json!("aa"), json!(1)], vec![json!("b")]),
        (json!({ "const": 3 }), vec![json!(3.0)], vec![json!(4)]),
        (json!({ "enum": [{ "a": 1 }] }), vec![json!({ "a": 1.0 })], vec![json!({ "a": 2 })]),
    ] {
        assert!(!refused("3.1.0", &schema, Direction::Answer, &fitting).contains(&true), "{schema}");
        assert!(!refused("3.1.0", &schema, Direction::Answer, &others).contains(&false), "{schema}");
    }
}

#[test]
fn what_is_inferred_alone_is_asked_for_by_nobody_who_spares_it() {
    let document = json!({
        "openapi": "3.0.3",
        "info": { "title": "a", "version": "1" },
        "paths": {},
        "components": { "schemas": { "Guess": { "type": "string", "x-unverified": "inferred" } } },
    });
    let document = Text::new("a.json", document.to_string());
    let source = Source { name: "a".to_owned(), document, overlay: None, contract: None };
    let api = Api::read(&source).expect("it can be read");
    let guess = json!({ "$ref": "#/components/schemas/Guess" });
    let schema = json!({ "type": "object", "properties": { "known": { "type": "string" }, "guess": guess } });
    for (value, strictly, leniently) in [
        (json!({ "known": "a", "guess": 1 }), true, false),
        // A known part is checked after an inferred part as well.
        (json!({ "guess": 1, "known": 1 }), true, true),
        (json!([]), true, true),
        (json!({ "known": "a", "guess": "b" }), false, false),
    ] {
        assert_eq!(mismatch(&api, Direction::Answer, &schema, &value).is_some(), strictly, "{value}");
        assert_eq!(mismatch_of_known(&api, Direction::Answer, &schema, &value).is_some(), leniently, "{value}");
    }
    // Any value fits an inferred alternative, and may fit another one besides.
    let one_of = json!({ "oneOf": [guess, { "type": "integer" }] });
    assert_eq!(mismatch_of_known(&api, Direction::Answer, &one_of, &json!(1)), None);
}
