//! Each file of an import has one role: a file in two roles would lose the content of one.

use std::fs;
use std::path::{Path, PathBuf};

use keyfit_conformance::UserError;

use crate::import::job::ImportJob;
use crate::import::output::node;
use crate::terminal::console::place;

/// Refuses a job that uses one file in two roles, by whatever names.
pub(crate) fn check(job: &ImportJob) -> Result<(), UserError> {
    let roles = job.roles();
    let mut claimed: Vec<(&str, &Path, Vec<FileIdentity>)> = Vec::new();
    for (role, path) in &roles {
        let Some(path) = path else { continue };
        let own = file_identities(path);
        if let Some((other, its_path, _)) = claimed.iter().find(|(.., its)| its.iter().any(|one| own.contains(one))) {
            let (one, same) = (place(its_path), place(path));
            let problem = format!("{other} ({one}) and {role} ({same}) are the same file");
            return Err(UserError::new(problem).help("name another one"));
        }
        claimed.push((role, path, own));
    }
    Ok(())
}

/// Returns the lock file beside a checkpoint.
pub(crate) fn lock_of(checkpoint: &Path) -> PathBuf {
    let mut name = checkpoint.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

/// The identity of a file.
#[derive(Debug, Eq, PartialEq)]
enum FileIdentity {
    Path(PathBuf),
    /// Device and inode: the same for all names of one file.
    Node((u64, u64)),
}

fn file_identities(path: &Path) -> Vec<FileIdentity> {
    let node = fs::metadata(path).ok().and_then(|metadata| node(&metadata));
    [FileIdentity::Path(canonical(path))].into_iter().chain(node.map(FileIdentity::Node)).collect()
}

/// Returns the path without links and relative parts, also of a file that does not exist yet.
fn canonical(path: &Path) -> PathBuf {
    if let Ok(path) = fs::canonicalize(path) {
        return path;
    }
    // A link that leads nowhere yet is the file that it leads to.
    if let Ok(target) = fs::read_link(path) {
        let target = path.parent().map_or_else(|| target.clone(), |folder| folder.join(&target));
        return in_whole_folder(&target);
    }
    in_whole_folder(path)
}

fn in_whole_folder(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (fs::canonicalize(folder), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}
