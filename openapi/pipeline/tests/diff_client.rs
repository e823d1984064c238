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

#[test]
fn a_server_of_an_operation_is_told_from_the_base_url() {
    let served = |at: &str, servers: &str| {
        let own = |place: &str| if place == at { servers } else { "[{url: 'https://a.example'}]" };
        format!(
            "openapi: 3.0.3\nservers: {}\npaths:\n  /pets:\n    get:\n      operationId: pets\n{}      responses: {{'204': \
             {{description: ok}}}}\n",
            own("document"),
            if at == "operation" { format!("      servers: {servers}\n") } else { String::new() },
        )
    };
    let (one, other) = ("[{url: 'https://b.example'}]", "[{url: 'https://c.example'}]");
    let (both, turned) = (
        "[{url: 'https://b.example'}, {url: 'https://c.example'}]",
        "[{url: 'https://c.example'}, {url: 'https://b.example'}]",
    );
    let version = |values: &str| {
        format!("[{{url: 'https://b.example/{{v}}', variables: {{v: {{default: a, enum: {values}}}}}}}]")
    };
    let (few, more) = (version("[a]"), version("[a, b]"));
    for (at, named, may_be_set, is_another) in [
        ("document", "the base URL, where it is this one", "a base URL that may be set", "the base URL is another one"),
        (
            "operation",
            "the server of the call, where it is this one",
            "a server of the call that may be set",
            "the call has another server",
        ),
    ] {
        assert_eq!(rust(&served(at, one), &served(at, other)), [named, may_be_set], "{at}");
        assert_eq!(rust(&served(at, both), &served(at, turned)), [is_another], "{at}");
        assert_eq!(rust(&served(at, &few), &served(at, &more)), [named], "{at}");
    }
}

#[test]
fn a_name_of_a_value_is_a_variant() {
    let of = |schema: &str| {
        format!(
            "openapi: 3.1.0\npaths:\n  /pets:\n    post:\n      operationId: pets\n      requestBody: {{content: \
             {{application/json: {{schema: {{$ref: '#/components/schemas/Size'}}}}}}}}\n      responses: {{'204': {{description: \
             ok}}}}\ncomponents:\n  schemas:\n    Size: {schema}\n"
        )
    };
    let [plain, few, other] = [
        "{type: integer, enum: [1, 2]}",
        "{type: integer, enum: [1, 2], x-enum-varnames: [Small, Large]}",
        "{type: integer, enum: [1, 2], x-enumNames: [Small, huge]}",
    ]
    .map(of);
    let titled = of("{oneOf: [{const: 1, title: Small}, {const: 2, title: huge}]}");
    let texts = of("{type: string, enum: [s, l]}");
    let named = of("{type: string, enum: [s, l], x-enum-varnames: [Small, L]}");
    let more = of("{type: integer, enum: [1, 2, 3], x-enum-varnames: [Small, Large, Huge]}");
    // Names that are no names of their own do not count.
    let twice = of("{type: string, enum: [s, l], x-enum-varnames: [Small, small]}");
    for (old, new, said) in [
        (&few, &other, vec!["the variant `Size::Large` becomes `Huge`"]),
        (&few, &titled, vec!["the variant `Size::Large` becomes `Huge`"]),
        (&other, &titled, vec![]),
        (&plain, &few, vec!["`Size` becomes an enum"]),
        (&few, &plain, vec!["`Size` is no longer an enum"]),
        (&few, &more, vec!["the variant `Size::Huge` is new"]),
        (&texts, &named, vec!["the variant `Size::S` becomes `Small`"]),
        (&texts, &twice, vec![]),
    ] {
        assert_eq!(rust(old, new), said, "{old}{new}");
    }
}

#[test]
fn a_member_of_a_change_is_a_patch() {
    let of = |method: &str, media_type: &str, required: &str, name: &str| {
        format!(
            "openapi: 3.0.3\npaths:\n  /pets:\n    {method}:\n      operationId: pets-change\n      requestBody: {{content: \
             {{{media_type}: {{schema: {{$ref: '#/components/schemas/Pet'}}}}}}}}\n      responses: {{'204': {{description: \
             ok}}}}\ncomponents:\n  schemas:\n    Pet: {{type: object, required: [{required}], properties: {{name: {name}}}}}\n"
        )
    };
    let (text, or_null) = ("{type: string}", "{type: string, nullable: true}");
    let (json, merge) = ("application/json", "application/merge-patch+json");
    for (method, media_type, old, new, said) in [
        ("patch", json, ("", text), ("", or_null), "`Pet::name` is a `Patch`, no longer an `Option`"),
        ("patch", json, ("", or_null), ("", text), "`Pet::name` is an `Option`, no longer a `Patch`"),
        ("patch", json, ("name", or_null), ("", or_null), "`Pet::name` becomes a `Patch`"),
        ("patch", json, ("", or_null), ("name", or_null), "`Pet::name` is an `Option`, no longer a `Patch`"),
        ("patch", json, ("", text), ("name", text), "`Pet::name` is no longer an `Option`"),
        ("patch", merge, ("", text), ("", or_null), "no change: `Pet::name` is a `Patch` anyway"),
        ("patch", merge, ("", text), ("name", text), "`Pet::name` is no longer a `Patch`"),
        ("patch", merge, ("name", text), ("", text), "`Pet::name` becomes a `Patch`"),
        ("put", json, ("", text), ("", or_null), "no change: `Pet::name` is an `Option` anyway"),
        ("put", merge, ("name", text), ("", text), "`Pet::name` becomes a `Patch`"),
    ] {
        let document = |(required, name): (&str, &str)| of(method, media_type, required, name);
        assert_eq!(rust(&document(old), &document(new)), [said], "{method} {media_type} {old:?} {new:?}");
    }
}

#[test]
fn a_body_that_may_be_left_out_is_an_argument_that_may() {
    let of = |required: bool| {
        PETS.replacen("requestBody: {content", &format!("requestBody: {{required: {required}, content"), 1)
    };
    assert_eq!(rust(&of(false), &of(true)), ["the argument `body` must be set"]);
    assert_eq!(rust(&of(true), &of(false)), ["the argument `body` may be left out"]);
}
