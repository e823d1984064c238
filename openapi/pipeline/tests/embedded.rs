//! The documents that ship: complete, truthful about where they come from, and with a reviewed surface.

use std::collections::HashMap;
use std::fs;

use keyfit_openapi::{Api, GenerateOptions, Source, generate, generate_with};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

#[derive(Deserialize)]
struct Sources {
    document: Vec<Document>,
}

#[derive(Deserialize)]
struct Document {
    api: String,
    url: String,
    provenance: String,
    retrieved: String,
    sha256: String,
}

fn shipped() -> Vec<Source> {
    Source::all_in("../apis".as_ref()).unwrap_or_else(|failure| panic!("{failure}"))
}

fn named(name: &str) -> Source {
    shipped().into_iter().find(|source| source.name == name).unwrap_or_else(|| panic!("{name} ships"))
}

fn read(name: &str) -> Api {
    let source = named(name);
    Api::read(&source).unwrap_or_else(|failure| panic!("{failure}"))
}

#[test]
fn every_row_of_the_endpoint_tables_is_an_operation() {
    let counts = [
        ("instasent-legacy", 10),
        ("instasent-transactional", 10),
        ("instasent-product", 50),
        ("instasent-ingest", 8),
        ("scopien", 10),
    ];
    for (name, count) in counts {
        let api = read(name);
        assert_eq!(api.operations.len(), count, "{name}");
        assert!(api.unsupported.is_empty(), "{name}: {:?}", api.unsupported);
    }
    assert_eq!(read("instasent-transactional").webhooks.len(), 1, "the delivery report");
}

#[test]
fn every_operation_says_who_may_call_it_and_whether_it_may_be_repeated() {
    for source in shipped() {
        let overlay = source.overlay.clone().expect("every API that ships has an overlay").text;
        let api = read(&source.name);
        assert!(
            overlay.matches("retry:").count() >= api.operations.len(),
            "{}: a retry class for each operation",
            api.name
        );
        // One that anybody may call is said to be.
        let open = api.operations.iter().filter(|operation| operation.credentials.is_empty()).count();
        assert_eq!(open, overlay.matches("credentials: []").count(), "{}: who may call it", api.name);
        for operation in &api.operations {
            assert!(!operation.errors.is_empty(), "{} {}", api.name, operation.id);
        }
    }
}

#[test]
fn nothing_that_costs_money_is_ever_repeated() {
    for source in shipped() {
        for operation in read(&source.name).operations.iter().filter(|operation| operation.spends) {
            assert_eq!(operation.retry, keyfit_openapi::Retry::Never, "{} {}", source.name, operation.id);
        }
    }
}

#[test]
fn sources_tell_the_truth() {
    let text = fs::read_to_string("../sources.toml").expect("sources.toml is there");
    let sources: Sources = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
    let known: HashMap<&str, &Document> =
        sources.document.iter().map(|document| (document.api.as_str(), document)).collect();
    for source in shipped() {
        let document = known.get(source.name.as_str()).unwrap_or_else(|| panic!("{} has no entry", source.name));
        let digest = Sha256::digest(source.document.text.as_bytes());
        let digest = digest.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        assert_eq!(document.sha256, digest, "{}: write the new sha256 and date into sources.toml", source.name);
        assert!(matches!(document.provenance.as_str(), "transcribed" | "published"), "{}", source.name);
        // What stands there is fetched: a document, and no front page. A sentence where nothing is published.
        let path = document.url.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
        let is_sentence = document.url.contains(' ') && !document.url.contains("://");
        assert!(is_sentence || path.is_some_and(|(_, path)| !path.is_empty()), "{}", source.name);
        assert_eq!(document.retrieved.len(), "2026-11-22".len(), "{}", source.name);
    }
}

/// A review of this snapshot is the review of what a changed document changes for callers.
#[test]
fn the_generated_surface_is_the_reviewed_one() {
    for source in shipped() {
        // As build.rs generates them.
        let options = GenerateOptions { all_types: true, ..GenerateOptions::default() };
        let client = generate_with(&source, &options).unwrap_or_else(|failure| panic!("{failure}"));
        insta::assert_snapshot!(format!("surface-{}", source.name), client.surface);
    }
}

#[test]
fn generation_is_deterministic() {
    let source = named("instasent-ingest");
    let once = generate(&source).unwrap_or_else(|failure| panic!("{failure}"));
    let twice = generate(&source).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(once.code, twice.code);
}
