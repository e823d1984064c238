//! Embeds every folder of `apis/`: a folder is an API.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What a folder may hold beside `published.yaml` or `published.json`.
const BESIDE: [&str; 2] = ["overlay.yaml", "contract.toml"];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=apis");
    let mut folders: Vec<PathBuf> = fs::read_dir("apis")?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    folders.retain(|folder| folder.is_dir());
    folders.sort();
    let mut rows = String::new();
    for folder in folders {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let document = ["published.yaml", "published.json"].into_iter().find(|file| folder.join(file).is_file());
        let Some(document) = document else {
            println!("cargo::error=openapi/apis/{name} holds no published.yaml or published.json");
            continue;
        };
        let beside = BESIDE.map(|file| folder.join(file).is_file().then(|| included(&name, file)));
        let [overlay, contract] =
            beside.map(|text| text.map_or_else(|| "None".to_owned(), |text| format!("Some({text})")));
        let text = included(&name, document);
        let _ = writeln!(
            rows,
            "Embedded {{ name: {name:?}, document: ({document:?}, {text}), overlay: {overlay}, contract: {contract} }},"
        );
    }
    #[expect(clippy::disallowed_methods, reason = "cargo speaks to a build script through the environment")]
    let out = env::var_os("OUT_DIR").unwrap_or_default();
    fs::write(Path::new(&out).join("embedded.rs"), format!("&[\n{rows}]\n"))
}

fn included(name: &str, file: &str) -> String {
    format!("include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/apis/{name}/{file}\"))")
}
