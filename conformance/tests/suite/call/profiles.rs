//! A call by a profile, and the options that stand over it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Answer, Server, TOKEN, command, folder, told};

/// The token that the profile names.
const NAMED: &str = "fixture-token-4d2c-0009"; // not-a-secret

/// A document with a file of profiles beside its folder, and the folder where that is.
fn here(profiles: &str) -> (PathBuf, PathBuf) {
    let api = folder();
    let here = api.parent().expect("it has one").to_owned();
    fs::write(here.join("keyfit.toml"), profiles).expect("written");
    fs::write(here.join("token"), NAMED).expect("written");
    (here, api)
}

/// The command in a folder, without a token in the environment.
fn call(here: &Path, api: &Path, arguments: &[&str]) -> Command {
    let api = api.display().to_string();
    let mut command = command(None, &[&[api.as_str()], arguments].concat());
    command.current_dir(here).env_remove("PARCELS_KEY");
    command
}

fn run(command: &mut Command) -> (i32, String, String) {
    let (code, stdout, stderr) = told(&command.output().expect("the binary runs"));
    assert!(!stdout.contains(NAMED) && !stderr.contains(NAMED), "{stdout}{stderr}");
    (code, stdout, stderr)
}

#[test]
fn a_call_is_made_with_the_profile_and_its_options_stand_over_it() {
    let (server, other) = (Server::start(Answer::json(503, "{}")), Server::start(Answer::json(200, "[]")));
    let (here, api) = here(&format!(
        "[profile.default]\nretry = {{ attempts = 2, first-wait = \"1ms\" }}\n\
         [profile.default.api.parcels]\nbase-url = \"{}\"\ncredentials.key = {{ file = \"token\" }}\n\
         [profile.other.api.parcels]\nbase-url = \"{}\"\ncredentials.key = {{ file = \"token\" }}\n",
        server.server.base_url(),
        other.server.base_url()
    ));
    let list = |arguments: &[&str]| call(&here, &api, &[&["listParcels"], arguments].concat());
    // Two attempts, each with the token.
    assert_eq!(run(&mut list(&[])).0, 7);
    let requests = server.take();
    assert!(requests.len() == 2 && requests.iter().all(|request| request.contains(NAMED)), "{requests:?}");
    assert_eq!(run(&mut list(&["--attempts", "1"])).0, 7);
    assert!(server.one().contains(NAMED));
    // Another profile, by option and by variable.
    let (code, _, stderr) = run(&mut list(&["--profile", "other", "--verbose"]));
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.starts_with("* profile `other` of /"), "{stderr}");
    assert!(other.one().contains(NAMED));
    assert_eq!(run(list(&[]).env("KEYFIT_PROFILE", "other")).0, 0);
    assert!(other.one().contains(NAMED));
    // The environment stands over the profile, and so do the options.
    assert_eq!(run(list(&[]).env("PARCELS_BASE_URL", other.server.base_url()).env("PARCELS_KEY", TOKEN)).0, 0);
    assert!(other.one().contains(TOKEN));
    let url = other.server.base_url();
    assert_eq!(run(&mut list(&["--base-url", &url])).0, 0);
    assert!(other.one().contains(NAMED));
    assert!(server.take().is_empty());
}

#[test]
fn a_profile_that_cannot_be_used_sends_nothing() {
    let server = Server::start(Answer::json(200, "[]"));
    let url = server.server.base_url();
    let (here, api) = here(&format!(
        "[profile.default.api.parcels]\nbase-url = \"{url}\"\ncredentials.kee = {{ file = \"token\" }}\n\
         [profile.missing.api.parcels]\nbase-url = \"{url}\"\ncredentials.key = {{ file = \"nobody.token\" }}\n"
    ));
    for (profile, expected) in [
        (None, "keyfit.toml:3: the API `parcels` takes no credential `kee`: did you mean `key`?"),
        (Some("missing"), "nobody.token cannot be read: entity not found: correct the path"),
        (Some("othr"), "keyfit.toml: there is no profile `othr`: there are default, missing"),
    ] {
        let mut list = call(&here, &api, &["listParcels"]);
        let (code, _, stderr) = run(profile.into_iter().fold(&mut list, |list, name| list.env("KEYFIT_PROFILE", name)));
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
    }
    assert!(server.take().is_empty());
}

#[cfg(unix)]
#[test]
fn a_file_that_was_found_and_not_named_starts_no_command_and_leads_to_no_other_host() {
    let server = Server::start(Answer::json(200, "[]"));
    let (here, api) = here(&format!(
        "[profile.default.api.parcels]\nbase-url = \"{}\"\ncredentials.key = {{ command = [\"/bin/cat\", \"token\"] }}\n\
         [profile.away.api.parcels]\nbase-url = \"https://evil.example\"\ncredentials.key = {{ file = \"token\" }}\n",
        server.server.base_url()
    ));
    let list = || call(&here, &api, &["listParcels"]);
    let (code, _, stderr) = run(&mut list());
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("starts a command for a secret, and was found rather than named"), "{stderr}");
    assert!(server.take().is_empty());
    // The user's word, in any of three ways.
    let mut named = call(&here, &api, &["listParcels", "--profile", "default"]);
    let file = here.join("keyfit.toml");
    for list in [&mut named, list().env("KEYFIT_PROFILE", "default"), list().env("KEYFIT_CONFIG", &file)] {
        assert_eq!(run(list).0, 0);
        assert!(server.one().contains(NAMED));
    }
    // Nothing is started where nothing is sent.
    let (code, stdout, _) = run(&mut call(&here, &api, &["listParcels", "--profile", "default", "--dry-run"]));
    assert!(code == 0 && stdout.contains("[redacted]"), "{stdout}");
    let text = fs::read_to_string(&file).expect("it is there").replace("profile.away", "profile.mine");
    fs::write(&file, text.replace("profile.default", "profile.x").replace("profile.mine", "profile.default"))
        .expect("written");
    let (code, _, stderr) = run(&mut list());
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("leads to another host than the document, and was found rather than named"), "{stderr}");
}

#[test]
fn a_file_that_was_found_sends_no_secret_of_a_client_elsewhere() {
    let server = Server::start(Answer::json(200, "[]"));
    let (here, api) = here(&format!(
        "[profile.default.api.parcels]\nbase-url = \"{}\"\n[profile.default.api.parcels.credentials]\n\
         key = {{ client-id = \"a\", client-secret = {{ file = \"token\" }}, token-url = \"https://evil.example/token\" }}\n",
        server.server.base_url()
    ));
    let (code, _, stderr) = run(&mut call(&here, &api, &["listParcels"]));
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("sends the secret of a client to another host than the document"), "{stderr}");
    assert!(server.take().is_empty());
}

#[test]
fn a_token_of_a_profile_is_masked_in_what_the_server_repeats() {
    let server = Server::start(Answer::json(200, &format!("[{{\"note\": \"{NAMED}\"}}]")));
    let (here, api) = here(&format!(
        "[profile.default.api.parcels]\nbase-url = \"{}\"\ncredentials.key = {{ file = \"token\" }}\n",
        server.server.base_url()
    ));
    let (code, _, stderr) = run(&mut call(&here, &api, &["listParcels", "--verbose"]));
    assert_eq!(code, 0, "{stderr}");
    assert!(server.one().contains(NAMED));
}
