//! How many instructions and allocations a call takes in user space, through a typed client, raw reqwest and bare hyper, and how much
//! memory it holds at most: counts do not depend on what else the machine does, so that a rise of some percent is seen.
//!
//! `cargo bench --bench counts` (needs valgrind) prints them beside those of `benches/counts.txt`; `-- --write` writes them there.
//! `-- --check` leaves hyper out, and fails where the instructions of ours have grown by more than 2 % against those of raw reqwest, which
//! grow with another compiler and another version of what both are made of.

#[path = "sides/mod.rs"]
mod sides;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::{Command, ExitCode};

use sides::{Bare, Call, Ours, Raw};

/// How much a count may grow.
const SLACK: f64 = 1.02;

/// Ours first, then what it is compared with.
const SIDES: [&str; 3] = ["ours", "reqwest", "hyper"];

/// What a call takes.
#[derive(Clone, Copy)]
struct Counts {
    instructions: f64,
    allocations: f64,
    /// Bytes at most, of all that a process with one client holds.
    peak: f64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.as_slice() {
        [side, call, base, calls] => {
            let call = Call::ALL.into_iter().find(|known| known.name() == call).expect("a call");
            run(side, call, base, calls.parse().expect("a number"));
            ExitCode::SUCCESS
        }
        rest => compare(rest == ["--write"], rest == ["--check"]),
    }
}

/// The calls of one side, in a process of their own.
fn run(side: &str, call: Call, base: &str, calls: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        match side {
            "ours" => {
                let ours = Ours::of(base);
                for _ in 0..calls {
                    ours.call(call).await;
                }
            }
            "reqwest" => {
                let raw = Raw::of(base);
                for _ in 0..calls {
                    raw.call(call).await;
                }
            }
            _ => {
                let hyper = Bare::of(base);
                for _ in 0..calls {
                    hyper.call(call).await;
                }
            }
        }
    });
}

fn compare(writes: bool, checks: bool) -> ExitCode {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/counts.txt");
    let known = std::fs::read_to_string(path).unwrap_or_default();
    let known: BTreeMap<&str, f64> =
        known.lines().filter_map(|line| line.rsplit_once(' ')).filter_map(number).collect();
    let mut text = String::new();
    let mut has_grown = false;
    println!("{:<16}{:>14}{:>14}{:>12}{:>10}", "a call", "instructions", "allocations", "peak KB", "before");
    for call in Call::ALL {
        let base = call.serve();
        let sides = if checks { &SIDES[..2] } else { &SIDES };
        let counts: Vec<Counts> = sides.iter().map(|side| counted(side, call, &base)).collect();
        for (side, Counts { instructions, allocations, peak }) in sides.iter().zip(&counts) {
            let name = format!("{} {side}", call.name());
            let before = known.get(name.as_str());
            let shown = before.map_or_else(String::new, |before| format!("{:.3}", instructions / before));
            println!("{name:<16}{instructions:>14.0}{allocations:>14.1}{:>12.0}{shown:>10}", peak / 1e3);
            writeln!(text, "{name} {instructions:.0}").expect("text");
        }
        let [ours, raw, ..] = &*counts else { continue };
        let before = SIDES.map(|side| known.get(&*format!("{} {side}", call.name())));
        // How many chunks those bytes come in depends on the moment.
        if let [Some(ours_before), Some(raw_before), _] = before
            && !matches!(call, Call::Bytes)
        {
            has_grown |= ours.instructions / raw.instructions > ours_before / raw_before * SLACK;
        }
        for (side, other) in sides.iter().zip(&counts).skip(1) {
            let name = format!("{} / {side}", call.name());
            let ratios = [ours.instructions / other.instructions, ours.allocations / other.allocations];
            println!("{name:<16}{:>14.3}{:>14.3}{:>12.3}", ratios[0], ratios[1], ours.peak / other.peak);
        }
    }
    if writes {
        std::fs::write(path, text).expect("a file");
    } else if checks && has_grown {
        eprintln!(
            "a call has grown by more than 2 %: mend it, or take it over with `cargo bench --bench counts -- --write`"
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn number<'a>((name, number): (&'a str, &str)) -> Option<(&'a str, f64)> {
    Some((name, number.parse().ok()?))
}

/// The difference of two runs with fewer and more calls: what a process does once falls out.
fn counted(side: &str, call: Call, base: &str) -> Counts {
    let (few, many) = match call {
        Call::Get | Call::Post => (50, 250),
        Call::List | Call::Lines | Call::Bytes => (3, 9),
    };
    let each = |few: f64, many: f64, runs: u32| (many - few) / f64::from(runs);
    let instructions = [few, many].map(|calls| {
        let arguments = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
        counts(arguments, ["Collected :"], side, call, base, calls)[0]
    });
    let [few_held, many_held] = [few, many].map(|calls| {
        let arguments = ["--tool=dhat", "--dhat-out-file=/dev/null"];
        counts(arguments, ["Total:", "At t-gmax:"], side, call, base, calls)
    });
    Counts {
        instructions: each(instructions[0], instructions[1], many - few),
        allocations: each(few_held[0], many_held[0], many - few),
        peak: many_held[1],
    }
}

/// What valgrind says behind some marks of a process that makes so many calls; behind `Total:` it is the number of blocks.
fn counts<const N: usize>(
    arguments: [&str; 2],
    marks: [&str; N],
    side: &str,
    call: Call,
    base: &str,
    calls: u32,
) -> [f64; N] {
    let program = std::env::current_exe().expect("a program");
    let mut command = Command::new("valgrind");
    command.args(arguments).arg(&program).args([side, call.name(), base, &calls.to_string()]);
    let output = command.output().expect("valgrind, from the system's packages");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    marks.map(|mark| {
        let line = said.lines().find_map(|line| Some(line.split_once(mark)?.1)).expect("a count");
        let count = if mark == "Total:" { line.split_once("bytes in").expect("blocks").1 } else { line };
        let digits = count.trim().chars().take_while(|letter| !letter.is_whitespace()).filter(char::is_ascii_digit);
        digits.collect::<String>().parse().expect("a number")
    })
}
