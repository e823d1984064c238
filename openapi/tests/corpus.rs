//! What becomes of each construct of the corpus: as is, repaired, narrowed, set aside or refused; beside it what the
//! generator alone makes of the same document.

mod support;

use std::fmt::Write as _;

use keyfit_openapi::generate;
use support::corpus;

#[test]
fn every_construct_has_the_fate_that_was_reviewed() {
    let mut table = String::new();
    for document in corpus::documents() {
        let _ = writeln!(table, "{}: {}", document.name, document.about);
        for line in document.fate().lines() {
            let _ = writeln!(table, "    {line}");
        }
        let _ = writeln!(table, "    generator alone: {}", support::bare::outcome(&document));
    }
    insta::assert_snapshot!(table);
}

#[test]
fn every_client_of_the_corpus_compiles() {
    let clients: Vec<_> = corpus::documents()
        .into_iter()
        .filter_map(|document| {
            let module = document.module();
            let client = generate(&document.source(), &format!("crate::api::{module}")).ok()?;
            Some((module, client.code))
        })
        .collect();
    support::compile::check(&clients);
}
