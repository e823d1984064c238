//! Documents in several files: the files that a document refers to are read with it, and joined to one document.
//!
//! References are paths from the file that they stand in, or URLs. What lies outside of the folder of the document is not read,
//! however it is reached: a document that somebody else wrote must not bring the reader's own files into what is made of it.
//! A URL is read only for whoever brings what fetches it.

mod gather;
mod join;
mod kinds;

use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;
use url::Url;

pub(crate) use gather::{fetched, gather, given, on_disk};
pub(crate) use join::{File, join};

use crate::normalize::percent_decoded;

/// Where a reference leads.
enum Target<'a> {
    /// Within its own file.
    Here(&'a str),
    /// A file, by its path as messages name it or its URL, and the JSON pointer there.
    File(String, &'a str),
}

/// Where a reference in the file at `path` leads.
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
    let found = plain(&folder.join(&*file));
    // Git takes the one from the current folder, and the other from the root.
    let from_here = if !revision.is_empty() && path.starts_with("./") { "./" } else { "" };
    Target::File(format!("{revision}{from_here}{}", found.display()), pointer)
}

/// The path of a file, as references name it.
fn location(path: &str) -> String {
    let name = Path::new(of_revision(path).1).file_name().unwrap_or_default().to_string_lossy();
    match target(path, &name.replace('%', "%25").replace('#', "%23")) {
        Target::File(location, _) if !is_url(path) => location,
        _ => path.to_owned(),
    }
}

/// The revision of git that a path `REV:PATH` begins with, its colon included, and the path. A drive has one letter.
fn of_revision(path: &str) -> (&str, &str) {
    match path.find(':').filter(|at| *at > 1 && !path[..*at].contains('/') && !is_url(path)) {
        Some(at) => path.split_at(at + 1),
        None => ("", path),
    }
}

/// Whether a file lies behind a URL, with its scheme or without.
pub(crate) fn is_url(path: &str) -> bool {
    path.contains("://") || path.starts_with("//")
}

/// A path as it is shown: a URL without the user and the query, which may be what opens it.
pub fn without_secrets(path: &str) -> String {
    let Some(mut url) = Url::parse(path).ok().filter(|_| is_url(path)) else { return path.to_owned() };
    // Where there is no user there is nothing to take out.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// Why a reference in the file at `path` to a file that was not read is refused, and what to do.
pub(crate) fn elsewhere(path: &str, reference: &str) -> (String, &'static str) {
    let help = if is_url(reference) || is_url(path) {
        "what is behind a URL is fetched once, by `keyfit spec bundle DOCUMENT --output openapi.json`: use the file that it writes"
    } else {
        "references lead into the document, or to files in its folder and below: `./other.yaml#/...`"
    };
    (format!("the reference `{}` leads to another file", without_secrets(reference)), help)
}

/// The pointer by which a file has what a reference names: a reference is a URI, and may be percent-encoded.
fn inside<'a>(file: &Value, pointer: &'a str) -> Cow<'a, str> {
    match percent_decoded(pointer).filter(|decoded| file.pointer(pointer).is_none() && file.pointer(decoded).is_some())
    {
        Some(decoded) => Cow::Owned(decoded),
        None => Cow::Borrowed(pointer),
    }
}

/// The address that a document of 3.2 gives itself.
fn own_address(file: &Value) -> Option<&str> {
    file.get("$self").and_then(Value::as_str)
}

/// A path without `.`, and without `..` where it can be.
fn plain(path: &Path) -> PathBuf {
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
