//! Compiles generated clients in a crate of their own, which has one dependency.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::{fs, io};

const KEYFIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The crate of somebody who has one dependency.
const MANIFEST: &str = r#"
[package]
name = "corpus"
version = "0.0.0"
edition = "2024"

[dependencies]
keyfit = { path = "KEYFIT", default-features = false, features = [] }

[workspace]
"#;

const LIBRARY: &str = "//! The clients of the corpus.\n";

/// Checks that every client compiles. `clients` are module names and code, as a build script would include them.
///
/// # Panics
/// With the compiler's words where one does not.
pub(crate) fn check(clients: &[(String, String)]) {
    let crate_ = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpus-clients");
    if let Err(error) = write(&crate_, clients) {
        panic!("{}: {error}", crate_.display());
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is a folder of the target directory");
    let run = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--quiet"])
        .current_dir(&crate_)
        .args(["--target-dir".as_ref(), target.as_os_str()])
        .output()
        .expect("cargo is there");
    // Printed here, because a test beside this one may have silenced what a panic says.
    let words = String::from_utf8_lossy(&run.stderr);
    if !run.status.success() {
        eprintln!("{words}");
        panic!("a client does not compile");
    }
}

/// Writes only what changed, so that cargo compiles only what changed.
fn write(folder: &Path, clients: &[(String, String)]) -> io::Result<()> {
    let mut list = String::from(LIBRARY);
    for (module, code) in clients {
        let _ = writeln!(list, "#[allow(dead_code, unused_imports)]\npub mod {module};");
        put(&folder.join(format!("src/{module}.rs")), &format!("//! A client of the corpus.\n{code}"))?;
    }
    put(&folder.join("src/lib.rs"), &list)?;
    put(&folder.join("Cargo.toml"), &MANIFEST.replace("KEYFIT", KEYFIT))?;
    if !folder.join("Cargo.lock").exists() {
        fs::copy(Path::new(KEYFIT).join("Cargo.lock"), folder.join("Cargo.lock"))?;
    }
    Ok(())
}

fn put(path: &Path, text: &str) -> io::Result<()> {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}
