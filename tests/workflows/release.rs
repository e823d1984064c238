//! A release: what is built, what it is called, and what becomes public.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::{HERE, executable, read, told, write};

/// A release of a small script in place of the command, made by the script that makes the real one.
pub(super) struct Release {
    folder: tempfile::TempDir,
    version: String,
}

/// `cargo`, which knows one package and builds one file.
const CARGO: &str = r#"#!/usr/bin/env bash
case $1 in
  pkgid) echo "path+file:///checkout/conformance#keyfit-conformance@VERSION" ;;
  build)
    while [ "$1" != --target ]; do shift; done
    mkdir -p "target/$2/release"
    printf '#!/bin/sh\necho keyfit VERSION\n' > "target/$2/release/keyfit"
    chmod 755 "target/$2/release/keyfit" ;;
esac
"#;
/// `gh`, which writes down what it is asked.
const GH: &str = r#"#!/usr/bin/env bash
printf '%s\n' "$@" > "$0.log"
while [ "$1" != --notes-file ]; do shift; done
cp "$2" "$0.notes"
"#;

impl Release {
    /// `None` without the programs that the runner has.
    fn new(version: &str) -> Option<Self> {
        for program in ["git", "bash", "curl", "sha256sum", "tar"] {
            if !Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success()) {
                println!("skipped: there is no {program}");
                return None;
            }
        }
        let release = Self { folder: tempfile::tempdir().expect("a folder"), version: version.to_owned() };
        for file in [".github/release/build", ".github/release/publish", "LICENSE-APACHE", "LICENSE-MIT"] {
            let to = release.at("checkout").join(file);
            fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
            fs::copy(Path::new(HERE).join(file), to).expect("it is there");
        }
        let programs = [
            ("cargo", CARGO.replace("VERSION", version)),
            ("gh", GH.to_owned()),
            ("rustup", "#!/bin/sh\n".to_owned()),
            ("musl-gcc", "#!/bin/sh\n".to_owned()),
            ("git", "#!/bin/sh\necho 1700000000\n".to_owned()),
        ];
        for (name, text) in programs {
            write(&release.at("bin").join(name), &text);
            executable(&release.at("bin").join(name));
        }
        Some(release)
    }

    /// A release as it was built.
    pub(super) fn built(version: &str) -> Option<Self> {
        let release = Self::new(version)?;
        let output = release.build(&format!("v{version}"));
        assert!(output.status.success(), "{}", told(&output));
        Some(release)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where `v0.1.0/` is.
    pub(super) fn downloads(&self) -> PathBuf {
        self.at("downloads")
    }

    /// The archive for this machine.
    pub(super) fn archive(&self) -> PathBuf {
        self.downloads().join(format!("v{}", self.version)).join(format!("keyfit-{}.tar.gz", target()))
    }

    fn script(&self, name: &str) -> Command {
        let mut command = Command::new(self.at("checkout/.github/release").join(name));
        let path = std::env::join_paths([self.at("bin"), "/usr/local/bin".into(), "/usr/bin".into(), "/bin".into()]);
        command.env_clear().env("PATH", path.expect("a path")).current_dir(self.at("checkout"));
        command
    }

    fn build(&self, tag: &str) -> Output {
        let folder = self.downloads().join(format!("v{}", self.version));
        self.script("build").arg(target()).arg(tag).arg(folder).output().expect("the script runs")
    }

    fn publish(&self) -> Output {
        let folder = self.downloads().join(format!("v{}", self.version));
        self.script("publish").arg(format!("v{}", self.version)).arg(folder).output().expect("the script runs")
    }
}

/// The target that the action takes on this machine.
fn target() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

#[test]
fn the_archive_is_the_one_that_cargo_binstall_looks_for() {
    let Some(release) = Release::built("0.1.0") else { return };
    let manifest = read(Path::new(HERE).join("conformance/Cargo.toml"));
    let (_, metadata) = manifest.split_once("[package.metadata.binstall]\n").expect("it is there");
    let value = |key: &str| {
        let line = metadata.lines().find_map(|line| line.strip_prefix(&format!("{key} = \""))).expect("it is there");
        line.trim_end_matches('"').to_owned()
    };
    let url =
        value("pkg-url").replace("{ repo }", "R").replace("{ version }", "0.1.0").replace("{ target }", &target());
    let archive = release.archive();
    let below = archive.strip_prefix(release.downloads()).expect("it is below");
    assert_eq!(url, format!("R/releases/download/{}", below.display()));
    assert!(archive.is_file() && value("pkg-fmt") == "tgz");
    let listed = Command::new("tar").arg("-tzf").arg(&archive).output().expect("tar runs");
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert_eq!(names, "keyfit\nLICENSE-APACHE\nLICENSE-MIT\n");
    assert_eq!(value("bin-dir").replace("{ bin }", "keyfit"), "keyfit", "the binary is at the top of the archive");
}

#[test]
fn the_same_commit_gives_the_same_archive_and_a_tag_of_another_version_none() {
    let Some(release) = Release::new("0.1.0") else { return };
    let other = release.build("v0.2.0");
    assert!(!other.status.success() && told(&other).contains("the tag is v0.2.0, and Cargo.toml says 0.1.0"));
    assert!(!release.archive().exists());
    let built = || {
        let output = release.build("v0.1.0");
        assert!(output.status.success(), "{}", told(&output));
        fs::read(release.archive()).expect("it is there")
    };
    assert!(built() == built());
}

#[test]
fn a_draft_has_the_archives_with_their_checksums_and_the_section_of_the_changelog() {
    let Some(release) = Release::built("0.1.0") else { return };
    let changelog = release.at("checkout/CHANGELOG.md");
    write(&changelog, "# Changelog\n\n## 0.1.1\n\nnewer\n\n## 0.1.0\n\nwhat it brings\n\n## 0.0.9\n\nolder\n");
    let output = release.publish();
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(read(release.at("bin/gh.notes")).trim(), "what it brings");
    let asked = read(release.at("bin/gh.log"));
    let asked: Vec<&str> = asked.lines().collect();
    assert_eq!(asked[..5], ["release", "create", "v0.1.0", "--draft", "--verify-tag"]);
    let archive = release.archive().display().to_string();
    assert_eq!(asked[asked.len() - 2..], [archive.clone(), format!("{archive}.sha256")]);
    // Nothing is drafted of what was changed on the way, or is not described.
    fs::remove_file(release.at("bin/gh.log")).expect("it was asked");
    write(&changelog, "# Changelog\n\n## 0.1.1\n\nnewer\n");
    let output = release.publish();
    assert!(!output.status.success() && told(&output).contains("CHANGELOG.md has no section for 0.1.0"));
    fs::write(release.archive(), "another").expect("written");
    assert!(!release.publish().status.success());
    assert!(!release.at("bin/gh.log").exists(), "nothing was asked of it");
}
