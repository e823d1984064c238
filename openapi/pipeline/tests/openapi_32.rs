//! OpenAPI 3.2: what 3.1 can say as well is read, the rest is set aside with a reason, and no document is refused for it.

use keyfit_openapi::diff::{self, diff};
use keyfit_openapi::{Api, Source, Text, generate};

const DOCUMENT: &str = r"
openapi: 3.2.0
$self: https://api.example.com/openapi
info:
  title: Pets
  version: '1'
servers:
  - name: production
    url: https://api.example.com/v1
tags:
  - name: pets
    kind: nav
  - name: cats
    parent: pets
    summary: Cats
security:
  - '#/components/securitySchemes/login': [read]
paths:
  /pets:
    get:
      operationId: pets-list
      parameters:
        - name: filter
          in: querystring
          content:
            application/x-www-form-urlencoded:
              schema:
                type: object
                required: [kind]
                properties:
                  kind:
                    type: string
                  limit:
                    type: integer
      responses:
        '200':
          summary: The pets
          content:
            application/json:
              $ref: '#/components/mediaTypes/Pet'
    query:
      operationId: pets-query
      requestBody:
        content:
          application/json:
            schema:
              type: object
      responses: {}
    additionalOperations:
      COPY:
        operationId: pets-copy
        responses: {}
  /events:
    get:
      operationId: events
      parameters:
        - name: path
          in: querystring
          content:
            application/jsonpath:
              schema:
                type: string
      responses:
        '200':
          description: A stream
          content:
            text/event-stream:
              itemSchema:
                $ref: 'https://api.example.com/openapi#/components/schemas/Pet'
components:
  mediaTypes:
    Pet:
      schema:
        $ref: '#/components/schemas/Pet'
      examples:
        rex:
          dataValue:
            name: Rex
  schemas:
    Pet:
      type: object
      properties:
        name:
          type: [string, 'null']
  securitySchemes:
    login:
      type: oauth2
      oauth2MetadataUrl: https://login.example.com/.well-known/oauth-authorization-server
      flows:
        deviceAuthorization:
          deviceAuthorizationUrl: https://login.example.com/device
          tokenUrl: https://login.example.com/token
          scopes:
            read: See pets
";

fn source(text: &str) -> Source {
    Source { name: "pets".to_owned(), document: Text::new("pets.yaml", text), overlay: None, contract: None }
}

#[test]
fn what_3_1_can_say_is_read_and_the_rest_is_set_aside() {
    let api = Api::read(&source(DOCUMENT)).unwrap_or_else(|failure| panic!("{failure}"));
    let ids: Vec<&str> = api.operations.iter().map(|operation| operation.id.as_str()).collect();
    assert_eq!(ids, ["pets-list", "events"]);
    let without: Vec<(&str, &str)> =
        api.unsupported.iter().map(|part| (part.operation.as_str(), part.reason.as_str())).collect();
    let reasons = [
        ("QUERY /pets", "clients have no calls by the method QUERY"),
        ("COPY /pets", "clients have no calls by the method COPY"),
    ];
    assert_eq!(without, reasons);
    let list = &api.operations[0];
    let names: Vec<(&str, bool)> =
        list.parameters.iter().map(|parameter| (parameter.name.as_str(), parameter.required)).collect();
    assert_eq!(names, [("kind", false), ("limit", false)], "a query that is a form is given by its members");
    assert!(list.responses["200"].is_json());
    let narrowed: Vec<&str> =
        api.repairs.iter().filter(|repair| repair.narrowed).map(|repair| repair.note.as_str()).collect();
    assert!(
        narrowed.iter().any(|note| note.contains("`path` is sent in `querystring`, and cannot be given")),
        "{narrowed:?}"
    );
    assert!(api.repairs.iter().all(|repair| repair.rule != "unknown-scheme"));
    let copied = api.location("/paths/~1pets/COPY");
    let line = DOCUMENT.lines().position(|line| line.trim() == "COPY:").expect("it is there") + 1;
    assert_eq!((copied.line, copied.pointer.as_str()), (line, "/paths/~1pets/additionalOperations/COPY"));
}

#[test]
fn a_client_is_generated() {
    let client = generate(&source(DOCUMENT)).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(client.surface.contains("pets-list: GET /pets"), "{}", client.surface);
    assert!(client.surface.contains("events: GET /events"), "{}", client.surface);
}

#[test]
fn operations_by_other_methods_are_compared() {
    let document = |text: &str| diff::Document::read(&Text::new("pets.yaml", text)).expect("a document");
    assert!(diff(&document(DOCUMENT), &document(DOCUMENT)).is_empty());
    let ids = |new: &str| -> Vec<String> {
        let findings = diff(&document(DOCUMENT), &document(new));
        findings.iter().map(|found| format!("{} {}", found.rule.id, found.operations[0].method)).collect()
    };
    let without_copy =
        DOCUMENT.replace("      COPY:\n        operationId: pets-copy\n        responses: {}\n", "      {}\n");
    assert_eq!(ids(&without_copy), ["operation-removed COPY"]);
    let without_query = DOCUMENT.replace("    query:\n", "    x-query:\n");
    assert_eq!(ids(&without_query), ["operation-removed QUERY"]);
}
