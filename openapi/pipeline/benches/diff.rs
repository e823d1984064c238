//! How long two documents of 1 MB take to read and to compare: `cargo bench -p keyfit-openapi --bench diff`.

use std::hint::black_box;
use std::time::Duration;

use keyfit_openapi::Text;
use keyfit_openapi::diff::{Document, diff};
use support::median;

mod support;
#[path = "support/synthetic.rs"]
mod synthetic;

const ROUNDS: usize = 9;
const SIZE: usize = 1_000_000;

fn main() {
    let (old, new) = (synthetic::document(SIZE, false), synthetic::document(SIZE, true));
    let (old, new) = (Text::new("old.yaml", old), Text::new("new.yaml", new));
    let reading = median(ROUNDS, || drop(black_box(Document::read(&old))));
    let both = || Document::read_two(&old, &new).expect("the documents are good");
    let reading_both = median(ROUNDS, || drop(black_box(both())));
    let (before, after) = both();
    let mut findings = 0;
    let comparing = median(ROUNDS, || findings = diff(&before, &after).len());
    let same = median(ROUNDS, || drop(black_box(diff(&before, &before))));
    println!(
        "{:>10}{:>14}{:>14}{:>12}{:>14}{:>10}",
        "bytes", "read one ms", "read both ms", "compare ms", "the same ms", "findings"
    );
    println!(
        "{:>10}{:>14.1}{:>14.1}{:>12.1}{:>14.1}{findings:>10}",
        old.text.len(),
        millis(reading),
        millis(reading_both),
        millis(comparing),
        millis(same)
    );
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
