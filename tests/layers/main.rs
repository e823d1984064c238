//! The sources of the library: no module names one of a layer above its own, and none comes back to itself.

mod graph;
mod source;

use std::path::Path;

use graph::Graph;
use source::{Place, Tree};

/// The layers, the ground first. A module at the root that is none of these is a vendor's.
const BELOW_VENDORS: [&str; 10] =
    ["blocking", "runtime", "http_client", "error", "webhook", "budget", "auth", "client", "profile", "codegen"];
/// What knows all vendors.
const ABOVE_VENDORS: [&str; 1] = ["dispatch"];

/// The height of the layer of a module, which its path begins with. The root of the library is above all: it names what
/// others define, and defines nothing.
fn height(module: &[String]) -> usize {
    let Some(first) = module.first() else { return usize::MAX };
    match BELOW_VENDORS.iter().position(|layer| layer == first) {
        Some(height) => height,
        None => BELOW_VENDORS.len() + usize::from(ABOVE_VENDORS.contains(&first.as_str())),
    }
}

/// Every arrow that goes up, or from one vendor to another, and every circle.
fn faults(tree: &Tree) -> Vec<String> {
    let graph = Graph::of(tree);
    let is_vendor = |module: &[String]| height(module) == BELOW_VENDORS.len();
    let against_the_order = graph.arrows().filter(|(from, to)| {
        height(to) > height(from) || is_vendor(from) && is_vendor(to) && from.first() != to.first()
    });
    let arrows = against_the_order.map(|(from, to)| format!("{} names {}", from.join("::"), to.join("::")));
    arrows.chain(graph.circles().into_iter().map(|circle| format!("a circle: {}", circle.join(" -> ")))).collect()
}

#[test]
fn the_layers_of_the_library_point_one_way_and_no_modules_form_a_circle() {
    let tree = Tree::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("the sources are there");
    assert!(tree.len() > 100, "{} modules were read", tree.len());
    let faults = faults(&tree);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The one file that knows reqwest.
const OF_REQWEST: [&str; 2] = ["http_client", "of_reqwest"];

/// Every module that names the crate reqwest, but for the one that may.
fn that_know_reqwest(tree: &Tree) -> Vec<String> {
    let others = tree.modules().filter(|(place, module)| {
        let named = |path: &Place| path.first().is_some_and(|first| first == "reqwest");
        let is_a_crate = !module.names.contains_key("reqwest");
        **place != OF_REQWEST && is_a_crate && module.imports.iter().chain(&module.paths).any(named)
    });
    others.map(|(place, _)| place.join("::")).collect()
}

#[test]
fn one_file_alone_knows_reqwest() {
    let tree = Tree::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("the sources are there");
    assert_eq!(that_know_reqwest(&tree), [""; 0]);
    for line in
        ["use reqwest::Url;", "fn f(_: reqwest::Client) {}", "use ::reqwest as http;", "fn f() { g!(::reqwest::X) }"]
    {
        let files = [("lib.rs", "mod auth;"), ("auth.rs", line)].map(|(path, text)| (path.to_owned(), text.to_owned()));
        assert_eq!(that_know_reqwest(&Tree::of(&files.into())), ["auth"], "{line}");
    }
}

/// A made-up library.
fn library(files: &[(&str, &str)]) -> Vec<String> {
    faults(&Tree::of(&files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()))
}

#[test]
fn an_exported_macro_is_of_the_module_that_it_stands_in() {
    let files = |name: &str| {
        library(&[
            ("lib.rs", "mod error; mod auth;"),
            ("error.rs", &format!("fn f() {{ crate::{name}!() }}")),
            ("auth.rs", "#[macro_export] macro_rules! made { () => { $crate::auth::Token } } pub struct Token;"),
        ])
    };
    assert_eq!(files("made"), ["error names auth"]);
}

#[test]
fn what_keeps_to_the_order_is_clean() {
    let faults = library(&[
        ("lib.rs", "mod error; pub mod auth; mod acme; pub use error::Error; pub use auth::Token;"),
        ("error/mod.rs", "mod kind; pub use kind::Kind; pub struct Error(Kind);"),
        ("error/kind.rs", "pub enum Kind {}"),
        ("auth/mod.rs", "mod token; pub use token::Token;"),
        ("auth/token.rs", "use crate::error::Error; pub struct Token; fn f() -> Result<Token, Error> { todo!() }"),
        ("acme.rs", "include!(\"x\"); use crate::auth::Token; fn f(_: Token, _: crate::Error) {}"),
    ]);
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn an_arrow_up_is_found_however_it_is_written() {
    let lines = [
        "use crate::auth::Token;",
        "use crate::Token;",
        "use crate::{auth::token::{self}, Token as _};",
        "use super::auth::token::Token;",
        "fn f(_: &crate::auth::Token) {}",
        "fn f() { let _ = crate::Token; }",
        "fn f() { assert!(matches!(x, keyfit::Token { .. })); }",
        "fn f() { assert!(x == ::keyfit::auth::Token); }",
        "mod inner { use super::super::auth::Token; }",
        "use crate::auth::*;",
        "macro_rules! token { () => { $crate::auth::Token }; }",
    ];
    for line in lines {
        let faults = library(&[
            ("lib.rs", "extern crate self as keyfit; mod error; pub mod auth; pub use auth::Token;"),
            ("error.rs", line),
            ("auth/mod.rs", "mod token; pub use token::Token;"),
            ("auth/token.rs", "pub struct Token;"),
        ]);
        assert!(faults.len() == 1 && faults[0].contains("names auth"), "{line}: {faults:?}");
    }
}

#[test]
fn a_circle_is_found_behind_what_parents_and_the_root_pass_on() {
    let faults = library(&[
        ("lib.rs", "mod client; pub use client::{A, B};"),
        ("client/mod.rs", "mod a; mod b; mod c; pub use a::A; pub use b::B;"),
        ("client/a.rs", "use super::B; pub struct A(B);"),
        ("client/b.rs", "use crate::A; pub struct B(Option<Box<A>>);"),
        ("client/c.rs", "use super::{A, B}; struct C(A, B);"),
    ]);
    assert_eq!(faults, ["a circle: client::a -> client::b -> client::a"]);
}

#[test]
fn a_module_and_its_parent_can_be_a_circle_and_one_that_only_passes_it_on_is_none() {
    let child = ("client/child.rs", "use super::Parent; pub struct Child(Parent);");
    let passes_on = library(&[
        ("lib.rs", "mod client;"),
        ("client/mod.rs", "mod child; pub use child::Child; pub struct Parent;"),
        child,
    ]);
    assert_eq!(passes_on, Vec::<String>::new());
    let uses = library(&[
        ("lib.rs", "mod client;"),
        ("client/mod.rs", "mod child; pub use child::Child; pub struct Parent(Option<Box<Child>>);"),
        child,
    ]);
    assert_eq!(uses, ["a circle: client -> client::child -> client"]);
}

#[test]
fn one_vendor_names_no_other_and_what_knows_all_names_each() {
    let faults = library(&[
        ("lib.rs", "mod acme; mod bolt; mod dispatch;"),
        ("acme.rs", "pub struct Acme;"),
        ("bolt.rs", "pub struct Bolt(crate::acme::Acme);"),
        ("dispatch.rs", "use crate::{acme::Acme, bolt::Bolt};"),
    ]);
    assert_eq!(faults, ["bolt names acme"]);
}
