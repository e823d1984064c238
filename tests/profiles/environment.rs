//! Which file, which profile, and what the environment changes: a program of its own for each case, because a test cannot set its own
//! variables.

use std::path::Path;
use std::process::Command;

use keyfit::{Connect, Profile};

use super::{Folder, locks};

/// The variable by which this file's program knows that it is one.
const PROGRAM: &str = "KEYFIT_TEST_OF_PROFILES";

/// The words of a program with these variables about the client that it makes.
fn said(folder: &Path, variables: &[(&str, &str)]) -> String {
    let mut program = Command::new(std::env::current_exe().expect("this program"));
    program.args(["--exact", "environment::the_program", "--nocapture"]).current_dir(folder).env(PROGRAM, "1");
    for unset in ["KEYFIT_PROFILE", "KEYFIT_CONFIG", "LOCKS_BASE_URL", "LOCKS_BEARER"] {
        program.env_remove(unset);
    }
    let output = program.envs(variables.iter().copied()).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.split_once("said: ").map(|(_, said)| said.to_owned()));
    let folder = format!("{}/", folder.canonicalize().expect("it is there").display());
    line.unwrap_or_else(|| panic!("it says nothing: {text}")).replace(&folder, "")
}

/// The program: it does nothing as a test.
#[expect(clippy::disallowed_methods, reason = "the program is told by a variable that it is one")]
#[test]
fn the_program() {
    if std::env::var_os(PROGRAM).is_none() {
        return;
    }
    match locks::Client::from_profile() {
        Ok(client) => {
            let shown = format!("{client:?}");
            let api = Profile::load().and_then(|profile| profile.api("locks")).expect("the client was made of it");
            let credential = api.credential(<locks::Client as Connect>::KINDS).expect("the client was made of it");
            let is_fixed = format!("{credential:?}").contains("Fixed");
            let base = shown.split("base_url: ").nth(1).and_then(|rest| rest.split([',', ')', ' ']).next());
            println!("said: {} {}", base.unwrap_or("?"), if is_fixed { "a variable" } else { "the file" });
        }
        Err(error) => println!("said: {error}"),
    }
}

const FILE: &str = r#"
[profile.default.api.locks]
base-url = "http://127.0.0.1:1"
credentials.bearer = { file = "token" }

[profile.staging.api.locks]
base-url = "http://127.0.0.1:2"
credentials.bearer = { file = "token" }
"#;

#[test]
fn the_variables_of_the_api_stand_over_the_file_and_the_profile_is_the_one_that_is_named() {
    let folder = Folder::new(FILE);
    folder.write("token", "fixture-token-1"); // not-a-secret
    folder.write(
        "other.toml",
        "[profile.default.api.locks]\nbase-url = \"http://127.0.0.1:3\"\ncredentials.bearer = { file = \"token\" }\n",
    );
    let here = folder.0.path();
    for (variables, expected) in [
        (&[][..], "\"http://127.0.0.1:1\" the file"),
        (&[("KEYFIT_PROFILE", "staging")], "\"http://127.0.0.1:2\" the file"),
        (&[("KEYFIT_PROFILE", "")], "\"http://127.0.0.1:1\" the file"),
        (&[("KEYFIT_CONFIG", "other.toml")], "\"http://127.0.0.1:3\" the file"),
        (&[("LOCKS_BASE_URL", "http://127.0.0.1:4")], "\"http://127.0.0.1:4\" the file"),
        (&[("LOCKS_BEARER", "fixture-token-2")], "\"http://127.0.0.1:1\" a variable"), // not-a-secret
        (&[("LOCKS_BEARER", "")], "\"http://127.0.0.1:1\" the file"),
        (
            &[("KEYFIT_PROFILE", "stagin")],
            "keyfit.toml: there is no profile `stagin`: did you mean `staging`? There are default, staging",
        ),
        (
            &[("KEYFIT_CONFIG", "no-such.toml")],
            "no-such.toml: the file of profiles cannot be read: entity not found: correct KEYFIT_CONFIG, or leave it out",
        ),
    ] {
        assert_eq!(said(here, variables), expected, "{variables:?}");
    }
}

#[test]
fn without_a_file_the_environment_alone_counts_and_a_profile_that_is_named_is_missed() {
    let folder = Folder::new("");
    std::fs::remove_file(folder.path("keyfit.toml")).expect("removed");
    let here = folder.0.path();
    let token = ("LOCKS_BEARER", "fixture-token-2"); // not-a-secret
    let base = ("LOCKS_BASE_URL", "http://127.0.0.1:4");
    assert_eq!(said(here, &[token, base]), "\"http://127.0.0.1:4\" a variable");
    assert!(said(here, &[]).starts_with("there is no credential for the API `locks`: write `credentials = { bearer"));
    assert_eq!(
        said(here, &[token, ("KEYFIT_PROFILE", "staging")]),
        "there is no file with the profile `staging`: write [profile.staging] into a keyfit.toml in this folder, or name the file in \
         KEYFIT_CONFIG"
    );
}

#[test]
fn a_file_without_a_default_asks_which_profile_is_meant() {
    let folder = Folder::new("[profile.staging]\n[profile.production]\n");
    assert_eq!(
        said(folder.0.path(), &[]),
        "keyfit.toml: there is no profile `default`: set KEYFIT_PROFILE to one of production, staging"
    );
}

#[test]
fn a_file_above_is_found_up_to_the_root_of_the_repository() {
    let folder = Folder::new(FILE);
    folder.write("token", "fixture-token-1"); // not-a-secret
    let below = folder.path("src/deep");
    std::fs::create_dir_all(&below).expect("made");
    assert!(said(&below, &[]).starts_with("there is no credential"), "it is in no repository");
    std::fs::create_dir(folder.path(".git")).expect("made");
    assert_eq!(said(&below, &[]), "\"http://127.0.0.1:1\" the file");
}
