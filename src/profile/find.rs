//! Which file is read, and which profile of it.

use std::env;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::auth::environment;
use crate::auth::secret_file::{self, Role};
use crate::error::Error;

/// The file's name, and the variables that name another one and a profile.
pub(super) const FILE: &str = "keyfit.toml";
pub(super) const FILE_VARIABLE: &str = "KEYFIT_CONFIG";
pub(super) const PROFILE_VARIABLE: &str = "KEYFIT_PROFILE";

/// The largest file that is read, in bytes.
const LIMIT: u64 = 1 << 20;

/// A file of profiles.
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// True if the user named it.
    pub(super) is_named: bool,
}

/// A variable; what is set to nothing is how many tools write one that is not set.
pub(super) fn variable(name: &str) -> Result<Option<String>, Error> {
    Ok(environment::optional(name)?.filter(|value| !value.is_empty()))
}

/// The file that the user names, or else the nearest one.
pub(super) fn file() -> Result<Option<Found>, Error> {
    if let Some(path) = variable(FILE_VARIABLE)? {
        return Ok(Some(Found { path: path.into(), is_named: true }));
    }
    let Ok(here) = env::current_dir() else { return Ok(None) };
    let nearest = above(&here, env::home_dir().as_deref());
    Ok(nearest.map(|path| Found { path, is_named: false }))
}

/// The nearest file from a folder on, up to the root of its repository or the home directory. In a folder that is in neither, it alone
/// counts: what lies above may be anybody's.
fn above(here: &Path, home: Option<&Path>) -> Option<PathBuf> {
    let is_last = |folder: &Path| folder.join(".git").exists() || Some(folder) == home;
    let depth = here.ancestors().position(is_last).unwrap_or(0);
    here.ancestors().take(depth + 1).map(|folder| folder.join(FILE)).find(|path| path.exists())
}

/// The text of the file.
pub(super) fn text(Found { path, is_named }: &Found) -> Result<String, Error> {
    let refuse = |why: &str| {
        let help = match (is_named, why) {
            (true, _) => format!("correct {FILE_VARIABLE}, or leave it out"),
            (false, _) => "correct it, or name another one in KEYFIT_CONFIG".to_owned(),
        };
        Error::configuration(format!("{}: the file of profiles cannot be read: {why}: {help}", path.display()))
    };
    let file = secret_file::open(path, Role::Settings { is_named: *is_named });
    let mut bytes = Vec::new();
    let read = file.and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes));
    read.map_err(|error| refuse(&error.get_ref().map_or_else(|| error.kind().to_string(), ToString::to_string)))?;
    if bytes.len() as u64 > LIMIT {
        return Err(refuse("it is larger than 1 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| refuse("it is not text in UTF-8"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_nearest_file_counts_up_to_the_repository_or_the_home_and_not_above() {
        let folder = tempfile::tempdir().expect("a folder");
        let below = |path: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(&path).expect("a folder");
            path
        };
        let (repository, home) = (below("repository/a/b"), below("home/a/b"));
        below("repository/.git");
        let elsewhere = below("elsewhere/a");
        for at in ["", "elsewhere"] {
            fs::write(folder.path().join(at).join(FILE), "").expect("written");
        }
        let found = |here: &Path| above(here, Some(&folder.path().join("home")));
        // Those above a repository, a home or a folder that is in neither are not read.
        for here in [&repository, &home, &elsewhere] {
            assert_eq!(found(here), None, "{here:?}");
        }
        for at in ["repository", "home", "elsewhere/a"] {
            fs::write(folder.path().join(at).join(FILE), "").expect("written");
        }
        assert_eq!(found(&repository), Some(folder.path().join("repository").join(FILE)));
        assert_eq!(found(&home), Some(folder.path().join("home").join(FILE)));
        assert_eq!(found(&elsewhere), Some(elsewhere.join(FILE)));
        fs::write(repository.join(FILE), "").expect("written");
        assert_eq!(found(&repository), Some(repository.join(FILE)));
    }
}
