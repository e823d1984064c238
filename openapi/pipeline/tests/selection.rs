//! A client of some operations of a document.

use keyfit_openapi::{Api, GenerateOptions, Source, Text, generate_with};

const DOCUMENT: &str = "openapi: 3.0.3
info: {title: Lists, version: '1'}
servers: [{url: https://lists.example}]
paths:
  /lists:
    get:
      operationId: list-all
      tags: [lists, reading]
      parameters: [{$ref: '#/components/parameters/Limit'}]
      responses: {'200': {description: all, content: {application/json: {schema: {$ref: '#/components/schemas/Lists'}}}}}
    post:
      operationId: list-make
      tags: [lists]
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Draft'}}}}
      responses: {'204': {description: made}}
  /lists/{id}/rows:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get:
      operationId: rowsGet
      responses: {'200': {description: rows, content: {application/json: {schema: {$ref: '#/components/schemas/Row'}}}}}
  /odd/..:
    get: {operationId: odd, tags: [odd], responses: {'204': {description: none}}}
components:
  parameters:
    Limit: {name: limit, in: query, schema: {$ref: '#/components/schemas/Limit'}}
  schemas:
    Lists: {type: array, items: {$ref: '#/components/schemas/List'}}
    List: {type: object, properties: {parent: {$ref: '#/components/schemas/List'}, kind: {$ref: '#/components/schemas/Kind'}}}
    Kind: {type: object, properties: {name: {type: string}}, discriminator: {propertyName: name, mapping: {a: KindA, b: '#/components/schemas/KindB'}}}
    KindA: {type: object, properties: {a: {type: string}}}
    KindB: {type: object, properties: {b: {type: string}}}
    Draft: {type: object, properties: {name: {type: string}, odd: {type: string, format: 7}}}
    Row: {type: object, properties: {cells: {type: array, items: {type: string}}}}
    Limit: {type: integer}
";

fn selected(selectors: &[&str]) -> Result<Api, String> {
    let source =
        Source { name: "lists".to_owned(), document: Text::new("lists.yaml", DOCUMENT), overlay: None, contract: None };
    let selectors: Vec<String> = selectors.iter().map(|selector| (*selector).to_owned()).collect();
    let options = GenerateOptions { only: selectors.clone(), ..GenerateOptions::default() };
    generate_with(&source, &options).map_err(|failure| failure.to_string())?;
    Api::read_only(&source, &selectors).map_err(|failure| failure.to_string())
}

fn ids(selectors: &[&str]) -> String {
    let api = selected(selectors).unwrap_or_else(|failure| panic!("{failure}"));
    api.operations.iter().map(|operation| operation.id.as_str()).collect::<Vec<_>>().join(" ")
}

fn schemas(selectors: &[&str]) -> String {
    let api = selected(selectors).unwrap_or_else(|failure| panic!("{failure}"));
    let schemas = api.document["components"]["schemas"].as_object().expect("schemas");
    schemas.keys().map(String::as_str).collect::<Vec<_>>().join(" ")
}

#[test]
fn each_form_of_a_selector_names_operations() {
    assert_eq!(ids(&[]), "list-all list-make rowsGet");
    assert_eq!(ids(&["tag:lists"]), "list-all list-make");
    assert_eq!(ids(&["GET /lists"]), "list-all");
    assert_eq!(ids(&["post  /lists"]), "list-make");
    assert_eq!(ids(&["rowsGet", "list_all"]), "list-all rowsGet");
    assert_eq!(ids(&["/lists"]), "list-all list-make");
    assert_eq!(ids(&["/lists/**"]), "list-all list-make rowsGet");
    assert_eq!(ids(&["GET /lists/**", "tag:reading"]), "list-all rowsGet");
}

#[test]
fn only_what_the_operations_refer_to_is_left() {
    assert_eq!(schemas(&["rowsGet"]), "Row");
    assert_eq!(schemas(&["POST /lists"]), "Draft");
    assert_eq!(schemas(&["tag:reading"]), "Lists List Kind KindA KindB Limit");
}

#[test]
fn remarks_about_the_rest_go_with_it() {
    let remarks = |selectors: &[&str]| {
        let api = selected(selectors).unwrap_or_else(|failure| panic!("{failure}"));
        api.repairs.iter().filter(|repair| repair.pointer.starts_with("/components/schemas/Draft")).count()
    };
    assert_eq!((remarks(&["rowsGet"]), remarks(&["list-make"]) > 0), (0, remarks(&[]) > 0));
    assert!(selected(&["rowsGet"]).expect("a client").unsupported.is_empty());
}

#[test]
fn a_selector_that_matches_nothing_is_an_error_that_names_near_ones() {
    let refusal = |selector: &str| selected(&["/lists", selector]).expect_err(selector);
    for (selector, near) in [
        ("tag:list", "did you mean `tag:lists`"),
        ("rowGet", "did you mean `rowsGet`"),
        ("/list", "did you mean `/lists`"),
        ("PUT /lists", "`GET /lists`"),
        ("something else", "help: a selector is `tag:name`"),
        ("", "help: a selector is"),
    ] {
        let refusal = refusal(selector);
        assert!(refusal.contains(&format!("the selector `{selector}` matches no operation")), "{refusal}");
        assert!(refusal.contains(near) && refusal.contains("--> lists.yaml"), "{refusal}");
    }
    let refusal = refusal("GET /odd/..");
    assert!(refusal.contains("matches an operation without a method: "), "{refusal}");
}

/// What a call needs, by any way: as a part, as a subtype of a base, in a list, as the body of a refusal.
#[test]
fn types_that_no_call_needs_go_unless_they_are_asked_for() {
    let document = "openapi: 3.0.3
servers: [{url: https://lists.example}]
paths:
  /lists:
    post:
      operationId: list-make
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Draft'}}}}
      callbacks: {made: {'{$request.body#/url}': {post: {requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Event'}}}}, responses: {}}}}}
      responses:
        '200': {description: made, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}}}}
        '404': {description: no, content: {application/json: {schema: {$ref: '#/components/schemas/Problem'}}}}
        default: {description: no, content: {application/json: {schema: {$ref: '#/components/schemas/Problem'}}}}
components:
  schemas:
    Draft: {type: object, properties: {name: {$ref: '#/components/schemas/Name'}}}
    Name: {type: string, maxLength: 5}
    Pet: {type: object, required: [kind], properties: {kind: {type: string}}, discriminator: {propertyName: kind}}
    Cat: {allOf: [{$ref: '#/components/schemas/Pet'}, {type: object, properties: {lives: {$ref: '#/components/schemas/Lives'}}}]}
    Lives: {type: object, properties: {count: {type: integer}}}
    Problem: {type: object, properties: {code: {$ref: '#/components/schemas/Code'}}}
    Code: {type: string, enum: [broken, lost]}
    Event: {type: object, properties: {at: {type: string}}}
    Unused: {type: object, properties: {other: {$ref: '#/components/schemas/Unused'}}}
";
    let source =
        Source { name: "lists".to_owned(), document: Text::new("lists.yaml", document), overlay: None, contract: None };
    let generated = |all_types: bool| {
        let options = GenerateOptions { all_types, ..GenerateOptions::default() };
        generate_with(&source, &options).unwrap_or_else(|failure| panic!("{failure}"))
    };
    let (used, all) = (generated(false), generated(true));
    let is_there = |code: &str, name: &str| {
        ["struct", "enum", "type"].iter().any(|kind| code.contains(&format!("pub {kind} {name} ")))
    };
    for name in ["Draft", "Name", "Cat", "Lives", "Problem", "Code"] {
        assert!(is_there(&used.code, name), "{name}");
    }
    for name in ["Event", "Unused"] {
        assert!(!used.code.contains(name), "{name}");
        assert!(is_there(&all.code, name), "{name}");
    }
}
