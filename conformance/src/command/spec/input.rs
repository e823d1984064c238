//! Documents that are named on the command line: files, or files of a git revision.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use keyfit_conformance::UserError;
use keyfit_openapi::{Error, Text, read_to_limit, without_secrets};

use crate::command::file;

/// A document and the file that it is, without a revision.
pub(super) struct Input {
    pub(super) text: Text,
    pub(super) file: String,
}

/// Reads a file, or where there is none of this name and it holds a colon, `PATH` at `REV`. Git takes that path from the
/// root of the repository, or from the current folder where it begins with `./`.
pub(super) fn read(name: &str) -> Result<Input, UserError> {
    read_with(name, Text::with_referenced)
}

/// The same, with a file's other files as `gather` reads them.
pub(super) fn read_with(name: &str, gather: impl FnOnce(Text) -> Result<Text, Error>) -> Result<Input, UserError> {
    let path = Path::new(name);
    if name.contains("://") && !path.exists() {
        let help = format!("fetch it once: `keyfit spec bundle {} --output openapi.json`", without_secrets(name));
        return Err(UserError::new("this is a URL, and a file is read here").at(without_secrets(name)).help(help));
    }
    if let Some((revision, path)) = name.split_once(':').filter(|_| !path.exists()) {
        return at_revision(name, revision, path);
    }
    let text = file::read_or(path, "document", "name a file, or REV:PATH for a file of git")?;
    Ok(Input { text: gather(text)?, file: name.to_owned() })
}

fn at_revision(name: &str, revision: &str, path: &str) -> Result<Input, UserError> {
    let refused = |problem: &str, help: &str| UserError::new(problem).at(name).help(help);
    // Git would take it for an option, or for its index.
    if revision.is_empty() || revision.starts_with('-') || path.is_empty() {
        return Err(refused("this is no file, and no REV:PATH of git", "write a revision, a colon and a path"));
    }
    let help = "check the revision, and the path from the repository's root";
    let bytes = of_git(name).map_err(|problem| refused(&problem, help))?;
    // The other files are of the same revision.
    let text = Text::decode(name, bytes)?.with_files(of_git)?;
    Ok(Input { text, file: path.trim_start_matches("./").to_owned() })
}

/// What git has under `REV:PATH`.
fn of_git(name: &str) -> Result<Vec<u8>, String> {
    let git_fails = |error: io::Error| format!("git cannot be run: {error}");
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
    let bytes = read.map_err(|error| format!("the document cannot be read: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or("no reason given").trim_start_matches("fatal: ").to_owned();
        return Err(format!("git has no such file: {said}"));
    }
    Ok(bytes)
}
