//! How many instructions and allocations a call takes in user space, through a typed client and through raw reqwest: counts do not
//! depend on what else the machine does, so that a rise of some percent is seen.
//!
//! `cargo bench --bench counts` (needs valgrind) prints them beside those of `benches/counts.txt`, and fails where one has grown by
//! more than 2 %; `-- --write` writes them there.

#[path = "sides/mod.rs"]
mod sides;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::{Command, ExitCode};

use sides::{CONTACT, Ours, Theirs, outcome, serve};

/// Calls of the two runs whose difference is counted: what a process does once falls out.
const FEW: u32 = 50;
const MANY: u32 = 250;
/// How much a count may grow.
const SLACK: f64 = 1.02;

const CALLS: [&str; 2] = ["get", "post"];
const SIDES: [&str; 2] = ["ours", "raw"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.as_slice() {
        [side, call, base, calls] => {
            run(side, call, base, calls.parse().expect("a number"));
            ExitCode::SUCCESS
        }
        rest => compare(rest == ["--write"]),
    }
}

/// The calls of one side, in a process of their own.
fn run(side: &str, call: &str, base: &str, calls: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (ours, theirs) = (Ours::of(base), Theirs::of(base));
    runtime.block_on(async {
        for _ in 0..calls {
            match (side, call) {
                ("ours", "get") => ours.get().await,
                ("ours", _) => ours.post().await,
                (_, "get") => theirs.get().await,
                _ => theirs.post().await,
            }
        }
    });
}

fn compare(writes: bool) -> ExitCode {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/counts.txt");
    let known = std::fs::read_to_string(path).unwrap_or_default();
    let known: BTreeMap<&str, f64> =
        known.lines().filter_map(|line| line.rsplit_once(' ')).filter_map(number).collect();
    let mut text = String::new();
    let mut has_grown = false;
    println!("{:<24}{:>14}{:>14}{:>10}", "a call", "instructions", "allocations", "before");
    let outcomes = outcome();
    for call in CALLS {
        let base = serve(if call == "get" { CONTACT } else { &outcomes });
        let [ours, raw] = SIDES.map(|side| {
            let (few, many) = (counted(side, call, &base, FEW), counted(side, call, &base, MANY));
            let each = |few: f64, many: f64| (many - few) / f64::from(MANY - FEW);
            (each(few.0, many.0), each(few.1, many.1))
        });
        for (side, (instructions, allocations)) in SIDES.into_iter().zip([ours, raw]) {
            let name = format!("{call} {side}");
            let before = known.get(name.as_str());
            let shown = before.map_or_else(String::new, |before| format!("{:.3}", instructions / before));
            println!("{name:<24}{instructions:>14.0}{allocations:>14.1}{shown:>10}");
            writeln!(text, "{name} {instructions:.0}").expect("text");
            has_grown |= side == "ours" && before.is_some_and(|before| instructions > before * SLACK);
        }
        println!("{:<24}{:>14.3}{:>14.3}", format!("{call} ratio"), ours.0 / raw.0, ours.1 / raw.1);
    }
    if writes {
        std::fs::write(path, text).expect("a file");
    } else if has_grown {
        eprintln!(
            "a count has grown by more than 2 %: mend it, or take it over with `cargo bench --bench counts -- --write`"
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn number<'a>((name, number): (&'a str, &str)) -> Option<(&'a str, f64)> {
    Some((name, number.parse().ok()?))
}

/// Instructions and allocations of a process that makes so many calls.
fn counted(side: &str, call: &str, base: &str, calls: u32) -> (f64, f64) {
    let program = std::env::current_exe().expect("a program");
    let count = |arguments: [&str; 2], mark: &str| {
        let mut command = Command::new("valgrind");
        command.args(arguments).arg(&program).args([side, call, base, &calls.to_string()]);
        let output = command.output().expect("valgrind, from the system's packages");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let count = said.lines().find_map(|line| Some(line.rsplit_once(mark)?.1.trim())).expect("a count");
        let digits: String =
            count.chars().take_while(|letter| !letter.is_whitespace()).filter(char::is_ascii_digit).collect();
        digits.parse::<f64>().expect("a number")
    };
    let instructions = count(["--tool=callgrind", "--callgrind-out-file=/dev/null"], "Collected :");
    (instructions, count(["--tool=dhat", "--dhat-out-file=/dev/null"], "bytes in"))
}
