//! The folder of generated code, and paths in it.

use std::path::{Component, Path, PathBuf};
use std::{env, io};

use crate::UserError;

/// The folder of a lock file.
#[derive(Clone, Debug)]
pub struct Project {
    /// The path from the current folder; empty for the current folder itself.
    folder: PathBuf,
    /// The absolute path.
    whole: PathBuf,
}

/// The name of the lock file.
const LOCK_FILE: &str = "keyfit.lock";

impl Project {
    /// Returns the project of the current folder: the nearest ancestor with a lock file, or else with a `Cargo.toml`, or else the current
    /// folder.
    ///
    /// # Errors
    /// Returns an error if there is no current folder.
    pub fn find() -> Result<Self, UserError> {
        let current = env::current_dir().map_err(|error| no_folder(&error))?;
        Ok(Self::of_folder(&current))
    }

    /// Returns the project of a folder, relative to that folder.
    pub fn of_folder(current: &Path) -> Self {
        let has = |file: &str| current.ancestors().position(|folder| folder.join(file).is_file());
        let up = has(LOCK_FILE).or_else(|| has("Cargo.toml")).unwrap_or_default();
        let folder = std::iter::repeat_n("..", up).collect();
        Self { folder, whole: current.ancestors().nth(up).unwrap_or(current).to_owned() }
    }

    /// Returns the path of the lock file.
    pub fn lock(&self) -> PathBuf {
        self.folder.join(LOCK_FILE)
    }

    /// Returns a path of the project, relative to the current folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Returns a path from the current folder in the form of the lock file, with slashes.
    pub fn name(&self, path: &Path) -> String {
        let path = plain(&std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
        let whole = plain(&self.whole);
        let (mut from, mut to) = (whole.components().peekable(), path.components().peekable());
        while from.peek().is_some() && from.peek() == to.peek() {
            from.next();
            to.next();
        }
        let up = from.map(|_| "..".to_owned());
        let down = to.map(|part| part.as_os_str().to_string_lossy().into_owned());
        up.chain(down).collect::<Vec<_>>().join("/")
    }

    /// Returns whether a file of a lock file is inside its project.
    pub fn is_inside(name: &str) -> bool {
        let path = Path::new(name);
        !name.is_empty() && path.components().all(|part| matches!(part, Component::Normal(_)))
    }
}

/// Resolves `.` and `..` in a path without access to the file system.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

fn no_folder(error: &io::Error) -> UserError {
    UserError::new(format!("the current folder cannot be found: {error}")).help("change to a folder that is there")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_named_from_the_folder_of_the_lock_file() {
        let project = Project { folder: PathBuf::from(".."), whole: PathBuf::from("/work/shop") };
        assert_eq!(project.name(Path::new("/work/shop/src/../api/parcels")), "api/parcels");
        assert_eq!(project.name(Path::new("/work/specs/parcels.yaml")), "../specs/parcels.yaml");
        assert_eq!(project.path("api/parcels"), Path::new("../api/parcels"));
    }

    #[test]
    fn a_lock_file_names_files_of_its_project_alone() {
        for (name, is_inside) in
            [("src/a.rs", true), ("../a.rs", false), ("/etc/passwd", false), ("src/../../a.rs", false), ("", false)]
        {
            assert_eq!(Project::is_inside(name), is_inside, "{name}");
        }
    }
}
