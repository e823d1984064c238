//! Documents in several files: the files that a document refers to are read with it, and joined to one document.
//!
//! References are paths from the file that they stand in. What lies outside of the folder of the document is not read, however
//! it is reached: a document that somebody else wrote must not bring the reader's own files into what is made of it.

mod gather;
mod join;
mod kinds;

use std::path::{Component, Path, PathBuf};

pub(crate) use gather::gather;
pub(crate) use join::{File, join};

/// Where a reference leads.
enum Target<'a> {
    /// Within its own file.
    Here(&'a str),
    /// A file, by its path as messages name it, and the JSON pointer there.
    File(String, &'a str),
    /// Somewhere else than in a folder.
    Remote,
}

/// Where a reference in the file at `path` leads.
fn target<'a>(path: &str, reference: &'a str) -> Target<'a> {
    let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
    if file.is_empty() {
        return Target::Here(pointer);
    }
    if file.contains("://") || file.starts_with("//") {
        return Target::Remote;
    }
    let folder = Path::new(path).parent().unwrap_or_else(|| Path::new(""));
    Target::File(plain(&folder.join(file)).display().to_string(), pointer)
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
