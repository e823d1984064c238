//! Defects in a service that knows nothing of the check: each is found, and nothing where there is none, by the contract that was
//! written for it and by the one that `keyfit init` makes of its document.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::service::{Defect, Log, environment, requests, serve, tokens_file};

const SHOP: &str = "tests/fixtures/apis/shop";

/// The rules that the check finds broken, and how many findings it makes of that.
async fn broken(defect: Option<Defect>, workers: &str) -> (BTreeSet<String>, usize) {
    let name = defect.map_or_else(|| format!("control-{workers}"), |defect| defect.to_string());
    let (report, log) = checked(Path::new(SHOP), &name, defect, workers).await;
    let cases = report["apis"][0]["cases"].as_array().expect("cases");
    let left = cases.iter().filter(|case| case["verdict"] == "skip" && case["follows"].is_null());
    // A window that does not end, or ends in an hour, is not waited for.
    let left_out = match defect {
        // And where there is no `Location`, there is nothing to follow.
        Some(Defect::LimitIsNotKept | Defect::RetryAfterIsWrong | Defect::LocationIsMissing) => 1,
        // What is not there is neither changed nor removed.
        Some(Defect::CreateIsNotStored) => 2,
        _ => 0,
    };
    let errors = report["totals"]["error"].as_u64();
    assert_eq!((left.count(), errors), (left_out, Some(0)), "{name}: every other case ran");
    // One more asks whether there is a server at all.
    assert_eq!(report["requests"].as_u64(), u64::try_from(requests(&log) - 1).ok(), "{name}: every request is counted");
    findings(&report)
}

/// Runs the check with the contract of a folder before the service; the report as JSON.
async fn checked(api: &Path, name: &str, defect: Option<Defect>, workers: &str) -> (Value, Log) {
    let (address, log) = serve(defect).await;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("planted");
    fs::create_dir_all(&folder).expect("a folder");
    let (tokens, report) = (folder.join(format!("{name}.toml")), folder.join(format!("{name}.json")));
    fs::write(&tokens, tokens_file()).expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_keyfit"))
        .args(["check", "--side", "server", "--allow-writes", "--allow-spend", "--parallel", workers])
        .args(["--base-url", &format!("http://{address}/v1")])
        .arg("--api-dir")
        .arg(api)
        .arg("--tokens")
        .arg(&tokens)
        .arg("--report")
        .arg(format!("json={}", report.display()))
        .envs(environment())
        .output()
        .await
        .expect("the binary runs");
    let text = fs::read_to_string(&report);
    let text = text.unwrap_or_else(|_| panic!("{name}: {}", String::from_utf8_lossy(&output.stderr)));
    let report: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(output.status.code(), Some(i32::from(report["totals"]["fail"] != 0)), "{name}");
    (report, log)
}

/// The rules that are broken or observed not to be met, and how many findings that is.
fn findings(report: &Value) -> (BTreeSet<String>, usize) {
    let cases = report["apis"][0]["cases"].as_array().expect("cases");
    let broken = cases.iter().filter(|case| !["pass", "skip"].iter().any(|verdict| case["verdict"] == *verdict));
    let rules = broken.map(|case| case["rule"].as_str().expect("an id").to_owned()).collect();
    (rules, report["apis"][0]["findings"].as_array().map_or(0, Vec::len))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_names_no_case_is_stale_before_a_live_server_too() {
    let (address, _) = serve(None).await;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("planted");
    fs::create_dir_all(&folder).expect("a folder");
    let (tokens, known) = (folder.join("stale-tokens.toml"), folder.join("stale-known.toml"));
    fs::write(&tokens, tokens_file()).expect("a file");
    fs::write(&known, "[[known]]\ncases = [\"shop/no/such/case\"]\n").expect("a file");
    let run = ["check", "--api-dir", SHOP, "--base-url", &format!("http://{address}/v1"), "--parallel", "8"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyfit"));
    command.args(run).arg("--tokens").arg(&tokens).arg("--baseline").arg(&known).envs(environment());
    let output = command.output().await.expect("the binary runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("it names no case"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_planted_defect_is_found_and_nothing_else() {
    assert_eq!(broken(None, "1").await, (BTreeSet::new(), 0), "a service without a defect");
    assert_eq!(broken(None, "8").await, (BTreeSet::new(), 0), "the same, many cases at a time");
    // All at once: they mostly wait for the ends of windows.
    let mut found = JoinSet::new();
    for (place, defect) in Defect::ALL.into_iter().enumerate() {
        found.spawn(async move { (place, defect, broken(Some(defect), "1").await) });
    }
    let mut found = found.join_all().await;
    found.sort_by_key(|(place, ..)| *place);
    let mut table = String::new();
    let mut counts = Vec::new();
    for (_, defect, (rules, findings)) in found {
        assert!(!rules.is_empty(), "{defect} is not found");
        let _ = writeln!(table, "{defect}: {findings}: {}", rules.into_iter().collect::<Vec<_>>().join(" "));
        counts.push(findings);
    }
    counts.sort_unstable();
    assert_eq!(counts[counts.len() / 2], 1, "one cause is one finding, mostly: {counts:?}");
    insta::assert_snapshot!(table);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_that_init_makes_finds_them_with_no_edit() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("planted-init");
    let _ = fs::remove_dir_all(&folder);
    let mut init = Command::new(env!("CARGO_BIN_EXE_keyfit"));
    init.args(["init", "--name", "shop", "--dir"]).arg(&folder).arg(Path::new(SHOP).join("openapi.yaml"));
    let made = init.output().await.expect("the binary runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let (control, _) = checked(&folder, "init-control", None, "1").await;
    assert_eq!(findings(&control), (BTreeSet::new(), 0), "a service without a defect");
    let mut found = JoinSet::new();
    for (place, defect) in Defect::ALL.into_iter().enumerate() {
        let folder = folder.clone();
        found.spawn(async move {
            let (report, _) = checked(&folder, &format!("init-{defect}"), Some(defect), "1").await;
            (place, defect, findings(&report))
        });
    }
    let mut found = found.join_all().await;
    found.sort_by_key(|(place, ..)| *place);
    let row = |(_, defect, (rules, findings)): (usize, Defect, (BTreeSet<String>, usize))| {
        format!("{defect}: {findings}: {}\n", rules.into_iter().collect::<Vec<_>>().join(" "))
    };
    insta::assert_snapshot!(found.into_iter().map(row).collect::<String>());
}
