//! What the pipeline mends by itself, and what it generates from it.

use std::collections::HashSet;

use keyfit_openapi::{Api, Dispatch, GenerateOptions, Generated, Source, Text, generate, generate_with};

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

/// A client with the types of all schemas: constructs stand in some that no call needs.
fn client(paths: &str, schemas: &str) -> Generated {
    let options = GenerateOptions { dispatch: Dispatch::Always, all_types: true, ..GenerateOptions::default() };
    generate_with(&source(paths, schemas), &options).unwrap_or_else(|failure| panic!("{failure}"))
}

/// Whether the code has these words, however its lines are broken.
fn has(code: &str, words: &str) -> bool {
    let spaceless = |text: &str| text.split_whitespace().collect::<String>().replace(",)", ")");
    spaceless(code).contains(&spaceless(words))
}

fn rules(api: &Api) -> HashSet<&'static str> {
    api.repairs.iter().map(|repair| repair.rule).collect()
}

fn generator_rules(client: &Generated) -> HashSet<&'static str> {
    client.repairs.iter().map(|repair| repair.rule).collect()
}

#[test]
fn what_is_odd_and_can_be_read_is_noted() {
    let api = read(
        "  /pets/{id}:\n    get: {security: [{nosuch: []}], responses: {'200': {description: ok}, odd: {description: ?}}}\n  \
         /pets/{pet}:\n    put: {responses: {2xx: {description: ok}, default: {description: no}}}\n",
    );
    let noted = |rule: &str| -> Vec<(String, String)> {
        let of_rule = api.repairs.iter().filter(|repair| repair.rule == rule);
        of_rule.map(|repair| (repair.pointer.clone(), repair.note.clone())).collect()
    };
    for (rule, pointer, word) in [
        ("unknown-scheme", "/paths/~1pets~1{id}/get/security/0", "`nosuch`"),
        ("odd-status", "/paths/~1pets~1{id}/get/responses/odd", "`odd`"),
        ("same-path", "/paths/~1pets~1{pet}", "`/pets/{id}`"),
    ] {
        let found = noted(rule);
        assert_eq!(found.len(), 1, "{rule}: {found:?}");
        assert!(found[0].0 == pointer && found[0].1.contains(word), "{rule}: {found:?}");
    }
}

#[test]
fn paths_are_the_same_by_what_stands_around_their_parameters() {
    let item = |path: &str| format!("  {path}:\n    get: {{responses: {{'200': {{description: ok}}}}}}\n");
    let paths = ["/a/{x}", "/a/{y}", "/a/{x}-{y}", "/a/{y}-{x}", "/a/{x}:go", "/a/{y}:stop"];
    let api = read(&paths.map(item).concat());
    let same = api.repairs.iter().filter(|repair| repair.rule == "same-path").map(|repair| repair.pointer.as_str());
    assert_eq!(same.collect::<Vec<_>>(), ["/paths/~1a~1{y}", "/paths/~1a~1{y}-{x}"]);
}

#[test]
fn a_path_that_no_server_takes_is_set_aside() {
    let item = |length: usize| {
        format!("  ? /{}\n  : get: {{responses: {{'200': {{description: ok}}}}}}\n", "a".repeat(length - 1))
    };
    let api = read(&format!("{}{}", item(8000), item(8001)));
    assert_eq!(api.operations.len(), 1);
    assert_eq!(api.operations[0].path.len(), 8000);
    assert_eq!(api.unsupported[0].reason, "the path is longer than 8000 bytes, which servers do not take");
    assert_eq!(api.methods(&format!("/{}", "a".repeat(8000))), ["GET"], "it is declared all the same");
}

#[test]
fn what_a_published_document_says_under_x_keyfit_is_ignored_and_what_an_overlay_says_counts() {
    let said = "x-keyfit: {retry: safe, spends: true, credentials: [any], scopes: [all], errors: own, partial: {rejected: /failed}}";
    let paths = format!(
        "  /pets:\n    {said}\n    delete: {{operationId: drop, {said}, responses: {{'204': {{description: gone}}}}}}\n  \
         /dogs: {{$ref: '#/components/pathItems/dogs'}}\n"
    );
    let schemas = format!(
        "    Named: {{type: object, properties: {{x-keyfit: {{type: string}}}}}}\n    List: {{type: object, x-keyfit: {{list: data}}}}\n  \
         pathItems:\n    dogs:\n      delete: {{operationId: drop-dogs, {said}, responses: {{'204': {{description: gone}}}}}}\n{said}\n"
    );
    let mut source = source(&paths, &schemas);
    let api = Api::read(&source).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(api.operations.len(), 2);
    for operation in &api.operations {
        assert_eq!(operation.retry, keyfit_openapi::Retry::Never, "{}", operation.id);
        assert!(!operation.spends && operation.partial.is_empty() && operation.errors.is_empty(), "{}", operation.id);
        assert!(operation.credentials.is_empty() && operation.scopes.is_empty(), "{}", operation.id);
    }
    let noted = api.repairs.iter().filter(|repair| repair.rule == "published-hints").count();
    assert_eq!(noted, 5, "the document, a path, two operations and a schema");
    assert!(api.ignored_hints().is_some_and(|note| note.contains("and 4 more")));
    assert!(
        api.document.pointer("/components/schemas/Named/properties/x-keyfit").is_some(),
        "a property may have that name"
    );

    let overlay = "overlay: 1.0.0\ninfo: {title: O, version: '1'}\nactions:\n  - {target: \"$.paths['/pets'].delete\", description: d, update: {x-keyfit: {retry: idempotent, scopes: [pets]}}}\n";
    source.overlay = Some(Text::new("overlay.yaml", overlay));
    let api = Api::read(&source).unwrap_or_else(|failure| panic!("{failure}"));
    let operation = api.operation("drop").expect("it is there");
    assert_eq!((operation.retry, &*operation.scopes), (keyfit_openapi::Retry::Idempotent, &["pets".to_owned()][..]));
    assert!(!operation.spends, "nothing of the document's own is left beside it");
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
    assert!(client.surface.contains("-> Result<keyfit::Response<types::Pet>, keyfit::Error>"), "{}", client.surface);
}

#[test]
fn a_success_that_may_lack_a_body_is_optional() {
    let client = client(
        "  /pets:\n    post: {operationId: add, responses: {'202': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}, '204': {description: nothing}}}\n",
        "",
    );
    assert!(client.surface.contains("Response<Option<types::Pet>>"), "{}", client.surface);
}

#[test]
fn two_kinds_of_success_become_raw_json() {
    let client = client(
        "  /pets:\n    post: {operationId: add, responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}, '202': {description: later, content: {application/json: {schema: {$ref: '#/components/schemas/Job'}}}}}}\n",
        "    Job: {type: object, required: [job], properties: {job: {type: string}}}\n",
    );
    assert!(client.surface.contains("Response<Value>"), "{}", client.surface);
    assert!(generator_rules(&client).contains("raw-answer"));
}

#[test]
fn answers_are_lenient_where_requests_are_strict() {
    let schemas = "    Cat: {type: object, additionalProperties: false, required: [name], properties: {name: {type: string, maxLength: 3}, mood: {type: string, enum: [good, bad]}, born: {type: string, format: date-time}, paws: {type: integer, minimum: 1, default: x}}}\n";
    let paths = "  /cats:\n    post: {operationId: add, requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Cat'}}}}, responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Cat'}}}}}}\n";
    let surface = client(paths, schemas).surface;
    assert!(surface.contains("CatAnswer { born: Option<keyfit::Timestamp>, mood: Option<values::CatAnswerMood>, name: String, paws: Option<i64> }"), "{surface}");
    assert!(surface.contains("  Cat { born: Option<chrono::DateTime<chrono::offset::Utc>>, mood: Option<CatMood>, name: CatName, paws: Option<::std::num::NonZeroU64> }"), "{surface}");
}

#[test]
fn what_has_no_type_is_given_as_text_or_bytes_and_the_method_says_so() {
    let paths = "  /pets:\n    get: {operationId: list, parameters: [{name: session, in: cookie, schema: {type: string}}], responses: {'200': {description: ok}}}\n    put: {operationId: load, requestBody: {required: true, content: {application/xml: {schema: {type: string}}}}, responses: {'200': {description: ok}}}\n    post: {operationId: add, requestBody: {required: true, content: {multipart/form-data: {}}}, responses: {'200': {description: ok}}}\n";
    let client = client(paths, "");
    assert_eq!(set_aside(&client), Vec::<String>::new());
    assert!(client.surface.contains("(cookie: Option<String>)"), "{}", client.surface);
    assert!(client.surface.contains("(content_type: String, body: reqwest::Body)"), "{}", client.surface);
    assert!(has(&client.code, "set(&mut header_map, \"content-type\", \"application/xml\")"), "{}", client.code);
    let narrowed: Vec<&str> =
        client.repairs.iter().filter(|repair| repair.narrowed).map(|repair| repair.rule).collect();
    assert_eq!(narrowed, ["cookie", "raw-body", "raw-body"]);
    assert!(has(&client.code, "- Narrower than the document: cookies are given as one text"), "{}", client.code);
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
    assert_eq!(client.surface.matches("keyfit::Error>").count(), 2, "{}", client.surface);
    assert!(!has(&client.code, "from_static(\"api-version\")"));
}

/// An operation whose one answer has this schema.
fn answer(schema: &str) -> String {
    format!(
        "  /pets:\n    get: {{operationId: list, responses: {{'200': {{description: ok, content: {{application/json: {{schema: {schema}}}}}}}}}}}\n"
    )
}

/// An operation whose one answer and whose body have this schema.
fn echo(schema: &str) -> String {
    answer(schema).replace(
        "responses:",
        &format!("requestBody: {{content: {{application/json: {{schema: {schema}}}}}}}, responses:"),
    )
}

#[test]
fn a_schema_that_the_pipeline_adds_takes_no_published_name() {
    let schemas = "    cat-answer: {type: object, properties: {published: {type: string}}}\n    CatAnswer2Mood: {type: object, properties: {also: {type: string}}}\n    Cat: {type: object, properties: {mood: {type: string, enum: [good]}, other: {$ref: '#/components/schemas/cat-answer'}}}\n";
    let surface = client(&echo("{$ref: '#/components/schemas/Cat'}"), schemas).surface;
    assert!(surface.contains("  CatAnswer { published: Option<String> }"), "{surface}");
    assert!(surface.contains("  CatAnswer2Mood { also: Option<String> }"), "{surface}");
    assert!(
        surface.contains("  CatAnswer2 { mood: Option<values::CatAnswer2Mood2>, other: Option<CatAnswer> }"),
        "{surface}"
    );
}

#[test]
fn enum_values_of_every_kind_become_names() {
    let schemas = "    3d-mood: {type: string, enum: [self, '1', ², '', good, GOOD, other, 'it is']}\n";
    let code = client(&answer("{$ref: '#/components/schemas/3d-mood'}"), schemas).code;
    let (_, code) = code.split_once("pub enum X3dMood").expect("the enum is there");
    let (variants, _) = code.split_once('}').expect("it ends");
    let names: Vec<&str> = variants.lines().map(str::trim).filter(|line| line.ends_with(',')).collect();
    assert_eq!(
        names,
        ["ValueSelf = \"self\",", "Value1 = \"1\",", "Value = \"²\",", "Good = \"good\",", "ItIs = \"it is\","]
    );
}

#[test]
fn a_body_that_is_no_object_takes_any_value() {
    let client = client(
        "  /pets:\n    post: {operationId: add, requestBody: {content: {application/json: text}}, responses: {'200': {description: ok}}}\n    put: {operationId: put, requestBody: {content: {application/json: {}}}, responses: {'200': {description: ok}}}\n",
        "",
    );
    assert!(
        client.surface.contains("add: POST /pets") && client.surface.contains("put: PUT /pets"),
        "{}",
        client.surface
    );
}

#[test]
fn a_path_argument_has_to_match_its_own_pattern_and_the_guard() {
    let api = read(
        "  /pets/{id}:\n    get: {operationId: one, parameters: [{name: id, in: path, required: true, schema: {type: string, pattern: 'b|^\\.'}}], responses: {'200': {description: ok}}}\n",
    );
    let pattern = api.operations[0].parameters[0].schema["pattern"].as_str().expect("it was guarded");
    let pattern = regress::Regex::new(pattern).expect("the client's engine reads it");
    for (text, fits) in
        [("abc", true), (".b", true), (".x", true), ("ac", false), (".", false), ("..", false), ("a\\b", false)]
    {
        assert_eq!(pattern.find(text).is_some(), fits, "{text}");
    }
}

#[test]
fn a_uuid_needs_no_crate() {
    let client = client(
        "  /pets/{id}:\n    get: {operationId: one, parameters: [{name: id, in: path, required: true, schema: {type: string, format: uuid}}, {name: owner, in: query, schema: {type: string, format: uuid}}, {name: day, in: query, schema: {type: string, format: date}}], responses: {'200': {description: ok, content: {application/json: {schema: {type: string, format: uuid}}}}}}\n",
        "",
    );
    assert!(!has(&client.code, "uuid::"), "{}", client.surface);
    assert!(client.surface.contains("id: keyfit::PathArgument"), "{}", client.surface);
    assert!(has(&client.code, "::chrono::naive::NaiveDate"));
    assert!(generator_rules(&client).is_superset(&HashSet::from(["uuid", "path-guard", "answer-format"])));
}

#[test]
fn what_the_generator_does_not_read_cannot_stop_it() {
    let mut source = source(&echo("{type: object, properties: {paws: {type: integer, default: four}}}"), "");
    source.document.text = source.document.text.replace("version: 1.0.0", "version: 1.0.0, license: MIT, contact: [a]");
    source.document.text.push_str("tags: all\nexternalDocs: none\nsecurity: none\n");
    let client = generate(&source).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(
        client.code.contains("Default where it is left out: `\"four\"`."),
        "a default of another type is still said"
    );
}

#[test]
fn every_change_to_what_the_generator_is_given_is_recorded_once_a_schema() {
    let schemas = "    Cat: {type: object, properties: {name: {type: string, maxLength: 3}, mood: {type: string, enum: [good]}, state: {type: string, enum: [here]}, born: {type: string, format: date-time}}}\n    Cats: {type: array, maxItems: 2, items: {$ref: '#/components/schemas/Cat'}}\n";
    let paths = echo("{$ref: '#/components/schemas/Cats'}").replace("'200'", "'400': {description: bad}, '200'");
    let client = client(&paths, schemas);
    let notes: Vec<String> = client
        .repairs
        .iter()
        .filter(|repair| repair.rule != "server-url")
        .map(|repair| format!("{} {}", repair.rule, repair.pointer))
        .collect();
    assert_eq!(
        notes,
        [
            "error-answers /paths/~1pets/get/responses",
            "any-success /paths/~1pets/get/responses",
            "split-schema /components/schemas/Cat",
            "split-schema /components/schemas/Cats",
            "answer-instant /components/schemas/CatAnswer",
            "answer-limits /components/schemas/CatAnswer",
            "open-enum /components/schemas/CatAnswer",
            "answer-limits /components/schemas/CatsAnswer",
            "replaced-type /components/schemas/Cats",
        ]
    );
}

fn set_aside(client: &Generated) -> Vec<String> {
    client.unsupported.iter().map(|part| format!("{}: {}", part.operation, part.reason)).collect()
}

#[test]
fn arguments_whose_names_meet_are_told_apart_and_sent_as_documented() {
    let put = |parameters: &str| {
        let body = "requestBody: {content: {application/json: {}}}, responses: {'200': {description: ok}}";
        let paths = format!("  /pets/{{id}}:\n    put: {{operationId: put, parameters: [{parameters}], {body}}}\n");
        client(&paths, "")
    };
    let string = "schema: {type: string}";
    for (parameters, setter, wire) in [
        (format!("{{name: body, in: query, {string}}}"), "body_query", "\"body\", &body_query"),
        (format!("{{name: send, in: query, {string}}}"), "send_query", "\"send\", &send_query"),
        (format!("{{name: id, in: query, {string}}}"), "id_query", "\"id\", &id_query"),
        (
            format!("{{name: fooBar, in: query, {string}}}, {{name: foo_bar, in: query, {string}}}"),
            "foo_bar_query",
            "\"foo_bar\", &foo_bar_query",
        ),
        (
            "{name: X-Tags, in: header, schema: {type: array, items: {type: string}}}".to_owned(),
            "x_tags",
            "append(\"X-Tags\"",
        ),
    ] {
        let client = put(&parameters);
        assert_eq!(set_aside(&client), Vec::<String>::new());
        assert!(has(&client.code, &format!("optional {setter} maybe_")), "{}", client.code);
        assert!(has(&client.code, wire), "{wire}: {}", client.code);
    }
}

#[test]
fn a_stream_of_bytes_is_asked_for_and_dispatched() {
    let paths = "  /photo:\n    get: {operationId: photo, responses: {'200': {description: ok, content: {image/png: {}}}}}\n    put: {operationId: name, responses: {'204': {description: ok}}}\n";
    let client = client(paths, "");
    assert!(client.surface.contains("Response<keyfit::ByteStream>"), "{}", client.surface);
    let (_, dispatch) = client.code.split_once("async fn dispatch").expect("it is generated");
    assert!(dispatch.contains("\"photo\" =>") && dispatch.contains("Answer::from_stream"), "{dispatch}");
    let asks = |client: &Generated, media_type: &str| {
        has(&client.code, &format!("set(&mut header_map, \"accept\", \"{media_type}\")"))
    };
    assert!(asks(&client, "image/png"), "{}", client.code);
}

#[test]
fn an_answer_to_head_has_no_body() {
    let json = "{'200': {description: ok, content: {application/json: {schema: {type: integer}}}}}";
    let paths = format!(
        "  /a:\n    get: {{operationId: get, responses: {json}}}\n    head: {{operationId: look, responses: {json}}}\n"
    );
    let client = client(&paths, "");
    assert!(
        client
            .surface
            .contains("look: HEAD /a\n    credentials - scopes - retry Safe\n    () -> Result<keyfit::Response<()>"),
        "{}",
        client.surface
    );
}

#[test]
fn an_answer_whose_status_allows_no_body_has_none() {
    let text = "{description: ok, content: {text/plain: {schema: {type: string}}}}";
    let api = read(&format!("  /pets:\n    delete: {{responses: {{'204': {text}, '200': {text}}}}}\n"));
    let shapes = &api.operations[0].responses;
    assert_eq!((shapes["204"].media_type.as_deref(), shapes["204"].schema.as_ref()), (None, None));
    assert_eq!(shapes["200"].media_type.as_deref(), Some("text/plain"));
    let repaired = api.repairs.iter().filter(|repair| repair.rule == "bodiless-answer").map(|repair| &*repair.pointer);
    assert_eq!(repaired.collect::<Vec<_>>(), ["/paths/~1pets/delete/responses/204"]);
}

#[test]
fn bodies_that_the_caller_writes_are_dispatched() {
    let body = |media_type: &str| {
        let paths = format!(
            "  /a:\n    post: {{operationId: add, requestBody: {{content: {{{media_type}: {{schema: {{type: object}}}}}}}}, responses: {{'204': {{description: ok}}}}}}\n"
        );
        client(&paths, "").code
    };
    for media_type in ["application/xml", "text/plain", "image/png", "application/octet-stream"] {
        let code = body(media_type);
        assert!(has(&code, "call.body(rt::written(value))"), "{media_type}: {code}");
    }
    let code = body("multipart/form-data");
    assert!(code.contains(".unwrap_or(\"multipart/form-data\")"), "{code}");
}

#[test]
fn a_fragment_of_a_path_is_not_sent_and_keeps_operations_apart() {
    let call = |id: &str| {
        format!(
            "{{operationId: {id}, parameters: [{{name: id, in: path, required: true, schema: {{type: string}}}}], responses: {{'204': {{description: ok}}}}}}"
        )
    };
    let paths = format!(
        "  /files/{{id}}:\n    put: {}\n  /files/{{id}}#restore:\n    put: {}\n    get: {}\n  /files/{{id}}#{{to}}:\n    put: {}\n",
        call("change"),
        call("restore"),
        call("look").replace("operationId: look, ", ""),
        call("send"),
    );
    let api = Api::read(&source(&paths, "")).unwrap_or_else(|failure| panic!("{failure}"));
    let read =
        api.operations.iter().map(|operation| (operation.id.as_str(), operation.path.as_str(), operation.key.as_str()));
    let same = "/files/{id}";
    let expected = [
        ("change", same, same),
        ("restore", same, "/files/{id}#restore"),
        ("get-files-id-restore", same, "/files/{id}#restore"),
        ("send", same, "/files/{id}#{to}"),
    ];
    assert_eq!(read.collect::<Vec<_>>(), expected);
    assert_eq!(api.methods(same), ["PUT", "PUT", "GET", "PUT"]);
    assert!(api.operations.iter().all(|operation| operation.parameters.len() == 1), "the fragment has no parameters");
    let client = client(&paths, "");
    assert_eq!((client.operations, set_aside(&client).len()), (4, 0));
    let code: String = client.code.split_whitespace().collect();
    assert_eq!(code.matches("format!(\"{}/files/{}\",client.baseurl,id.segment())").count(), 4, "{}", client.code);
}

#[test]
fn a_query_of_a_path_is_sent_with_every_request_and_its_parameters_are_arguments() {
    let paths = "  /pets:\n    get: {operationId: all, responses: {'204': {description: ok}}}\n  '/pets?kind=wild%20cat&old':\n    get: {operationId: wild, parameters: [{name: kind, in: query, schema: {type: string}}, {name: limit, in: query, schema: {type: integer}}], responses: {'204': {description: ok}}}\n  '/pets?owner={person}':\n    get: {operationId: owned, parameters: [{name: person, in: path, required: true, schema: {type: integer}}], responses: {'204': {description: ok}}}\n  '/pets?a=b&q={undeclared}':\n    get: {operationId: found, responses: {'204': {description: ok}}}\n  '/pets?q=x{part}':\n    get: {operationId: odd, responses: {'204': {description: ok}}}\n";
    let api = Api::read(&source(paths, "")).unwrap_or_else(|failure| panic!("{failure}"));
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    for (id, query, parameters) in [
        ("all", vec![], &[][..]),
        ("wild", vec![pair("kind", "wild cat"), pair("old", "")], &["limit"]),
        ("owned", vec![], &["owner"]),
        ("found", vec![pair("a", "b")], &["q"]),
    ] {
        let operation = api.operation(id).unwrap_or_else(|| panic!("{id}"));
        let names: Vec<&str> = operation.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        assert_eq!((operation.path.as_str(), &operation.query, &*names), ("/pets", &query, parameters), "{id}");
    }
    let owner = &api.operation("owned").expect("it is read").parameters[0];
    assert!(
        owner.required
            && owner.schema["type"] == "integer"
            && owner.location == keyfit_openapi::ParameterLocation::Query
    );
    let client = client(paths, "");
    let [lost] = client.unsupported.as_slice() else { panic!("{:?}", client.unsupported) };
    assert_eq!((lost.operation.as_str(), lost.reason.contains("`q=x{part}`")), ("GET /pets?q=x{part}", true));
    for words in [
        "format!(\"{}/pets?kind=wild%20cat&old\", client.baseurl)",
        "format!(\"{}/pets?a=b\", client.baseurl)",
        ".with_query(&[(\"kind\", \"wild cat\"), (\"old\", \"\")])",
    ] {
        assert!(has(&client.code, words), "{words}: {}", client.code);
    }
}

/// An operation with these servers, in a path item with those.
fn with_servers(own: &str, of_item: &str) -> String {
    format!(
        "  /pets:\n    servers: [{of_item}]\n    get: {{operationId: list, servers: [{own}], responses: {{'204': {{description: ok}}}}}}\n"
    )
}

#[test]
fn an_operation_is_sent_to_its_own_server_then_to_that_of_its_path() {
    for (own, of_item, server) in [
        ("{url: 'https://other.example.com/'}", "", Some("https://other.example.com")),
        ("", "{url: 'https://other.example.com/v2'}", Some("https://other.example.com/v2")),
        ("{url: 'https://other.example.com'}", "{url: 'https://third.example.com'}", Some("https://other.example.com")),
        ("{url: /v2}", "", Some("https://api.example.com/v2")),
        ("{url: ''}", "", None),
        ("{url: 'https://{name}.example.com', variables: {name: {default: up}}}", "", Some("https://up.example.com")),
        ("{url: 'https://{name}.example.com', variables: {name: {default: api}}}", "", None),
        (
            "{url: 'https://{a}.example.com'}, {url: 'http://b.example'}, {url: 'https://c.example'}",
            "",
            Some("https://c.example"),
        ),
        ("{url: 'https://sandbox.example.com'}, {url: 'https://api.example.com'}", "", None),
        ("{url: 'http://plain.example.com'}", "", Some("http://plain.example.com")),
    ] {
        let paths = with_servers(own, of_item);
        let api = Api::read(&source(&paths, "")).unwrap_or_else(|failure| panic!("{failure}"));
        let [operation] = api.operations.as_slice() else { panic!("{own}: one operation") };
        assert_eq!(operation.server.as_deref(), server, "{own} {of_item}");
        assert_eq!(rules(&api).contains("own-server"), server.is_some());
        let code = client(&paths, "").code;
        let base_url = "client.inner.base_url_of(&super::API.operations[0usize])?";
        assert_eq!(has(&code, &format!("format!(\"{{}}/pets\", {base_url})")), server.is_some(), "{code}");
        let setter = server.map(|server| format!(".with_server(\"{server}\")"));
        assert!(setter.is_none_or(|setter| has(&code, &setter)), "{code}");
    }
}

#[test]
fn an_operation_whose_own_server_no_request_can_reach_is_set_aside_alone() {
    for (own, reason) in [
        ("{url: 'https://{tenant}.example.com'}", "its server has the variable `tenant` without a default"),
        ("{url: 'wss://live.example.com'}", "its server `wss://live.example.com` is neither http nor https"),
        ("{url: '//live.example.com'}", "its server `//live.example.com` is neither http nor https"),
    ] {
        let paths =
            with_servers(own, "") + "  /cats:\n    get: {operationId: cats, responses: {'204': {description: ok}}}\n";
        let client = client(&paths, "");
        assert_eq!((client.operations, client.unsupported.len()), (1, 1));
        assert!(client.unsupported[0].reason.starts_with(reason), "{}", client.unsupported[0].reason);
    }
}

#[test]
fn the_servers_of_operations_are_constants_each_once() {
    let paths = "  /a:\n    servers: [{url: 'https://upload.example.com/v1', description: Uploads}]\n    get: {operationId: a, responses: {'204': {description: ok}}}\n    put: {operationId: b, responses: {'204': {description: ok}}}\n  /c:\n    get:\n      operationId: c\n      servers: [{url: 'https://dl-2.example.com', description: Where what was uploaded before is found again}]\n      responses: {'204': {description: ok}}\n";
    let code = client(paths, "").code;
    assert_eq!(code.matches("pub const UPLOADS: &str = \"https://upload.example.com/v1\";").count(), 1, "{code}");
    assert!(has(&code, "pub const DL_2_EXAMPLE_COM: &str = \"https://dl-2.example.com\";"), "{code}");
}

#[test]
fn server_variables_have_their_defaults() {
    let mut source = source("  /pets:\n    get: {operationId: list, responses: {'200': {description: ok}}}\n", "");
    source.document.text = source.document.text.replace(
        "'https://api.example.com/'",
        "'https://{region}.example.com/{base}', variables: {region: {default: eu}, base: {default: v1}}",
    );
    let api = Api::read(&source).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(api.base_url, "https://eu.example.com/v1");
    assert!(rules(&api).contains("server-variables"));
}
