//! Keys that probes mint: they are gone when the case is over, and on a live server none is minted unasked.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use keyfit_conformance::catalogue::{Catalogue, Side};
use keyfit_conformance::contract::Probe;
use keyfit_conformance::credential::identity::{CredentialNeed, Identities as _, Rights, State};
use keyfit_conformance::credential::secret::Redactor;
use keyfit_conformance::mock::{Mock, Mutant};
use keyfit_conformance::probe::TargetServer;
use keyfit_conformance::run::{Plan, run};
use serde_json::Value;

use crate::common::{catalogues, http, side};

/// The cases that mint, list, change or revoke keys.
fn of_keys() -> Arc<Catalogue> {
    let all = catalogues().into_iter().find(|catalogue| catalogue.contract.key_management.is_some());
    let mut catalogue = all.expect("one of the APIs manages keys");
    catalogue.select(&["scopien/keys/**".to_owned(), "scopien/**/api-keys-*".to_owned()], &[]);
    side(catalogue, Side::Server)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_outlives_the_case_that_minted_it() {
    let (catalogue, http) = (of_keys(), http());
    // Of a mock that lists no key there is nothing to see.
    let defects =
        Mutant::all().iter().filter(|mutant| mutant.is_of_key_management() && **mutant != Mutant::ListsNothing);
    for mutant in [None].into_iter().chain(defects.map(|mutant| Some(*mutant))) {
        let redactor = Redactor::default();
        let (api, contract) = (Arc::clone(&catalogue.api), Arc::clone(&catalogue.contract));
        let mock = Mock::start(api, contract, mutant, redactor.clone()).await.expect("a loopback socket");
        let base_url = mock.base_url().parse().expect("a URL");
        let target = TargetServer::new(http.clone(), base_url, Arc::new(mock.token_issuer().clone()), redactor);
        let outcomes = run(&catalogue, &Plan { target: Some(Arc::new(target)), ..Plan::default() }).await;
        let sent: usize = outcomes.iter().map(|outcome| outcome.requests).sum();
        assert!(sent > catalogue.cases.len(), "{mutant:?}: nothing was minted");

        let need = CredentialNeed { kind: "key".to_owned(), state: State::Valid, rights: Rights::All, alone: false };
        let admin = mock.token_issuer().find(&need).expect("the mock issues everything");
        let list = http.get(format!("{}/api-keys", mock.base_url())).bearer_auth(admin.credentials[0].secret.reveal());
        let list = list.send().await.expect("an answer").bytes().await.expect("a body");
        let list: Value = serde_json::from_slice(&list).expect("JSON");
        let keys = list["data"].as_array().expect("a list");
        assert!(!keys.is_empty(), "{mutant:?}: the admin's own key is one");
        // Keys that the mock issues itself have no name.
        let left: Vec<&Value> = keys.iter().filter(|key| key.get("name").is_some()).collect();
        assert!(left.is_empty(), "{mutant:?}: {left:?}");
    }
}

/// The mock as a live server: one key in the tokens file, and leave to write.
#[tokio::test(flavor = "multi_thread")]
async fn one_key_that_manages_keys_is_enough_for_a_live_server() {
    let catalogue = of_keys();
    let (api, contract) = (Arc::clone(&catalogue.api), Arc::clone(&catalogue.contract));
    let mock = Mock::start(api, contract, None, Redactor::default()).await.expect("a loopback socket");
    let need = CredentialNeed { kind: "key".to_owned(), state: State::Valid, rights: Rights::All, alone: false };
    let admin =
        mock.token_issuer().find(&need).expect("the mock issues everything").credentials[0].secret.reveal().to_owned();
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tokens-keys.toml");
    let tokens = "[[identity]]\nname = \"admin\"\nkind = \"key\"\nstate = \"valid\"\nscopes = [\"admin\"]\nsecret = { env = \"ADMIN\" }";
    fs::write(&file, tokens).expect("the file can be written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyfit"));
    command.args(["check", "--api", "scopien", "--side", "server", "--case", "scopien/keys/**", "--allow-writes"]);
    command.args(["--base-url", mock.base_url(), "--tokens"]).arg(&file).env("ADMIN", &admin);
    // The mock lives in this runtime, which must not wait for the child.
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && !text.contains(&admin), "{text}");
    // A test key is what it lacks.
    assert!(text.contains("18 cases: 17 passed, 1 skipped"), "{text}");
}

#[test]
fn what_mints_a_key_is_sent_with_leave_to_write_only() {
    let catalogue = of_keys();
    let mints = |probe: &Option<Probe>| matches!(probe, Some(Probe::Key(_)));
    let minting: Vec<_> = catalogue.cases.iter().filter(|case| mints(&catalogue.rule(case).probe)).collect();
    assert!(minting.len() > 10);
    assert!(minting.iter().all(|case| case.writes));
}
