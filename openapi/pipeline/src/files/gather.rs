//! The files that a document refers to, and those that they refer to.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::kinds::{self, Kind};
use super::{Target, plain, target};
use crate::file::{LARGEST_FILE, read_file};
use crate::load::Located;
use crate::{Failure, Text};

/// How many files a document may be made of.
const MOST: usize = 2_000;

/// Reads the files that the document at its path refers to, beside or below it. A document that cannot be read as it stands is
/// left alone, for whoever reads it to say so.
pub(crate) fn gather(document: &mut Text) -> Result<(), Failure> {
    if !may_refer(&document.text) {
        return Ok(());
    }
    let Ok(located) = Located::read(document) else { return Ok(()) };
    let folder = Path::new(&document.path).parent().filter(|folder| !folder.as_os_str().is_empty());
    let Ok(root) = folder.unwrap_or_else(|| Path::new(".")).canonicalize() else { return Ok(()) };
    let mut files = vec![located];
    let mut known = HashMap::from([(plain(Path::new(&document.path)).display().to_string(), 0)]);
    let mut found: Vec<Text> = Vec::new();
    let mut bytes = document.text.len() as u64;
    let mut open = vec![(0, String::new(), Kind::Other)];
    let mut seen: HashSet<(usize, String, Kind)> = open.iter().cloned().collect();
    while let Some((file, inside, kind)) = open.pop() {
        let mut references = Vec::new();
        if let Some(node) = files[file].value.pointer(&inside) {
            kinds::references(node, kind, &inside, &mut |at, to, kind| references.push((at, to.to_owned(), kind)));
        }
        for (at, reference, kind) in references {
            let (to, inside) = match target(files[file].path(), &reference) {
                Target::Here(inside) => (file, inside),
                // What lies elsewhere is refused by whoever joins the files, with its place.
                Target::Remote => continue,
                Target::File(path, inside) => {
                    if let Some(to) = known.get(&path) {
                        (*to, inside)
                    } else {
                        let refuse = |(problem, help): (String, &str)| {
                            files[file].failure(&at, format!("the reference `{reference}` leads to {problem}"), help)
                        };
                        let other = read(&root, &path).map_err(refuse)?;
                        bytes += other.text.len() as u64;
                        if found.len() == MOST || bytes > LARGEST_FILE {
                            let problem =
                                format!("the document is made of more than {MOST} files or {} MiB", LARGEST_FILE >> 20);
                            return Err(files[file].failure(&at, problem, "leave out what its operations do not need"));
                        }
                        files.push(Located::read(&other)?);
                        found.push(other);
                        known.insert(path, files.len() - 1);
                        (files.len() - 1, inside)
                    }
                }
            };
            // All of the document is looked at anyway.
            if to != 0 && seen.insert((to, inside.to_owned(), kind)) {
                open.push((to, inside.to_owned(), kind));
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    document.referenced = found;
    Ok(())
}

/// Whether a text may hold a reference to a file: most documents hold none, and need not be read for it.
fn may_refer(text: &str) -> bool {
    text.match_indices("$ref").any(|(at, _)| {
        let rest = text[at + "$ref".len()..].trim_start_matches(['"', '\'']).trim_start();
        rest.strip_prefix(':').is_some_and(|value| !value.trim_start().trim_start_matches(['"', '\'']).starts_with('#'))
    })
}

/// A file within the folder, or what is wrong with it and what to do.
fn read(root: &Path, path: &str) -> Result<Text, (String, &'static str)> {
    let whole: PathBuf = Path::new(path).canonicalize().map_err(|error| {
        (format!("a file that cannot be read: {path}: {error}"), "correct the reference, or put the file there")
    })?;
    if !whole.starts_with(root) {
        let help = "only files in the folder of the document, and in folders below it, are read: move the document up, or put the files \
                    into one (`redocly bundle` and others do)";
        return Err((format!("a file outside of the folder of the document: {path}"), help));
    }
    let bytes = read_file(&whole).map_err(|error| {
        (format!("a file that cannot be read: {path}: {error}"), "put a regular file there that you may read")
    })?;
    Text::decode(path, bytes)
        .map_err(|failure| (format!("a file that cannot be used: {path}: {}", failure.problem), "save it as UTF-8"))
}
