//! The default run as a user starts it, five times: cases, requests, wall time and cases a second.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const RUNS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("check.json");
    let mut seconds: Vec<f64> = Vec::new();
    let mut report = Value::Null;
    for _ in 0..RUNS {
        let status = Command::new(env!("CARGO_BIN_EXE_keyfit"))
            .args(["check", "--report"])
            .arg(format!("json={}", path.display()))
            .output()?
            .status;
        if !status.success() {
            return Err(format!("the check ended with {status}").into());
        }
        report = serde_json::from_str(&fs::read_to_string(&path)?)?;
        seconds.push(report["seconds"].as_f64().unwrap_or_default());
    }
    seconds.sort_by(f64::total_cmp);
    let median = seconds[RUNS / 2];
    let cases = report["totals"]["pass"].as_f64().unwrap_or_default();
    let requests = report["requests"].as_f64().unwrap_or_default();
    println!("{cases} cases, {requests} requests, {median:.2} s (median of {RUNS})");
    println!("{:.0} cases/s, {:.0} requests/s", cases / median, requests / median);
    Ok(())
}
