//! How time and memory grow with a document that mixes every construct: `cargo bench -p keyfit-openapi --bench large`. No step may
//! grow with the square of the document: four times as much takes at most 4.5 times as long.

use std::time::Duration;

use keyfit_openapi::{Api, Source, Text, generate};
use support::median;
use usage::Usage;

#[path = "../tests/support/large.rs"]
mod large;
mod support;
#[path = "support/usage.rs"]
mod usage;

/// The largest document.
const BYTES: usize = 1_500_000;
/// The sizes of the documents, in sixteenths of it.
const SIZES: [usize; 3] = [1, 4, 16];
const ROUNDS: usize = 3;

fn main() {
    println!(
        "{:>10}{:>12}{:>10}{:>10}{:>8}{:>14}{:>8}{:>8}",
        "bytes", "operations", "lines", "read ms", "times", "generate ms", "times", "MB"
    );
    let mut before: Option<(Duration, Duration)> = None;
    for size in SIZES {
        let text = large::document(BYTES * size / SIZES[2] / (large::document(700).len() / 700));
        let bytes = text.len();
        let document = Text::new("large.yaml", text);
        let source = Source { name: "large".to_owned(), document, overlay: None, contract: None };
        let read = median(ROUNDS, || drop(Api::read(&source).expect("it can be read")));
        let (mut lines, mut operations) = (0, 0);
        let whole = median(ROUNDS, || {
            let client = generate(&source).expect("it generates");
            lines = client.code.lines().count();
            operations = client.operations;
        });
        let grown = |now: Duration, before: Option<Duration>| {
            before.map_or(String::new(), |before| format!("{:.2}", now.as_secs_f64() / before.as_secs_f64()))
        };
        println!(
            "{bytes:>10}{operations:>12}{lines:>10}{:>10}{:>8}{:>14}{:>8}{:>8}",
            read.as_millis(),
            grown(read, before.map(|(read, _)| read)),
            whole.as_millis(),
            grown(whole, before.map(|(_, whole)| whole)),
            // The largest so far.
            Usage::now().memory
        );
        before = Some((read, whole));
    }
}
