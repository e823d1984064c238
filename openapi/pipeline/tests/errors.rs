//! What generated clients have for refusals by status, and for work that a 202 started.

use keyfit_openapi::{Source, Text, generate};

const DOCUMENT: &str = r##"
openapi: 3.0.3
info: { title: Shop, version: "1" }
servers: [{ url: https://shop.example }]
paths:
  /orders:
    post:
      operationId: order
      parameters: [{ name: poll, in: query, schema: { type: boolean } }]
      requestBody: { content: { application/json: { schema: { $ref: "#/components/schemas/Order" } } } }
      responses:
        "202":
          description: It is at work.
          headers: { location: { schema: { type: string } } }
          content: { application/json: { schema: { $ref: "#/components/schemas/Order" } } }
        "400": { $ref: "#/components/responses/Refused" }
        "403": { $ref: "#/components/responses/Refused" }
        "404": { description: Not there., content: { text/plain: { schema: { type: string } } } }
        "409": { description: Taken., content: { application/json: { schema: { $ref: "#/components/schemas/Order" } } } }
        "410": { description: Gone., content: { application/json: { schema: { type: object, properties: { own: { type: string } } } } } }
        default: { description: Else., content: { application/json: { schema: { $ref: "#/components/schemas/Problem" } } } }
  /lists:
    get:
      operationId: list
      responses:
        default: { description: All., content: { application/json: { schema: { $ref: "#/components/schemas/Problem" } } } }
components:
  responses:
    Refused:
      description: Why not.
      content: { application/json: { schema: { type: object, required: [why], properties: { why: { type: string } } } } }
  schemas:
    Refused: { type: object, properties: { other: { type: string } } }
    Order: { type: object, required: [id], properties: { id: { type: string, minLength: 3 } } }
    Problem: { type: object, properties: { title: { type: string } } }
"##;

fn generated() -> keyfit_openapi::Generated {
    let document = Text::new("openapi.yaml", DOCUMENT);
    generate(&Source { name: "shop".to_owned(), document, overlay: None, contract: None }).expect("a client")
}

#[test]
fn a_status_has_the_type_of_its_schema_and_a_response_of_the_components_is_one() {
    let generated = generated();
    // What requests share is read as answers are, and a name that is taken is told apart.
    let said = "Bodies of errors, for `Error::typed`: `400`, `403` `types::Refused2`; `409` `types::OrderAnswer`; `default` `types::Problem`.";
    assert!(generated.code.contains(said), "{}", generated.code);
    assert!(
        generated.surface.contains("errors Refused2 by 400 403, OrderAnswer by 409, Problem by default"),
        "{}",
        generated.surface
    );
    for kind in ["Refused2", "OrderAnswer", "Problem"] {
        assert!(generated.code.contains(&format!("pub struct {kind} ")), "{kind}: {}", generated.code);
    }
    // Nothing has it.
    assert!(!generated.code.contains("pub struct Refused "), "{}", generated.code);
    assert_eq!(generated.code.matches("Bodies of errors").count(), 1, "`default` alone is a success");
}

#[test]
fn a_202_with_the_place_of_its_status_is_waited_for() {
    let code = generated().code;
    assert_eq!(code.matches("pub fn poll(self) -> ::keyfit::Poll").count(), 1, "{code}");
    assert_eq!(code.matches(".polling()").count(), 1, "{code}");
    // The argument of the same name makes way.
    assert!(code.contains("poll_query") || code.contains("poll_"), "{code}");
}
