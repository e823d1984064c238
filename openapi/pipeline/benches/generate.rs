//! How long the five clients take to generate, and how much code they are: `cargo bench -p keyfit-openapi`.

use std::time::Duration;

use keyfit_openapi::{Api, Source, generate};
use support::median;

mod support;

const ROUNDS: usize = 9;

fn main() {
    println!("{:<26}{:>8}{:>12}{:>12}{:>10}", "api", "ops", "read ms", "whole ms", "lines");
    let mut total = (0, Duration::ZERO, Duration::ZERO, 0);
    for source in Source::all_in("../apis".as_ref()).expect("the folder is there") {
        let mut operations = 0;
        let mut lines = 0;
        let read = median(ROUNDS, || operations = Api::read(&source).expect("the document is good").operations.len());
        let whole = median(ROUNDS, || {
            lines = generate(&source).expect("the document is good").code.lines().count();
        });
        println!("{:<26}{operations:>8}{:>12.1}{:>12.1}{lines:>10}", source.name, millis(read), millis(whole));
        total = (total.0 + operations, total.1 + read, total.2 + whole, total.3 + lines);
    }
    println!("{:<26}{:>8}{:>12.1}{:>12.1}{:>10}", "all", total.0, millis(total.1), millis(total.2), total.3);
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
