//! Keys that are not bearer tokens: in a header of their own, and in the query.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use keyfit_conformance::apis;
use keyfit_conformance::catalogue::{Catalogue, Side};
use keyfit_conformance::drive::Naive;
use keyfit_conformance::judgement::verdict::Verdict;

use crate::common::{against_client, side};

const SCHEMES: [(&str, &str); 2] = [("header", "X-Api-Key"), ("query", "api_key")];

/// An API whose key is sent so, as `keyfit init` begins it.
fn api(place: &str, name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("carriers").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    let document = fs::read_to_string("tests/fixtures/bare/openapi.yaml").expect("the fixture is there");
    let (before, _) = document.split_once("    oauth: { type").expect("its scheme");
    let (_, after) = document.split_once("  responses:\n    Problem").expect("what follows the schemes");
    let scheme = format!("    oauth: {{ type: apiKey, in: {place}, name: {name} }}\n  responses:\n    Problem");
    let spec = folder.join("keyed.yaml");
    fs::write(&spec, format!("{before}{scheme}{after}")).expect("a file");
    let made = keyfit(&["init", text(&spec), "--name", "keyed", "--dir", text(&folder.join("api"))]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    folder.join("api")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn keyfit(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_keyfit")).args(arguments).output().expect("the binary runs")
}

#[test]
fn a_key_is_sent_where_the_document_says_and_its_rules_can_fail() {
    for (place, name) in SCHEMES {
        let folder = api(place, name);
        let run = |more: &[&str]| {
            let output = keyfit(&[&["check", "--side", "server", "--api-dir", text(&folder)], more].concat());
            (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
        };
        let (code, report) = run(&[]);
        assert_eq!(code, Some(0), "{place}: {report}");
        assert!(!report.contains("skipped"), "{place}: {report}");
        for (mutant, rule) in [
            ("accepts-unknown-token", "keyed.auth.unknown-token"),
            ("accepts-revoked-token", "keyed.auth.revoked-token"),
            ("ignores-scopes", "keyed.scope.lacking"),
            ("ignores-tenant", "keyed.tenant.foreign-accountId"),
        ] {
            let (code, report) = run(&["--mutant", mutant]);
            assert_eq!(code, Some(1), "{place}, {mutant}: {report}");
            assert!(report.contains(&format!("must {rule}: ")), "{place}, {mutant}: {report}");
        }
        let (_, report) = run(&["--mutant", "accepts-unknown-token", "--case", "keyed/auth/unknown-token/*"]);
        let sent = if place == "header" { "X-Api-Key: " } else { "?api_key=" };
        assert!(report.contains(sent) && !report.contains("Authorization"), "{report}");
    }
}

#[test]
fn rules_on_the_scheme_are_for_bearer_tokens_alone() {
    let folder = api("header", "X-Other-Key");
    let output = keyfit(&["check", "--api-dir", text(&folder), "--list"]);
    let list = String::from_utf8_lossy(&output.stdout);
    assert!(list.contains("keyed/auth/no-token"), "{list}");
    assert!(!list.contains("keyed/auth/wrong-scheme") && !list.contains("keyed/auth/bare-token"), "{list}");
}

#[test]
fn a_scheme_of_the_apis_own_is_sent_and_its_rules_can_fail() {
    let folder = api("header", "X-Schemed-Key");
    let contract = fs::read_to_string(folder.join("contract.toml")).expect("init wrote it");
    let own = contract.replace("{ named-header = \"X-Schemed-Key\" }", "{ scheme = \"Bot\" }");
    assert_ne!(own, contract);
    fs::write(folder.join("contract.toml"), own).expect("a file");
    let check = ["check", "--side", "server", "--api-dir", text(&folder)];
    let output = keyfit(&check);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    let output = keyfit(&[&check[..], &["--mutant", "accepts-unknown-token"]].concat());
    let report = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert!(report.contains("Authorization: Bot ") && !report.contains("Bearer"), "{report}");
}

#[tokio::test]
async fn a_client_is_held_to_the_header_that_the_contract_names() {
    let mut source = apis::find_shipped("instasent-ingest").expect("it ships");
    let bearer = Arc::clone(&Catalogue::read(&source).expect("a contract").contract);
    let contract = source.contract.as_mut().expect("a contract");
    contract.text = contract.text.replacen("[\"header\"]", "[{ named-header = \"X-Api-Key\" }]", 1);
    let catalogue = side(Catalogue::read(&source).expect("a contract"), Side::Client);
    let api = Arc::clone(&catalogue.api);
    for (contract, keeps) in [(Arc::clone(&catalogue.contract), true), (bearer, false)] {
        let client = Naive { api: Arc::clone(&api), contract, defect: None };
        let outcomes = against_client(&catalogue, Arc::new(client)).await;
        for (case, outcome) in catalogue.cases.iter().zip(outcomes) {
            if ["ingest.client.request", "ingest.client.rotated-token"].contains(&catalogue.rule(case).id.as_str()) {
                assert_eq!(outcome.verdict == Verdict::Pass, keeps, "{}: {:?}", case.id, outcome.reason);
            }
        }
    }
}
