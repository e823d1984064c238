//! Defects of rights in a service that knows nothing of the check: each is found, and nothing where there is none, by the contract
//! that was written for it and by the one that `keyfit init` makes of its document.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio::process::Command;

use crate::rights_service::{Defect, environment, serve, tokens_file};

const RIGHTS: &str = "tests/fixtures/apis/rights";

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("planted-rights").join(name)
}

/// The report of the check before the service.
async fn checked(api: &Path, name: &str, defect: Option<Defect>) -> Value {
    let (address, _) = serve(defect).await;
    let folder = folder(name);
    fs::create_dir_all(&folder).expect("a folder");
    let (tokens, report) = (folder.join("tokens.toml"), folder.join("report.json"));
    let _ = fs::remove_file(&report);
    fs::write(&tokens, tokens_file()).expect("a file");
    let mut check = Command::new(env!("CARGO_BIN_EXE_keyfit"));
    check.args(["check", "--side", "server", "--allow-writes", "--base-url", &format!("http://{address}/v1")]);
    check
        .arg("--api-dir")
        .arg(api)
        .arg("--tokens")
        .arg(&tokens)
        .arg("--report")
        .arg(format!("json={}", report.display()));
    let output = check.envs(environment()).output().await.expect("the binary runs");
    let text = fs::read_to_string(&report);
    let text = text.unwrap_or_else(|_| panic!("{name}: {}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(&text).expect("JSON")
}

/// How many findings there are, and the rules that are broken.
fn told(report: &Value) -> (usize, BTreeSet<String>) {
    let cases = report["apis"][0]["cases"].as_array().expect("cases");
    let is_broken = |case: &&Value| !["pass", "skip"].iter().any(|verdict| case["verdict"] == *verdict);
    let rules = cases.iter().filter(is_broken).map(|case| case["rule"].as_str().expect("an id").to_owned()).collect();
    (report["apis"][0]["findings"].as_array().map_or(0, Vec::len), rules)
}

/// A line for each defect, and one for the service without any.
async fn table(api: &Path, name: &str) -> String {
    let mut table = String::new();
    for defect in [None].into_iter().chain(Defect::ALL.into_iter().map(Some)) {
        let case = defect.map_or_else(|| "none".to_owned(), |defect| format!("{defect:?}"));
        let (count, rules) = told(&checked(api, &format!("{name}-{case}"), defect).await);
        assert_eq!(rules.is_empty(), defect.is_none(), "{case}: {rules:?}");
        let _ = writeln!(table, "{case}: {count}: {}", rules.into_iter().collect::<Vec<_>>().join(" "));
    }
    table
}

#[tokio::test(flavor = "multi_thread")]
async fn each_defect_of_rights_is_found_and_nothing_else() {
    insta::assert_snapshot!(table(Path::new(RIGHTS), "own").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_that_init_makes_finds_defects_of_rights_with_no_edit() {
    let api = folder("init");
    let _ = fs::remove_dir_all(&api);
    let mut init = Command::new(env!("CARGO_BIN_EXE_keyfit"));
    init.args(["init", "--name", "rights", "--dir"]).arg(&api).arg(Path::new(RIGHTS).join("openapi.yaml"));
    let made = init.output().await.expect("the binary runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    insta::assert_snapshot!(table(&api, "init").await);
}
