//! Documents that nobody here wrote: which share of them gets a client with every operation callable, why the rest does not, how
//! many lines an operation takes, by what they are, and what each costs: `cargo bench -p keyfit-openapi --bench documents`.
//! `KEYFIT_DOCUMENTS` is their folder; without it there is nothing to say. With `-- FILE..` those files alone are read.
//!
//! Each client is generated in a process of its own, so that its memory is its own. So is what progenitor alone makes, with none
//! of our passes, of the document that it is given in the end.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use keyfit_openapi::{Source, generate};
use lines::Lines;
use progenitor_impl::{GenerationSettings, Generator, InterfaceStyle};
use usage::Usage;

#[path = "support/lines.rs"]
mod lines;
#[path = "support/usage.rs"]
mod usage;

/// The aims for one document: seconds of CPU time, and MB.
const MOST_SECONDS: f64 = 3.0;
const MOST_MEMORY: u32 = 300;

/// The first argument of a process that generates one client, and of one that has progenitor alone.
const ONE: &str = "one";
const ALONE: &str = "alone";

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [ONE, document, given] => one(document.as_ref(), given.as_ref()),
        [ALONE, given] => alone(given.as_ref()),
        [] => all(&documents()),
        files => all(&files.iter().map(PathBuf::from).collect::<Vec<_>>()),
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench's own command line")]
fn documents() -> Vec<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/documents");
    let folder = env::var_os("KEYFIT_DOCUMENTS").map_or(default, PathBuf::from);
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|at| at.is_file()).collect();
    files.sort();
    files
}

fn all(files: &[PathBuf]) {
    if files.is_empty() {
        println!("skipped: there are no documents (KEYFIT_DOCUMENTS)");
        return;
    }
    println!(
        "{:<24}{:>14}{:>9}{:>8}{:>6}{:>22}",
        "document", "operations", "lines", "CPU s", "MB", "against progenitor's"
    );
    let given = env::temp_dir().join(format!("keyfit-bench-{}.json", std::process::id()));
    let place = given.to_string_lossy();
    let mut rates = Vec::new();
    let (mut whole, mut callable, mut operations, mut met) = (0, 0, 0, 0);
    for at in files {
        let name = at.file_stem().unwrap_or_default().to_string_lossy();
        let said = run(&[ONE, &at.to_string_lossy(), &place]);
        let mut lines = said.lines();
        let counts: Vec<usize> =
            lines.next().unwrap_or_default().split(' ').filter_map(|count| count.parse().ok()).collect();
        let (&[have, lost], Some((length, kinds)), Some(usage)) =
            (counts.as_slice(), lines.next().and_then(|kinds| kinds.split_once(' ')), lines.next().and_then(parsed))
        else {
            println!("{name:<24}no client: {said}");
            continue;
        };
        let rate = length.parse::<usize>().unwrap_or_default() / (have + lost).max(1);
        let ratio = parsed(run(&[ALONE, &place]).trim()).map_or("it gives up".to_owned(), |alone| {
            let memory = f64::from(usage.memory) / f64::from(alone.memory);
            format!("{:.2} time, {memory:.2} MB", usage.seconds / alone.seconds)
        });
        println!(
            "{name:<24}{:>14}{length:>9}{:>8.2}{:>6}{ratio:>22}",
            format!("{have} of {}", have + lost),
            usage.seconds,
            usage.memory
        );
        println!("    {rate} lines an operation: {kinds}");
        for reason in lines {
            println!("    {reason}");
        }
        rates.push(rate);
        whole += usize::from(lost == 0);
        callable += have;
        operations += have + lost;
        met += usize::from(usage.seconds <= MOST_SECONDS && usage.memory <= MOST_MEMORY);
    }
    // It was never written where there is no client.
    let _ = fs::remove_file(&given);
    let count = files.len();
    println!("{whole} of {count} documents with every operation callable; {callable} of {operations} operations");
    rates.sort_unstable();
    if let (Some(median), Some(worst)) = (rates.get(rates.len() / 2), rates.last()) {
        println!("lines an operation: median {median}, worst {worst}");
    }
    println!("{met} of {count} within {MOST_SECONDS} s and {MOST_MEMORY} MB");
}

/// What a process of this program says.
fn run(arguments: &[&str]) -> String {
    let this = env::current_exe().expect("a running program has a file");
    let output = Command::new(this).args(arguments).output().expect("it can be started");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a process has used, as it said it.
fn parsed(text: &str) -> Option<Usage> {
    let (seconds, memory) = text.split_once(' ')?;
    Some(Usage { seconds: seconds.parse().ok()?, memory: memory.parse().ok()? })
}

/// Generates a client, and says how many operations it has and lacks, its lines, what it took, and why operations are lacking.
/// What the generator was given is left in a file.
fn one(document: &Path, given: &Path) {
    let client = match Source::from_path(document).and_then(|source| generate(&source)) {
        Ok(client) => client,
        Err(failure) => return println!("{failure}"),
    };
    let usage = Usage::now();
    let set_aside = client.unsupported.iter().map(|lost| format!("{}: {}", lost.operation, lost.reason));
    // What the client has a method for and cannot open.
    let closed =
        client.repairs.iter().filter(|repair| repair.rule == "credential" && repair.pointer.starts_with("/paths/"));
    let closed = closed.map(|repair| format!("{}: {}", repair.pointer, repair.note));
    let lost: Vec<String> = set_aside.chain(closed).collect();
    let all = client.operations + client.unsupported.len();
    println!("{} {}\n{}\n{usage}", all - lost.len(), lost.len(), Lines::of(&client.code));
    for reason in lost {
        println!("{reason}");
    }
    fs::write(given, client.document.to_string()).expect("the temporary folder can be written");
}

/// What progenitor takes for a document, with the printer that its own users have.
fn alone(given: &Path) {
    let text = fs::read_to_string(given).expect("it was written");
    let document = serde_json::from_str(&text).expect("it is a document");
    let mut settings = GenerationSettings::new();
    settings.with_interface(InterfaceStyle::Builder);
    let Ok(tokens) = Generator::new(&settings).generate_tokens(&document) else { return };
    let Ok(file) = syn::parse2(tokens) else { return };
    std::hint::black_box(prettyplease::unparse(&file));
    println!("{}", Usage::now());
}
