//! Compiles generated clients in a crate of their own, which has one dependency.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

const KEYFIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Checks that every client compiles. `clients` are module names and code, as a build script would include them.
///
/// # Panics
/// With the compiler's words where one does not.
pub(crate) fn check(clients: &[(String, String)]) {
    let mut list = String::from("//! The clients of the corpus.\n");
    let mut files = Vec::new();
    for (module, code) in clients {
        let _ = writeln!(list, "pub mod {module};");
        files.push((format!("src/{module}.rs"), format!("//! A client of the corpus.\n{code}")));
    }
    files.push(("src/lib.rs".to_owned(), list));
    if let Err(words) = cargo_check("corpus-clients", "", &files) {
        // Printed here, because a test beside this one may have silenced what a panic says.
        eprintln!("{words}");
        panic!("a client does not compile");
    }
}

/// Compiles the crate of somebody whose only dependency is keyfit, and gives the compiler's words where that fails.
/// `more` stands at the end of its manifest.
///
/// # Panics
/// Where the crate cannot be written.
pub(crate) fn cargo_check(name: &str, more: &str, files: &[(String, String)]) -> Result<(), String> {
    let manifest = write(name, "", more, files);
    let run = cargo("check", &manifest).output().expect("cargo is there");
    let words = String::from_utf8_lossy(&run.stderr).into_owned();
    if run.status.success() { Ok(()) } else { Err(words) }
}

/// Writes the crate, and gives the place of its manifest.
pub(crate) fn write(name: &str, dependencies: &str, more: &str, files: &[(String, String)]) -> PathBuf {
    let crate_ = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n\
         keyfit = {{ path = \"{KEYFIT}\", default-features = false, features = [\"reqwest\"] }}\n{dependencies}\n[workspace]\n\n{more}"
    );
    let files = files.iter().map(|(file, text)| (file.as_str(), text.as_str()));
    for (file, text) in files.chain([("Cargo.toml", manifest.as_str())]) {
        put(&crate_.join(file), text).unwrap_or_else(|error| panic!("{}/{file}: {error}", crate_.display()));
    }
    if !crate_.join("Cargo.lock").exists() {
        fs::copy(Path::new(KEYFIT).join("Cargo.lock"), crate_.join("Cargo.lock")).expect("the lock file is copied");
    }
    crate_.join("Cargo.toml")
}

/// Cargo for that crate.
pub(crate) fn cargo(command: &str, manifest: &Path) -> Command {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is a folder of the target directory");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([command, "--offline", "--quiet", "--manifest-path"]).arg(manifest).arg("--target-dir").arg(target);
    cargo
}

/// Writes only what changed, so that cargo compiles only what changed.
fn put(path: &Path, text: &str) -> io::Result<()> {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}
