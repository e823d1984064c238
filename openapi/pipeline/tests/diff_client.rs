//! What a comparison says of the Rust client: what is so, or nothing.

use keyfit_openapi::Text;
use keyfit_openapi::diff::{Document, diff};

fn read(text: &str) -> Document {
    Document::read(&Text::new("pets.yaml", text)).unwrap_or_else(|failure| panic!("{failure}"))
}

/// What changes in the client, for each finding.
fn rust(old: &str, new: &str) -> Vec<String> {
    diff(&read(old), &read(new)).into_iter().map(|finding| finding.rust).collect()
}

const PETS: &str = "\
openapi: 3.0.3
paths:
  /pets:
    get:
      operationId: pets-list
      parameters:
        - {name: ids, in: query, schema: {type: array, items: {type: string}}}
        - {name: size, in: query, schema: {type: integer, minimum: 0}}
      responses:
        '200': {content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}}}}
        '404': {content: {application/json: {schema: {$ref: '#/components/schemas/Error'}}}}
    post:
      operationId: pets-create
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/NewPet'}}}}
      responses: {'201': {headers: {X-Total: {schema: {type: integer}}}}}
    put:
      operationId: pets-photo
      requestBody: {content: {multipart/form-data: {schema: {type: object, properties: {photo: {type: string}, note: {type: string}}}}}}
      responses: {'204': {description: ok}}
components:
  schemas:
    Kind: {type: string, enum: [cat, dog]}
    Owner: {type: object, properties: {email: {type: string}}}
    Error: {type: object, required: [code], properties: {code: {type: string}}}
    Pet: {type: object, required: [kind, born], properties: {kind: {$ref: '#/components/schemas/Kind'}, age: {type: integer, format: int32}, name: {type: string, maxLength: 20}, born: {type: string, format: date-time}, owner: {$ref: '#/components/schemas/Owner'}, tags: {type: array, items: {type: string}}}}
    NewPet: {type: object, required: [name], properties: {name: {type: string, maxLength: 20}, kind: {$ref: '#/components/schemas/Kind'}, nick: {type: string, default: none}, tags: {type: array, items: {type: string}}, age: {type: integer}, note: {type: string}}}
";

#[test]
fn the_client_is_said_to_change_as_it_does() {
    for (before, after, said) in [
        // A list is a list in every style.
        ("items: {type: string}}}\n", "items: {type: string}}, explode: false}\n", "no change"),
        ("minimum: 0", "minimum: 1", "the argument `size` may have another type"),
        // Bodies of several parts have types.
        ("note: {type: string}}}}}}", "note: {type: integer}}}}}}", "`PetsPhotoBody::note` has another type"),
        // Errors keep their bodies.
        ("required: [code], ", "", "no change: an error keeps its body as it came"),
        ("{code: {type: string}}", "{code: {type: integer}}", "no change: an error keeps its body as it came"),
        (
            "'#/components/schemas/Error'",
            "'#/components/schemas/Owner'",
            "no change: an error keeps its body as it came",
        ),
        (
            "X-Total: {schema: {type: integer}}",
            "X-Total: {schema: {type: string}}",
            "no change: headers are read as text",
        ),
        // Answers are read whatever their bounds and formats are.
        ("format: int32", "format: int64", "no change: an answer is not held to formats"),
        ("format: date-time", "format: date", "`Pet::born` may have another type"),
        (
            "name: {type: string, maxLength: 20}, born",
            "name: {type: string, maxLength: 30}, born",
            "no change: an answer is not held to it",
        ),
        (
            "[name], properties: {name: {type: string, maxLength: 20}",
            "[name], properties: {name: {type: string, maxLength: 30}",
            "`NewPet::name` is checked against another bound",
        ),
        // The member and its type are two things.
        (
            "owner: {$ref: '#/components/schemas/Owner'}",
            "owner: {allOf: [{$ref: '#/components/schemas/Owner'}], nullable: true}",
            "no change: `Pet::owner` is an `Option` anyway",
        ),
        (
            "properties: {kind: {$ref: '#/components/schemas/Kind'}",
            "properties: {kind: {allOf: [{$ref: '#/components/schemas/Kind'}], nullable: true}",
            "`Pet::kind` becomes an `Option`",
        ),
        (
            "kind: {$ref: '#/components/schemas/Kind'}, nick",
            "kind: {allOf: [{$ref: '#/components/schemas/Kind'}, {enum: [cat]}]}, nick",
            "a known value of `NewPet::kind` is gone",
        ),
        // What may be left out of a request is an `Option`; an answer without a list has an empty one.
        ("required: [name]", "required: [name, nick]", "`NewPet::nick` is no longer an `Option`"),
        ("required: [name]", "required: [name, tags]", "`NewPet::tags` is no longer an `Option`"),
        ("required: [name]", "required: [name, note]", "`NewPet::note` is no longer an `Option`"),
        ("required: [kind, born]", "required: [kind, born, tags]", "no change: `Pet::tags` is of the same type"),
        // What one side alone sends is a field all the same.
        (
            "note: {type: string}}}\n",
            "note: {type: string, readOnly: true}}}\n",
            "the field `NewPet::note` stays, and is always optional",
        ),
        (
            "age: {type: integer, format: int32}",
            "age: {type: integer, format: int32, writeOnly: true}",
            "the field `Pet::age` stays, and is always optional",
        ),
    ] {
        let new = PETS.replacen(before, after, 1);
        assert_ne!(new, PETS, "{before}");
        let found = rust(PETS, &new);
        assert!(found.iter().any(|rust| rust == said), "{before} -> {after}: {found:?}");
        // Nothing is said of a type that there is not.
        let is_there = |rust: &String| rust.contains("PetsPhotoBody::") || !rust.contains("Body::");
        assert!(found.iter().all(|rust| !rust.contains("Error::") && is_there(rust)), "{found:?}");
    }
}

#[test]
fn a_schema_that_both_sides_use_has_a_type_of_its_own_in_answers() {
    let new = PETS.replace("enum: [cat, dog]", "enum: [cat, dog, cow]");
    let mut found = rust(PETS, &new);
    found.sort();
    assert_eq!(found, ["a known value of `KindAnswer` is new", "the variant `Kind::Cow` is new"]);
}

#[test]
fn what_wraps_a_component_is_made_of_it() {
    let wrapped = PETS.replace(
        "owner: {$ref: '#/components/schemas/Owner'}",
        "owner: {nullable: true, allOf: [{$ref: '#/components/schemas/Owner'}]}",
    );
    assert_ne!(wrapped, PETS);
    assert_eq!(
        rust(&wrapped, &wrapped.replace("email: ", "mail: ")),
        ["the field `Owner::email` is gone", "the field `Owner::mail` is new"]
    );
}

#[test]
fn a_schema_of_errors_has_no_type_that_is_renamed() {
    let renamed = PETS.replace("schemas/Error'", "schemas/Problem'").replace("    Error: ", "    Problem: ");
    assert_eq!(rust(PETS, &renamed), [""; 0]);
    let renamed = PETS.replace("schemas/Owner'", "schemas/Keeper'").replace("    Owner: ", "    Keeper: ");
    assert_eq!(rust(PETS, &renamed), ["the type `Owner` becomes `Keeper`"]);
}

#[test]
fn what_is_typed_in_one_place_and_bytes_in_another_is_said_of_the_type() {
    let shared = PETS.replace(
        "multipart/form-data: {schema: {type: object, properties: {photo: {type: string}, note: {type: string}}}}",
        "multipart/form-data: {schema: {$ref: '#/components/schemas/NewPet'}}",
    );
    let found = rust(&shared, &shared.replace("required: [name], ", ""));
    assert_eq!(found, ["`NewPet::name` becomes an `Option`"]);
}
