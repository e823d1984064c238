//! The import: rows through the writer, outcomes to the report.

use std::fs::File;
use std::io::BufReader;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use keyfit::Config;
use keyfit::auth::DatasourceToken;
use keyfit::ingest_writer::{Record, Stopped, Summary, WriteError, Writer, Written};
use keyfit::instasent::ingest::{BASE_URL, Client, types};

use crate::options::{Format, Import, Rows};
use crate::report::Report;
use crate::rows::Reader;
use crate::state::State;

/// The exit code, or why nothing could begin.
pub(crate) fn run(import: &Import) -> Result<u8, String> {
    let format = import.format.or_else(|| Format::of(&import.file));
    let format = format.ok_or("the file's ending tells no format: give --format ndjson or csv")?;
    let place = import.file.display();
    let file = File::open(&import.file).map_err(|error| format!("{place} cannot be read: {error}"))?;
    let length = file.metadata().map_err(|error| format!("{place} cannot be read: {error}"))?.len();
    let rows = Reader::new(import, format, BufReader::with_capacity(1 << 16, file))
        .map_err(|error| format!("{place}: {error}"))?;
    let client = client(import)?;
    let state = State::load(import)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime can be started: {error}"))?;
    // It draws on a terminal only.
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {eta} {msg}") {
        bar.set_style(style);
    }
    let result = runtime.block_on(async {
        match import.rows {
            Rows::Contacts => write::<types::Contact>(import, &client, state, rows, &bar).await,
            Rows::Events => write::<types::Event>(import, &client, state, rows, &bar).await,
        }
    });
    bar.finish_and_clear();
    result
}

fn client(import: &Import) -> Result<Client, String> {
    let name = &import.token_env;
    #[expect(clippy::disallowed_methods, reason = "a command line reads the environment")]
    let token = std::env::var(name).map_err(|_| {
        format!("the environment variable {name} holds no token: set it, or name another with --token-env")
    })?;
    let token = DatasourceToken::new(token).map_err(|error| format!("the token in {name} is none: {error}"))?;
    let base_url = import.base_url.clone().unwrap_or_else(|| BASE_URL.to_owned());
    Client::with_config(token, Config::default().base_url(base_url)).map_err(|error| error.to_string())
}

async fn write<T: Record>(
    import: &Import,
    client: &Client,
    state: State,
    mut rows: Reader<BufReader<File>>,
    bar: &ProgressBar,
) -> Result<u8, String> {
    let mut builder = Writer::<T>::builder(&import.project, &import.datasource)
        .dry_run(import.dry_run)
        .sync(import.sync)
        .in_flight(import.in_flight)
        .resume(state.checkpoint.clone());
    for key in &import.allowed {
        builder = builder.allow_key(key);
    }
    let report = Arc::new(Mutex::new(Report::new(import, state)?));
    let (told, teller) = (Arc::clone(&report), bar.clone());
    let receiver = move |delivery: &keyfit::ingest_writer::Delivery<'_>| {
        lock(&told).outcome(delivery, |line| teller.suspend(|| eprintln!("{line}")));
    };
    let writer = builder.start(client, receiver).map_err(|error| error.to_string())?;
    let fed = feed(&writer, &mut rows, &report, bar).await;
    // Outcomes of what was sent are worth waiting for, whatever ended the feeding.
    let flushed = writer.flush().await;
    let checkpoint = writer.checkpoint();
    let skipped = writer.summary().skipped;
    drop(writer);
    let mut report = lock(&report);
    if report.failure.is_none() {
        report.save(checkpoint);
    }
    let failure = fed.err().or(report.failure.clone());
    bar.suspend(|| eprintln!("{}", conclusion(&report, skipped)));
    Ok(exit_code(&report, &flushed, failure.as_deref()))
}

/// Writes row after row until the end, or until the writer or the report stops.
async fn feed<T: Record>(
    writer: &Writer<T>,
    rows: &mut Reader<BufReader<File>>,
    report: &Mutex<Report>,
    bar: &ProgressBar,
) -> Result<(), String> {
    let mut count = 0_u64;
    loop {
        let Some(row) = rows.next().map_err(|error| format!("the file cannot be read on: {error}"))? else {
            return Ok(());
        };
        let written = match &row.json {
            Ok(json) => writer.write_json(row.line, json).await,
            Err((text, reason)) => writer.write_unfit(row.line, text, reason).await,
        };
        match written {
            Ok(Written::Taken(_) | Written::Skipped(_)) => {}
            // The flush says why.
            Err(WriteError::Stopped(_)) => return Ok(()),
            Err(error) => return Err(format!("line {}: {error}", row.line)),
        }
        count += 1;
        if count.is_multiple_of(256) {
            bar.set_position(row.read);
            let report = lock(report);
            bar.set_message(format!("{} accepted, {} rejected", report.state.accepted, report.state.rejected));
            if let Some(failure) = &report.failure {
                return Err(failure.clone());
            }
        }
    }
}

fn conclusion(report: &Report, skipped: u64) -> String {
    let State { accepted, rejected, .. } = &report.state;
    let unknown = if report.unknown > 0 { format!(", {} not confirmed", report.unknown) } else { String::new() };
    let earlier = if skipped > 0 { format!(" ({skipped} of them in an earlier run)") } else { String::new() };
    format!("{accepted} accepted, {rejected} rejected{unknown}{earlier}")
}

fn exit_code(report: &Report, flushed: &Result<Summary, Stopped>, failure: Option<&str>) -> u8 {
    if let Err(stopped) = flushed {
        eprintln!("keyfit: {stopped}");
    }
    if let Some(failure) = failure {
        eprintln!("keyfit: {failure}");
    }
    match (flushed.is_err() || failure.is_some() || report.unknown > 0, report.state.rejected) {
        (true, _) => 2,
        (false, 0) => 0,
        (false, _) => 1,
    }
}

fn lock(report: &Mutex<Report>) -> MutexGuard<'_, Report> {
    report.lock().unwrap_or_else(PoisonError::into_inner)
}
