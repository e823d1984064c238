//! Which share of documents that nobody here wrote gets a client with every operation callable, and why the rest does not:
//! `cargo bench -p keyfit-openapi --bench documents`. `KEYFIT_DOCUMENTS` is their folder; without it there is nothing to say.

use std::path::{Path, PathBuf};

use keyfit_openapi::{Generated, Source, Text, generate, read_text};

/// What a client of a document lacks.
struct Found {
    operations: usize,
    /// The operations that nobody can call with it, and why.
    lost: Vec<String>,
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
    for at in &files {
        let name = at.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match found(&name, at) {
            Ok(Found { operations: all, lost }) => {
                println!("{name:<24}{:>6} of {all} operations", all - lost.len());
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
    Ok(Found { operations, lost: set_aside.chain(closed).collect() })
}
