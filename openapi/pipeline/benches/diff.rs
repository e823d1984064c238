//! How long two documents of 1 MB take to read and to compare: `cargo bench -p keyfit-openapi --bench diff`.

use std::hint::black_box;
use std::time::Instant;

use keyfit_openapi::Text;
use keyfit_openapi::diff::{Document, diff};

#[path = "../../../benches/history/mod.rs"]
mod history;
#[path = "support/synthetic.rs"]
mod synthetic;

const ROUNDS: usize = 9;
const SIZE: usize = 1_000_000;

fn main() {
    let (old, new) = (synthetic::document(SIZE, false), synthetic::document(SIZE, true));
    let (old, new) = (Text::new("old.yaml", old), Text::new("new.yaml", new));
    let both = || Document::read_two(&old, &new).expect("the documents are good");
    let (before, after) = both();
    println!(
        "two documents of {} bytes, {} findings (aim: 100 ms for all of it)",
        old.text.len(),
        diff(&before, &after).len()
    );
    let figure = |name: &str, run: &dyn Fn()| history::figure("diff", name, &times(run));
    figure("reading one, ms", &|| drop(black_box(Document::read(&old))));
    figure("comparing, ms", &|| drop(black_box(diff(&before, &after))));
    figure("comparing one with itself, ms", &|| drop(black_box(diff(&before, &before))));
    figure("reading both at once and comparing, ms", &|| {
        let (before, after) = both();
        black_box(diff(&before, &after));
    });
}

/// In milliseconds.
fn times(run: &dyn Fn()) -> Vec<f64> {
    (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            run();
            began.elapsed().as_secs_f64() * 1000.0
        })
        .collect()
}
