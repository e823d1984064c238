//! The check of a live server that a profile names: what it takes from there, and what it does not.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use keyfit_conformance::credential::identity::{
    ClientKind, ClientNeed, CredentialNeed, Identities as _, Rights, State,
};
use keyfit_conformance::credential::secret::Redactor;
use keyfit_conformance::mock::Mock;

use crate::common::with_templates;

async fn mock_of(name: &str) -> Mock {
    let catalogue =
        with_templates().into_iter().find(|catalogue| catalogue.contract.name == name).expect("it is there");
    let (api, contract) = (Arc::clone(&catalogue.api), Arc::clone(&catalogue.contract));
    Mock::start(api, contract, None, Redactor::default()).await.expect("a loopback socket")
}

fn minted(mock: &Mock, kind: &str) -> String {
    let need = CredentialNeed { kind: kind.to_owned(), state: State::Valid, rights: Rights::All, alone: false };
    mock.token_issuer().find(&need).expect("the mock issues everything").credentials[0].secret.reveal().to_owned()
}

/// A folder with a file of profiles and a secret.
fn folder(name: &str, profiles: &str, secret: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("keyfit.toml"), profiles).expect("written");
    fs::write(folder.join("secret"), secret).expect("written");
    folder
}

/// Runs the check there; exit code, and all that it prints.
async fn check(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyfit"));
    command.arg("check").args(arguments).current_dir(folder).env_clear().envs(variables.iter().copied());
    let secret = fs::read_to_string(folder.join("secret")).expect("it is there");
    // The mock lives in this runtime, which must not wait for the child.
    let output =
        tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("the binary runs");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!text.contains(&secret), "a secret is printed");
    (output.status.code().expect("it was not killed"), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_is_named_has_the_server_and_its_credential_and_nothing_is_written() {
    let mock = mock_of("ingest").await;
    let secret = minted(&mock, "datasource");
    let profiles = format!(
        "[profile.live]\ntimeout = \"1s\"\nretry.attempts = 9\n\
         [profile.live.api.instasent-ingest]\nbase-url = \"{}\"\ncredentials.datasource = {{ file = \"secret\" }}\n\
         [profile.empty]\n",
        mock.base_url()
    );
    let folder = folder("profile-live", &profiles, &secret);
    let whole = ["--api", "ingest", "--profile", "live"];
    let (_, text) = check(&folder, &whole, &[]).await;
    let note = format!(
        "note: `retry.attempts`, `timeout` of the profile `live` of {}/keyfit.toml count for calls alone: the check has times, limits \
         and attempts of its own",
        folder.canonicalize().expect("it is there").display()
    );
    assert!(text.contains(&note), "{text}");
    assert!(text.contains(" cases: pass --allow-writes (it writes)"), "{text}");
    // The ids stand in a tokens file, which names nobody.
    fs::write(folder.join("ids.toml"), "[ids]\nproject = \"proj_xxx\"\ndatasource = \"ds_xxx\"\n").expect("written");
    let (code, text) =
        check(&folder, &[&whole[..], &["--tokens", "ids.toml", "--case", "ingest/auth/*/stream-get"]].concat(), &[])
            .await;
    assert!(code == 0 && text.contains(" passed"), "{code} {text}");
    // A tokens file stands over the credentials of the profile.
    fs::write(
        folder.join("tokens.toml"),
        "[[identity]]\nname = \"a\"\nkind = \"datasource\"\nstate = \"valid\"\nsecret = { env = \"NOBODY_SET_IT\" }\n",
    )
    .expect("written");
    let (code, text) = check(&folder, &[&whole[..], &["--tokens", "tokens.toml"]].concat(), &[]).await;
    assert!(code == 2 && text.contains("NOBODY_SET_IT is not set"), "{text}");
    // What is missing is said before anything is sent.
    let (code, text) = check(&folder, &["--api", "ingest", "--profile", "empty"], &[]).await;
    assert!(code == 2 && text.contains("has no base URL for the API `instasent-ingest`"), "{text}");
    let (code, text) =
        check(&folder, &["--api", "ingest", "--profile", "empty", "--base-url", mock.base_url()], &[]).await;
    assert!(code == 2 && text.contains("there are no credentials for the live server"), "{text}");
    assert!(text.contains("or set INSTASENT_DATASOURCE_TOKEN"), "{text}");
    let (code, text) = check(&folder, &["--api", "ingest", "--profile", "lvie"], &[]).await;
    assert!(code == 2 && text.contains("there is no profile `lvie`: did you mean `live`?"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_alone_leaves_the_check_with_the_mock() {
    let profiles = "[profile.live.api.instasent-ingest]\nbase-url = \"http://127.0.0.1:1\"\ncredentials.datasource = { file = \"secret\" }\n";
    let folder = folder("profile-variable", profiles, "fixture-token-1"); // not-a-secret
    let arguments = ["--api", "ingest", "--side", "server", "--case", "ingest/auth/no-token/*"];
    let (code, text) = check(&folder, &arguments, &[("KEYFIT_PROFILE", "live")]).await;
    assert_eq!(code, 0, "{text}");
    // The variables of the API are its credentials where there is neither a tokens file nor a profile.
    let mock = mock_of("scopien").await;
    let secret = minted(&mock, "key");
    let arguments = ["--api", "scopien", "--base-url", mock.base_url(), "--case", "scopien/auth/*/auth-test"];
    let (code, text) = check(&folder, &arguments, &[("SCOPIEN_API_KEY", &secret)]).await;
    assert!(code == 0 && text.contains(" passed"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_a_profile_is_granted_its_token() {
    let mock = mock_of("guide").await;
    let need = ClientNeed {
        kind: ClientKind::Keeping,
        grants: BTreeSet::new(),
        authentication: None,
        scopes: BTreeSet::new(),
    };
    let client = mock.token_issuer().client(&need).expect("the mock has clients of each kind");
    let secret = client.secret.expect("it is no public one").reveal().to_owned();
    let root = mock.base_url().parse::<reqwest::Url>().expect("a URL").origin().ascii_serialization();
    let profiles = format!(
        "[profile.live.api.guide]\nbase-url = \"{}\"\n[profile.live.api.guide.credentials]\n\
         access = {{ client-id = \"{}\", client-secret = {{ file = \"secret\" }}, token-url = \"{root}/oauth/token\", scopes = [\"read\"] }}\n",
        mock.base_url(),
        client.id,
    );
    let folder = folder("profile-client", &profiles, &secret);
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("apis/guide").display().to_string();
    let arguments = ["--api-dir", &guide, "--profile", "live", "--case", "guide/auth/*/*"];
    let (_, text) = check(&folder, &arguments, &[]).await;
    assert!(text.contains("oauth/token") && text.contains(" passed"), "{text}");
}
