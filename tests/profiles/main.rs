//! Profiles: what a file and the environment make of a client, and what is said of a file that cannot be used.

mod calls;
mod environment;
mod files;
mod refused;

// An API with a scheme of each kind.
#[path = "../locks/client.rs"]
mod locks;

use std::fs;
use std::path::PathBuf;

use keyfit::Profile;
use tempfile::TempDir;

/// A folder with a file of profiles.
struct Folder(TempDir);

impl Folder {
    fn new(text: &str) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        folder.write("keyfit.toml", text);
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
    }

    fn profile(&self, name: &str) -> Result<Profile, keyfit::Error> {
        Profile::read(self.path("keyfit.toml"), name)
    }
}
