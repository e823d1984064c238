//! What the pipeline mends by itself, and what it generates from it.

use std::collections::HashSet;

use keyfit_openapi::{Api, Generated, Source, Text, generate};

/// A document with the given paths and schemas.
fn source(paths: &str, schemas: &str) -> Source {
    let document = format!(
        "openapi: 3.0.0\ninfo: {{title: Pets, version: 1.0.0}}\nservers: [{{url: 'https://api.example.com/'}}]\n\
         paths:\n{paths}components:\n  schemas:\n    Pet: {{type: object, properties: {{name: {{type: string}}}}}}\n{schemas}"
    );
    Source { name: "pets".to_owned(), document: Text::new("pets.yaml", document), overlay: None, contract: None }
}

fn read(paths: &str) -> Api {
    Api::read(&source(paths, "")).unwrap_or_else(|failure| panic!("{failure}"))
}

fn client(paths: &str, schemas: &str) -> Generated {
    generate(&source(paths, schemas), "crate::api::pets").unwrap_or_else(|failure| panic!("{failure}"))
}

fn rules(api: &Api) -> HashSet<&'static str> {
    api.repairs.iter().map(|repair| repair.rule).collect()
}

fn generator_rules(client: &Generated) -> HashSet<&'static str> {
    client.repairs.iter().map(|repair| repair.rule).collect()
}

#[test]
fn missing_ids_are_made_of_method_and_path_whatever_the_order() {
    let one = "  /pets:\n    get: {responses: {'200': {description: ok}}}\n";
    let two = "  /pets/{id}:\n    delete: {parameters: [{name: id, in: path, required: true, schema: {type: string}}], responses: {'204': {description: ok}}}\n";
    let ids = |paths: String| {
        let mut ids: Vec<String> = read(&paths).operations.into_iter().map(|operation| operation.id).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(format!("{one}{two}")), ["delete-pets-by-id", "get-pets"]);
    assert_eq!(ids(format!("{two}{one}")), ["delete-pets-by-id", "get-pets"]);
}

#[test]
fn a_synthesised_id_makes_way_for_a_published_one() {
    let api = read(
        "  /pets:\n    get: {responses: {'200': {description: ok}}}\n    post: {operationId: get_pets, responses: {'200': {description: ok}}}\n",
    );
    let ids: Vec<&str> = api.operations.iter().map(|operation| operation.id.as_str()).collect();
    assert_eq!(ids, ["get-pets-2", "get_pets"]);
}

#[test]
fn an_id_that_every_client_has_is_renamed() {
    let api = read("  /pets:\n    get: {operationId: new, responses: {'200': {description: ok}}}\n");
    assert_eq!(api.operations[0].function, "new_operation");
}

#[test]
fn stray_keys_are_dropped_with_a_note() {
    let api = read(
        "  /pets:\n    get: {operationId: list, responses: {'200': {description: ok}}, path: /pets, method: GET, x-kept: 1}\n",
    );
    let notes: Vec<&str> =
        api.repairs.iter().filter(|repair| repair.rule == "stray-key").map(|repair| repair.pointer.as_str()).collect();
    assert_eq!(notes, ["/paths/~1pets/get/path", "/paths/~1pets/get/method"]);
    assert_eq!(api.document["paths"]["/pets"]["get"]["x-kept"], 1);
}

#[test]
fn path_parameters_are_completed_and_guarded() {
    let api = read(
        "  /pets/{id}/{part}/{tag}:\n    get: {operationId: part, parameters: [{name: id, in: path, schema: {type: string}}, {name: gone, in: path, required: true, schema: {type: string}}, {name: tag, in: path, required: true, schema: {type: string, pattern: '^[a-z.]+$'}}], responses: {'200': {description: ok}}}\n",
    );
    let operation = &api.operations[0];
    let names: Vec<&str> = operation.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    assert_eq!(names, ["id", "tag", "part"]);
    for parameter in &operation.parameters {
        assert!(parameter.required);
        assert!(
            parameter.schema["pattern"].as_str().is_some_and(|pattern| pattern.contains(r"(?!\.{1,2}$)")),
            "{parameter:?}"
        );
    }
    assert!(operation.parameters[1].schema["pattern"].as_str().is_some_and(|pattern| pattern.contains("[a-z.]+")));
    assert!(rules(&api).is_superset(&HashSet::from(["path-guard", "path-parameter", "server-url"])));
}

#[test]
fn errors_are_recorded_and_taken_out_of_the_client() {
    let paths = "  /pets:\n    get: {operationId: list, responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}, '400': {description: a, content: {application/json: {schema: {type: object}}}}, '422': {description: b, content: {application/json: {schema: {type: array, items: {type: string}}}}}, default: {description: c}}}\n";
    let api = read(paths);
    assert_eq!(api.operations[0].responses.keys().collect::<Vec<_>>(), ["200", "400", "422", "default"]);
    let client = client(paths, "");
    assert!(client.surface.contains("-> Result<ResponseValue<types::Pet>, crate::Error>"), "{}", client.surface);
    assert!(client.code.contains("200..=299"), "a success is any 2xx");
}

#[test]
fn a_success_that_may_lack_a_body_is_optional() {
    let client = client(
        "  /pets:\n    post: {operationId: add, responses: {'202': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}, '204': {description: nothing}}}\n",
        "",
    );
    assert!(client.surface.contains("ResponseValue<Option<types::Pet>>"), "{}", client.surface);
}

#[test]
fn two_kinds_of_success_become_raw_json() {
    let client = client(
        "  /pets:\n    post: {operationId: add, responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}, '202': {description: later, content: {application/json: {schema: {$ref: '#/components/schemas/Job'}}}}}}\n",
        "    Job: {type: object, required: [job], properties: {job: {type: string}}}\n",
    );
    assert!(client.surface.contains("ResponseValue<Value>"), "{}", client.surface);
    assert!(generator_rules(&client).contains("raw-answer"));
}

#[test]
fn answers_are_lenient_where_requests_are_strict() {
    let schemas = "    Cat: {type: object, additionalProperties: false, required: [name], properties: {name: {type: string, maxLength: 3}, mood: {type: string, enum: [good, bad]}, born: {type: string, format: date-time}, paws: {type: integer, minimum: 1, default: x}}}\n";
    let paths = "  /cats:\n    post: {operationId: add, requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Cat'}}}}, responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Cat'}}}}}}\n";
    let surface = client(paths, schemas).surface;
    assert!(surface.contains("CatAnswer { born: Option<crate::Timestamp>, mood: Option<crate::api::pets::generated::values::CatAnswerMood>, name: String, paws: Option<i64> }"), "{surface}");
    assert!(surface.contains("  Cat { born: Option<::chrono::DateTime<::chrono::offset::Utc>>, mood: Option<CatMood>, name: CatName, paws: Option<::std::num::NonZeroU64> }"), "{surface}");
}

#[test]
fn what_no_method_can_carry_is_set_aside_with_a_reason() {
    let paths = "  /pets:\n    get: {operationId: list, parameters: [{name: session, in: cookie, schema: {type: string}}], responses: {'200': {description: ok}}}\n    put: {operationId: load, requestBody: {content: {application/xml: {schema: {type: string}}}}, responses: {'200': {description: ok}}}\n    post: {operationId: add, responses: {'200': {description: ok}}}\n";
    let client = client(paths, "");
    let set_aside: Vec<String> =
        client.unsupported.iter().map(|part| format!("{}: {}", part.operation, part.reason)).collect();
    assert_eq!(
        set_aside,
        [
            "GET /pets: the parameter `session` is sent in a cookie",
            "PUT /pets: the request body is sent as application/xml"
        ]
    );
    assert!(client.surface.contains("add: POST /pets"));
}

#[test]
fn webhooks_are_kept_apart() {
    let mut source = source("  /pets:\n    post: {operationId: add, responses: {'200': {description: ok}}}\n", "");
    source.document.text.push_str("x-webhooks: {born: {post: {x-unverified: not seen, requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}}}\n");
    let api = Api::read(&source).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(api.webhooks.len(), 1);
    assert_eq!(api.webhooks[0].name, "born");
    assert_eq!(api.webhooks[0].unverified.as_deref(), Some("not seen"));
    assert_eq!(api.operations.len(), 1);
}

#[test]
fn parameters_of_the_path_item_belong_to_each_operation() {
    let api = read(
        "  /pets/{id}:\n    parameters: [{name: id, in: path, required: true, schema: {type: integer}}, {name: lang, in: query, schema: {type: string}}]\n    get: {operationId: one, parameters: [{name: lang, in: query, schema: {type: integer}}, {name: Authorization, in: header, schema: {type: string}}], responses: {'200': {description: ok}}}\n",
    );
    let names: Vec<&str> = api.operations[0].parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    assert_eq!(names, ["lang", "id"]);
    assert_eq!(api.operations[0].parameters[0].schema["type"], "integer");
}

#[test]
fn a_parameter_that_is_called_like_another_operation_changes_nothing() {
    let paths = "  /jobs:\n    post: {operationId: status, responses: {'200': {description: ok}}}\n    get: {operationId: list, parameters: [{name: status, in: query, schema: {type: string}}], responses: {'200': {description: ok}}}\n";
    let client = client(paths, "");
    assert_eq!(client.surface.matches("crate::Error>").count(), 2, "{}", client.surface);
    assert!(!client.code.contains("from_static(\"api-version\")"));
}
