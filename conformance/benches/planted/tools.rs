//! The tools, each as a process of its own.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::process::Command;

use crate::services::Service;

/// What a tool did with one service.
#[derive(Default)]
pub(crate) struct Run {
    pub(crate) found: BTreeSet<String>,
    pub(crate) requests: usize,
    pub(crate) seconds: f64,
    pub(crate) peak_kib: u32,
}

/// Makes the folder of the service's API from its document alone.
pub(crate) async fn init(service: &Service, folder: &Path) -> PathBuf {
    let made = folder.join("init");
    let _ = fs::remove_dir_all(&made);
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyfit"));
    command.args(["init", "--name", service.name, "--dir"]).arg(&made).arg(document(service));
    let output = command.output().await.expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    made
}

fn document(service: &Service) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(service.folder).join("openapi.yaml")
}

pub(crate) async fn keyfit(service: &Service, url: String, folder: &Path, api: &Path, more: &[&str]) -> Run {
    let (tokens, report) = (folder.join("tokens.toml"), folder.join("report.json"));
    fs::write(&tokens, (service.tokens_file)()).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyfit"));
    command
        .args(["check", "--base-url", &url, "--allow-writes", "--allow-spend", "--api-dir"])
        .arg(api)
        .arg("--tokens")
        .arg(&tokens)
        .arg(format!("--report=json={}", report.display()))
        .args(more)
        .envs((service.environment)());
    let (mut run, ..) = timed(&mut command).await;
    let text = fs::read_to_string(&report).expect("a report");
    let report: Value = serde_json::from_str(&text).expect("JSON");
    let cases = report["apis"][0]["cases"].as_array().expect("cases");
    let broken = cases.iter().filter(|case| ["fail", "warn"].iter().any(|verdict| case["verdict"] == *verdict));
    run.found = broken.map(|case| case["id"].to_string()).collect();
    run
}

/// With every key that is valid, the one that may do all at first: it goes on to the next where one is refused.
pub(crate) async fn schemathesis(service: &Service, url: String, folder: &Path, seed: &str) -> Run {
    let entry = |(name, key): (String, String)| json!({ "name": name, "fixedHeaders": [{ "name": "Authorization", "value": format!("Bearer {key}") }] });
    let is_valid = |(name, _): &(String, String)| !service.dead.contains(&name.as_str());
    let entries: Vec<Value> = (service.environment)().into_iter().filter(is_valid).map(entry).collect();
    let (keys, settings) = (folder.join("auth.json"), folder.join("schemathesis.toml"));
    fs::write(&keys, json!({ "auth": entries }).to_string()).expect("a file");
    let peers = if service.peers.is_empty() { String::new() } else { format!("peers = {:?}\n", service.peers) };
    fs::write(&settings, format!("[auth.wfc]\npath = {:?}\n{peers}", keys.display().to_string())).expect("a file");
    let mut command = Command::new(path("SCHEMATHESIS").expect("it was asked for"));
    // It leaves what it has learnt where it runs.
    command.current_dir(folder).arg("--config-file").arg(settings).arg("run").arg(document(service)).args([
        "--url",
        &url,
        "--no-color",
        "--checks",
        "all",
        "--continue-on-failure",
        "--seed",
        seed,
    ]);
    let (mut run, text, _) = timed(&mut command).await;
    // `____ GET /me ____` names the operation, `- Undocumented HTTP status code` what is wrong there.
    let mut operation = String::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("____") {
            line.trim_matches(['_', ' ']).clone_into(&mut operation);
        } else if let Some(finding) = line.strip_prefix("- ") {
            run.found.insert(format!("{operation}: {finding}"));
        }
    }
    run
}

/// Each assertion that fails, by the line that it stands in.
pub(crate) async fn hurl(service: &Service, url: String) -> Run {
    let mut command = Command::new(path("HURL").expect("it was asked for"));
    command.args(["--test", "--no-color", "--continue-on-error", "--variable", &format!("url={url}")]);
    for (name, key) in (service.environment)() {
        let (_, name) = name.split_once('_').expect("a beginning");
        command.args(["--variable", &format!("{}={key}", name.to_lowercase())]);
    }
    let (mut run, _, text) = timed(command.arg(service.hurl)).await;
    let places =
        text.lines().filter_map(|line| line.trim().strip_prefix("--> ")).filter_map(|place| place.rsplit_once(':'));
    run.found = places.map(|(line, _)| line.to_owned()).collect();
    run
}

/// Runs a command to its end, and looks at its memory on the way.
async fn timed(command: &mut Command) -> (Run, String, String) {
    let began = Instant::now();
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let status = format!("/proc/{}/status", child.id().unwrap_or_default());
    let watch = tokio::spawn(async move {
        let mut peak = 0;
        // The kernel keeps the peak, so that the last look counts.
        while let Some(now) = fs::read_to_string(&status).ok().and_then(|status| peak_of(&status)) {
            peak = now;
            tokio::time::sleep_until(tokio::time::Instant::now() + Duration::from_millis(5)).await;
        }
        peak
    });
    let output = child.wait_with_output().await.expect("it ends");
    let seconds = began.elapsed().as_secs_f64();
    let peak_kib = watch.await.unwrap_or_default();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (Run { seconds, peak_kib, ..Run::default() }, text(&output.stdout), text(&output.stderr))
}

fn peak_of(status: &str) -> Option<u32> {
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}

/// Where another tool is, if it is to be compared with.
#[expect(clippy::disallowed_methods, reason = "what to compare with is said by who runs the bench")]
pub(crate) fn path(variable: &str) -> Option<String> {
    env::var(variable).ok()
}
