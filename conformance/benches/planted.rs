//! Twenty-eight defects in a service of eleven operations: what the check finds, how many requests and seconds that takes and how
//! much memory: `cargo bench -p keyfit-conformance --bench planted`. Once with the contract that was written for the service, and
//! once with what `keyfit init` makes of its document, with no edit: `KEYFIT_SHOW=1` prints what that says of the service without
//! a defect. With the path of Schemathesis in the variable
//! `SCHEMATHESIS` the same for it, on the same service in the same run: it has the document and one token.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::process::Command;

#[path = "../tests/planted/mod.rs"]
mod planted;

use planted::{Defect, environment, requests, serve, tokens_file};

/// What a tool did with one service.
#[derive(Default)]
struct Run {
    found: BTreeSet<String>,
    requests: usize,
    seconds: f64,
    peak_kib: u32,
}

/// The folder of the API, with the contract that was written for it.
const SHOP: &str = "tests/fixtures/apis/shop";

type Tool = fn(String, PathBuf) -> std::pin::Pin<Box<dyn Future<Output = Run>>>;

fn main() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("planted-bench");
    fs::create_dir_all(&folder).expect("a folder");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        println!("{:<18}{:>8}{:>14}{:>12}{:>12}{:>14}", "", "found", "false alarms", "requests", "seconds", "peak MiB");
        init(&folder).await;
        let ours: [(&str, Tool); 3] = [
            ("keyfit", |url, folder| Box::pin(keyfit(url, folder, SHOP, &[]))),
            ("  no waits", |url, folder| {
                Box::pin(keyfit(
                    url,
                    folder,
                    SHOP,
                    &["--skip", "shop/rate/exhausted/*", "--skip", "shop/rate/recovered/*"],
                ))
            }),
            ("  as init has it", |url, folder| {
                let made = folder.join("init").display().to_string();
                Box::pin(async move { keyfit(url, folder, &made, &[]).await })
            }),
        ];
        for (name, tool) in ours {
            measure(name, tool, &folder).await;
        }
        if schemathesis_path().is_some() {
            measure("schemathesis", |url, folder| Box::pin(schemathesis(url, folder)), &folder).await;
        }
    });
}

async fn measure(name: &str, tool: Tool, folder: &Path) {
    let control = on(None, tool, folder).await;
    let (mut found, mut requests, mut seconds, mut peak) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let mut missed = Vec::new();
    for defect in Defect::ALL {
        let run = on(Some(defect), tool, folder).await;
        // What it says of the service without a defect is no finding.
        if run.found.difference(&control.found).next().is_some() {
            found.push(defect);
        } else {
            missed.push(defect.to_string());
        }
        requests.push(run.requests);
        seconds.push(run.seconds);
        peak = peak.max(run.peak_kib);
    }
    seconds.sort_by(f64::total_cmp);
    requests.sort_unstable();
    println!(
        "{name:<18}{:>8}{:>14}{:>12}{:>12.2}{:>14.1}",
        format!("{} of {}", found.len(), Defect::ALL.len()),
        control.found.len(),
        requests[requests.len() / 2],
        seconds[seconds.len() / 2],
        f64::from(peak) / 1024.0
    );
    if !missed.is_empty() {
        println!("{:<18}misses {}", "", missed.join(", "));
    }
    if shows() {
        control.found.iter().for_each(|case| println!("{:<18}false: {case}", ""));
    }
}

async fn on(defect: Option<Defect>, tool: Tool, folder: &Path) -> Run {
    let (address, log) = serve(defect).await;
    let run = tool(format!("http://{address}/v1"), folder.to_owned()).await;
    Run { requests: requests(&log), ..run }
}

/// Makes the folder of an API from the document alone.
async fn init(folder: &Path) {
    let made = folder.join("init");
    let _ = fs::remove_dir_all(&made);
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyfit"));
    command.args(["init", "--name", "shop", "--dir"]).arg(&made).arg(Path::new(SHOP).join("openapi.yaml"));
    let output = command.output().await.expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

async fn keyfit(url: String, folder: PathBuf, api: &str, more: &[&str]) -> Run {
    let (tokens, report) = (folder.join("tokens.toml"), folder.join("report.json"));
    fs::write(&tokens, tokens_file()).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyfit"));
    command
        .args(["check", "--api-dir", api, "--base-url", &url, "--allow-writes", "--allow-spend"])
        .arg("--tokens")
        .arg(&tokens)
        .arg(format!("--report=json={}", report.display()))
        .args(more)
        .envs(environment());
    let (mut run, _) = timed(command).await;
    let text = fs::read_to_string(&report).expect("a report");
    let report: Value = serde_json::from_str(&text).expect("JSON");
    let cases = report["apis"][0]["cases"].as_array().expect("cases");
    let broken = cases.iter().filter(|case| ["fail", "warn"].iter().any(|verdict| case["verdict"] == *verdict));
    run.found = broken.map(|case| case["id"].to_string()).collect();
    run
}

async fn schemathesis(url: String, folder: PathBuf) -> Run {
    let mut command = Command::new(schemathesis_path().expect("it was asked for"));
    let token = &environment()[0].1;
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/apis/shop/openapi.yaml");
    // It leaves what it has learnt where it runs.
    command
        .current_dir(folder)
        .args(["run", document, "--url", &url, "--no-color", "--seed", "1"])
        .args(["--header", &format!("Authorization: Bearer {token}")]);
    let (mut run, text) = timed(command).await;
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

/// Runs a command to its end, and looks at its memory on the way.
async fn timed(mut command: Command) -> (Run, String) {
    let began = Instant::now();
    let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
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
    (Run { seconds, peak_kib, ..Run::default() }, String::from_utf8_lossy(&output.stdout).into_owned())
}

fn peak_of(status: &str) -> Option<u32> {
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}

#[expect(clippy::disallowed_methods, reason = "how much is printed is said by who runs the bench")]
fn shows() -> bool {
    env::var_os("KEYFIT_SHOW").is_some()
}

#[expect(clippy::disallowed_methods, reason = "what to compare with is said by who runs the bench")]
fn schemathesis_path() -> Option<String> {
    env::var("SCHEMATHESIS").ok()
}
