//! Where a success tells of items that failed, and types that stand for schemas: what an overlay may say, and what of it is refused.

use keyfit_openapi::{Api, Partial, Source, Text, generate};

const DOCUMENT: &str = r##"
openapi: 3.0.3
info: { title: Shop, version: "1" }
servers: [{ url: https://shop.example }]
paths:
  /things:
    post:
      operationId: push
      requestBody: { content: { application/json: { schema: { type: array, items: { type: object } } } } }
      responses:
        "202": { description: Some., content: { application/json: { schema: { $ref: "#/components/schemas/Outcome" } } } }
    delete:
      operationId: drop
      responses: { "204": { description: Gone. } }
components:
  schemas:
    Outcome:
      oneOf:
        - type: object
          properties:
            total: { type: integer }
            stored: { type: integer }
            refused: { type: integer }
            note: { type: string }
            problems: { type: array, items: { type: object, properties: { index: { type: integer }, why: { type: string } } } }
        - type: object
          required: [rows]
          properties:
            rows: { type: array, items: { type: object, properties: { state: { type: string }, why: { type: string } } } }
"##;

fn source(actions: &str) -> Source {
    let overlay = format!("overlay: 1.0.0\ninfo: {{title: Shop, version: '1'}}\nactions:\n{actions}");
    Source {
        name: "shop".to_owned(),
        document: Text::new("openapi.yaml", DOCUMENT),
        overlay: Some(Text::new("overlay.yaml", overlay)),
        contract: None,
    }
}

fn action(target: &str, hints: &str) -> String {
    format!("  - target: {target}\n    update: {{ x-keyfit: {{ {hints} }} }}\n")
}

fn read(partial: &str) -> Result<Vec<Partial>, String> {
    let source = source(&action("$.paths['/things'].post", &format!("partial: {partial}")));
    let api = Api::read(&source).map_err(|failure| failure.to_string())?;
    Ok(api.operations[0].partial.clone())
}

#[test]
fn one_description_and_several_are_read() {
    let one = read(
        "{received: /total, accepted: /stored, rejected-items: /problems, position: /index, first: 1, reason: /why}",
    );
    let one = one.expect("a description");
    assert_eq!((one.len(), one[0].tells_at(), one[0].name()), (1, "/problems", "problems".to_owned()));
    assert_eq!((one[0].position.as_deref(), one[0].first), (Some("/index"), 1));
    let several = read("[{rejected: /refused}, {outcomes: /rows, outcome: /state, accepted-as: [stored, 200, true]}]");
    let several = several.expect("descriptions");
    assert_eq!(several.iter().map(Partial::name).collect::<Vec<_>>(), ["refused", "rows"]);
    assert_eq!(several[1].accepted_texts(), ["stored", "200", "true"]);
    assert_eq!(read("{outcomes: /rows, reason: /why}").expect("a description").len(), 1);
    assert_eq!(read("{received: /total, accepted: /stored}").expect("a description").len(), 1);
}

#[test]
fn what_says_nothing_and_what_the_document_lacks_is_refused_at_its_key() {
    for (partial, key, problem) in [
        ("{accepted: /stored}", "", "no place is named that tells of items that failed"),
        ("{rejected: /failed}", "/rejected", "the document has no `/failed`"),
        ("{rejected: refused}", "/rejected", "the document has no `refused`"),
        ("{rejected: /note}", "/rejected", "what is at `/note` in the answer is not a number"),
        ("{rejected-items: /refused}", "/rejected-items", "what is at `/refused` in the answer is not a list"),
        ("{rejected-items: /problems, position: /place}", "/position", "the document has no `/place`"),
        ("{outcomes: /rows}", "/outcomes", "nothing says which of the outcomes are of rejected items"),
        ("{outcomes: /rows, outcome: /state}", "/outcome", "which values mean that an item was accepted"),
        ("{outcomes: /rows, reason: /why, accepted-as: [a]}", "/accepted-as", "nothing says where these values stand"),
        ("{outcomes: /rows, outcome: /state, accepted-as: [{}]}", "/accepted-as", "`{}` is not a text"),
        ("{rejected: /refused, outcome: /state}", "/outcome", "there is no list `outcomes`"),
        ("[{rejected: /refused}, {outcomes: /lines, reason: /why}]", "/1/outcomes", "the document has no `/lines`"),
        (
            "[{rejected: /refused}, {rejected: /refused, accepted: /stored}]",
            "/1",
            "two descriptions tell of failed items at `/refused`",
        ),
    ] {
        let message = read(partial).map(drop).expect_err(partial);
        assert!(message.contains(problem) && message.contains("help: "), "{partial}: {message}");
        assert!(message.contains(&format!("/x-keyfit/partial{key}\n")), "{partial}: {message}");
    }
    for (partial, problem) in [
        ("items", "`\"items\"` is not an object of places"),
        ("{failed: /refused}", "unknown field `failed`"),
        ("[lists]", "invalid type: string \"lists\""),
    ] {
        let message = read(partial).map(drop).expect_err(partial);
        assert!(message.contains(problem), "{partial}: {message}");
    }
    let silent = source(&action("$.paths['/things'].delete", "partial: {rejected: /refused}"));
    let message = Api::read(&silent).map(drop).expect_err("no answer").to_string();
    assert!(message.contains("the operation has no success that is JSON"), "{message}");
}

#[test]
fn a_type_of_the_user_stands_for_a_schema_of_which_nothing_is_generated() {
    let outcome = "$.components.schemas.Outcome";
    let generated = generate(&source(&action(outcome, "type: '::shop::Outcome'"))).expect("a client");
    assert!(generated.code.contains("Response<::shop::Outcome>"), "{}", generated.surface);
    assert!(!generated.code.contains("OutcomeVariant") && !generated.code.contains("struct Outcome"));
    assert!(generate(&source(&action(outcome, "type: 'crate::types::Outcome<u8>'"))).is_ok());
    for (hints, problem) in [
        ("type: Outcome", "`Outcome` is not the full path of a type"),
        ("type: '::shop::Outcome; fn main() {}'", "is not the full path of a type"),
        ("type: '::shop::Outcome', list: rows", "`list` and `type` both say what stands for it"),
        ("types: '::shop::Outcome'", "unknown field `types`"),
    ] {
        let message = Api::read(&source(&action(outcome, hints))).map(drop).expect_err(hints).to_string();
        assert!(
            message.contains(problem) && message.contains("/components/schemas/Outcome/x-keyfit"),
            "{hints}: {message}"
        );
    }
}

#[test]
fn a_required_member_that_is_not_described_and_has_the_rust_name_of_another_costs_no_client() {
    let odd = DOCUMENT
        .replace("- type: object\n          required: [rows]", "- type: object\n          required: [rows, Rows]");
    assert_ne!(odd, DOCUMENT);
    let source =
        Source { name: "shop".to_owned(), document: Text::new("openapi.yaml", odd), overlay: None, contract: None };
    let generated = generate(&source).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(generated.operations, 2);
    assert!(
        generated.repairs.iter().any(|repair| repair.rule == "colliding-members" && repair.note.contains("`Rows`"))
    );
}
