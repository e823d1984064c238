//! The files that a document refers to, directly and indirectly.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::path::{Path, PathBuf};

use super::kinds::{self, ENDINGS, NodeKind};
use super::{
    Target, is_url, location, normalized_path, of_revision, own_address, pointer_inside, target, without_secrets,
};
use crate::file::{MAX_FILE_SIZE, read_file};
use crate::parse::ParsedText;
use crate::{Error, Text};

/// The maximum number of files of a document.
const MAX_FILES: usize = 2_000;

/// The reason why a file cannot be used, with its remedy.
type FileProblem = (String, &'static str);

/// Reads the file at a path or URL, for the file that refers to it. Returns `None` if it does not read such paths: the
/// reference is then refused with its place when the files are joined.
pub(crate) type ReadFile<'r> = dyn FnMut(&str, &str) -> Option<Result<Text, FileProblem>> + 'r;

/// Reads the files that a document refers to, directly and indirectly. A document that cannot be parsed is left unchanged: a
/// later step reports it.
pub(crate) fn gather(document: &mut Text, read: &mut ReadFile<'_>) -> Result<(), Error> {
    if !may_refer(&document.text) {
        return Ok(());
    }
    let Ok(first) = ParsedText::read(document) else { return Ok(()) };
    let mut known: HashMap<String, usize> =
        own_address(&first.value).map(|own| (own.to_owned(), 0)).into_iter().collect();
    known.insert(location(&document.path), 0);
    let mut files = vec![first];
    let mut found: Vec<Text> = Vec::new();
    let mut bytes = document.text.len() as u64;
    let mut open = vec![(0, String::new(), NodeKind::Other)];
    let mut seen: HashSet<(usize, String, NodeKind)> = open.iter().cloned().collect();
    while let Some((file, pointer, kind)) = open.pop() {
        let mut references = Vec::new();
        if let Some(node) = files[file].value.pointer(&pointer) {
            kinds::references(node, kind, &pointer, &mut |at, to, kind| references.push((at, to.to_owned(), kind)));
        }
        for (at, reference, kind) in references {
            let (to, pointer) = match target(files[file].path(), &reference) {
                Target::Here(pointer) => (file, pointer),
                Target::File(path, pointer) => {
                    if let Some(to) = known.get(&path) {
                        (*to, pointer)
                    } else {
                        let refuse = |(problem, help): FileProblem| {
                            let reference = without_secrets(&reference);
                            files[file].error_at(&at, format!("the reference `{reference}` leads to {problem}"), help)
                        };
                        let other = match read(&path, files[file].path()) {
                            None => continue,
                            // It may be the name of a schema.
                            Some(Err(_)) if kind == NodeKind::Mapping => continue,
                            Some(other) => other.map_err(refuse)?,
                        };
                        bytes += other.text.len() as u64;
                        if found.len() == MAX_FILES || bytes > MAX_FILE_SIZE {
                            let problem = format!(
                                "the document is made of more than {MAX_FILES} files or {} MiB",
                                MAX_FILE_SIZE >> 20
                            );
                            return Err(files[file].error_at(
                                &at,
                                problem,
                                "leave out what its operations do not need",
                            ));
                        }
                        let read = ParsedText::read(&other)?;
                        let number = files.len();
                        known.extend(own_address(&read.value).map(|own| (own.to_owned(), number)));
                        known.insert(path, number);
                        files.push(read);
                        found.push(other);
                        (number, pointer)
                    }
                }
            };
            let pointer = pointer_inside(&files[to].value, pointer).into_owned();
            let kind = if kind == NodeKind::Mapping { NodeKind::Schema } else { kind };
            // The whole document is searched anyway.
            if to != 0 && seen.insert((to, pointer.clone(), kind)) {
                open.push((to, pointer, kind));
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    document.referenced = found;
    Ok(())
}

/// Returns whether a text may refer to a file: most documents do not, and need not be parsed for it.
fn may_refer(text: &str) -> bool {
    let leads_out = |value: &str| !value.trim_start().trim_start_matches(['"', '\'']).starts_with('#');
    texts_after_key(text, "$ref").any(leads_out)
        || (texts_after_key(text, "mapping").next().is_some() && ENDINGS.iter().any(|end| text.contains(end)))
}

/// Returns the text after each occurrence of a word as a key.
fn texts_after_key<'t>(text: &'t str, key: &'t str) -> impl Iterator<Item = &'t str> {
    let behind = text.match_indices(key).map(move |(at, _)| text[at + key.len()..].trim_start_matches(['"', '\'']));
    behind.filter_map(|rest| rest.trim_start().strip_prefix(':'))
}

/// Returns a reader of files in the folder of a document and below. A folder that does not exist has no files.
pub(crate) fn on_disk(document: &str) -> impl FnMut(&str) -> Option<Result<Text, FileProblem>> + use<> {
    let folder = Path::new(document).parent().filter(|folder| !folder.as_os_str().is_empty());
    let root = folder.unwrap_or_else(|| Path::new(".")).canonicalize().ok();
    move |path| root.as_deref().filter(|_| !is_url(path)).map(|root| read_in_folder(root, path))
}

/// Returns a reader of files in the folder of a document and below, from a source of bytes.
pub(crate) fn from_bytes<'g>(
    document: &str,
    mut bytes: impl FnMut(&str) -> Result<Vec<u8>, String> + 'g,
) -> impl FnMut(&str) -> Option<Result<Text, FileProblem>> + 'g {
    let root = folder_of(document);
    move |path| {
        let folder = folder_of(path);
        let is_inside = folder.starts_with(&root) && folder.is_relative() && !folder.starts_with("..");
        if is_url(path) {
            return None;
        }
        let read = || bytes(path).map_err(|reason| unreadable(path, &reason)).and_then(|bytes| decoded(path, bytes));
        Some(is_inside.then(read).unwrap_or_else(|| Err(outside_folder(path))))
    }
}

/// Returns the folder of a file, relative to the root of its source.
fn folder_of(path: &str) -> PathBuf {
    let location = location(path);
    Path::new(of_revision(&location).1).parent().map(normalized_path).unwrap_or_default()
}

/// Reads the file at a URL with the given function.
pub(crate) fn fetched(
    mut fetch: impl FnMut(&str, &str) -> Result<Vec<u8>, String>,
    url: &str,
    from: &str,
) -> Result<Text, FileProblem> {
    let refuse = |reason| {
        (
            format!("a file that cannot be fetched: {reason}"),
            "correct the reference, or put the file beside the document",
        )
    };
    fetch(url, from).map_err(refuse).and_then(|bytes| decoded(url, bytes))
}

fn read_in_folder(root: &Path, path: &str) -> Result<Text, FileProblem> {
    let whole = Path::new(path).canonicalize().map_err(|error| unreadable(path, &error))?;
    if !whole.starts_with(root) {
        return Err(outside_folder(path));
    }
    let bytes = read_file(&whole).map_err(|error| {
        (format!("a file that cannot be read: {path}: {error}"), "put a regular file there that you may read")
    })?;
    decoded(path, bytes)
}

fn unreadable(path: &str, reason: &dyn Display) -> FileProblem {
    (format!("a file that cannot be read: {path}: {reason}"), "correct the reference, or put the file there")
}

fn outside_folder(path: &str) -> FileProblem {
    let help = "only files in the folder of the document, and in folders below it, are read: move the document up, or put the files \
                into one (`redocly bundle` and others do)";
    (format!("a file outside of the folder of the document: {path}"), help)
}

fn decoded(path: &str, bytes: Vec<u8>) -> Result<Text, FileProblem> {
    let problem = |error: Error| format!("a file that cannot be used: {}: {}", without_secrets(path), error.problem);
    Text::decode(path, bytes).map_err(|error| (problem(error), "save it as UTF-8"))
}
