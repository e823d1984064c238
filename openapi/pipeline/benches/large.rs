//! How processor time and memory grow with a document that mixes every construct: `cargo bench -p keyfit-openapi --bench large`. No
//! step may grow with the square of the document: four times as much takes at most 4.5 times as long.

use keyfit_openapi::{Api, Source, Text, generate};
use usage::Usage;

#[path = "../tests/support/large.rs"]
mod large;
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
        "bytes", "operations", "lines", "read s", "times", "generate s", "times", "MB"
    );
    let mut before: Option<(f64, f64)> = None;
    for size in SIZES {
        let text = large::document(BYTES * size / SIZES[2] / (large::document(700).len() / 700));
        let bytes = text.len();
        let document = Text::new("large.yaml", text);
        let source = Source { name: "large".to_owned(), document, overlay: None, contract: None };
        let read = least(|| drop(Api::read(&source).expect("it can be read")));
        let (mut lines, mut operations) = (0, 0);
        let whole = least(|| {
            let client = generate(&source).expect("it generates");
            lines = client.code.lines().count();
            operations = client.operations;
        });
        let grown =
            |now: f64, before: Option<f64>| before.map_or(String::new(), |before| format!("{:.2}", now / before));
        println!(
            "{bytes:>10}{operations:>12}{lines:>10}{read:>10.2}{:>8}{whole:>14.2}{:>8}{:>8}",
            grown(read, before.map(|(read, _)| read)),
            grown(whole, before.map(|(_, whole)| whole)),
            // The largest so far.
            Usage::now().memory
        );
        before = Some((read, whole));
    }
}

/// The processor time of the fastest of some runs, in seconds.
fn least(mut run: impl FnMut()) -> f64 {
    let times = (0..ROUNDS).map(|_| {
        let before = Usage::now().seconds;
        run();
        Usage::now().seconds - before
    });
    times.fold(f64::INFINITY, f64::min)
}
