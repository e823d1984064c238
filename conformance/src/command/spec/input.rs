//! Documents that are named on the command line: files, or files of a git revision.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use keyfit_conformance::apis;
use keyfit_openapi::{Source, Text, read_to_limit};

use crate::command::file;

/// A document and the file that it is, without a revision.
pub(super) struct Input {
    pub(super) text: Text,
    pub(super) file: String,
}

/// Reads a file, or where there is none of this name and it holds a colon, `PATH` at `REV`. Git takes that path from the
/// root of the repository, or from the current folder where it begins with `./`.
pub(super) fn read(name: &str) -> Result<Input, String> {
    if let Some((revision, path)) = name.split_once(':')
        && !Path::new(name).exists()
    {
        return at_revision(name, revision, path);
    }
    let text = file::read_or(Path::new(name), "document", "name a file, or REV:PATH for a file of git")?;
    Ok(Input { text, file: name.to_owned() })
}

/// The API of this name; the last part of it will do, which is what contracts are named by.
pub(super) fn api(name: &str) -> Result<Source, String> {
    let mut apis = apis::all();
    let known: Vec<String> = apis.iter().map(|source| source.name.clone()).collect();
    match known.iter().position(|known| known == name || known.ends_with(&format!("-{name}"))) {
        Some(index) => Ok(apis.swap_remove(index)),
        None => Err(format!("error: there is no API called `{name}`\nhelp: the APIs are {}", known.join(", "))),
    }
}

fn at_revision(name: &str, revision: &str, path: &str) -> Result<Input, String> {
    let refused = |problem: &str, help: &str| format!("error: {problem}\n  --> {name}\nhelp: {help}");
    // Git would take it for an option, or for its index.
    if revision.is_empty() || revision.starts_with('-') || path.is_empty() {
        return Err(refused("this is no file, and no REV:PATH of git", "write a revision, a colon and a path"));
    }
    let git_fails = |error: io::Error| refused(&format!("git cannot be run: {error}"), "install git, or name a file");
    let mut git = Command::new("git")
        .args(["show", "--no-textconv", "--end-of-options", name])
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(git_fails)?;
    let read = git.stdout.take().map_or_else(|| Ok(Vec::new()), read_to_limit);
    if read.is_err() {
        // It may have ended by itself.
        let _ = git.kill();
    }
    let output = git.wait_with_output().map_err(git_fails)?;
    let bytes = read.map_err(|error| refused(&format!("the document cannot be read: {error}"), "name another file"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or("no reason given").trim_start_matches("fatal: ").to_owned();
        return Err(refused(
            &format!("git has no such file: {said}"),
            "check the revision, and the path from the repository's root",
        ));
    }
    let text = Text::decode(name, bytes).map_err(|failure| failure.to_string())?;
    Ok(Input { text, file: path.trim_start_matches("./").to_owned() })
}
