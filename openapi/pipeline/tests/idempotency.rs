//! Which header carries the idempotency key of a call: what the document says, and what an overlay says of it.

use keyfit_openapi::{Api, Source, Text, generate};

const DOCUMENT: &str = r#"
openapi: 3.0.3
info: { title: Shop, version: "1" }
servers: [{ url: https://shop.example }]
paths:
  /orders:
    post:
      operationId: order
      parameters: [{ name: Idempotency-Key, in: header, required: true, schema: { type: string } }]
      responses: { "201": { description: Made. } }
  /refunds:
    post:
      operationId: refund
      parameters: [{ name: X-Request-Id, in: header, required: true, schema: { type: string } }]
      responses: { "201": { description: Made. } }
    put:
      operationId: change
      responses: { "200": { description: Changed. } }
    get:
      operationId: list
      responses: { "200": { description: All. } }
"#;

fn source(actions: &[(&str, &str)]) -> Source {
    let of_action =
        |(target, hints): &(&str, &str)| format!("  - target: {target}\n    update: {{ x-keyfit: {{ {hints} }} }}\n");
    let actions: String = actions.iter().map(of_action).collect();
    let overlay = format!("overlay: 1.0.0\ninfo: {{title: Shop, version: '1'}}\nactions:\n{actions}");
    Source {
        name: "shop".to_owned(),
        document: Text::new("openapi.yaml", DOCUMENT),
        overlay: (!actions.is_empty()).then(|| Text::new("overlay.yaml", overlay)),
        contract: None,
    }
}

/// The headers of all operations, in the order of the document.
fn headers(actions: &[(&str, &str)]) -> Vec<Option<String>> {
    let api = Api::read(&source(actions)).expect("a document");
    api.operations.into_iter().map(|operation| operation.idempotency_key).collect()
}

#[test]
fn a_documented_header_is_known_by_its_name_and_an_overlay_has_the_last_word() {
    let named = |names: [&str; 4]| names.map(|name| (!name.is_empty()).then(|| name.to_owned()));
    assert_eq!(headers(&[]), named(["Idempotency-Key", "", "", ""]));
    let refund = ("$.paths['/refunds'].post", "idempotency-key: X-Request-Id");
    assert_eq!(headers(&[refund]), named(["Idempotency-Key", "X-Request-Id", "", ""]));
    assert_eq!(headers(&[("$", "idempotency-key: Once")]), named(["Once", "Once", "", ""]));
    assert_eq!(headers(&[("$", "idempotency-key: Once"), ("$.paths['/orders'].post", "retry: never")])[0], None);
    assert_eq!(headers(&[("$.paths['/orders'].post", "idempotency-key: false")])[0], None);
}

#[test]
fn what_cannot_be_a_header_is_refused_with_its_place() {
    for said in ["idempotency-key: 'two words'", "idempotency-key: Authorization", "idempotency-key: true"] {
        let failure = Api::read(&source(&[("$.paths['/orders'].post", said)])).expect_err(said).to_string();
        assert!(failure.contains("name of a header") && failure.contains("/paths/~1orders/post"), "{failure}");
    }
}

#[test]
fn a_key_that_the_client_makes_is_not_demanded() {
    let generated = generate(&source(&[])).expect("a client");
    let at = |name: &str| generated.code.find(name).unwrap_or_else(|| panic!("{name}: {}", generated.code));
    let _ =
        (at("optional idempotency_key"), at("required x_request_id"), at(".with_idempotency_key(\"Idempotency-Key\")"));
    assert!(generated.code.contains("Repeat: under its `Idempotency-Key`"), "{}", generated.code);
}
