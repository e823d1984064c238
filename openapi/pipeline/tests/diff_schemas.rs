//! What a comparison makes of schemas: compositions are intersections, other words for the same are the same, and nothing is
//! passed over.

use keyfit_openapi::Text;
use keyfit_openapi::diff::{Document, Finding, Level, diff};

fn read(text: &str) -> Document {
    Document::read(&Text::new("pets.yaml", text)).unwrap_or_else(|failure| panic!("{failure}"))
}

/// Which way a schema goes.
#[derive(Clone, Copy)]
enum Side {
    Request,
    Answer,
}

use Side::{Answer, Request};

const COMPONENTS: &str = "{Name: {type: string, maxLength: 200}, Kind: {type: string, enum: [cat, dog, cow]}, \
     Cat: {type: object, required: [kind], properties: {kind: {type: string}, lives: {type: integer}}}, \
     Dog: {type: object, required: [kind], properties: {kind: {type: string}, barks: {type: boolean}}}, \
     Cow: {type: object, required: [kind], properties: {kind: {type: string}, milk: {type: number}}}, \
     Pet: {type: object, required: [name], properties: {name: {type: string, maxLength: 200}, age: {type: integer, minimum: 0}}}}";

fn document(version: &str, side: Side, schema: &str) -> Document {
    let content = format!("{{content: {{application/json: {{schema: {schema}}}}}}}");
    let operation = match side {
        Request => format!("{{requestBody: {content}, responses: {{'204': {{description: ok}}}}}}"),
        Answer => format!("{{responses: {{'200': {content}}}}}"),
    };
    read(&format!(
        "openapi: {version}\npaths:\n  /pets:\n    post: {operation}\ncomponents: {{schemas: {COMPONENTS}}}\n"
    ))
}

fn findings(version: &str, side: Side, old: &str, new: &str) -> Vec<Finding> {
    let same = diff(&document(version, side, new), &document(version, side, new));
    assert!(same.is_empty(), "{new} differs from itself: {same:#?}");
    diff(&document(version, side, old), &document(version, side, new))
}

fn ids(version: &str, side: Side, old: &str, new: &str) -> Vec<&'static str> {
    let mut ids: Vec<&str> = findings(version, side, old, new).iter().map(|finding| finding.rule.id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// A change that leaves less, in every order of the parts, in both directions, sent and answered.
fn narrows(version: &str, whole: &str, narrower: &[&str], sent: [&str; 2], answered: [&str; 2]) {
    for narrow in narrower {
        assert_eq!(ids(version, Request, whole, narrow), [sent[0]], "{whole} -> {narrow}, sent");
        assert_eq!(ids(version, Request, narrow, whole), [sent[1]], "{narrow} -> {whole}, sent");
        assert_eq!(ids(version, Answer, whole, narrow), [answered[0]], "{whole} -> {narrow}, answered");
        assert_eq!(ids(version, Answer, narrow, whole), [answered[1]], "{narrow} -> {whole}, answered");
        for other in narrower {
            assert_eq!(ids(version, Request, narrow, other), [""; 0], "{narrow} -> {other}");
        }
    }
}

/// Two ways to say the same, sent and answered.
fn same(version: &str, one: &str, other: &str) {
    for side in [Request, Answer] {
        assert_eq!(ids(version, side, one, other), [""; 0], "{one} -> {other}");
        assert_eq!(ids(version, side, other, one), [""; 0], "{other} -> {one}");
    }
}

const BOUND: [[&str; 2]; 2] = [
    ["request-constraint-narrowed", "request-constraint-widened"],
    ["response-constraint-narrowed", "response-constraint-widened"],
];
const ENUM: [[&str; 2]; 2] = [
    ["request-enum-value-removed", "request-enum-value-added"],
    ["response-enum-value-removed", "response-enum-value-added"],
];

#[test]
fn of_several_bounds_the_narrowest_holds() {
    for (whole, bound) in [
        ("{type: string, maxLength: 200}", "{maxLength: 50}"),
        ("{type: string, minLength: 1}", "{minLength: 5}"),
        ("{type: string, pattern: '^a'}", "{pattern: 'z$'}"),
        ("{type: string}", "{pattern: 'z$'}"),
        ("{type: integer, minimum: 1}", "{minimum: 3}"),
        ("{type: number, minimum: 3}", "{minimum: 3, exclusiveMinimum: true}"),
        ("{type: integer, maximum: 9}", "{maximum: 9, exclusiveMaximum: true}"),
        ("{type: integer, multipleOf: 2}", "{multipleOf: 3}"),
        ("{type: array, items: {type: string}, maxItems: 9}", "{maxItems: 8}"),
        ("{type: array, items: {type: string}}", "{uniqueItems: true}"),
        ("{type: array, items: {type: string}}", "{items: {maxLength: 3}}"),
        ("{type: object, minProperties: 1}", "{minProperties: 2}"),
        ("{type: object}", "{additionalProperties: false}"),
        ("{type: object, additionalProperties: {type: string}}", "{additionalProperties: {maxLength: 3}}"),
        ("{type: object}", "{not: {required: [a]}}"),
    ] {
        let parts = [
            format!("{{allOf: [{whole}, {bound}]}}"),
            format!("{{allOf: [{bound}, {whole}]}}"),
            format!("{{allOf: [{{allOf: [{bound}]}}, {{description: none}}, {whole}]}}"),
        ];
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        narrows("3.0.3", whole, &parts, BOUND[0], BOUND[1]);
    }
    // A wider one beside it changes nothing.
    same("3.0.3", "{type: string, maxLength: 50}", "{allOf: [{type: string, maxLength: 200}], maxLength: 50}");
    same("3.0.3", "{type: integer, multipleOf: 6}", "{allOf: [{multipleOf: 3}, {multipleOf: 2, type: integer}]}");
    same("3.0.3", "{type: integer, multipleOf: 6}", "{allOf: [{multipleOf: 3}, {multipleOf: 6, type: integer}]}");
}

#[test]
fn of_several_lists_of_values_those_hold_that_stand_in_all() {
    let parts = [
        "{allOf: [{$ref: '#/components/schemas/Kind'}, {enum: [dog]}]}",
        "{allOf: [{enum: [dog, ant]}, {$ref: '#/components/schemas/Kind'}]}",
    ];
    narrows("3.0.3", "{type: string, enum: [cat, dog, cow]}", &parts, ENUM[0], ENUM[1]);
}

#[test]
fn a_member_has_to_fit_what_each_part_says_of_it() {
    let whole = "{type: object, required: [name], properties: {name: {type: string, maxLength: 200}, age: {type: integer, minimum: 0}}}";
    let bound = "{properties: {name: {maxLength: 20}}}";
    let parts = [
        format!("{{allOf: [{whole}, {bound}]}}"),
        format!("{{allOf: [{bound}, {whole}]}}"),
        format!("{{allOf: [{bound}, {{$ref: '#/components/schemas/Pet'}}]}}"),
        format!("{{allOf: [{{$ref: '#/components/schemas/Pet'}}], {}", &bound[1..]),
    ];
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    narrows("3.0.3", whole, &parts, BOUND[0], BOUND[1]);
    // Both have it already, and one becomes narrower.
    let two = |length: usize| {
        format!(
            "{{allOf: [{{$ref: '#/components/schemas/Pet'}}, {{properties: {{name: {{type: string, maxLength: {length}}}}}}}]}}"
        )
    };
    narrows("3.0.3", &two(150), &[&two(20)], BOUND[0], BOUND[1]);
    narrows(
        "3.0.3",
        &two(150),
        &[&two(150).replace("{properties", "{required: [age], properties")],
        ["request-property-became-required", "request-property-became-optional"],
        ["response-property-became-required", "response-property-became-optional"],
    );
}

#[test]
fn what_stands_beside_a_reference_holds_in_3_1_alone() {
    for (name, whole, beside) in [
        ("Name", "{type: string, maxLength: 200}", "maxLength: 50"),
        ("Pet", "{allOf: [{$ref: '#/components/schemas/Pet'}]}", "properties: {name: {maxLength: 3}}"),
    ] {
        let referring = format!("{{$ref: '#/components/schemas/{name}', {beside}}}");
        let whole_type = format!("{{type: object, properties: {{it: {whole}}}}}");
        let narrow = format!("{{type: object, properties: {{it: {referring}}}}}");
        narrows("3.1.0", &whole_type, &[&narrow], BOUND[0], BOUND[1]);
        same("3.0.3", &whole_type, &narrow);
    }
    let kinds =
        |beside: &str| format!("{{type: object, properties: {{it: {{$ref: '#/components/schemas/Kind'{beside}}}}}}}");
    narrows("3.1.0", &kinds(""), &[&kinds(", enum: [cat]")], ENUM[0], ENUM[1]);
    narrows("3.1.0", &kinds(", enum: [cat, dog]"), &[&kinds(", enum: [cat]")], ENUM[0], ENUM[1]);
    same("3.1.0", &kinds(""), &kinds(", description: what it is"));
}

#[test]
fn a_value_is_null_where_all_parts_allow_it() {
    let text = "{type: object, properties: {it: {type: string}}}";
    for nullable in [
        "{type: object, properties: {it: {allOf: [{type: string}], nullable: true}}}",
        "{type: object, properties: {it: {allOf: [{type: string, nullable: true}, {type: string, nullable: true}]}}}",
    ] {
        assert_eq!(ids("3.0.3", Answer, text, nullable), ["response-became-nullable"]);
        assert_eq!(ids("3.0.3", Request, nullable, text), ["request-became-non-null"]);
    }
    same("3.0.3", text, "{type: object, properties: {it: {allOf: [{type: string, nullable: true}, {type: string}]}}}");
    let referred = "{type: object, properties: {it: {$ref: '#/components/schemas/Name'}}}";
    let or_null = "{type: object, properties: {it: {anyOf: [{$ref: '#/components/schemas/Name'}, {type: 'null'}]}}}";
    assert_eq!(ids("3.1.0", Answer, referred, or_null), ["response-became-nullable"]);
}

#[test]
fn several_lists_of_shapes_are_each_compared() {
    let shape = |name: &str| format!("{{type: object, required: [{name}], properties: {{{name}: {{type: string}}}}}}");
    let [cat, dog, red, grey, black] = ["cat", "dog", "red", "grey", "black"].map(shape);
    let whole = format!("{{allOf: [{{oneOf: [{cat}, {dog}]}}, {{oneOf: [{red}, {grey}, {black}]}}]}}");
    let narrow = [
        format!("{{allOf: [{{oneOf: [{cat}, {dog}]}}, {{oneOf: [{red}, {grey}]}}]}}"),
        format!("{{allOf: [{{oneOf: [{grey}, {red}]}}, {{oneOf: [{dog}, {cat}]}}]}}"),
        format!("{{oneOf: [{red}, {grey}], anyOf: [{cat}, {dog}]}}"),
    ];
    let narrow: Vec<&str> = narrow.iter().map(String::as_str).collect();
    narrows(
        "3.0.3",
        &whole,
        &narrow,
        ["request-variant-removed", "request-variant-added"],
        ["response-variant-removed", "response-variant-added"],
    );
    let one = format!("{{oneOf: [{cat}, {dog}]}}");
    narrows(
        "3.0.3",
        &one,
        &[
            &format!("{{allOf: [{one}, {{anyOf: [{red}, {grey}]}}]}}"),
            &format!("{{allOf: [{{anyOf: [{red}, {grey}]}}, {one}]}}"),
        ],
        ["request-enum-closed", "request-enum-opened"],
        ["response-enum-closed", "response-enum-opened"],
    );
}

#[test]
fn conditions_that_change_places_are_found() {
    let both = |one: &str, other: &str| {
        format!("{{allOf: [{{if: {{required: [a]}}, then: {one}}}, {{if: {{required: [b]}}, then: {other}}}]}}")
    };
    let (old, new) = (both("{required: [x]}", "{required: [y]}"), both("{required: [y]}", "{required: [x]}"));
    assert_eq!(ids("3.1.0", Request, &old, &new), ["request-restriction-changed"]);
}

#[test]
fn what_cannot_be_compared_counts_as_breaking() {
    let not_compared = |side, old: &str, new: &str| {
        let findings = findings("3.0.3", side, old, new);
        let found = findings.iter().find(|finding| finding.rule.id == "not-compared");
        let found = found.unwrap_or_else(|| panic!("{old} -> {new}: {findings:#?}"));
        assert_eq!(found.rule.level, Level::Breaking);
    };
    for side in [Request, Answer] {
        // Types that no value is of at once.
        not_compared(side, "{type: string}", "{allOf: [{type: string}, {type: integer}]}");
        // A part that cannot be followed.
        not_compared(side, "{type: object}", "{allOf: [{type: object}, {$ref: 'pets.yaml#/Pet'}]}");
    }
}

#[test]
fn a_whole_number_is_a_number() {
    let whole = "{type: number}";
    let narrow =
        ["{type: integer}", "{allOf: [{type: number}, {type: integer}]}", "{allOf: [{type: integer}, {type: number}]}"];
    narrows(
        "3.0.3",
        whole,
        &narrow,
        ["request-type-narrowed", "request-type-widened"],
        ["response-type-narrowed", "response-type-widened"],
    );
}

#[test]
fn values_are_the_same_in_other_words() {
    let kinds = "{type: string, enum: [cat, dog]}";
    same("3.0.3", kinds, "{enum: [cat, dog]}");
    same("3.0.3", kinds, "{oneOf: [{type: string, enum: [dog]}, {enum: [cat]}]}");
    same("3.0.3", kinds, "{anyOf: [{type: string, enum: [dog, cat]}, {type: string, enum: [cat]}]}");
    same("3.1.0", kinds, "{type: string, oneOf: [{const: cat, title: Cat}, {const: dog, title: Dog}]}");
    same("3.1.0", kinds, "{oneOf: [{const: cat, description: meows}, {const: dog, deprecated: true}]}");
    same("3.1.0", "{type: string, enum: [cat]}", "{const: cat}");
    same("3.0.3", "{type: number, enum: [1, 2]}", "{type: integer, enum: [1.0, 2]}");
    same("3.0.3", "{type: integer, default: 20}", "{type: integer, default: 20.0}");
    narrows(
        "3.1.0",
        "{oneOf: [{const: cat}, {const: dog}]}",
        &["{const: cat}", "{type: string, enum: [cat]}", "{oneOf: [{const: cat, title: cat}]}"],
        ENUM[0],
        ENUM[1],
    );
    // A shape that is more than a value is a shape.
    let open = "{type: string, anyOf: [{enum: [cat]}, {pattern: '^x-'}]}";
    assert_eq!(ids("3.0.3", Request, kinds, open), ["request-enum-closed", "request-enum-opened"]);
}

fn union(shapes: &[&str], mapping: &str) -> String {
    let shapes: Vec<String> = shapes.iter().map(|name| format!("{{$ref: '#/components/schemas/{name}'}}")).collect();
    format!("{{discriminator: {{propertyName: kind{mapping}}}, oneOf: [{}]}}", shapes.join(", "))
}

#[test]
fn a_discriminator_is_what_it_says_of_the_shapes_that_stay() {
    let whole = ", mapping: {cat: '#/components/schemas/Cat', dog: '#/components/schemas/Dog'}";
    let two = union(&["Cat", "Dog"], whole);
    same("3.0.3", &two, &union(&["Cat", "Dog"], ", mapping: {cat: Cat, dog: Dog}"));
    same("3.0.3", &union(&["Cat", "Dog"], ""), &union(&["Cat", "Dog"], ", mapping: {Cat: Cat}"));
    let three = union(&["Cat", "Dog", "Cow"], ", mapping: {cat: Cat, dog: Dog, cow: Cow}");
    narrows(
        "3.0.3",
        &three,
        &[&two],
        ["request-variant-removed", "request-variant-added"],
        ["response-variant-removed", "response-variant-added"],
    );
    for other in [
        union(&["Cat", "Dog"], ", mapping: {cat: Dog, dog: Cat}"),
        union(&["Cat", "Dog"], ", mapping: {kitten: Cat, dog: Dog}"),
        union(&["Cat", "Dog"], ""),
        two.replace("propertyName: kind", "propertyName: type"),
    ] {
        assert_eq!(ids("3.0.3", Answer, &two, &other), ["discriminator-changed"], "{other}");
        assert_eq!(ids("3.0.3", Request, &other, &two), ["discriminator-changed"], "{other}");
    }
    // Without a list the mapping is the list.
    let base = |mapping: &str| format!("{{type: object, discriminator: {{propertyName: kind, mapping: {mapping}}}}}");
    assert_eq!(ids("3.0.3", Answer, &base("{cat: Cat}"), &base("{cat: Cat, dog: Dog}")), ["response-variant-added"]);
    assert_eq!(
        ids("3.0.3", Answer, &base("{cat: Cat}"), &base("{cat: Dog}")),
        ["response-variant-added", "response-variant-removed"]
    );
}

#[test]
fn a_member_that_nothing_fits_is_forbidden() {
    let object = |member: &str| format!("{{type: object, properties: {{id: {{type: string}}{member}}}}}");
    let (described, never, silent) =
        (object(", name: {type: string, default: x}"), object(", name: false"), object(""));
    assert_eq!(ids("3.1.0", Request, &described, &never), ["request-property-forbidden"]);
    assert_eq!(ids("3.1.0", Request, &never, &described), ["request-property-added-optional"]);
    assert_eq!(ids("3.1.0", Answer, &described, &never), ["response-optional-property-removed"]);
    assert_eq!(ids("3.1.0", Answer, &never, &described), ["response-property-added"]);
    assert_eq!(ids("3.1.0", Request, &silent, &never), ["request-constraint-narrowed"]);
    assert_eq!(ids("3.1.0", Request, &never, &silent), ["request-constraint-widened"]);
    let list = |items: &str| format!("{{type: array, items: {items}}}");
    assert_eq!(ids("3.1.0", Request, &list("{type: string}"), &list("false")), ["request-type-narrowed"]);
}
