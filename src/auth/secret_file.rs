//! Opens files that hold secrets: regular files of a trusted owner. Pipes and devices are refused, and links too unless the role
//! permits them.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

/// The role of a file for this process, which decides its checks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    /// Others put it there, this process reads it. A symbolic link is followed: Kubernetes mounts secrets as links. The
    /// owner is this user, root, or the one named here; nobody else may write to it.
    Source {
        #[cfg_attr(not(unix), expect(dead_code, reason = "elsewhere files have no owner by number"))]
        owner: Option<u32>,
    },
    /// The user wrote it, and it says where secrets are and where they go. Where it was found and not named, its owner is this user or
    /// root; nobody else may write to it.
    #[cfg(feature = "profile")]
    Settings {
        #[cfg_attr(not(unix), expect(dead_code, reason = "elsewhere files have no owner by number"))]
        is_named: bool,
    },
    /// This process writes it. A link could lead what is written, or locked, to another place; it belongs to this user,
    /// and nobody else may use it.
    #[cfg(feature = "oauth")]
    Store,
}

/// Opens a file to read it.
///
/// # Errors
/// Returns an error if there is no such file, or if it is not what its role asks for. It never waits for a pipe, and
/// opens no device.
pub(crate) fn open(path: &Path, role: Role) -> io::Result<File> {
    // Before it is opened: to open a device may start something.
    check(&metadata(path, role)?, role)?;
    let mut options = OpenOptions::new();
    options.read(true);
    let file = prepare(&mut options, role).open(path)?;
    // Of the open file: the path could name another one by now.
    check(&file.metadata()?, role)?;
    Ok(file)
}

/// Opens a file of no content to lock it, and makes it where there is none.
#[cfg(feature = "oauth")]
pub(crate) fn open_lock(path: &Path) -> io::Result<File> {
    match metadata(path, Role::Store) {
        Ok(metadata) => check(&metadata, Role::Store)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    let file = prepare(&mut options, Role::Store).open(path)?;
    check(&file.metadata()?, Role::Store)?;
    Ok(file)
}

/// Creates a file that only its owner can use; it must not exist yet.
#[cfg(feature = "oauth")]
pub(crate) fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    prepare(&mut options, Role::Store).open(path)
}

fn metadata(path: &Path, role: Role) -> io::Result<Metadata> {
    match role {
        Role::Source { .. } => fs::metadata(path),
        #[cfg(feature = "profile")]
        Role::Settings { .. } => fs::metadata(path),
        #[cfg(feature = "oauth")]
        Role::Store => fs::symlink_metadata(path),
    }
}

fn check(metadata: &Metadata, role: Role) -> io::Result<()> {
    if metadata.is_symlink() {
        return Err(refusal("it is a symbolic link, which could lead elsewhere: give the path of the file itself"));
    }
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "a folder" } else { "a pipe, a socket or a device" };
        return Err(refusal(format!("it is {what} and not a regular file")));
    }
    system::check(metadata, role)
}

fn prepare(options: &mut OpenOptions, role: Role) -> &mut OpenOptions {
    system::prepare(options, role);
    options
}

fn refusal(text: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, text.into())
}

/// Refuses a folder in which any user can put other files in place of ours: there even two files of ours could change
/// names. Its group may write to it, which is often a group of one.
#[cfg(feature = "oauth")]
pub(crate) fn check_folder(folder: &Path) -> io::Result<()> {
    system::check_folder(&fs::metadata(folder)?)
}

#[cfg(unix)]
mod system {
    use std::fs::{Metadata, OpenOptions};
    use std::io;
    use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};

    use rustix::fs::OFlags;

    use super::{Role, refusal};

    const ROOT: u32 = 0;

    pub(super) fn prepare(options: &mut OpenOptions, role: Role) {
        #[cfg(feature = "oauth")]
        let follows = !matches!(role, Role::Store);
        #[cfg(not(feature = "oauth"))]
        let follows = {
            let _ = role;
            true
        };
        // A pipe that took the place of the file is opened at once, and then refused.
        let flags = if follows { OFlags::NONBLOCK } else { OFlags::NONBLOCK.union(OFlags::NOFOLLOW) };
        options.mode(0o600).custom_flags(flags.bits().cast_signed());
    }

    pub(super) fn check(metadata: &Metadata, role: Role) -> io::Result<()> {
        let (user, owner, mode) = (rustix::process::geteuid().as_raw(), metadata.uid(), metadata.mode() & 0o777);
        match role {
            Role::Source { owner: trusted } => {
                if owner != user && owner != ROOT && Some(owner) != trusted {
                    return Err(refusal(format!(
                        "it belongs to user {owner}, who is neither the user of this process ({user}) nor root: change its \
                         owner, or name user {owner} with `FileSource::owner`"
                    )));
                }
                if mode & 0o002 != 0 {
                    return Err(refusal(format!(
                        "every user of this machine can write to it (mode {mode:03o}): run `chmod o-w` on it, and replace the secret"
                    )));
                }
            }
            #[cfg(feature = "profile")]
            Role::Settings { is_named } => {
                if owner != user && owner != ROOT && !is_named {
                    return Err(refusal(format!(
                        "it belongs to user {owner}, who is neither the user of this process ({user}) nor root, and it says where \
                         credentials go: name it in KEYFIT_CONFIG if you mean it"
                    )));
                }
                if mode & 0o002 != 0 {
                    return Err(refusal(format!(
                        "every user of this machine can write to it (mode {mode:03o}), and it says where credentials go: run `chmod o-w` on it"
                    )));
                }
            }
            #[cfg(feature = "oauth")]
            Role::Store => {
                if owner != user {
                    return Err(refusal(format!(
                        "it belongs to user {owner}, and this process runs as user {user}: let one user alone use it"
                    )));
                }
                if mode & 0o077 != 0 {
                    return Err(refusal(format!(
                        "others than its owner may use it (mode {mode:03o}); run `chmod 600` on it and have the tokens renewed"
                    )));
                }
            }
        }
        Ok(())
    }

    #[cfg(feature = "oauth")]
    pub(super) fn check_folder(metadata: &Metadata) -> io::Result<()> {
        let mode = metadata.mode() & 0o7777;
        let (is_open, is_sticky) = (mode & 0o002 != 0, mode & 0o1000 != 0);
        if is_open && !is_sticky {
            return Err(refusal(format!(
                "every user of this machine can replace files in its folder (mode {mode:03o}): run `chmod o-w` on the folder, or \
                 keep the file in a folder of mode 700 inside it"
            )));
        }
        Ok(())
    }
}

#[cfg(not(unix))]
mod system {
    use std::fs::{Metadata, OpenOptions};
    use std::io;

    use super::Role;

    pub(super) fn prepare(_: &mut OpenOptions, _: Role) {}

    #[expect(clippy::unnecessary_wraps, reason = "on Unix there is something to refuse")]
    pub(super) fn check(_: &Metadata, _: Role) -> io::Result<()> {
        Ok(())
    }

    #[cfg(feature = "oauth")]
    #[expect(clippy::unnecessary_wraps, reason = "on Unix there is something to refuse")]
    pub(super) fn check_folder(_: &Metadata) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(all(test, unix, feature = "oauth"))]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
    use std::os::unix::net::UnixListener;
    use std::path::PathBuf;

    use super::*;

    const SOURCE: Role = Role::Source { owner: None };

    fn file(folder: &tempfile::TempDir, mode: u32) -> PathBuf {
        let path = folder.path().join(format!("file-{mode:o}"));
        fs::write(&path, "x").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set");
        path
    }

    fn pipe(path: &Path) {
        let made = std::process::Command::new("mkfifo").arg(path).status();
        assert!(made.expect("mkfifo is there").success());
    }

    fn refused(path: &Path, role: Role) -> String {
        open(path, role).expect_err("refused").to_string()
    }

    #[test]
    fn what_is_not_a_regular_file_is_refused_and_nothing_waits() {
        let folder = tempfile::tempdir().expect("a folder");
        let fifo = folder.path().join("pipe");
        pipe(&fifo);
        let socket = folder.path().join("socket");
        let _listener = UnixListener::bind(&socket).expect("a socket");
        for path in [&*fifo, &*socket, Path::new("/dev/zero"), Path::new("/dev/tty")] {
            for role in [SOURCE, Role::Store] {
                assert_eq!(
                    refused(path, role),
                    "it is a pipe, a socket or a device and not a regular file",
                    "{path:?}"
                );
            }
            let error = open_lock(path).expect_err("refused").to_string();
            assert!(error.contains("not a regular file"), "{path:?}: {error}");
        }
        assert_eq!(refused(folder.path(), SOURCE), "it is a folder and not a regular file");
    }

    #[test]
    fn a_pipe_that_takes_the_place_of_a_checked_file_is_not_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pipe");
        pipe(&path);
        let mut options = OpenOptions::new();
        options.read(true);
        let file = prepare(&mut options, SOURCE).open(&path).expect("opened without a writer");
        assert!(check(&file.metadata().expect("metadata"), SOURCE).is_err());
    }

    #[test]
    fn a_link_is_followed_to_a_source_and_never_to_a_store() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = file(&folder, 0o600);
        let link = folder.path().join("link");
        symlink(&target, &link).expect("a link");
        assert!(open(&link, SOURCE).is_ok());
        assert!(refused(&link, Role::Store).contains("symbolic link"));
        assert!(open_lock(&link).expect_err("refused").to_string().contains("symbolic link"));
        // Where the link takes the place of a file that was checked.
        for write in [false, true] {
            let mut options = OpenOptions::new();
            options.read(!write).write(write).create(write);
            assert!(prepare(&mut options, Role::Store).open(&link).is_err(), "the system follows no link");
        }
        let device = folder.path().join("device");
        symlink("/dev/zero", &device).expect("a link");
        assert!(refused(&device, SOURCE).contains("not a regular file"));
    }

    #[test]
    fn modes_are_strict_for_a_store_and_forbid_writing_to_a_source() {
        let folder = tempfile::tempdir().expect("a folder");
        for (mode, source, store) in [
            (0o600, true, true),
            (0o640, true, false),
            (0o444, true, false),
            (0o602, false, false),
            (0o666, false, false),
        ] {
            let path = file(&folder, mode);
            assert_eq!(open(&path, SOURCE).is_ok(), source, "{mode:o}");
            assert_eq!(open(&path, Role::Store).is_ok(), store, "{mode:o}");
            assert_eq!(open_lock(&path).is_ok(), store, "{mode:o}");
        }
    }

    /// Only root can give a file to somebody else.
    #[test]
    fn the_owner_of_a_store_is_this_user_and_of_a_source_root_or_a_named_one_too() {
        const OTHER: u32 = 4_000_000;
        let folder = tempfile::tempdir().expect("a folder");
        let path = file(&folder, 0o600);
        let owner = fs::metadata(&path).expect("metadata").uid();
        assert!(open(&path, SOURCE).is_ok() && open(&path, Role::Store).is_ok());
        if owner != 0 {
            // The files of the system are root's.
            assert!(open(Path::new("/etc/hosts"), SOURCE).is_ok());
            assert!(refused(Path::new("/etc/hosts"), Role::Store).contains("belongs to user 0"));
            return;
        }
        std::os::unix::fs::chown(&path, Some(OTHER), None).expect("root may");
        assert!(refused(&path, SOURCE).contains("belongs to user 4000000"));
        assert!(refused(&path, Role::Source { owner: Some(OTHER + 1) }).contains("FileSource::owner"));
        assert!(open(&path, Role::Source { owner: Some(OTHER) }).is_ok());
        assert!(refused(&path, Role::Store).contains("belongs to user 4000000"));
        assert!(open_lock(&path).is_err());
    }

    #[test]
    fn a_folder_that_everybody_writes_to_needs_the_sticky_bit() {
        let folder = tempfile::tempdir().expect("a folder");
        for (mode, fits) in
            [(0o700, true), (0o755, true), (0o2775, true), (0o1777, true), (0o777, false), (0o703, false)]
        {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).expect("set");
            assert_eq!(check_folder(folder.path()).is_ok(), fits, "{mode:o}");
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).expect("set");
    }
}
