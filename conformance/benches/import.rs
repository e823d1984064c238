//! A million rows through `keyfit instasent import`: `cargo bench -p keyfit-conformance --bench import`.

#[path = "../../benches/server/mod.rs"]
mod server;

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use server::{Plain, serve};

const ROWS: u32 = 1_000_000;

fn main() {
    let dir = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let url = runtime.block_on(serve(Arc::new(Plain(Duration::ZERO))));
    for name in ["contacts.ndjson", "contacts.csv"] {
        let path = dir.path().join(name);
        let mut file = BufWriter::new(File::create(&path).expect("a file"));
        let is_csv = name.ends_with("csv");
        if is_csv {
            writeln!(file, "_user_id,_email,_phone_mobile").expect("a header");
        }
        for row in 0..ROWS {
            let written = if is_csv {
                writeln!(file, "user-{row},ada-{row}@example.com,+34600000000")
            } else {
                writeln!(
                    file,
                    r#"{{"_user_id":"user-{row}","_email":"ada-{row}@example.com","_phone_mobile":"+34600000000"}}"#
                )
            };
            written.expect("a row");
        }
        file.flush().expect("a file");
        let plain = rows_per_second(|| read_plainly(&path));
        let began = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_keyfit"))
            .args(["instasent", "import"])
            .arg(&path)
            .args(["--project", "p", "--datasource", "d", "--base-url", &url, "--token-env", "TOKEN"])
            .arg("--checkpoint")
            .arg(dir.path().join(format!("{name}.state")))
            .env("TOKEN", "bench-token") // not-a-secret
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let mut peak = 0;
        let status = loop {
            peak = peak_kilobytes(child.id()).unwrap_or(peak);
            if let Some(status) = child.try_wait().expect("a child") {
                break status;
            }
            std::thread::park_timeout(Duration::from_millis(20));
        };
        let rate = f64::from(ROWS) / began.elapsed().as_secs_f64();
        println!(
            "{name:<18}{rate:>10.0} rows/s, peak {peak} kB, {status}; plain reading {plain:.0} rows/s, {:.0} times as fast",
            plain / rate
        );
    }
}

fn rows_per_second(work: impl FnOnce()) -> f64 {
    let began = Instant::now();
    work();
    f64::from(ROWS) / began.elapsed().as_secs_f64()
}

/// Reads the file line by line, and does nothing with it.
fn read_plainly(path: &Path) {
    let lines = BufReader::new(File::open(path).expect("a file")).lines();
    assert!(lines.map(|line| line.expect("text").len()).sum::<usize>() > 0);
}

fn peak_kilobytes(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find(|line| line.starts_with("VmHWM"))?.split_whitespace().nth(1)?.parse().ok()
}
