//! What a user reads when a document, an overlay or a folder cannot be used: file, line, pointer, problem and help.

use keyfit_openapi::schema::Direction;
use keyfit_openapi::{Api, Source, Text, example, generate};

const GOOD: &str = "\
openapi: 3.0.0
info:
  title: Pets
  version: 1.0.0
servers:
  - url: https://api.example.com
paths:
  /pets/{id}:
    get:
      operationId: pet-get
      parameters:
        - name: id
          in: path
          required: true
          schema:
            type: string
      responses:
        '200':
          description: A pet
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/Pet'
components:
  schemas:
    Pet:
      type: object
      properties:
        name:
          type: string
";

fn source(document: &str, overlay: Option<&str>) -> Source {
    Source {
        name: "pets".to_owned(),
        document: Text::new("pets/published.yaml", document),
        overlay: overlay.map(|text| Text::new("pets/overlay.yaml", text)),
        contract: None,
    }
}

/// The message for a document in which `old` was replaced by `new`.
fn refusal(old: &str, new: &str) -> String {
    assert!(GOOD.contains(old), "the document does not hold {old:?}");
    message(&source(&GOOD.replacen(old, new, 1), None))
}

fn message(source: &Source) -> String {
    let failure = generate(source).expect_err("the input is bad");
    let text = failure.to_string();
    assert!(!text.contains("panicked"), "{text}");
    text
}

fn overlay(actions: &str) -> String {
    format!("overlay: 1.0.0\ninfo:\n  title: Pets\n  version: 1.0.0\nactions:\n{actions}")
}

#[test]
fn the_good_document_generates() {
    let client = generate(&source(GOOD, None)).expect("the document is good");
    assert!(client.surface.contains("pet-get: GET /pets/{id}"), "{}", client.surface);
    assert!(client.unsupported.is_empty());
}

#[test]
fn malformed_yaml_is_refused_with_its_line() {
    insta::assert_snapshot!(refusal("  title: Pets", "  title: [Pets"));
}

#[test]
fn an_empty_file_is_refused() {
    insta::assert_snapshot!(message(&source("", None)));
}

#[test]
fn a_duplicate_key_is_refused_with_its_line() {
    insta::assert_snapshot!(refusal("  title: Pets\n", "  title: Pets\n  title: Cats\n"));
}

#[test]
fn a_status_that_stands_twice_in_two_spellings_is_refused() {
    insta::assert_snapshot!(refusal(
        "        '200':\n",
        "        200:\n          description: twice\n        '200':\n"
    ));
}

#[test]
fn a_dangling_reference_costs_what_needs_it_alone() {
    let client = generate(&source(&GOOD.replace("#/components/schemas/Pet'", "#/components/schemas/Dog'"), None));
    let client = client.expect("a client");
    assert!(client.unsupported.is_empty());
    let remark = client.repairs.iter().find(|repair| repair.rule == "dangling-reference").expect("a remark");
    assert!(remark.narrowed && remark.note.contains("`#/components/schemas/Dog` leads nowhere"), "{remark:?}");
}

#[test]
fn a_reference_into_another_file_is_refused() {
    insta::assert_snapshot!(refusal("#/components/schemas/Pet'", "pets.yaml#/Pet'"));
}

#[test]
fn another_version_of_swagger_is_refused() {
    insta::assert_snapshot!(refusal("openapi: 3.0.0", "swagger: '1.2'"));
}

#[test]
fn a_document_of_another_kind_is_refused() {
    insta::assert_snapshot!(message(&source("- a\n- b\n", None)));
}

#[test]
fn an_overlay_target_that_matches_nothing_is_refused() {
    let text = overlay(
        "  - target: $.paths['/pets/{id}'].get\n    update: {summary: One pet}\n  - target: $.paths['/cats'].get\n    update: {summary: A cat}\n",
    );
    insta::assert_snapshot!(message(&source(GOOD, Some(&text))));
}

#[test]
fn an_overlay_target_that_is_no_jsonpath_is_refused() {
    insta::assert_snapshot!(message(&source(GOOD, Some(&overlay("  - target: paths./pets\n    update: {}\n")))));
}

/// A path item that holds more than operations.
const SHARED: &str = "openapi: 3.0.0\npaths:\n  /pets/{id}:\n    servers: [{url: 'https://a.example'}]\n    parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n    get: {responses: {}}\n";

#[test]
fn an_update_of_objects_and_lists_at_once_is_refused() {
    let text = overlay("  - target: $.paths.*.*\n    update: {security: []}\n");
    insta::assert_snapshot!(message(&source(SHARED, Some(&text))));
    let text = overlay("  - target: $.paths.*.get\n    update: [{name: page, in: query}]\n");
    insta::assert_snapshot!(message(&source(SHARED, Some(&text))));
}

#[test]
fn an_update_of_a_list_is_an_entry_or_several() {
    let parameter = |name: &str| format!("{{name: {name}, in: query, schema: {{type: string}}}}");
    let (one, several) = (parameter("page"), format!("[{}, {}]", parameter("size"), parameter("sort")));
    let text = overlay(&format!(
        "  - target: $.paths.*.parameters\n    update: {one}\n  - target: $.paths.*.parameters\n    update: {several}\n"
    ));
    let api = Api::read(&source(SHARED, Some(&text))).unwrap_or_else(|failure| panic!("{failure}"));
    let names: Vec<&str> = api.operations[0].parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    assert_eq!(names, ["id", "page", "size", "sort"]);
    assert!(!api.repairs.iter().any(|repair| repair.rule == "overlay-replaced"));
}

#[test]
fn a_list_that_an_update_replaces_by_an_object_is_named() {
    let text = overlay(
        "  - target: $.paths.*\n    update: {servers: {url: 'https://b.example'}, parameters: [], summary: [all of them]}\n",
    );
    let api = Api::read(&source(SHARED, Some(&text))).unwrap_or_else(|failure| panic!("{failure}"));
    let replaced: Vec<_> = api.repairs.iter().filter(|repair| repair.rule == "overlay-replaced").collect();
    assert_eq!(replaced.len(), 1, "{replaced:?}");
    assert_eq!(replaced[0].pointer, "/paths/~1pets~1{id}/servers");
    assert!(replaced[0].note.starts_with("pets/overlay.yaml:7:"), "{:?}", replaced[0]);
}

#[test]
fn an_overlay_without_actions_is_refused() {
    insta::assert_snapshot!(message(&source(GOOD, Some("overlay: 1.0.0\ninfo: {title: a, version: b}\n"))));
}

#[test]
fn what_an_overlay_put_in_is_found_in_the_overlay() {
    let text = overlay(
        "  - target: $.components.schemas\n    update: {Odd: {type: string}}\n  - target: $.components.schemas\n    update: {Odd: {type: object, properties: {mood: {$ref: 'mood.yaml#/Mood'}}}}\n",
    );
    insta::assert_snapshot!(message(&source(GOOD, Some(&text))));
    let harmless = overlay("  - target: $.components.schemas.Pet\n    update: {description: A pet}\n");
    let elsewhere = GOOD.replace("#/components/schemas/Pet'", "dogs.yaml#/Dog'");
    assert!(message(&source(&elsewhere, Some(&harmless))).contains("pets/published.yaml:23:17"));
}

#[test]
fn an_overlay_cannot_take_the_version_away() {
    let text = overlay("  - target: $\n    update: {openapi: 4.0.0}\n");
    insta::assert_snapshot!(message(&source(GOOD, Some(&text))));
}

#[test]
fn an_unknown_pipeline_key_is_refused() {
    let text = overlay("  - target: $.paths['/pets/{id}'].get\n    update: {x-keyfit: {retries: safe}}\n");
    insta::assert_snapshot!(message(&source(GOOD, Some(&text))));
}

#[test]
fn a_folder_without_a_document_is_refused() {
    let failure = Source::from_dir("tests".as_ref()).expect_err("there is no document in this folder");
    insta::assert_snapshot!(failure);
}

#[test]
fn an_empty_operation_is_refused() {
    insta::assert_snapshot!(refusal("    get:\n", "    post:\n    get:\n"));
}

#[test]
fn a_server_variable_without_a_default_is_refused() {
    insta::assert_snapshot!(refusal("https://api.example.com", "https://{region}.example.com"));
}

#[test]
fn a_schema_that_is_composed_of_itself_is_refused() {
    let cycle = "    Cat: {allOf: [{$ref: '#/components/schemas/Pair'}]}\n    Pair: {type: object, allOf: [{oneOf: [{$ref: '#/components/schemas/Cat'}]}]}\n    Pet:\n";
    insta::assert_snapshot!(refusal("    Pet:\n", cycle));
    let tree =
        "    Cat: {allOf: [{type: object, properties: {kitten: {$ref: '#/components/schemas/Cat'}}}]}\n    Pet:\n";
    assert!(generate(&source(&GOOD.replace("    Pet:\n", tree), None)).is_ok());
}

#[test]
fn a_merge_key_of_something_else_than_maps_is_refused() {
    insta::assert_snapshot!(refusal("        name:\n", "        <<: [{age: {type: integer}}, age]\n        name:\n"));
}

#[test]
fn what_a_map_has_itself_goes_before_what_it_merges() {
    let pets = "x-pets: &pets {name: {type: integer}, age: {type: integer}, at: {type: string}}\nx-old: &old {age: {type: boolean}}\ncomponents:\n";
    let merged =
        GOOD.replace("components:\n", pets).replace("        name:\n", "        <<: [*old, *pets]\n        name:\n");
    let client = generate(&source(&merged, None)).expect("a client");
    let pet = client.surface.lines().find(|line| line.trim_start().starts_with("Pet {")).expect("a type").to_owned();
    assert_eq!(pet.trim(), "Pet { age: Option<bool>, at: Option<String>, name: Option<String> }");
}

#[test]
fn a_reference_in_a_property_that_is_called_like_a_keyword_is_checked() {
    for name in ["example", "examples", "x-tag", "properties"] {
        let property = format!("        {name}: {{$ref: 'dogs.yaml#/Dog'}}\n        name:\n");
        assert!(refusal("        name:\n", &property).contains("leads to another file"), "{name}");
    }
    let extension =
        "      x-tag: {$ref: '#/components/schemas/Dog'}\n      example: {$ref: nowhere}\n      properties:\n";
    let client = generate(&source(&GOOD.replace("      properties:\n", extension), None));
    assert!(client.is_ok(), "data is no reference");
}

#[test]
fn a_schema_that_requires_itself_has_an_example() {
    let cycle = "    Pet:\n      required: [next, twin]\n      type: object\n      properties:\n        next: {$ref: '#/components/schemas/Pet'}\n        twin: {$ref: '#/components/schemas/Pet'}\n      x-old:\n";
    let document = GOOD
        .replace("    Pet:\n", cycle)
        .replace("      type: object\n      properties:\n        name", "        name");
    let api = Api::read(&source(&document, None)).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(example::value(&api, Direction::Answer, &api.document["components"]["schemas"]["Pet"]).is_object());
}

#[test]
fn an_example_of_absurd_length_is_not_made() {
    let document = GOOD.replace(
        "          type: string\n",
        "          type: array\n          minItems: 9000000000000\n          items: {type: integer}\n",
    );
    let api = Api::read(&source(&document, None)).unwrap_or_else(|failure| panic!("{failure}"));
    let value = example::value(&api, Direction::Answer, &api.document["components"]["schemas"]["Pet"]);
    // One item where it is required, and where it is not, none.
    assert!(value["name"].as_array().is_none_or(|items| items.len() == 1), "{}", value["name"]);
}

#[test]
fn absurd_nesting_is_refused() {
    for (open, close, problem) in [
        ("[", "]", "not well-formed"),
        ("{a: ", "}", "not well-formed"),
        ("- ", "", "not well-formed"),
        ("? ", "", "a key is not a string"),
    ] {
        let text = format!("{}{}", open.repeat(20_000), close.repeat(20_000));
        assert!(message(&source(&text, None)).contains(problem), "{open}");
    }
}

#[test]
fn what_anchors_and_aliases_multiply_is_refused_before_it_is_kept() {
    let nested = (0..120).fold(String::new(), |text, level| format!("{text}&a{level} [")) + &"x, ".repeat(20_000);
    let laughs = (1..9).fold("x-a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, level| {
        format!("{text}x-a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", "))
    });
    let long = format!("x-a: &a \"{}\"\nx-b: [{}]\n", "x".repeat(1_000_000), vec!["*a"; 100].join(", "));
    for (text, problem) in [
        (format!("{nested}{}", "]".repeat(120)), "too much of it stands below anchors"),
        (laughs, "its aliases repeat too many nodes"),
        (long, "its aliases repeat too much text"),
        (format!("? {}\n: [{}]\n", "x".repeat(1000), "x, ".repeat(600_000)), "its keys are too long"),
        (
            format!(
                "x-a: &a {{{}: [{}]}}\nx-b: [{}]\n",
                "x".repeat(40_000),
                "x, ".repeat(50),
                vec!["*a"; 1000].join(", ")
            ),
            "its keys are too long",
        ),
        ("x-a: &a [*a]\n".to_owned(), "cannot be read"),
        ("x-a: &a [1]\n*a : 2\n".to_owned(), "a key is not a string"),
    ] {
        let said = message(&source(&text, None));
        assert!(said.contains(problem), "{problem}: {said}");
    }
}

#[test]
fn an_alias_stands_for_its_anchor_as_key_value_list_or_map() {
    let text = GOOD.replace(
        "title: Pets",
        "title: &title Pets\n  x-a: {*title : [*title], b: &map {c: &list [1, two]}, d: *map, e: *list}",
    );
    let api = Api::read(&source(&text, None)).unwrap_or_else(|failure| panic!("{failure}"));
    let expected =
        serde_json::json!({ "Pets": ["Pets"], "b": { "c": [1, "two"] }, "d": { "c": [1, "two"] }, "e": [1, "two"] });
    assert_eq!(api.document["info"]["x-a"], expected);
}

#[test]
fn yaml_that_looks_like_something_else_stays_text() {
    let document = GOOD.replace("title: Pets", "title: NO").replace("description: A pet", "description: 08001");
    let api = Api::read(&source(&document, None)).expect("the document is good");
    assert_eq!(api.title, "NO");
    assert_eq!(api.operations[0].responses["200"].description, "08001");
}

#[test]
fn a_key_that_stands_twice_is_named_in_a_flow_mapping_too() {
    for (from, to) in [("  title: Pets\n", "  x: {a: 1, a: 2}\n"), ("  title: Pets\n", "  x: {\"a\": 1, \"a\": 2}\n")] {
        assert!(refusal(from, to).contains("the key `a` stands twice in one mapping"), "{}", refusal(from, to));
    }
}

#[test]
fn a_path_item_in_another_file_is_named_with_what_to_do() {
    let text = "openapi: 3.0.3\ninfo: {title: Pets, version: '1'}\npaths:\n  /pets: {$ref: ./pets.yaml}\n";
    let said = message(&source(text, None));
    assert!(said.contains("the reference `./pets.yaml` leads to another file"), "{said}");
    assert!(said.contains("to files in its folder and below") && said.contains("#/paths/~1pets/$ref"), "{said}");
}

#[test]
fn a_text_of_another_encoding_is_told_from_one_that_is_odd() {
    let of =
        |bytes: &[u8]| Text::decode("pets.yaml", bytes.to_vec()).map(|text| text.text).map_err(|it| it.to_string());
    assert_eq!(of(b"openapi: 3.0.3"), Ok("openapi: 3.0.3".to_owned()));
    let utf_16: Vec<u8> = "openapi".encode_utf16().flat_map(u16::to_be_bytes).collect();
    for (bytes, problem) in [
        (utf_16.as_slice(), "the text is UTF-16, not UTF-8"),
        (b"\xFF\xFEo\0", "the text is UTF-16, not UTF-8"),
        (b"a: b\nc: T\xEFckets", "not UTF-8: line 2 has a letter of another encoding"),
        (b"\x1F\x8B\x08", "the text is compressed (gzip)"),
    ] {
        let said = of(bytes).expect_err("it is no UTF-8");
        assert!(said.contains(problem), "{said}");
        assert!(said.contains("save it as UTF-8") || said.contains("unpack it"), "{said}");
    }
}

#[test]
fn a_file_that_is_called_json_and_is_none_is_noted() {
    let text = r#"{"openapi":"3.0.3","info":{"title":"a","version":"1",},"paths":{}}"#;
    let noted = |path: &str, text: &str| {
        let document = Text::new(path, text);
        let source = Source { name: "pets".to_owned(), document, overlay: None, contract: None };
        let api = Api::read(&source).unwrap_or_else(|failure| panic!("{failure}"));
        api.repairs.iter().find(|repair| repair.rule == "no-json").map(|repair| repair.note.clone())
    };
    let note = noted("pets.json", text).expect("it is noted");
    assert!(note.contains("line 1 column 54"), "{note}");
    assert_eq!(noted("pets.yaml", text), None);
    assert_eq!(noted("pets.json", &format!("\u{FEFF}{}", text.replace("\"1\",", "\"1\""))), None);
}
