//! What becomes of each construct of the corpus: as is, repaired, narrowed, set aside or refused; beside it what the
//! generator alone makes of the same document.

mod support;

use std::collections::HashSet;
use std::fmt::Write as _;

use keyfit_openapi::{Dispatch, GenerateOptions, Generated, Source, Text, generate_with};
use support::corpus;

#[test]
fn every_construct_has_the_fate_that_was_reviewed() {
    let mut table = String::new();
    let (mut all, mut ours, mut alone) = (0, 0, 0);
    for document in corpus::documents() {
        let _ = writeln!(table, "{}: {}", document.name, document.about);
        let fate = document.fate();
        for line in fate.lines() {
            let _ = writeln!(table, "    {line}");
        }
        let bare = support::bare::outcome(&document);
        let _ = writeln!(table, "    generator alone: {bare}");
        all += 1;
        ours += usize::from(fate.is_whole());
        alone += usize::from(bare == "ok");
    }
    let _ = writeln!(table, "\na client with every method, which compiles: {ours} of {all}");
    let _ = writeln!(table, "code from the generator alone, compiled or not: {alone} of {all}");
    insta::assert_snapshot!(table);
    let readme = include_str!("../../README.md");
    for figure in [format!("{ours} of {all} give a client"), format!("writes code for {alone} of")] {
        assert!(readme.contains(&figure), "README.md does not say: {figure}");
    }
}

#[test]
fn every_client_compiles() {
    let mut seen = HashSet::new();
    let mut clients = vec![("large".to_owned(), large().code)];
    for document in corpus::documents() {
        let module = document.module();
        let Ok(client) = document.client(Dispatch::Always) else { continue };
        // Some constructs leave no trace: the same code is compiled once.
        if seen.insert(client.code.replace(&module, "")) {
            clients.push((module, client.code));
        }
    }
    support::compile::check(&clients);
}

#[test]
fn a_large_document_of_many_constructs_loses_no_operation() {
    let client = large();
    assert!(client.unsupported.is_empty(), "{:?}", client.unsupported);
    assert_eq!(client.surface.matches("\n    credentials").count(), 203);
}

/// More than 200 operations.
fn large() -> Generated {
    let source = Source {
        name: "large".to_owned(),
        document: Text::new("large.yaml", support::large::document(145)),
        overlay: None,
        contract: None,
    };
    generate_with(&source, &GenerateOptions { dispatch: Dispatch::Always, ..GenerateOptions::default() })
        .unwrap_or_else(|failure| panic!("{failure}"))
}
