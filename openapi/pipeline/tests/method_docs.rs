//! What the documentation of a generated method says, and how the code of a client is laid out.

use keyfit_openapi::{Source, Text, generate};

const DOCUMENT: &str = r#"
openapi: 3.0.3
info: {title: Parcels, version: "1"}
servers: [{url: https://api.parcels.example/v1}]
security: [{oauth: [parcels.write]}]
paths:
  /parcels/{id}:
    post:
      operationId: move-parcel
      summary: Moves a parcel
      description: It goes to another desk.
      externalDocs: {url: https://docs.parcels.example/moves}
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}, description: "Which one."}
        - {name: desk, in: query, required: true, schema: {type: integer}}
        - {name: note, in: query, schema: {type: string}}
        - {name: X-It's, in: header, required: true, schema: {type: string}}
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/Move'}}}
      responses:
        '200': {description: Moved, content: {application/json: {schema: {$ref: '#/components/schemas/Moved'}}}}
        '404': {description: No such parcel.}
        '422': {description: "A text with `marks`."}
        default: {description: Something else}
  /open:
    get:
      operationId: open
      security: []
      externalDocs: {url: "javascript:alert(1)"}
      responses: {'204': {description: Nothing}}
  /by-key:
    delete:
      operationId: by-key
      security: [{key: [], login: []}]
      responses: {'204': {description: Nothing}}
components:
  securitySchemes:
    oauth: {type: oauth2, flows: {clientCredentials: {tokenUrl: https://id.parcels.example/token, scopes: {parcels.write: x}}}}
    key: {type: apiKey, in: header, name: X-Key}
    login: {type: http, scheme: basic}
  schemas:
    Move:
      type: object
      required: [place, code]
      properties:
        place: {$ref: '#/components/schemas/Place'}
        code: {type: string, minLength: 2, maxLength: 4, pattern: "^[A-Z]+$"}
        color: {type: string, enum: [red, dark-green]}
    Moved:
      type: object
      required: [place, at]
      properties:
        place: {$ref: '#/components/schemas/Place'}
        at: {type: object, properties: {desk: {type: string}, shelf: {type: string}}}
        before: {type: object, properties: {desk: {type: string}, shelf: {type: string}}}
    Place:
      type: object
      properties: {desk: {type: string}, shelf: {type: string}}
    Name: {type: string}
"#;

fn code() -> String {
    let document = Text::new("openapi.yaml", DOCUMENT);
    let source = Source { name: "parcels".to_owned(), document, overlay: None, contract: None };
    generate(&source).expect("a client").code
}

/// The documentation of a method.
fn docs(code: &str, method: &str) -> Vec<String> {
    let lines: Vec<&str> = code.lines().map(str::trim).collect();
    let at = lines.iter().position(|line| line.starts_with(&format!("pub fn {method}("))).expect("it has the method");
    let first = lines[..at].iter().rposition(|line| !line.starts_with("///")).map_or(0, |before| before + 1);
    lines[first..at].iter().map(|line| line.trim_start_matches("///").trim().to_owned()).collect()
}

#[test]
fn a_method_says_what_it_does_how_it_is_tried_who_may_call_it_and_how_it_fails() {
    let expected = [
        "Moves a parcel",
        "",
        "It goes to another desk.",
        "",
        "`curl -X POST 'https://api.parcels.example/v1/parcels/{id}?desk={desk}' -H 'X-It'\\''s: {X-It'\\''s}' -H 'Authorization: \
         Bearer …' -H 'Content-Type: application/json' --data-binary @body`",
        "",
        "- Token: `oauth`.",
        "- Scopes: `parcels.write`.",
        "- Errors: `404` No such parcel, `422`, `default` Something else.",
        "- Repeat: never: a second request could have a second effect.",
        "- See <https://docs.parcels.example/moves>.",
    ];
    assert_eq!(docs(&code(), "move_parcel"), expected);
}

#[test]
fn a_line_for_a_shell_has_the_credentials_of_the_call_and_no_others() {
    let code = code();
    let line = |method| docs(&code, method).into_iter().find(|line| line.starts_with("`curl")).expect("a line");
    assert_eq!(line("open"), "`curl 'https://api.parcels.example/v1/open'`");
    assert_eq!(line("by_key"), "`curl -X DELETE 'https://api.parcels.example/v1/by-key' -H 'X-Key: …' -u '…:…'`");
    assert!(!code.contains("javascript:"), "a link is one of the web");
}

#[test]
fn what_is_the_same_for_every_type_is_named_from_the_runtime() {
    let code = code();
    for line in [
        "pub type MoveCode = rt::Text<patterns::MoveCode, 2, 4>;",
        "rt::texts! {",
        "DarkGreen = \"dark-green\",",
        "required code: super::MoveCode,",
        "optional color maybe_color: super::MoveColor,",
        "built body body_map: types::Move,",
    ] {
        assert!(code.lines().any(|found| found.trim() == line), "{line}\n{code}");
    }
}

#[test]
fn a_type_that_is_written_twice_is_one_under_the_name_of_the_document() {
    let code = code();
    for gone in ["PlaceAnswer", "MovedAt", "MovedBefore"] {
        assert!(!code.contains(gone), "{gone}\n{code}");
    }
    assert_eq!(code.matches("pub struct Place ").count(), 1, "{code}");
    assert!(code.contains("pub before: Option<Place>,"), "{code}");
}
