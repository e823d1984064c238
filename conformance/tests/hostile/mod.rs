//! Documents that are made to take long, to need much, or to end the program; small for tests, large for the bench.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// The name of a document, and its text.
pub(crate) type Document = (&'static str, String);

/// Every document, with `scale` parts for each thousand of the largest.
pub(crate) fn documents(scale: usize) -> Vec<Document> {
    let of = |thousand: usize| (thousand * scale / 1000).max(2);
    let mut documents: Vec<Document> =
        shapes(&of).into_iter().chain(crowds(&of)).map(|(name, value)| (name, value.to_string())).collect();
    documents.extend(texts(&of));
    documents
}

fn shapes(of: &dyn Fn(usize) -> usize) -> Vec<(&'static str, Value)> {
    let list = |items: Value| json!({ "type": "array", "minItems": 10_000, "items": items });
    let text = |pattern: &str| json!({ "type": "string", "minLength": 60, "pattern": pattern });
    let alternatives: Vec<String> = (0..of(5000)).map(|index| format!("a{index}")).collect();
    vec![
        ("lists in lists", body(&list(list(list(json!({ "type": "integer" })))))),
        (
            "long lists of long texts",
            body(&object(of(1000), |_| list(json!({ "type": "string", "minLength": 10_000 })))),
        ),
        ("a pattern of a million", body(&text("a{1000000}"))),
        ("a pattern of a billion", body(&text("((a{1000}){1000}){1000}"))),
        ("a pattern that goes back", body(&text("^(a+)+$"))),
        ("a pattern of stars in stars", body(&text("^((a*)*)*b$"))),
        ("a pattern with two equal ways", body(&text("^(a|a)*b$"))),
        ("a pattern of many ways", body(&text(&format!("^({}){{1000}}$", alternatives.join("|"))))),
        ("a pattern in brackets", body(&text(&format!("{}a{}", "(".repeat(of(3000)), ")".repeat(of(3000)))))),
        (
            "many patterns",
            body(&object(of(3000), |_| json!({ "type": "string", "pattern": "^(a+)+$", "minLength": 2000 }))),
        ),
        (
            "a long enum",
            body(&json!({ "type": "string", "enum": (0..of(100_000)).map(|n| format!("v{n}")).collect::<Vec<_>>() })),
        ),
        (
            "many operations",
            paths(of(20_000), |index| json!({ "get": operation(index, &json!({ "type": "object" })) })),
        ),
        ("paths that no request tells apart", indistinct_paths(of(5000))),
        ("one id for all", paths(of(10_000), |_| json!({ "get": operation(0, &json!({ "type": "object" })) }))),
        ("many schemas", schemas(of(20_000), |_, next| json!({ "type": "object", "properties": { "next": next } }))),
        ("a chain of references", schemas(of(20_000), |_, next| next)),
        (
            "a chain of compositions",
            schemas(
                of(3000),
                |index, next| json!({ "allOf": [next, { "type": "object", "properties": { format!("p{index}"): { "type": "string" } } }] }),
            ),
        ),
        (
            "a wide composition",
            body(&json!({ "allOf": (0..of(5000)).map(|n| object_of(&format!("p{n}"))).collect::<Vec<_>>() })),
        ),
        (
            "a wide union",
            body(&json!({ "oneOf": (0..of(2000)).map(|n| object_of(&format!("p{n}"))).collect::<Vec<_>>() })),
        ),
        ("unions of unions", schemas(30, |_, next| json!({ "oneOf": vec![next; 10] }))),
        ("compositions of compositions", schemas(30, |_, next| json!({ "allOf": vec![next; 10] }))),
        ("objects of objects", schemas(30, |_, next| object(10, |_| next.clone()))),
        ("an object of itself", schemas(2, |_, _| object(20, |_| json!({ "$ref": "#/components/schemas/S0" })))),
        (
            "numbers without measure",
            body(&json!({ "type": "object", "required": ["a", "b", "c", "d"], "properties": {
            "a": { "type": "number", "multipleOf": 1e308, "minimum": 1e308 },
            "b": { "type": "integer", "minimum": i64::MAX, "exclusiveMinimum": true, "multipleOf": i64::MAX },
            "c": { "type": "string", "minLength": 1_000_000_000_000_u64, "maxLength": 1_000_000_000_000_u64 },
            "d": { "type": "array", "minItems": u64::MAX, "items": { "type": "integer", "maximum": -1e300 } },
        } })),
        ),
        ("many parameters", parameters("/a", "query", of(5000))),
        ("a path of parameters", path_of_parameters(of(1000))),
        ("a path longer than any server takes", path_of_parameters(of(2000))),
        ("many members", body(&object(of(50_000), |_| json!({ "type": "string" })))),
        (
            "a long description",
            paths(1, |_| {
                let mut operation = operation(0, &json!({ "type": "object" }));
                operation["description"] = "```rust\nfn a() {}\n```\n> - [x]\n".repeat(of(200_000)).into();
                operation["summary"] = "x y ".repeat(of(1_000_000)).into();
                json!({ "get": operation })
            }),
        ),
        (
            "letters that hide",
            paths(2, |index| {
                let mut operation = operation(index, &json!({ "\u{202e}": "\0" }));
                operation["operationId"] = "\u{301}\u{202e}".repeat(of(1000)).into();
                operation["summary"] = "\u{feff}\u{2028}\u{202e}".repeat(of(1000)).into();
                json!({ "get": operation })
            }),
        ),
        ("many examples", body(&json!({ "type": "integer", "examples": vec![json!({ "a": "x" }); of(100_000)] }))),
    ]
}

/// Of one thing more than anybody has.
fn crowds(of: &dyn Fn(usize) -> usize) -> Vec<(&'static str, Value)> {
    vec![
        ("paths that begin alike", paths_of(of(10_000), |index| format!("/accounts/{{id}}/p{index}/{{other}}"))),
        ("verbs behind one parameter", paths_of(of(5000), |index| format!("/things/{{name}}:verb{index}"))),
        ("a path without end", paths_of(1, |_| "/a".repeat(of(100_000)))),
        ("many servers", {
            let mut document = paths(1, |index| json!({ "get": operation(index, &json!({ "type": "object" })) }));
            document["servers"] =
                (0..of(100_000)).map(|index| json!({ "url": format!("https://s{index}.example.com/v1") })).collect();
            document
        }),
        ("any of many logins", logins(of(5000), |names| names.map(|name| json!({ name: [] })).collect())),
        (
            "all of many logins at once",
            logins(of(5000), |names| json!([names.map(|name| (name, json!([]))).collect::<Map<String, Value>>()])),
        ),
        ("answers under what is no status", {
            let mut get = operation(0, &json!({ "type": "object" }));
            get["responses"] = (0..of(50_000))
                .map(|n| (format!("s{n}"), json!({ "description": "odd" })))
                .collect::<Map<_, _>>()
                .into();
            document(&json!({ "/a": { "get": get } }), &json!({}))
        }),
        (
            "many answers",
            paths(of(80), |index| {
                let mut get = operation(index, &json!({ "type": "object" }));
                let answer =
                    |status: u16| (status.to_string(), operation(0, &object_of("a"))["responses"]["200"].clone());
                get["responses"] = (200..600).map(answer).collect::<Map<_, _>>().into();
                json!({ "get": get })
            }),
        ),
        ("one large schema for all", {
            let large = json!({ "$ref": "#/components/schemas/Large" });
            let mut document = paths(of(3000), |index| {
                let mut post = operation(index, &large);
                post["requestBody"] = json!({ "content": { "application/json": { "schema": large } } });
                json!({ "post": post })
            });
            document["components"]["schemas"]["Large"] = object(of(3000), |_| json!({ "type": "string" }));
            document
        }),
        (
            "hints that do not count",
            paths(of(15_000), |index| {
                let mut get = operation(index, &json!({ "type": "object" }));
                get["x-keyfit"] = json!({ "retry": "safe" });
                json!({ "get": get, "x-keyfit": {} })
            }),
        ),
    ]
}

/// A path of parameters alone.
fn path_of_parameters(count: usize) -> Value {
    let path: String = (0..count).flat_map(|index| ["/{p".to_owned(), index.to_string(), "}".to_owned()]).collect();
    parameters(&path, "path", count)
}

/// Path templates that differ in the names of their parameters alone.
fn indistinct_paths(count: usize) -> Value {
    let path =
        |index| (format!("/accounts/{{p{index}}}"), json!({ "get": operation(index, &json!({ "type": "object" })) }));
    document(&(0..count).map(path).collect::<Map<String, Value>>().into(), &json!({}))
}

/// Documents that are not written as JSON writes them.
fn texts(of: &dyn Fn(usize) -> usize) -> Vec<Document> {
    let head = "openapi: 3.0.3\ninfo: {title: Hostile, version: '1'}\npaths: {}\n";
    let mut laughs = format!("{head}x-0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let _ = writeln!(laughs, "x-{level}: &a{level} [{}]", vec![format!("*a{}", level - 1); 10].join(", "));
    }
    vec![
        ("a billion laughs", laughs),
        (
            "a long text a thousand times",
            format!("{head}x-a: &a \"{}\"\nx-b: [{}]\n", "x".repeat(of(5_000_000)), vec!["*a"; 1000].join(", ")),
        ),
        ("a long key above much", format!("{head}x-{}: [{}]\n", "x".repeat(of(5_000_000)), "x, ".repeat(of(300_000)))),
        ("anchors in anchors", {
            let open = (0..120).fold(String::new(), |text, level| format!("{text}&a{level} ["));
            format!("{head}x-a: {open}{}{}\n", "x, ".repeat(of(400_000)), "]".repeat(120))
        }),
        ("brackets without end", "[".repeat(of(200_000))),
        ("keys of keys", "? ".repeat(of(20_000))),
        ("maps in maps", "{\"a\":".repeat(of(100_000))),
        ("nothing but lists", format!("{head}x-a: [{}]\n", vec!["[]"; of(2_000_000)].join(", "))),
        ("a number of a million digits", format!("{head}x-a: {}\n", "9".repeat(of(1_000_000)))),
        ("a number beyond all", format!("{head}x-a: 1e400\n")),
        ("a line of ten megabytes", format!("{head}x-a: {}\n", "word ".repeat(of(2_000_000)))),
    ]
}

fn document(paths: &Value, schemas: &Value) -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Hostile", "version": "1" },
        "servers": [{ "url": "https://api.example.com/v1" }],
        "security": [{ "login": [] }],
        "paths": paths,
        "components": { "schemas": schemas, "securitySchemes": { "login": { "type": "http", "scheme": "bearer" } } },
    })
}

fn operation(index: usize, answer: &Value) -> Value {
    let content = json!({ "application/json": { "schema": answer } });
    json!({ "operationId": format!("operation{index}"), "responses": { "200": { "description": "done", "content": content } } })
}

/// A document whose one body, sent and answered, is of this schema.
fn body(schema: &Value) -> Value {
    let mut post = operation(0, schema);
    post["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    document(&json!({ "/a": { "post": post } }), &json!({}))
}

fn paths(count: usize, item: impl Fn(usize) -> Value) -> Value {
    let paths: Map<String, Value> = (0..count).map(|index| (format!("/p{index}"), item(index))).collect();
    document(&paths.into(), &json!({}))
}

fn paths_of(count: usize, path: impl Fn(usize) -> String) -> Value {
    let item = |index| (path(index), json!({ "get": operation(index, &json!({ "type": "object" })) }));
    document(&(0..count).map(item).collect::<Map<String, Value>>().into(), &json!({}))
}

/// A document with many security schemes, and what all operations need of them.
fn logins(count: usize, security: impl Fn(&mut dyn Iterator<Item = String>) -> Value) -> Value {
    let names = || (0..count).map(|index| format!("login{index}"));
    let mut document = paths(50, |index| json!({ "get": operation(index, &json!({ "type": "object" })) }));
    let scheme = |name| (name, json!({ "type": "http", "scheme": "bearer" }));
    document["components"]["securitySchemes"] = names().map(scheme).collect::<Map<String, Value>>().into();
    document["security"] = security(&mut names());
    document
}

/// A document whose schemas refer to the next each, and its one body to the first.
fn schemas(count: usize, schema: impl Fn(usize, Value) -> Value) -> Value {
    let next = |index: usize| json!({ "$ref": format!("#/components/schemas/S{index}") });
    let mut all: Map<String, Value> =
        (0..count).map(|index| (format!("S{index}"), schema(index, next(index + 1)))).collect();
    all.insert(format!("S{count}"), object_of("last"));
    let mut document = body(&next(0));
    document["components"]["schemas"] = all.into();
    document
}

fn object(count: usize, member: impl Fn(usize) -> Value) -> Value {
    let members: Map<String, Value> = (0..count).map(|index| (format!("m{index}"), member(index))).collect();
    let names: Vec<&String> = members.keys().collect();
    json!({ "type": "object", "required": names, "properties": members })
}

fn object_of(member: &str) -> Value {
    json!({ "type": "object", "required": [member], "properties": { member: { "type": "string" } } })
}

fn parameters(path: &str, place: &str, count: usize) -> Value {
    let parameter =
        |index| json!({ "name": format!("p{index}"), "in": place, "required": true, "schema": { "type": "string" } });
    let mut get = operation(0, &json!({ "type": "object" }));
    get["parameters"] = (0..count).map(parameter).collect();
    document(&json!({ path: { "get": get } }), &json!({}))
}
