//! How many instructions generation and diff take: counts do not depend on what else the machine does, so that a rise of some
//! percent is seen, and a pass that grows with the square of the document.
//!
//! `cargo bench -p keyfit-openapi --bench counts` (needs valgrind) prints them beside those of `benches/counts.txt`, and fails where
//! one has grown by more than 2 %, or where four times as much takes more than 4.5 times as many; `-- --write` writes them there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::process::{Command, ExitCode};

use keyfit_openapi::diff::{Document, diff};
use keyfit_openapi::{Source, Text, generate};

#[path = "../../../benches/history/mod.rs"]
mod history;
#[path = "../tests/support/large.rs"]
mod large;
#[path = "support/synthetic.rs"]
mod synthetic;

/// How much a count may grow.
const SLACK: f64 = 1.02;
/// How much more four times as much may take.
const MOST_GROWTH: f64 = 4.5;

/// What is counted, by how much: the resources of a document that is generated, the bytes of two that are compared. Each but the
/// first of its kind is four times the one before it.
const RUNS: [(&str, &str, usize); 6] = [
    ("generate 1x", GENERATE, 64),
    ("generate 4x", GENERATE, 256),
    ("generate 16x", GENERATE, 1024),
    ("diff 1x", DIFF, 62_500),
    ("diff 4x", DIFF, 250_000),
    ("diff 16x", DIFF, 1_000_000),
];
const GENERATE: &str = "generate";
const DIFF: &str = "diff";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.as_slice() {
        [what, size] if !what.starts_with('-') => {
            run(what, size.parse().expect("a number"));
            ExitCode::SUCCESS
        }
        rest => compare(rest.iter().any(|argument| argument == "--write")),
    }
}

/// One run, in a process of its own.
fn run(what: &str, size: usize) {
    if what == GENERATE {
        let document = Text::new("large.yaml", large::document(size));
        let source = Source { name: "large".to_owned(), document, overlay: None, contract: None };
        black_box(generate(&source).expect("it generates"));
    } else {
        let [old, new] = [false, true].map(|is_changed| synthetic::document(size, is_changed));
        let (old, new) = (Text::new("old.yaml", old), Text::new("new.yaml", new));
        let (old, new) = Document::read_two(&old, &new).expect("the documents are good");
        black_box(diff(&old, &new));
    }
}

fn compare(writes: bool) -> ExitCode {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/counts.txt");
    let known = std::fs::read_to_string(path).unwrap_or_default();
    let known: BTreeMap<&str, f64> = known
        .lines()
        .filter_map(|line| line.rsplit_once(' '))
        .filter_map(|(name, count)| Some((name, count.parse().ok()?)))
        .collect();
    let mut text = String::new();
    let mut is_refused = false;
    let mut smaller: Option<(&str, f64)> = None;
    println!("{:<16}{:>18}{:>10}{:>10}", "", "instructions", "before", "growth");
    for (name, what, size) in RUNS {
        let count = instructions(what, size);
        let before = known.get(name).map(|before| count / before);
        let growth = smaller.filter(|(kind, _)| *kind == what).map(|(_, less)| count / less);
        let shown = |ratio: Option<f64>| ratio.map_or_else(String::new, |ratio| format!("{ratio:.3}"));
        println!("{name:<16}{count:>18.0}{:>10}{:>10}", shown(before), shown(growth));
        history::figure("counts", &format!("{name}, instructions"), &[count]);
        writeln!(text, "{name} {count:.0}").expect("text");
        is_refused |= growth.is_some_and(|growth| growth > MOST_GROWTH);
        is_refused |= !writes && before.is_some_and(|before| before > SLACK);
        smaller = Some((what, count));
    }
    if writes {
        std::fs::write(path, text).expect("a file");
    }
    if is_refused {
        eprintln!(
            "a count has grown by more than 2 %, or a step by more than {MOST_GROWTH} times: mend it, or take the counts over \
             with `cargo bench -p keyfit-openapi --bench counts -- --write`"
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// The instructions of a process that does it once.
fn instructions(what: &str, size: usize) -> f64 {
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().expect("a program"));
    let output = command.args([what, &size.to_string()]).output().expect("valgrind, from the system's packages");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let count = said.lines().find_map(|line| Some(line.rsplit_once("Collected :")?.1.trim())).expect("a count");
    count.parse().expect("a number")
}
