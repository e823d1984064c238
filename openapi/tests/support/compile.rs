//! Compiles generated clients: keyfit itself, with other APIs in the place of its own.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::{fs, io};

const KEYFIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What keyfit's own build script tells its sources, for clients that nobody connects to by name.
const BUILD: &str = r#"
fn main() {
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    let connect = "pub(super) fn connect(_: &str, _: Config, _: Access) -> Option<Result<Box<dyn Dispatch>, Error>> { None }";
    std::fs::write(out.join("connections.rs"), connect).unwrap();
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(any_api)");
    println!("cargo::rustc-cfg=any_api");
}
"#;

/// Checks that every client compiles. `clients` are module names and code, as a build script would include them.
///
/// # Panics
/// With the compiler's words where one does not.
pub(crate) fn check(clients: &[(String, String)]) {
    let crate_ = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpus");
    if let Err(error) = write(&crate_, clients) {
        panic!("{}: {error}", crate_.display());
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is a folder of the target directory");
    let run = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--quiet", "--features", "dispatch"])
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
    copy(&Path::new(KEYFIT).join("src"), &folder.join("src"))?;
    let mut list = String::from("//! The clients of the corpus.\n");
    for (module, code) in clients {
        let _ = writeln!(list, "#[allow(unused_imports)]\npub mod {module};");
        let head = "//! A client of the corpus.\n/// Its credential.\npub type Credential = crate::auth::Credential<crate::auth::Scopien>;\n#[cfg(feature = \"dispatch\")]\npub(crate) use generated::dispatch;\npub use generated::{BASE_URL, Client, OPERATIONS, builder, types, values};\n";
        put(&folder.join(format!("src/api/{module}.rs")), &format!("{head}{code}"))?;
    }
    put(&folder.join("src/api/mod.rs"), &list)?;
    put(&folder.join("build.rs"), BUILD)?;
    put(&folder.join("README.md"), "")?;
    put(&folder.join("Cargo.toml"), &manifest()?)?;
    if !folder.join("Cargo.lock").exists() {
        fs::copy(Path::new(KEYFIT).join("Cargo.lock"), folder.join("Cargo.lock"))?;
    }
    Ok(())
}

/// keyfit's manifest without what needs other files: members, tests, examples, the build script.
fn manifest() -> io::Result<String> {
    let text = fs::read_to_string(Path::new(KEYFIT).join("Cargo.toml"))?;
    let mut manifest: toml::Table = toml::from_str(&text).map_err(io::Error::other)?;
    for part in ["bin", "test", "bench", "example", "dev-dependencies", "build-dependencies", "lints"] {
        manifest.remove(part);
    }
    if let Some(workspace) = manifest.get_mut("workspace").and_then(toml::Value::as_table_mut) {
        workspace.remove("members");
        if let Some(shared) = workspace.get_mut("dependencies").and_then(toml::Value::as_table_mut) {
            shared.remove("keyfit-openapi");
        }
    }
    if let Some(features) = manifest.get_mut("features").and_then(toml::Value::as_table_mut) {
        features.insert("default".to_owned(), toml::Value::Array(Vec::new()));
    }
    if let Some(package) = manifest.get_mut("package").and_then(toml::Value::as_table_mut) {
        package.insert("name".to_owned(), "keyfit-corpus".into());
        package.insert("build".to_owned(), "build.rs".into());
        package.insert("autobins".to_owned(), false.into());
        package.remove("include");
    }
    toml::to_string(&manifest).map_err(io::Error::other)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target)?;
        } else if !(from.ends_with("src/api") && entry.file_name() != *"paged.rs") {
            put(&target, &fs::read_to_string(&source)?)?;
        }
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
