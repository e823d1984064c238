//! How long two documents of 1 MB take to read and to compare: `cargo bench -p keyfit-openapi --bench diff`.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use keyfit_openapi::Text;
use keyfit_openapi::diff::{Document, diff};
use support::median;

mod support;

const ROUNDS: usize = 9;
const SIZE: usize = 1_000_000;

fn main() {
    let (old, new) = (synthetic(false), synthetic(true));
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

/// A document of many operations over many schemas that refer to each other; of the changed one every tenth operation
/// needs another scope, every tenth schema has another member, and every tenth refusal is gone.
fn synthetic(changed: bool) -> String {
    let mut paths = String::from("openapi: 3.0.3\ninfo: {title: Big, version: 1.0.0}\npaths:\n");
    let mut schemas = String::from("components:\n  schemas:\n");
    let mut index = 0;
    while paths.len() + schemas.len() < SIZE {
        let is_other = changed && index % 10 == 0;
        let scopes = if is_other { "read, write" } else { "read" };
        let refusal = if is_other { "409" } else { "404" };
        let next = (index * 7 + 1) % (index + 1);
        let _ = write!(
            paths,
            "  /things{index}/{{id}}:\n    put:\n      operationId: things{index}-put\n      security: [{{login: [{scopes}]}}]\n      \
             parameters:\n        - {{name: id, in: path, required: true, schema: {{type: string, maxLength: 40}}}}\n        \
             - {{name: page, in: query, schema: {{type: integer, minimum: 1, default: 1}}}}\n      requestBody:\n        \
             content: {{application/json: {{schema: {{$ref: '#/components/schemas/Thing{index}'}}}}}}\n      responses:\n        \
             '200':\n          description: The thing\n          headers: {{X-RateLimit-Remaining: {{schema: {{type: integer}}}}}}\n          \
             content: {{application/json: {{schema: {{$ref: '#/components/schemas/Thing{index}'}}}}}}\n        '{refusal}': {{description: No}}\n"
        );
        let _ =
            write!(schemas, "    Thing{index}:\n      type: object\n      required: [id, name]\n      properties:\n");
        if is_other {
            schemas.push_str("        extra: {type: string}\n");
        }
        let _ = write!(
            schemas,
            "        id: {{type: string, format: uuid}}\n        name: {{type: string, minLength: 1, maxLength: 200}}\n        \
             kind: {{type: string, enum: [small, middle, large]}}\n        next: {{$ref: '#/components/schemas/Thing{next}'}}\n        \
             others: {{type: array, items: {{$ref: '#/components/schemas/Thing{next}'}}}}\n"
        );
        index += 1;
    }
    paths + &schemas
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
