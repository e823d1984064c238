//! Documents that say the same in other words: what moved, was renamed or written in another version is no finding, and
//! what looks alike but means something else is one.

use std::fs;

#[path = "support/yaml.rs"]
mod yaml;

use keyfit_openapi::Text;
use keyfit_openapi::diff::{self, Document, Finding, Level};
use serde_json::{Value, json};

fn read(text: &str) -> Document {
    Document::read(&Text::new("document.yaml", text)).expect("a document")
}

fn found(old: &str, new: &str) -> Vec<(&'static str, String)> {
    let name = |finding: &Finding| (finding.rule.id, finding.detail.clone());
    diff::diff(&read(old), &read(new)).iter().map(name).collect()
}

/// The ids of what is found, each once.
fn ids(old: &str, new: &str) -> Vec<&'static str> {
    let mut ids: Vec<&str> = found(old, new).into_iter().map(|(id, _)| id).collect();
    ids.dedup();
    ids
}

fn breaks(old: &str, new: &str) -> bool {
    diff::diff(&read(old), &read(new)).iter().any(|finding| finding.rule.level == Level::Breaking)
}

/// A document with these servers and these paths, each with a `get` that answers with its own number.
fn served(servers: &str, paths: &[&str]) -> String {
    let operation = |(number, path): (usize, &&str)| {
        let names = path.split('{').skip(1).filter_map(|part| part.split('}').next());
        let parameters: Vec<String> =
            names.map(|name| format!("{{name: {name}, in: path, required: true, schema: {{type: string}}}}")).collect();
        format!(
            "  '{path}': {{get: {{operationId: call-{number}, parameters: [{}], responses: {{'200': {{description: Fine}}}}}}}}\n",
            parameters.join(", ")
        )
    };
    let paths: String = paths.iter().enumerate().map(operation).collect();
    format!("openapi: 3.0.3\nservers: {servers}\npaths:\n{paths}")
}

#[test]
fn a_base_path_may_move_between_servers_and_paths() {
    let inside = served("[{url: 'https://a.example/v1'}]", &["/boxes", "/boxes/{id}"]);
    let outside = served("[{url: 'https://a.example/'}]", &["/v1/boxes", "/v1/boxes/{box}"]);
    let renamed = "path-parameter-renamed";
    assert_eq!(ids(&inside, &outside), [renamed, "base-path-moved"]);
    assert_eq!(ids(&outside, &inside), [renamed, "base-path-moved"]);
    // A part of it, with several servers, with a variable, without a host.
    for (old, new) in [
        ("[{url: 'https://a.example/api/v1'}]", "[{url: 'https://a.example/api'}]"),
        (
            "[{url: 'https://a.example/v1'}, {url: 'https://b.example/v1/'}]",
            "[{url: 'https://a.example'}, {url: 'https://b.example'}]",
        ),
        ("[{url: 'https://a.example/{version}', variables: {version: {default: v1}}}]", "[{url: 'https://a.example'}]"),
        ("[{url: /v1}]", "[{url: /}]"),
        ("[{url: //a.example/v1}]", "[{url: //a.example}]"),
    ] {
        let (old, new) = (served(old, &["/boxes", "/"]), served(new, &["/v1/boxes", "/v1/"]));
        assert_eq!(ids(&old, &new), ["base-path-moved"], "{old}{new}");
        assert_eq!(ids(&new, &old), ["base-path-moved"], "{old}{new}");
    }
}

#[test]
fn a_move_that_changes_a_url_is_still_found() {
    let inside = served("[{url: 'https://a.example/v1'}, {url: 'https://b.example/v1'}]", &["/boxes"]);
    // The second server did not follow.
    let half = served("[{url: 'https://a.example'}, {url: 'https://b.example/v1'}]", &["/v1/boxes"]);
    assert_eq!(ids(&inside, &half), ["server-removed", "server-added", "base-path-moved"]);
    // One path followed, the other did not.
    let (old, new) = (
        served("[{url: 'https://a.example/v1'}]", &["/boxes", "/lids"]),
        served("[{url: 'https://a.example'}]", &["/v1/boxes", "/lids"]),
    );
    assert!(breaks(&old, &new));
    // The path that looks the same is another URL, and the other one is the same.
    let (old, new) = (
        served("[{url: 'https://a.example/v1'}]", &["/boxes", "/v1/boxes"]),
        served("[{url: 'https://a.example'}]", &["/v1/v1/boxes", "/v1/boxes"]),
    );
    assert_eq!(ids(&old, &new), ["operation-renamed", "base-path-moved"]);
    // Another version, and no move.
    let (old, new) = (
        served("[{url: 'https://a.example/v1'}]", &["/boxes"]),
        served("[{url: 'https://a.example/v2'}]", &["/boxes"]),
    );
    assert_eq!(ids(&old, &new), ["server-removed", "server-added"]);
}

#[test]
fn the_servers_of_an_operation_may_lose_their_path_to_it() {
    let document = |path: &str, url: &str| {
        format!(
            "openapi: 3.0.3\nservers: [{{url: 'https://a.example'}}]\npaths: {{'{path}': {{get: {{servers: [{{url: '{url}'}}], operationId: call, responses: {{}}}}}}}}"
        )
    };
    let (old, new) = (document("/boxes", "https://b.example/v1"), document("/v1/boxes", "https://b.example"));
    assert_eq!(ids(&old, &new), ["base-path-moved"]);
}

/// A document of one operation with this schema for its body and its answer.
fn with(version: &str, request: &str, answer: &str, components: &str) -> String {
    format!(
        "openapi: {version}\npaths: {{/boxes: {{post: {{operationId: add, \
         requestBody: {{content: {{application/json: {{schema: {request}}}}}}}, \
         responses: {{'200': {{description: Fine, content: {{application/json: {{schema: {answer}}}}}}}}}}}}}}}\n\
         components: {{schemas: {{{components}}}}}"
    )
}

fn answered(version: &str, schema: &str) -> String {
    with(version, "{}", schema, "")
}

fn requested(version: &str, schema: &str) -> String {
    with(version, schema, "{}", "")
}

#[test]
fn places_of_a_list_are_compared_one_by_one() {
    let pair = |one: &str, two: &str| format!("{{type: array, prefixItems: [{{type: {one}}}, {{type: {two}}}]}}");
    let found = |old: &str, new: &str| {
        (ids(&requested("3.1.0", old), &requested("3.1.0", new)), ids(&answered("3.1.0", old), &answered("3.1.0", new)))
    };
    let (old, new) = (pair("string", "integer"), pair("integer", "string"));
    assert_eq!(found(&old, &new), (vec!["request-type-changed"], vec!["response-type-changed"]));
    assert_eq!(found(&old, &old), (vec![], vec![]));
    let wider = pair("string", "number");
    assert_eq!(found(&old, &wider), (vec!["request-type-widened"], vec!["response-type-widened"]));
    // Null in a place, in the words of 3.1.
    let null = "{type: array, prefixItems: [{type: [string, 'null']}, {type: integer}]}";
    assert_eq!(found(&old, null), (vec!["request-became-nullable"], vec!["response-became-nullable"]));
    // Behind the places are the others: a place more that is like them says nothing new.
    let (few, more) = (
        "{type: array, prefixItems: [{type: string}], items: {type: integer}}",
        "{type: array, prefixItems: [{type: string}, {type: integer}], items: {type: integer}}",
    );
    assert_eq!(found(few, more), (vec![], vec![]));
    let other = "{type: array, prefixItems: [{type: string}, {type: boolean}], items: {type: integer}}";
    assert_eq!(found(few, other), (vec!["request-type-changed"], vec!["response-type-changed"]));
    // Nothing may stand behind the places any more.
    let closed = "{type: array, prefixItems: [{type: string}], items: false}";
    assert_eq!(found(few, closed), (vec!["request-type-narrowed"], vec!["response-type-narrowed"]));
    // The list of places of older drafts.
    let older = "{type: array, items: [{type: string}, {type: integer}]}";
    assert_eq!(found(older, &old), (vec![], vec![]));
    // In a member, in a reference.
    let within = |pair: &str| format!("{{properties: {{at: {pair}}}}}");
    assert_eq!(found(&within(&old), &within(&new)), (vec!["request-type-changed"], vec!["response-type-changed"]));
}

#[test]
fn a_shape_is_the_same_under_a_name_without_one_and_in_another_place() {
    const CARD: &str =
        "{type: object, required: [kind], properties: {kind: {type: string, enum: [card]}, number: {type: string}}}";
    const BANK: &str =
        "{type: object, required: [kind], properties: {kind: {type: string, enum: [bank]}, iban: {type: string}}}";
    let list = |shapes: &[&str]| format!("{{oneOf: [{}]}}", shapes.join(", "));
    let document = |shapes: &[&str]| {
        let components = format!("Card: {CARD}, Bank: {BANK}, Money: {CARD}");
        with("3.0.3", &list(shapes), &list(shapes), &components)
    };
    let (card, bank, money) = (
        "{$ref: '#/components/schemas/Card'}",
        "{$ref: '#/components/schemas/Bank'}",
        "{$ref: '#/components/schemas/Money'}",
    );
    let text = "{type: string}";
    let all = document(&[CARD, BANK, text]);
    for other in [[card, bank, text], [text, bank, card], [text, BANK, CARD], [bank, text, CARD]] {
        assert_eq!(ids(&all, &document(&other)), [""; 0], "{other:?}");
        assert_eq!(ids(&document(&other), &all), [""; 0], "{other:?}");
    }
    assert_eq!(ids(&document(&[card, bank]), &document(&[bank, money])), ["schema-renamed"]);
    // Names stand for two things where they are not the same.
    assert!(breaks(&document(&[card, text]), &document(&[bank, text])));
    // What changed in a shape is a change in it, wherever it went.
    let longer = "{type: object, required: [kind], properties: {kind: {type: string, enum: [card]}, number: {type: string, maxLength: 4}}}";
    assert_eq!(
        ids(&document(&[CARD, BANK]), &document(&[bank, longer])),
        ["request-constraint-narrowed", "response-constraint-narrowed"]
    );
}

#[test]
fn an_object_that_becomes_one_of_several_is_found() {
    let alone = "{type: object, required: [x], properties: {x: {type: string}, n: {type: integer}}}";
    for list in [
        "{oneOf: [{type: object, properties: {x: {type: string}, m: {type: integer}}}, {type: object, required: [x], properties: {x: {type: string}, n: {type: integer}}}]}",
        "{anyOf: [{type: object, properties: {m: {type: integer}}}, {type: object, properties: {n: {type: integer}}}]}",
        "{anyOf: [{$ref: '#/components/schemas/Same'}, {type: object}]}",
    ] {
        let components = format!("Same: {alone}");
        let (old, new) = (with("3.0.3", "{}", alone, &components), with("3.0.3", "{}", list, &components));
        assert!(breaks(&old, &new), "{list}");
    }
}

#[test]
fn an_encoding_that_changes_nothing_is_silent() {
    let form = |version: &str, media: &str, encoding: &str| {
        format!(
            "openapi: {version}\npaths: {{/boxes: {{post: {{operationId: add, requestBody: {{content: {{{media}: {{schema: {{type: object, properties: \
             {{name: {{type: string}}, file: {{type: string, format: binary}}, meta: {{type: object}}, tags: {{type: array, items: {{type: string}}}}}}}}, \
             encoding: {encoding}}}}}}}, responses: {{}}}}}}}}"
        )
    };
    let (urlencoded, parts) = ("application/x-www-form-urlencoded", "multipart/form-data");
    for (media, encoding) in [
        (urlencoded, "{name: {style: form, explode: false}}"),
        (urlencoded, "{tags: {style: form, explode: true}}"),
        (urlencoded, "{name: {headers: {X-Part: {schema: {type: string}}}}}"),
        (parts, "{name: {contentType: text/plain}}"),
        (parts, "{tags: {contentType: text/plain}, meta: {contentType: Application/JSON}}"),
        (parts, "{file: {contentType: application/octet-stream}}"),
        (parts, "{tags: {style: form, explode: false}}"),
        (parts, "{file: {headers: {Content-Type: {schema: {type: string}}}}}"),
        (parts, "{unknown: {contentType: image/png}}"),
    ] {
        let (old, new) = (form("3.0.3", media, "{}"), form("3.0.3", media, encoding));
        assert_eq!(ids(&old, &new), [""; 0], "{media} {encoding}");
        assert_eq!(ids(&new, &old), [""; 0], "{media} {encoding}");
    }
    for (version, media, encoding) in [
        ("3.0.3", urlencoded, "{tags: {style: form, explode: false}}"),
        ("3.0.3", parts, "{meta: {contentType: text/plain}}"),
        ("3.1.0", parts, "{tags: {style: form, explode: false}}"),
        ("3.0.3", parts, "{file: {headers: {X-Part: {schema: {type: string}}}}}"),
    ] {
        let (old, new) = (form(version, media, "{}"), form(version, media, encoding));
        assert_eq!(ids(&old, &new), ["request-encoding-changed"], "{media} {encoding}");
    }
    let parameter = |parameter: &str| {
        format!(
            "openapi: 3.0.3\npaths: {{/boxes: {{get: {{operationId: list, parameters: [{{name: a, {parameter}}}], responses: {{}}}}}}}}"
        )
    };
    let one = parameter("in: query, schema: {type: string}");
    assert_eq!(ids(&one, &parameter("in: query, explode: false, schema: {type: string}")), [""; 0]);
    let list = parameter("in: query, schema: {type: array, items: {type: string}}");
    let joined = parameter("in: query, explode: false, schema: {type: array, items: {type: string}}");
    assert_eq!(ids(&list, &joined), ["parameter-style-changed"]);
}

#[test]
fn null_and_one_way_members_are_said_beside_a_reference_too() {
    let document = |version: &str, member: &str| {
        let schema = format!("{{type: object, properties: {{size: {member}}}}}");
        with(version, &schema, &schema, "Size: {type: object, properties: {width: {type: integer}}}")
    };
    let reference = "$ref: '#/components/schemas/Size'";
    let plain = document("3.0.3", &format!("{{{reference}}}"));
    let nullable = document("3.0.3", &format!("{{{reference}, nullable: true}}"));
    let modern = document("3.1.0", &format!("{{anyOf: [{{{reference}}}, {{type: 'null'}}]}}"));
    assert_eq!(ids(&plain, &nullable), ["response-became-nullable", "request-became-nullable"]);
    assert_eq!(ids(&nullable, &modern), [""; 0]);
    let read_only = document("3.0.3", &format!("{{{reference}, readOnly: true}}"));
    assert_eq!(ids(&plain, &read_only), ["request-property-removed"]);
}

/// A document of 3.0 in the words of 3.1.
fn modern(value: &mut Value) {
    let Some(object) = value.as_object_mut() else {
        return value.as_array_mut().into_iter().flatten().for_each(modern);
    };
    if object.contains_key("openapi") {
        object.insert("openapi".to_owned(), json!("3.1.0"));
    }
    object.values_mut().for_each(modern);
    let kind = object.get("type").and_then(Value::as_str).map(str::to_owned);
    if object.get("nullable") == Some(&json!(true)) {
        object.remove("nullable");
        if let Some(kind) = kind {
            object.insert("type".to_owned(), json!([kind, "null"]));
        } else {
            let inner = std::mem::take(object);
            object.insert("anyOf".to_owned(), json!([inner, {"type": "null"}]));
        }
    }
    for (flag, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        match object.get(flag) {
            Some(Value::Bool(true)) => {
                let limit = object.remove(bound).expect("a flag of a bound");
                object.insert(flag.to_owned(), limit);
            }
            Some(Value::Bool(false)) => drop(object.remove(flag)),
            _ => {}
        }
    }
    if let Some([one]) = object.get("enum").and_then(Value::as_array).map(Vec::as_slice) {
        let one = one.clone();
        object.remove("enum");
        object.insert("const".to_owned(), one);
    }
}

#[test]
fn a_document_in_the_words_of_3_1_is_the_same() {
    let mut count = 0;
    for entry in fs::read_dir("../apis").expect("the documents that ship") {
        let path = entry.expect("a folder").path().join("published.yaml");
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let mut value: Value = yaml::read(&text).expect("YAML");
        assert!(value["openapi"].as_str().is_some_and(|version| version.starts_with("3.0")), "{path:?}");
        let old = read(&value.to_string());
        modern(&mut value);
        let new = read(&value.to_string());
        let found: Vec<String> =
            diff::diff(&old, &new).iter().map(|it| format!("{} {}", it.rule.id, it.detail)).collect();
        assert!(found.is_empty(), "{path:?}: {found:#?}");
        count += 1;
    }
    assert!(count >= 5, "{count} documents");
}

#[test]
fn a_document_of_2_0_is_its_successor() {
    let two = "
swagger: '2.0'
info: {title: Boxes, version: '1'}
host: a.example
basePath: /v1
schemes: [https]
consumes: [application/json]
produces: [application/json]
securityDefinitions:
  key: {type: apiKey, in: header, name: X-Key}
  user: {type: basic}
  login: {type: oauth2, flow: application, tokenUrl: https://a.example/token, scopes: {read: Read}}
security: [{key: []}]
paths:
  /boxes:
    get:
      operationId: list
      parameters:
        - {name: tags, in: query, type: array, items: {type: string}, collectionFormat: csv}
        - {name: ids, in: query, type: array, items: {type: integer}, collectionFormat: multi}
        - {name: limit, in: query, type: integer, minimum: 1, maximum: 9, default: 5}
      responses:
        '200': {description: Fine, headers: {X-Count: {type: integer}}, schema: {type: array, items: {$ref: '#/definitions/Box'}}}
        default: {description: No, schema: {$ref: '#/definitions/Problem'}}
    post:
      operationId: add
      security: [{login: [read]}, {user: []}]
      parameters: [{name: box, in: body, required: true, schema: {$ref: '#/definitions/Box'}}]
      responses: {'201': {description: Made}}
  /files:
    post:
      operationId: upload
      consumes: [multipart/form-data]
      parameters:
        - {name: file, in: formData, type: file, required: true}
        - {name: note, in: formData, type: string}
      responses: {'204': {description: Kept}}
definitions:
  Box: {type: object, required: [id], properties: {id: {type: integer, format: int64}, name: {type: string, x-nullable: true}}}
  Problem: {type: object, properties: {message: {type: string}}}
";
    let three = "
openapi: 3.0.3
info: {title: Boxes, version: '1'}
servers: [{url: https://a.example/v1}]
security: [{key: []}]
paths:
  /boxes:
    get:
      operationId: list
      parameters:
        - {name: tags, in: query, explode: false, schema: {type: array, items: {type: string}}}
        - {name: ids, in: query, schema: {type: array, items: {type: integer}}}
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 9, default: 5}}
      responses:
        '200': {description: Fine, headers: {X-Count: {schema: {type: integer}}}, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Box'}}}}}
        default: {description: No, content: {application/json: {schema: {$ref: '#/components/schemas/Problem'}}}}
    post:
      operationId: add
      security: [{login: [read]}, {user: []}]
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Box'}}}}
      responses: {'201': {description: Made}}
  /files:
    post:
      operationId: upload
      requestBody:
        required: true
        content: {multipart/form-data: {schema: {type: object, required: [file], properties: {file: {type: string, format: binary}, note: {type: string}}}}}
      responses: {'204': {description: Kept}}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
    user: {type: http, scheme: basic}
    login: {type: oauth2, flows: {clientCredentials: {tokenUrl: https://a.example/token, scopes: {read: Read}}}}
  schemas:
    Box: {type: object, required: [id], properties: {id: {type: integer, format: int64}, name: {type: string, nullable: true}}}
    Problem: {type: object, properties: {message: {type: string}}}
";
    assert_eq!(found(two, three), []);
    assert_eq!(found(three, two), []);
}
