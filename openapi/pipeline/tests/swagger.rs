//! Swagger 2.0, construct by construct: each document beside the one of OpenAPI 3.0 that says the same.

use std::path::Path;

use keyfit_openapi::diff::{self, diff};
use keyfit_openapi::{Api, Generated, ListStyle, Source, Text, generate, read_text};
use serde_json::{Value, json};

/// A document of 2.0 with what is given below its head.
fn written(rest: &str) -> String {
    format!("swagger: '2.0'\ninfo:\n  title: Pets\n  version: '1'\nhost: api.example.com\nbasePath: /v1\n{rest}")
}

fn source(text: &str) -> Source {
    Source { name: "pets".to_owned(), document: Text::new("pets.yaml", text), overlay: None, contract: None }
}

fn read(text: &str) -> Api {
    Api::read(&source(text)).unwrap_or_else(|failure| panic!("{failure}"))
}

fn client(text: &str) -> Generated {
    generate(&source(text)).unwrap_or_else(|failure| panic!("{failure}"))
}

/// The operation `/pets` of a document of 2.0, as it is read.
fn operation(method: &str, operation: &str) -> (Api, Value) {
    let api = read(&written(&format!("paths:\n  /pets:\n    {method}:\n      operationId: pets\n{operation}")));
    let node = api.document["paths"]["/pets"][method].clone();
    (api, node)
}

/// The remarks of a rule: where the document says it, and what is said.
fn remarks(api: &Api, rule: &str) -> Vec<(usize, String)> {
    let of_rule = api.repairs.iter().filter(|repair| repair.rule == rule);
    of_rule.map(|repair| (api.location(&repair.pointer).line, repair.note.clone())).collect()
}

/// One API in both versions, with every construct that both can say.
const OLD: &str = include_str!("fixtures/swagger-2.0.yaml");
const NEW: &str = include_str!("fixtures/swagger-as-3.0.yaml");

#[test]
fn nothing_has_changed_between_a_document_and_the_same_in_another_version() {
    let document = |text: &str| diff::Document::read(&Text::new("pets.yaml", text)).expect("a document");
    for (old, new) in [(OLD, OLD), (OLD, NEW), (NEW, OLD)] {
        let findings = diff(&document(old), &document(new));
        let said: Vec<String> =
            findings.iter().map(|found| format!("{} {}: {}", found.rule.id, found.place, found.detail)).collect();
        assert!(said.is_empty(), "{said:#?}");
    }
    let other = OLD.replace("format: int64", "format: int32");
    let findings = diff(&document(OLD), &document(&other));
    let found = findings.first().expect("a change");
    assert_eq!(found.place.pointer, "/definitions/Pet/properties/id/format");
}

#[test]
fn both_versions_give_one_client() {
    let code = |text: &str| {
        let client = client(text);
        assert!(client.unsupported.is_empty(), "{:?}", client.unsupported);
        client.surface
    };
    assert_eq!(code(OLD), code(NEW));
}

#[test]
fn a_server_is_made_of_host_path_and_schemes() {
    for (head, base_url) in [
        ("host: api.example.com\nbasePath: /v1/\n", "https://api.example.com/v1"),
        ("host: api.example.com\nschemes: [http]\n", "http://api.example.com"),
        ("host: api.example.com\nschemes: [http, ws, https]\n", "https://api.example.com"),
        ("host: http://api.example.com/\nbasePath: v1\n", "http://api.example.com/v1"),
        ("basePath: /v1\n", "https://server.invalid/v1"),
        ("", "https://server.invalid"),
        ("servers: [{url: 'https://api.example.com'}]\n", "https://api.example.com"),
    ] {
        let api = read(&format!("swagger: 2.0\ninfo: {{title: a, version: '1'}}\n{head}paths: {{}}\n"));
        assert_eq!(api.base_url, base_url, "{head}");
    }
    let of_operation = "      schemes: [http]\n      responses: {}\n";
    let (api, _) = operation("get", of_operation);
    assert_eq!(
        api.operations[0].server.as_deref(),
        Some("http://api.example.com/v1"),
        "another scheme is another server"
    );
    let socket = format!("{}schemes: [wss]\npaths: {{}}\n", written(""));
    let refusal = Api::read(&source(&socket)).expect_err("no HTTP").to_string();
    assert!(refusal.contains("pets.yaml:5:1") && refusal.contains("neither http nor https"), "{refusal}");
}

#[test]
fn lists_are_written_as_their_collection_format_says() {
    for (place, format, written) in [
        ("query", "", json!(["form", false])),
        ("query", "csv", json!(["form", false])),
        ("query", "multi", json!(["form", true])),
        ("query", "ssv", json!(["spaceDelimited", false])),
        ("query", "pipes", json!(["pipeDelimited", false])),
        ("header", "csv", json!([null, null])),
    ] {
        let format = if format.is_empty() { String::new() } else { format!(", collectionFormat: {format}") };
        let text = self::written(&format!(
            "paths:\n  /pets:\n    get:\n      parameters:\n        - {{name: tags, in: {place}, type: array, items: {{type: string}}{format}}}\n      responses: {{}}\n"
        ));
        let new = text
            .replace("swagger: '2.0'", "openapi: 3.0.3")
            .replace("host: api.example.com\nbasePath: /v1\n", "servers: [{url: 'https://api.example.com/v1'}]\n");
        let (style, explode) = (&written[0], &written[1]);
        let style = if style.is_null() {
            String::new()
        } else {
            format!(", style: {}, explode: {explode}", style.as_str().expect("a style"))
        };
        let new = new.replace(
            &format!("type: array, items: {{type: string}}{format}"),
            &format!("schema: {{type: array, items: {{type: string}}}}{style}"),
        );
        let document = |text: &str| diff::Document::read(&Text::new("pets.yaml", text)).expect("a document");
        let findings = diff(&document(&text), &document(&new));
        assert!(findings.is_empty(), "{format}: {:?}", findings.iter().map(|found| &found.detail).collect::<Vec<_>>());
    }
}

#[test]
fn lists_are_lists_in_every_format_that_is_known() {
    let listed = |place: &str, format: &str| {
        let parameter = format!("in: {place}, type: array, items: {{type: string}}, collectionFormat: {format}");
        operation("get", &format!("      parameters:\n        - {{name: tags, {parameter}}}\n      responses: {{}}\n"))
    };
    for (place, format, style) in [
        ("query", "csv", Some(ListStyle::Commas)),
        ("query", "ssv", Some(ListStyle::Spaces)),
        ("query", "tsv", Some(ListStyle::Tabs)),
        ("query", "pipes", Some(ListStyle::Pipes)),
        ("query", "multi", None),
        ("header", "csv", Some(ListStyle::Commas)),
        ("header", "tsv", Some(ListStyle::Tabs)),
        ("header", "pipes", Some(ListStyle::Pipes)),
    ] {
        let (api, node) = listed(place, format);
        assert_eq!(node["parameters"][0]["schema"]["type"], "array", "{place} {format}");
        assert_eq!(api.operations[0].parameters[0].style, style, "{place} {format}");
    }
    let (api, node) = listed("query", "lines");
    assert_eq!(node["parameters"][0]["schema"]["type"], "string");
    let (said_of_it, said) = (remarks(&api, "text-parameter"), "the format `lines`, which is not one of csv");
    assert!(said_of_it.iter().any(|(line, note)| *line == 12 && note.contains(said)), "{said_of_it:?}");
    let (api, _) = operation(
        "get",
        "      parameters:\n        - {name: tags, in: query, type: string, collectionFormat: csv}\n      responses: {}\n",
    );
    assert!(remarks(&api, "odd-keyword").iter().any(|(line, note)| *line == 12 && note.contains("`tags` is no list")));
}

#[test]
fn a_body_comes_in_what_the_operation_consumes() {
    let body = "      parameters:\n        - {name: pet, in: body, required: true, schema: {$ref: '#/definitions/Pet'}}\n      responses: {}\ndefinitions:\n  Pet: {type: object}\n";
    for (consumes, kind) in
        [("", "application/json"), ("      consumes: [application/vnd.pet+json]\n", "application/vnd.pet+json")]
    {
        let (_, node) = operation("post", &format!("{consumes}{body}"));
        let schema = json!({"$ref": "#/components/schemas/Pet"});
        assert_eq!(node["requestBody"], json!({"required": true, "content": {kind: {"schema": schema}}}), "{consumes}");
        assert_eq!(node["parameters"], json!([]));
    }
    let global = read(&written(&format!("consumes: [text/plain]\npaths:\n  /pets:\n    post:\n{body}")));
    assert_eq!(global.operations[0].body.as_ref().expect("a body").media_type, "text/plain");
}

#[test]
fn a_form_is_one_body_and_files_make_it_multipart() {
    let form = |consumes: &str, last: &str| {
        operation(
            "post",
            &format!(
                "{consumes}      parameters:\n        - {{name: name, in: formData, type: string, required: true}}\n        - {{name: tags, in: formData, type: array, items: {{type: string}}, collectionFormat: multi}}\n{last}      responses: {{}}\n"
            ),
        )
    };
    let (_, node) = form("", "");
    let content = &node["requestBody"]["content"]["application/x-www-form-urlencoded"];
    assert_eq!(content["schema"]["required"], json!(["name"]));
    assert_eq!(content["encoding"]["tags"], json!({"style": "form", "explode": true}));
    let file = "        - {name: photo, in: formData, type: file}\n";
    for consumes in ["", "      consumes: [multipart/form-data]\n"] {
        let (api, node) = form(consumes, file);
        let schema = &node["requestBody"]["content"]["multipart/form-data"]["schema"];
        assert_eq!(schema["properties"]["photo"], json!({"type": "string", "format": "binary"}), "{node}");
        assert!(remarks(&api, "form-media-type").is_empty());
    }
    let (api, node) = form("      consumes: [application/x-www-form-urlencoded]\n", file);
    assert!(node["requestBody"]["content"].get("multipart/form-data").is_some(), "{node}");
    assert_eq!(remarks(&api, "form-media-type").len(), 1);
}

#[test]
fn a_body_beside_a_form_is_set_aside_with_a_reason() {
    let (api, _) = operation(
        "post",
        "      parameters:\n        - {name: pet, in: body, schema: {type: object}}\n        - {name: name, in: formData, type: string}\n      responses: {}\n",
    );
    assert!(api.operations.is_empty());
    assert!(api.unsupported[0].reason.contains("a request has one body"), "{:?}", api.unsupported);
    assert_eq!(remarks(&api, "set-aside")[0].0, 9);
}

#[test]
fn parameters_of_the_path_and_named_ones_reach_each_operation() {
    let api = read(&written(
        "paths:\n  /pets/{id}:\n    parameters:\n      - {name: id, in: path, type: string}\n      - {name: pet, in: body, schema: {type: object}}\n      \
         - {$ref: '#/parameters/Limit'}\n    put:\n      responses: {}\n    patch:\n      parameters:\n        - {name: other, in: body, schema: {type: string}}\n        - {$ref: '#/parameters/Trace'}\n      responses: {}\n\
         parameters:\n  Limit: {name: limit, in: query, type: integer}\n  Trace: {name: X-Trace, in: header, type: string}\n  Pet: {name: pet, in: body, schema: {type: object}}\n",
    ));
    let names = |index: usize| -> Vec<&str> {
        api.operations[index].parameters.iter().map(|parameter| parameter.name.as_str()).collect()
    };
    assert_eq!(names(0), ["id", "limit"]);
    assert_eq!(names(1), ["X-Trace", "id", "limit"]);
    let kind = |index: usize| api.operations[index].body.as_ref().expect("a body").schema["type"].clone();
    assert_eq!((kind(0), kind(1)), (json!("object"), json!("string")));
}

#[test]
fn answers_have_their_bodies_in_each_media_type() {
    let (api, node) = operation(
        "get",
        "      produces: [application/json, application/xml]\n      responses:\n        '200':\n          description: ok\n          schema: {type: string}\n          \
         headers:\n            X-Count: {type: integer, description: How many}\n          examples:\n            application/json: Rex\n            text/csv: Rex\n        \
         '204': {description: nothing}\n        '400': {$ref: '#/responses/Bad'}\n        '401': {description: shown, examples: {application/json: {error: no}}}\n\
         responses:\n  Bad: {description: bad, schema: {type: object}}\n",
    );
    let answer = &node["responses"]["200"];
    assert_eq!(answer["content"]["application/json"], json!({"schema": {"type": "string"}, "example": "Rex"}));
    assert_eq!(answer["content"]["application/xml"], json!({"schema": {"type": "string"}}));
    assert_eq!(answer["headers"]["X-Count"], json!({"description": "How many", "schema": {"type": "integer"}}));
    assert!(node["responses"]["204"].get("content").is_none());
    assert!(node["responses"]["400"]["content"].get("application/xml").is_some(), "{node}");
    assert_eq!(node["responses"]["401"]["content"], json!({"application/json": {"example": {"error": "no"}}}));
    assert_eq!(
        remarks(&api, "odd-example"),
        [(20, "the answer does not come as `text/csv`: its example says nothing".to_owned())]
    );
    let (_, node) = operation("get", "      responses: {'200': {description: ok, schema: {type: file}}}\n");
    let file = json!({"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}});
    assert_eq!(node["responses"]["200"]["content"], file);
}

#[test]
fn schemas_say_it_in_the_words_of_3_0() {
    let api = read(&written(
        "paths: {}\ndefinitions:\n  Pet:\n    type: object\n    discriminator: kind\n    required: [kind]\n    properties:\n      kind: {type: string}\n      \
         owner: {$ref: '#/definitions/Owner', x-nullable: true}\n      name: {type: [string, 'null']}\n      size: {type: [string, integer]}\n      discriminator: {type: string}\n  \
         Cat: {x-discriminator-value: cat, allOf: [{$ref: '#/definitions/Pet'}, {type: object}]}\n  Owner: {type: object, readOnly: true}\n",
    ));
    let pet = &api.document["components"]["schemas"]["Pet"];
    assert_eq!(pet["discriminator"], json!({"propertyName": "kind", "mapping": {"cat": "#/components/schemas/Cat"}}));
    assert_eq!(
        pet["properties"]["owner"],
        json!({"allOf": [{"$ref": "#/components/schemas/Owner"}], "nullable": true})
    );
    assert_eq!(pet["properties"]["name"], json!({"type": "string", "nullable": true}));
    assert_eq!(pet["properties"]["size"], json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}));
    assert_eq!(pet["properties"]["discriminator"], json!({"type": "string"}));
}

#[test]
fn credentials_are_sent_as_the_old_schemes_say() {
    let api = read(&written(
        "paths: {}\nsecurityDefinitions:\n  login: {type: basic, description: by name}\n  key: {type: apiKey, in: header, name: X-Key}\n  \
         a: {type: oauth2, flow: implicit, authorizationUrl: 'https://a.example/a', scopes: {read: r}}\n  b: {type: oauth2, flow: password, tokenUrl: 'https://a.example/t', scopes: {}}\n  \
         c: {type: oauth2, flow: application, tokenUrl: 'https://a.example/t'}\n  d: {type: oauth2, flow: accessCode, authorizationUrl: 'https://a.example/a', tokenUrl: 'https://a.example/t', scopes: {}}\n  \
         e: {type: oauth2, flow: magic, scopes: {}}\n  f: {type: http, scheme: bearer}\n",
    ));
    let schemes = &api.document["components"]["securitySchemes"];
    assert_eq!(schemes["login"], json!({"description": "by name", "type": "http", "scheme": "basic"}));
    assert_eq!(schemes["key"], json!({"type": "apiKey", "in": "header", "name": "X-Key"}));
    let flow = |name: &str, flow: &str| schemes[name]["flows"][flow].clone();
    assert_eq!(flow("a", "implicit"), json!({"authorizationUrl": "https://a.example/a", "scopes": {"read": "r"}}));
    assert_eq!(flow("b", "password"), json!({"tokenUrl": "https://a.example/t", "scopes": {}}));
    assert_eq!(flow("c", "clientCredentials"), json!({"tokenUrl": "https://a.example/t", "scopes": {}}));
    assert_eq!(flow("d", "authorizationCode")["authorizationUrl"], "https://a.example/a");
    assert_eq!(schemes["f"], json!({"type": "http", "scheme": "bearer"}));
    assert_eq!(remarks(&api, "unknown-flow").first().map(|(line, _)| *line), Some(15));
}

#[test]
fn references_lead_where_the_parts_went() {
    let api = read(&written(
        "paths:\n  /a:\n    get:\n      parameters:\n        - {name: pet, in: body, schema: {type: object, properties: {id: {type: string}}}}\n        - {name: q, in: query, type: string}\n      \
         responses:\n        '200': {description: ok, schema: {$ref: '#/paths/~1a/get/parameters/0/schema'}}\n  /b:\n    get:\n      parameters:\n        - {$ref: '#/paths/~1a/get/parameters/1'}\n      \
         responses:\n        '200': {description: ok, schema: {$ref: '#/definitions/A%20b'}}\ndefinitions:\n  A b: {type: string}\n",
    ));
    let b = api.operation("get-b").expect("an operation");
    assert_eq!(b.parameters[0].name, "q");
    assert_eq!(api.resolve(b.responses["200"].schema.as_ref().expect("a schema"))["type"], "string");
    let a = api.operation("get-a").expect("an operation");
    assert!(api.resolve(a.responses["200"].schema.as_ref().expect("a schema"))["properties"].get("id").is_some());
}

#[test]
fn places_are_those_of_the_document_as_it_was_written() {
    let text = written("paths: {}\ndefinitions:\n  A:\n    allOf:\n      - $ref: '#/definitions/A'\n");
    let said = Api::read(&source(&text)).expect_err("it is composed of itself").to_string();
    assert!(said.contains("pets.yaml:9:3") && said.contains("#/definitions/A\n"), "{said}");
    let api = read(&written(
        "paths:\n  /a/{id}:\n    post:\n      parameters:\n        - name: pet\n          in: body\n          schema:\n            type: object\n        \
         - name: id\n          in: path\n          type: string\n          minLength: 2\n      responses:\n        '200':\n          description: ok\n          \
         schema:\n            type: string\n",
    ));
    let of_operation = |rest: &str| {
        let place = api.location(&format!("/paths/~1a~1{{id}}/post{rest}"));
        (place.line, place.pointer.trim_start_matches("/paths/~1a~1{id}/post").to_owned())
    };
    for (now, line, then) in [
        ("/requestBody", 11, "/parameters/0"),
        ("/requestBody/content/application~1json/schema/type", 14, "/parameters/0/schema/type"),
        ("/parameters/0", 15, "/parameters/1"),
        ("/parameters/0/schema/minLength", 18, "/parameters/1/minLength"),
        ("/responses/200/content/application~1json/schema/type", 23, "/responses/200/schema/type"),
    ] {
        assert_eq!(of_operation(now), (line, then.to_owned()), "{now}");
    }
}

#[test]
fn an_overlay_addresses_the_document_as_it_was_written() {
    let text = written(
        "paths:\n  /a:\n    get:\n      parameters:\n        - {name: q, in: query, type: string}\n      responses: {}\ndefinitions:\n  Pet: {type: object}\n",
    );
    let overlay = "overlay: 1.0.0\ninfo: {title: a, version: '1'}\nactions:\n  - target: $.definitions.Pet\n    update: {properties: {id: {$ref: '#/definitions/Nope'}}}\n  - target: $.paths['/a'].get\n    update: {x-keyfit: {retry: never}}\n";
    let with =
        |overlay: &str| Api::read(&Source { overlay: Some(Text::new("overlay.yaml", overlay)), ..source(&text) });
    let api = with(&overlay.replace("{$ref: '#/definitions/Nope'}", "{type: string}")).expect("an API");
    assert_eq!(api.operations[0].retry, keyfit_openapi::Retry::Never);
    let place = api.location("/components/schemas/Pet/properties/id");
    assert_eq!(
        (place.path.as_str(), place.line, place.pointer.as_str()),
        ("overlay.yaml", 4, "/definitions/Pet/properties/id")
    );
    let steps = api.steps();
    assert!(
        steps.iter().all(|step| step.changes.iter().all(|change| change.pointer != "/openapi")),
        "the conversion is no repair"
    );
}

#[test]
fn what_is_of_two_versions_or_of_none_says_so() {
    for (text, said, place) in [
        ("swagger: '2.0'\nopenapi: 3.0.3\n", "of two versions, Swagger 2.0 and OpenAPI 3.0.3", "pets.yaml:1:1"),
        ("swagger: '1.2'\n", "Swagger 1.2 is not supported", "pets.yaml:1:1"),
        ("openapi: 4.0.0\n", "OpenAPI 4.0.0 is not supported", "pets.yaml:1:1"),
    ] {
        let refusal = Api::read(&source(text)).expect_err(text).to_string();
        assert!(refusal.contains(said) && refusal.contains(place), "{refusal}");
    }
    let mixed = read(&written(
        "components: {schemas: {A: {type: string}}}\npaths:\n  /a:\n    post:\n      requestBody: {content: {text/plain: {schema: {$ref: '#/components/schemas/A'}}}}\n      \
         responses: {'200': {description: ok, content: {text/plain: {schema: {$ref: '#/definitions/B'}}}}}\ndefinitions: {B: {type: string}}\n",
    ));
    assert_eq!(mixed.operations[0].body.as_ref().expect("a body").media_type, "text/plain");
    assert_eq!(remarks(&mixed, "mixed-versions").len(), 3);
}

#[test]
fn odd_documents_are_read_or_refused_and_never_panic() {
    for key in [
        "definitions",
        "parameters",
        "responses",
        "securityDefinitions",
        "consumes",
        "schemes",
        "host",
        "paths",
        "tags",
        "security",
    ] {
        for value in [
            "null",
            "1",
            "text",
            "[1, {}]",
            "{a: 1}",
            "{a: [{}]}",
            "{/a: {get: {parameters: {}, responses: []}}}",
            "{/a: {get: {parameters: [1, {in: body}, {in: formData}], responses: {'200': 1}}}}",
        ] {
            let text = format!("swagger: '2.0'\ninfo: {{title: a, version: '1'}}\n{key}: {value}\n");
            let text = if key == "paths" { text } else { format!("{text}paths: {{}}\n") };
            let _ = generate(&source(&text));
            let _ =
                diff::Document::read(&Text::new("pets.yaml", text)).map(|document| diff(&document, &document).len());
        }
    }
}

#[test]
fn documents_of_third_parties_are_read_whole() {
    for (name, operations) in [("slack.json", 174), ("weaviate.json", 122), ("docker.yaml", 1)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/documents").join(name);
        let Ok(text) = read_text(&path) else {
            println!("skipped, not here: {name}");
            continue;
        };
        let api = match Api::read(&source(&text)) {
            Ok(api) => api,
            // What its YAML has is for another test.
            Err(failure) if failure.problem.contains("not well-formed") => continue,
            Err(failure) => panic!("{name}: {failure}"),
        };
        assert!(api.unsupported.is_empty(), "{name}: {:?}", api.unsupported);
        assert!(api.operations.len() >= operations, "{name}: {}", api.operations.len());
    }
}
