//! A million rows through `keyfit instasent import`, as NDJSON and as CSV, and both against the crates `serde_json` and `csv` that
//! read the same files and do nothing with them: `cargo bench -p keyfit-conformance --bench import`.

#[path = "../../benches/history/mod.rs"]
mod history;
#[path = "support/process.rs"]
mod process;
#[path = "../../benches/server/mod.rs"]
mod server;

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use process::finish;
use serde_json::value::RawValue;
use server::{Plain, serve};

const ROWS: u32 = 1_000_000;
const ROUNDS: usize = 3;

fn main() {
    let dir = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let url = runtime.block_on(serve(Arc::new(Plain(Duration::ZERO))));
    let [json, csv] = ["ndjson", "csv"].map(|kind| dir.path().join(format!("contacts.{kind}")));
    write(&json, "", |row| {
        format!(r#"{{"_user_id":"user-{row}","_email":"ada-{row}@example.com","_phone_mobile":"+34600000000"}}"#)
    });
    write(&csv, "_user_id,_email,_phone_mobile\n", |row| format!("user-{row},ada-{row}@example.com,+34600000000"));
    let mut rounds: Vec<[f64; 4]> = Vec::new();
    for _ in 0..ROUNDS {
        let [of_json, of_csv] = [&json, &csv].map(|path| import(path, &url));
        rounds.push([of_json, of_csv, rows_per_second(|| read_json(&json)), rows_per_second(|| read_csv(&csv))]);
    }
    let figure = |name: &str, of: fn(&[f64; 4]) -> f64| {
        history::figure("import", name, &rounds.iter().map(of).collect::<Vec<_>>());
    };
    figure("NDJSON, rows/s", |round| round[0]);
    figure("CSV, rows/s", |round| round[1]);
    figure("time of CSV, of that of NDJSON (aim: 1.5)", |round| round[0] / round[1]);
    figure("time of NDJSON, of that of reading alone", |round| round[2] / round[0]);
    figure("time of CSV, of that of reading alone", |round| round[3] / round[1]);
}

fn write(path: &Path, head: &str, line: impl Fn(u32) -> String) {
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    file.write_all(head.as_bytes()).expect("a header");
    for row in 0..ROWS {
        writeln!(file, "{}", line(row)).expect("a row");
    }
    file.flush().expect("a file");
}

/// Rows per second.
fn import(path: &Path, url: &str) -> f64 {
    let state = path.with_extension("state");
    // That of the round before.
    let _ = fs::remove_file(&state);
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyfit"));
    command.args(["instasent", "import"]).arg(path);
    command.args(["--project", "p", "--datasource", "d", "--base-url", url, "--token-env", "TOKEN", "--checkpoint"]);
    let run = finish(command.arg(state).env("TOKEN", "bench-token")); // not-a-secret
    assert_eq!(run.code, Some(0), "{}", run.said);
    println!("{}: peak {:.0} MB", path.extension().unwrap_or_default().display(), run.megabytes);
    f64::from(ROWS) / run.wall.as_secs_f64()
}

fn rows_per_second(work: impl FnOnce()) -> f64 {
    let began = Instant::now();
    work();
    f64::from(ROWS) / began.elapsed().as_secs_f64()
}

fn read_json(path: &Path) {
    for line in BufReader::new(File::open(path).expect("a file")).lines() {
        black_box(serde_json::from_str::<&RawValue>(&line.expect("text")).expect("JSON"));
    }
}

fn read_csv(path: &Path) {
    let mut reader = csv::Reader::from_path(path).expect("a file");
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).expect("a record") {
        black_box(&record);
    }
}
