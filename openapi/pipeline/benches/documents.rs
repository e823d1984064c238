//! Which share of documents that nobody here wrote gets a client with every operation callable, and why the rest does not; and how
//! many lines an operation takes, by what they are: `cargo bench -p keyfit-openapi --bench documents`. `KEYFIT_DOCUMENTS` is their folder; without it there is nothing to say.

use std::path::{Path, PathBuf};

use keyfit_openapi::{Generated, Source, Text, generate, read_text};

/// What a client of a document lacks.
struct Found {
    operations: usize,
    /// The operations that nobody can call with it, and why.
    lost: Vec<String>,
    lines: Lines,
}

/// The lines of a client, by what they are.
#[derive(Clone, Copy, Default)]
struct Lines {
    all: usize,
    /// Documentation, wherever it stands.
    docs: usize,
    /// Attributes, such as what serde is told.
    attributes: usize,
    /// Types with their builders, the values of enums, the builders of calls, and the calls by id.
    types: usize,
    values: usize,
    calls: usize,
    by_id: usize,
}

impl Lines {
    fn of(code: &str) -> Self {
        let mut lines = Self::default();
        let (mut module, mut is_by_id) = (String::new(), false);
        for line in code.lines() {
            let text = line.trim_start();
            // Two modules around: the one of all the code, and one of these.
            if let Some(name) = line.strip_prefix("    pub mod ").and_then(|rest| rest.strip_suffix(" {")) {
                name.clone_into(&mut module);
            } else if line == "    }" {
                module.clear();
                is_by_id = false;
            } else if line.starts_with("    async fn dispatch(") {
                is_by_id = true;
            }
            lines.all += 1;
            match (text, module.as_str()) {
                _ if text.starts_with("//") => lines.docs += 1,
                _ if text.starts_with('#') => lines.attributes += 1,
                (_, "types") => lines.types += 1,
                (_, "values") => lines.values += 1,
                (_, "builder") => lines.calls += 1,
                _ if is_by_id => lines.by_id += 1,
                _ => {}
            }
        }
        lines
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench's own command line")]
fn folder() -> PathBuf {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/documents");
    std::env::var_os("KEYFIT_DOCUMENTS").map_or(default, PathBuf::from)
}

fn main() {
    let folder = folder();
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: there is no folder of documents (KEYFIT_DOCUMENTS)");
        return;
    };
    let mut files: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|at| at.is_file()).collect();
    files.sort();
    let (mut whole, mut callable, mut operations) = (0, 0, 0);
    let mut rates = Vec::new();
    for at in &files {
        let name = at.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match found(&name, at) {
            Ok(Found { operations: all, lost, lines }) => {
                let Lines { all: total, docs, attributes, types, values, calls, by_id } = lines;
                let rate = total / all.max(1);
                println!(
                    "{name:<24}{:>6} of {all} operations; {total} lines, {rate} an operation: docs {docs}, attributes {attributes}, \
                     types {types}, values {values}, calls {calls}, by id {by_id}",
                    all - lost.len()
                );
                rates.push(rate);
                for reason in &lost {
                    println!("    {reason}");
                }
                whole += usize::from(lost.is_empty());
                callable += all - lost.len();
                operations += all;
            }
            Err(reason) => println!("{name:<24}no client: {reason}"),
        }
    }
    println!(
        "{whole} of {} documents with every operation callable; {callable} of {operations} operations",
        files.len()
    );
    rates.sort_unstable();
    if let (Some(median), Some(worst)) = (rates.get(rates.len() / 2), rates.last()) {
        println!("lines an operation: median {median}, worst {worst}");
    }
}

fn found(name: &str, at: &Path) -> Result<Found, String> {
    let text = read_text(at).map_err(|error| error.to_string())?;
    let document = Text::new(at.file_name().unwrap_or_default().to_string_lossy(), text);
    let source = Source { name: name.to_owned(), document, overlay: None, contract: None };
    let client: Generated = generate(&source).map_err(|failure| failure.to_string())?;
    let set_aside = client.unsupported.iter().map(|lost| format!("{}: {}", lost.operation, lost.reason));
    // What the client has a method for and cannot open.
    let closed =
        client.repairs.iter().filter(|repair| repair.rule == "credential" && repair.pointer.starts_with("/paths/"));
    let closed = closed.map(|repair| format!("{}: {}", repair.pointer, repair.note));
    let operations = client.operations + client.unsupported.len();
    let lines = Lines::of(&client.code);
    Ok(Found { operations, lost: set_aside.chain(closed).collect(), lines })
}
