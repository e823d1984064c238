//! What a document says in its descriptions is shown by rustdoc, and nothing else: rustdoc itself is asked.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use keyfit_openapi::{Source, Text, generate};
use serde_json::{Value, json};

/// Code that leaves a mark where it is run.
fn code() -> String {
    format!("std::fs::write(\"{}\", \"run\").unwrap();", canary().display())
}

fn canary() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("descriptions-canary")
}

/// Descriptions that are more than prose.
fn hostile() -> Vec<String> {
    let code = code();
    vec![
        format!("```\n{code}\n```"),
        format!("```rust\n{code}\n```\nand more"),
        format!("~~~ should_panic\n{code}\npanic!();\n~~~"),
        format!("a block that is open\n````\n{code}"),
        format!("a\n\n    {code}\n    {code}\n\nb"),
        format!("    {code}\n    {code}"),
        format!("\t{code}"),
        format!("> ```\n> {code}\n> ```\n\n> a\n>\n>     {code}"),
        format!("- a\n  ```\n  {code}\n  ```\n-     {code}"),
        format!("* a\n\n      {code}"),
        // A block comment would lose its stars, and be a block of code.
        format!("*    {code}\n*    {code}"),
        format!(" *     {code}\n *     {code}"),
        format!("<div>\n    {code}\n</div>\n\n    {code}"),
        format!("<!-- a\n\n    {code}\n-->\n<pre><code>{code}</code></pre>"),
        format!("a\r\n\r\n    {code}\r\rb\r"),
        "<script>injected()</script> <img src=x onerror=injected()> <!-- a".to_owned(),
        "[Vec::nothing] and [`Nothing`], [a](Nothing), [b][c], ![d](https://example.com/injected.png) [e](javascript:injected)"
            .to_owned(),
        "https://example.com/a_b_c and http://example.com/?q=*x*, <javascript:injected> {@link x}".to_owned(),
        "*/ fn injected() {} /* \u{202e} \0 #![doc = \"a\"] \"#; /".to_owned(),
        "/ ```\n/ a".to_owned(),
        "# a\n\n| b | `c |\n|---|---|\n| <b> | [d] |\n\n[^1]: e\n\n        f\n\n[^1]".to_owned(),
    ]
}

/// A document that says it everywhere.
fn document(texts: &[String]) -> Value {
    let of = |index: usize| texts[index % texts.len()].clone();
    let members: serde_json::Map<String, Value> = (0..texts.len())
        .map(|index| {
            let member =
                json!({ "type": "string", "description": of(index), "title": of(index + 3), "default": of(index + 5) });
            (format!("member{index}"), member)
        })
        .collect();
    let schemas: serde_json::Map<String, Value> = (0..texts.len())
        .flat_map(|index| {
            let object = json!({ "type": "object", "description": of(index), "title": of(index + 1), "properties": members,
                "required": ["member0"], "example": { "member0": of(index + 2) } });
            let list = json!({ "type": "string", "description": of(index), "enum": [of(index), of(index + 1), "plain"] });
            [(format!("Object{index}"), object), (format!("Enum{index}"), list)]
        })
        .collect();
    let paths: serde_json::Map<String, Value> = (0..texts.len())
        .map(|index| {
            let parameters = ["path", "query", "header"].map(|place| {
                json!({ "name": format!("{place}-{index}"), "in": place, "required": place == "path", "description": of(index + 4),
                    "schema": { "type": "string", "description": of(index), "enum": ["one", of(index)] } })
            });
            let answer = |schema: String| {
                json!({ "description": of(index + 1),
                    "content": { "application/json": { "schema": { "$ref": format!("#/components/schemas/{schema}") } } } })
            };
            let operation = json!({
                "operationId": format!("operation{index}"), "summary": of(index), "description": of(index + 1),
                "externalDocs": { "url": "https://example.com", "description": of(index) }, "tags": [of(index)],
                "x-unverified": of(index + 2),
                "parameters": parameters,
                "requestBody": { "description": of(index), "content": { "application/json": {
                    "schema": { "$ref": format!("#/components/schemas/Object{index}") } } } },
                "responses": { "200": answer(format!("Enum{index}")), "404": answer(format!("Object{index}")) },
            });
            (format!("/{index}/{{path-{index}}}"), json!({ "post": operation }))
        })
        .collect();
    json!({
        "openapi": "3.0.3",
        "info": { "title": of(0), "version": "1.0.0", "description": of(1), "termsOfService": of(2) },
        "servers": [{ "url": "https://api.example.com", "description": of(3) }],
        "paths": paths,
        "components": { "schemas": schemas },
    })
}

/// The documentation of generated code: the lines of each item, as they are printed.
fn documentation(code: &str) -> Vec<String> {
    let mut texts = vec![String::new()];
    for line in code.lines().map(str::trim_start) {
        match line.strip_prefix("///").filter(|rest| !rest.starts_with('/')) {
            Some(_) => {
                let _ = writeln!(texts.last_mut().expect("there is one"), "{line}");
            }
            None if texts.last().is_some_and(|text| !text.is_empty()) => texts.push(String::new()),
            None => {}
        }
    }
    texts.retain(|text| !text.is_empty());
    texts
}

/// A crate of items that have nothing but this documentation. The names that our own sentences link to are there.
fn crate_of(texts: &[String]) -> String {
    let mut code =
        "//! A crate.\n#![allow(dead_code)]\n/// A link.\npub struct Error;\n/// A link.\npub struct Client;\n"
            .to_owned();
    let methods: String = (0..hostile().len())
        .flat_map(|index| ["pub fn operation".to_owned(), index.to_string(), "() {}\n".to_owned()])
        .collect();
    let _ = writeln!(code, "impl Client {{\n{methods}}}\n/// Items.\npub mod items {{\npub static API: () = ();");
    for (index, text) in texts.iter().enumerate() {
        let _ = writeln!(code, "{text}pub struct Item{index};");
    }
    code + "}\n"
}

/// Runs rustdoc; `None` where there is none.
fn rustdoc(name: &str, code: &str, arguments: &[&str]) -> Option<(bool, String)> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("lib.rs");
    fs::write(&file, code).expect("a file");
    let rustdoc = Path::new(env!("CARGO")).with_file_name("rustdoc");
    let run = Command::new(rustdoc)
        .arg(&file)
        .args(["--edition", "2024", "--crate-type", "lib", "--crate-name", "documentation", "--out-dir"])
        .arg(folder.join("doc"))
        .args(arguments)
        .current_dir(&folder)
        .output();
    match run {
        Ok(run) => {
            let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
            Some((run.status.success(), said))
        }
        Err(error) => {
            eprintln!("skipped: no rustdoc: {error}");
            None
        }
    }
}

fn generated() -> String {
    let text = document(&hostile()).to_string();
    let document = Text::new("hostile.json", text);
    let source = Source { name: "hostile".to_owned(), document, overlay: None, contract: None };
    let client = generate(&source).expect("a client");
    assert_eq!(client.unsupported.len(), 0);
    client.code
}

#[test]
fn no_description_is_run_as_a_test_or_becomes_html_or_a_link_of_rustdoc() {
    let code = generated();
    for other in ["/**", "/*!", "#[doc", "#![doc"] {
        assert!(!code.lines().any(|line| line.trim_start().starts_with(other)), "documentation stands in {other}");
    }
    let texts = documentation(&code);
    assert!(texts.len() > 200, "{} items are documented", texts.len());
    let crate_ = crate_of(&texts);
    let _ = fs::remove_file(canary());
    let Some((is_good, listed)) = rustdoc("descriptions-list", &crate_, &["--test", "--test-args", "--list"]) else {
        return;
    };
    assert!(is_good && listed.contains("0 tests,"), "{listed}");
    let (is_good, run) = rustdoc("descriptions-run", &crate_, &["--test"]).expect("rustdoc is there");
    assert!(is_good && run.contains("0 passed"), "{run}");
    assert!(!canary().exists(), "a description was run");
    let (is_good, said) = rustdoc("descriptions-html", &crate_, &["-D", "warnings"]).expect("rustdoc is there");
    assert!(is_good, "{said}");
    let pages = Path::new(env!("CARGO_TARGET_TMPDIR")).join("descriptions-html/doc/documentation/items");
    for page in fs::read_dir(pages).expect("pages").map(|page| page.expect("a page").path()) {
        if page.extension().is_some_and(|extension| extension == "html") {
            let html = fs::read_to_string(&page).expect("a page");
            for injected in ["<script>injected", "<img src=x", "<img src=\"https://example.com", "href=\"javascript:"] {
                assert!(!html.contains(injected), "{injected} in {}", page.display());
            }
        }
    }
}

#[test]
fn rustdoc_does_run_the_same_descriptions_as_they_are_written() {
    let as_written =
        |text: &String| text.split('\n').flat_map(|line| ["/// ", line.trim_end(), "\n"]).collect::<String>();
    let texts: Vec<String> = hostile().iter().take(8).map(as_written).collect();
    let crate_ = crate_of(&texts);
    let Some((_, listed)) = rustdoc("descriptions-raw", &crate_, &["--test", "--test-args", "--list"]) else { return };
    assert!(listed.contains(": test") && !listed.contains("0 tests,"), "{listed}");
}
