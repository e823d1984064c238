//! How long a large document takes that mixes every construct: `cargo bench -p keyfit-openapi --bench large`.

use std::time::{Duration, Instant};

use keyfit_openapi::{Api, Source, Text, generate};

#[path = "../tests/support/large.rs"]
mod large;

const BYTES: usize = 1_500_000;
const ROUNDS: usize = 1;

fn main() {
    let text = large::document(BYTES / (large::document(700).len() / 700));
    let size = text.len();
    let source =
        Source { name: "large".to_owned(), document: Text::new("large.yaml", text), overlay: None, contract: None };
    let read = median(|| drop(Api::read(&source).expect("it can be read")));
    let mut lines = 0;
    let mut operations = 0;
    let whole = median(|| {
        let client = generate(&source, "crate::api::large").expect("it generates");
        lines = client.code.lines().count();
        operations = client.surface.matches("\n    credentials").count();
    });
    println!("{size} bytes, {operations} operations, {lines} lines of code");
    println!("read and repaired in {} ms, generated in {} ms", read.as_millis(), whole.as_millis());
}

fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[ROUNDS / 2]
}
