//! Documents in several files: the files that a document refers to are read with it, and joined to one document.
//!
//! References are paths relative to their file, or URLs. Files outside of the document's folder are not read, whatever leads
//! there: a document from somebody else must not include the reader's own files in the result. A URL is read only if the
//! caller provides a function that fetches it.

mod gather;
mod join;
mod kinds;

use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;
use url::Url;

pub(crate) use gather::{fetched, from_bytes, gather, on_disk};
pub(crate) use join::{File, join};

use crate::normalize::percent_decoded;

/// The target of a reference.
enum Target<'a> {
    /// A pointer within the same file.
    Here(&'a str),
    /// A file, by its URL or its path as messages name it, and the JSON pointer in it.
    File(String, &'a str),
}

/// Returns the target of a reference in the file at `path`.
fn target<'a>(path: &str, reference: &'a str) -> Target<'a> {
    let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
    if file.is_empty() {
        return Target::Here(pointer);
    }
    if is_url(file) {
        return Target::File(file.to_owned(), pointer);
    }
    if is_url(path) {
        let joined = Url::parse(path).and_then(|base| base.join(file));
        return Target::File(joined.map_or_else(|_| file.to_owned(), String::from), pointer);
    }
    let file = percent_decoded(file).map_or(Cow::Borrowed(file), Cow::Owned);
    let (revision, path) = of_revision(path);
    let folder = Path::new(path).parent().unwrap_or_else(|| Path::new(""));
    let found = normalized_path(&folder.join(&*file));
    // Git resolves `REV:./PATH` from the current folder, and `REV:PATH` from the root.
    let from_here = if !revision.is_empty() && path.starts_with("./") { "./" } else { "" };
    Target::File(format!("{revision}{from_here}{}", found.display()), pointer)
}

/// Returns the path of a file, as references name it.
fn location(path: &str) -> String {
    let name = Path::new(of_revision(path).1).file_name().unwrap_or_default().to_string_lossy();
    match target(path, &name.replace('%', "%25").replace('#', "%23")) {
        Target::File(location, _) if !is_url(path) => location,
        _ => path.to_owned(),
    }
}

/// Splits a path `REV:PATH` into the git revision with its colon, and the path. A single letter is a drive.
fn of_revision(path: &str) -> (&str, &str) {
    match path.find(':').filter(|at| *at > 1 && !path[..*at].contains('/') && !is_url(path)) {
        Some(at) => path.split_at(at + 1),
        None => ("", path),
    }
}

/// Returns whether a path is a URL, with or without its scheme.
pub(crate) fn is_url(path: &str) -> bool {
    path.contains("://") || path.starts_with("//")
}

/// Returns a path for display: a URL without its user and query, which may contain credentials.
pub fn without_secrets(path: &str) -> String {
    let Some(mut url) = Url::parse(path).ok().filter(|_| is_url(path)) else { return path.to_owned() };
    // Fails only if the URL cannot have a user.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// Returns the reason why a reference in the file at `path` to a file that was not read is refused, and the remedy.
pub(crate) fn refused_reference(path: &str, reference: &str) -> (String, &'static str) {
    let help = if is_url(reference) || is_url(path) {
        "what is behind a URL is fetched once, by `keyfit spec bundle DOCUMENT --output openapi.json`: use the file that it writes"
    } else {
        "references lead into the document, or to files in its folder and below: `./other.yaml#/...`"
    };
    (format!("the reference `{}` leads to another file", without_secrets(reference)), help)
}

/// Returns the pointer by which a file has the target of a reference: a reference is a URI, and may be percent-encoded.
fn pointer_inside<'a>(file: &Value, pointer: &'a str) -> Cow<'a, str> {
    match percent_decoded(pointer).filter(|decoded| file.pointer(pointer).is_none() && file.pointer(decoded).is_some())
    {
        Some(decoded) => Cow::Owned(decoded),
        None => Cow::Borrowed(pointer),
    }
}

/// Returns the address that a 3.2 document gives itself (`$self`).
fn own_address(file: &Value) -> Option<&str> {
    file.get("$self").and_then(Value::as_str)
}

/// Returns a path without `.`, and without `..` where possible.
fn normalized_path(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(plain.components().next_back(), Some(Component::Normal(_))) => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}
