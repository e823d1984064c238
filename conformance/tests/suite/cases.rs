//! Services of others in which testers went wrong: what the check says of each, from its document, with no edit. They lie beside a
//! checkout, and are started with Python.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep_until};

/// The folder of a case, an argument of its server, and the rules that the service breaks in truth. It takes any JSON for a text.
const CASES: [(&str, Option<&str>, &[&str]); 4] = [
    ("D1", None, &["input.type"]),
    ("D1", Some("strict"), &["input.type"]),
    ("D2", None, &[]),
    ("D4", None, &["method.not-allowed"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn services_that_keep_their_documents_are_not_said_to_break_them() {
    for (case, argument, truth) in CASES {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/cases/bugs").join(case);
        let Some((_server, port)) = served(&folder, argument).await else {
            eprintln!("skipped: {case} is not there, or python3");
            continue;
        };
        let report = checked(&folder, port).await;
        // None is left out of the report.
        let findings = report["apis"][0]["findings"].as_array().map_or(&[][..], Vec::as_slice);
        let rule = |finding: &Value| finding["id"].as_str().and_then(|id| Some(id.split_once("/api.")?.1.to_owned()));
        let broken: Vec<String> = findings.iter().filter_map(rule).collect();
        assert_eq!(broken, truth, "{case}: {findings:#?}");
    }
}

/// Starts the service of a case on a free port.
async fn served(folder: &Path, argument: Option<&str>) -> Option<(Child, u16)> {
    let program = folder.join("server.py");
    if !program.exists() {
        return None;
    }
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let mut command = Command::new("python3");
    command.arg(program).arg(port.to_string()).args(argument).stdout(Stdio::null()).stderr(Stdio::null());
    let server = command.kill_on_drop(true).spawn().ok()?;
    for _ in 0..200 {
        if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return Some((server, port));
        }
        sleep_until(Instant::now() + Duration::from_millis(50)).await;
    }
    panic!("the service of {} does not start", folder.display());
}

/// The report on a service by the contract that `keyfit init` makes of its document.
async fn checked(folder: &Path, port: u16) -> Value {
    let made = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("cases-{port}"));
    let _ = std::fs::remove_dir_all(&made);
    keyfit(&["init", "--name", "api", "--dir"], &[&made, &folder.join("openapi.yaml")]).await;
    let (url, report) = (format!("http://127.0.0.1:{port}/v1"), made.join("report.json"));
    let named = format!("--report=json={}", report.display());
    keyfit(
        &["check", "--base-url", &url, "--allow-writes", &named, "--api-dir"],
        &[&made, Path::new("--tokens"), &folder.join("tokens.toml")],
    )
    .await;
    let text = std::fs::read_to_string(&report).expect("a report");
    serde_json::from_str(&text).expect("JSON")
}

async fn keyfit(words: &[&str], paths: &[&Path]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyfit"));
    command.args(words).args(paths).env("GOOD_TOKEN", "good-token").env("REVOKED_TOKEN", "revoked-token");
    let output = command.output().await.expect("it runs");
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
}
