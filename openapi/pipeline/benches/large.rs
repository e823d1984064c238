//! How long a large document takes that mixes every construct: `cargo bench -p keyfit-openapi --bench large`.

use keyfit_openapi::{Api, Source, Text, generate};
use support::median;

#[path = "../tests/support/large.rs"]
mod large;
mod support;

const BYTES: usize = 1_500_000;
const ROUNDS: usize = 3;

fn main() {
    let text = large::document(BYTES / (large::document(700).len() / 700));
    let size = text.len();
    let source =
        Source { name: "large".to_owned(), document: Text::new("large.yaml", text), overlay: None, contract: None };
    let read = median(ROUNDS, || drop(Api::read(&source).expect("it can be read")));
    let mut lines = 0;
    let mut operations = 0;
    let whole = median(ROUNDS, || {
        let client = generate(&source).expect("it generates");
        lines = client.code.lines().count();
        operations = client.surface.matches("\n    credentials").count();
    });
    println!("{size} bytes, {operations} operations, {lines} lines of code");
    println!("read and repaired in {} ms, generated in {} ms", read.as_millis(), whole.as_millis());
}
