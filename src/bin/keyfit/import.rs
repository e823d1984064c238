//! The import: rows through the writer, outcomes to the report.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use keyfit::Config;
use keyfit::instasent::ingest::{BASE_URL, Client, DatasourceToken, types};
use keyfit::instasent::ingest_writer::{Record, Stopped, WriteError, Writer, Written};
use keyfit::redact::plain;
use tokio::sync::{Notify, mpsc};

use crate::input::{Input, Position, Reader, Row, survey};
use crate::options::{Format, Import, Rows};
use crate::report::{Files, Report};
use crate::say::{place, say};
use crate::state::State;
use crate::{interrupt, roles};

/// How many rows are read ahead of the writer.
const READ_AHEAD: usize = 256;

/// How the rows came to their end.
enum End {
    /// All were written.
    Complete,
    Stopped(Stopped),
    Interrupted,
    Failed(String),
    /// The file was written to while it was read.
    Changed,
}

/// The exit code, or why nothing could begin.
pub(crate) fn run(import: &Import) -> Result<u8, String> {
    let input = Input::of(&import.file)?;
    let format = import.format.or_else(|| Format::of(&import.file));
    let format = format.ok_or("the file's ending does not tell the format: give --format ndjson or csv")?;
    if matches!(input, Input::Standard) && import.checkpoint.is_some() {
        return Err("--checkpoint is for files: standard input cannot be compared with what was read before".to_owned());
    }
    roles::check(import)?;
    let client = client(import)?;
    let files = Files::lock(import)?;
    let failed = |error: io::Error| input.failure(&error);
    let surveyed = match input {
        Input::File { .. } => Some(survey(Reader::open(import, &input, format, None)?).map_err(failed)?),
        Input::Standard => None,
    };
    // What is added from now on is for another run: it may be half a row.
    let rows = Reader::open(import, &input, format, surveyed.as_ref().map(Position::bytes))?;
    let size = surveyed.as_ref().map_or(0, Position::bytes);
    let state = State::load(import, &input, &rows.reading(import), size)?;
    let files = files.open(import, &state)?;
    // The text of another encoding is UTF-8 by now, which the mark says to who reads it again with the same options.
    let mark = if import.encoding.is_some() { "\u{feff}" } else { "" };
    let header = [mark.as_bytes(), rows.header()].concat();
    let report = Report::new(state, files, header, size);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| format!("the runtime cannot be started: {error}"))?;
    let bar = progress(&input);
    let result = runtime.block_on(async {
        let run = Run {
            import,
            client: &client,
            input: &input,
            surveyed: surveyed.as_ref(),
            bar: &bar,
            interrupt: interrupt::listen(),
        };
        match import.rows {
            Rows::Contacts => run.write::<types::Contact>(report, rows).await,
            Rows::Events => run.write::<types::Event>(report, rows).await,
        }
    });
    // A thread that waits for standard input is not waited for.
    runtime.shutdown_background();
    bar.finish_and_clear();
    result
}

fn client(import: &Import) -> Result<Client, String> {
    let name = &import.token_env;
    #[expect(clippy::disallowed_methods, reason = "a command line reads the environment")]
    let token = std::env::var(name).map_err(|_| {
        format!("the environment variable {name} holds no token: set it, or name another with --token-env")
    })?;
    let token = DatasourceToken::new(token).map_err(|error| format!("invalid token in {name}: {error}"))?;
    let base_url = import.base_url.clone().unwrap_or_else(|| BASE_URL.to_owned());
    Client::with_config(token, Config::default().base_url(base_url)).map_err(|error| error.to_string())
}

/// It draws on a terminal only.
fn progress(input: &Input) -> ProgressBar {
    let Some((length, _)) = input.progress() else { return ProgressBar::hidden() };
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {eta} {msg}") {
        bar.set_style(style);
    }
    bar
}

struct Run<'a> {
    import: &'a Import,
    client: &'a Client,
    input: &'a Input,
    /// The end of the rows as they were before any was sent.
    surveyed: Option<&'a Position>,
    bar: &'a ProgressBar,
    interrupt: Arc<Notify>,
}

impl Run<'_> {
    async fn write<T: Record>(self, mut report: Report, rows: Reader) -> Result<u8, String> {
        let import = self.import;
        let mut builder = Writer::<T>::builder(&import.project, &import.datasource)
            .dry_run(import.dry_run)
            .sync(import.sync)
            .in_flight(import.in_flight)
            .resume(report.state.checkpoint.clone());
        for key in &import.allowed {
            builder = builder.allow_key(key);
        }
        // Before anything is sent: a run that is killed at once leaves files that the next one knows.
        report.save(report.state.checkpoint.clone(), false);
        if let Some(failure) = report.failure {
            return Err(failure);
        }
        let report = Arc::new(Mutex::new(report));
        let (told, teller) = (Arc::clone(&report), self.bar.clone());
        let receiver = move |delivery: &keyfit::instasent::ingest_writer::Delivery<'_>| {
            lock(&told).outcome(delivery, |line| teller.suspend(|| say(line)));
        };
        let writer = builder.start(self.client, receiver).map_err(|error| error.to_string())?;
        let mut end = tokio::select! {
            end = self.feed(&writer, read_ahead(rows), &report) => end,
            () = self.interrupt.notified() => End::Interrupted,
        };
        // Outcomes of what was sent are worth waiting for, whatever ended the feeding.
        if !matches!(end, End::Interrupted) {
            tokio::select! {
                flushed = writer.flush() => {
                    if let (End::Complete, Err(stopped)) = (&end, flushed) {
                        end = End::Stopped(stopped);
                    }
                }
                () = self.interrupt.notified() => end = End::Interrupted,
            }
        }
        if matches!(end, End::Interrupted) {
            writer.halt().await;
        }
        Ok(self.conclude(&writer, &report, end))
    }

    /// Writes row after row until the end, or until the writer or the report stops.
    async fn feed<T: Record>(
        &self,
        writer: &Writer<T>,
        mut rows: mpsc::Receiver<io::Result<Option<Row>>>,
        report: &Mutex<Report>,
    ) -> End {
        let mut count = 0_u64;
        loop {
            let Row { line, json, source, position } = match rows.recv().await {
                Some(Ok(Some(row))) => row,
                Some(Ok(None)) => return self.end_of(&lock(report).position),
                Some(Err(error)) => return End::Failed(self.input.failure(&error)),
                // The end of the file is told: silence is none.
                None => return End::Failed(format!("{} was not read to its end", self.input.name())),
            };
            // A line without an end that is not the last one is a part of what was there.
            if position.is_open() && self.surveyed.is_some_and(|surveyed| position.bytes() < surveyed.bytes()) {
                return End::Changed;
            }
            let (json, unfit) = match json {
                Ok(json) => (json, None),
                Err(unfit) => (Vec::new(), Some(unfit)),
            };
            let reason = unfit.as_ref().map(|unfit| unfit.reason.clone());
            lock(report).row(line, source, unfit, position);
            let written = match reason {
                None => writer.write_json(line, json).await,
                Some(reason) => writer.write_unfit(line, &[], &reason).await,
            };
            match written {
                Ok(Written::Taken(_)) => {}
                Ok(Written::Skipped(_)) => lock(report).skipped(line),
                Err(WriteError::Stopped(stopped)) => return End::Stopped(stopped),
                Err(error) => return End::Failed(format!("line {line}: {error}")),
            }
            count += 1;
            if count.is_multiple_of(256) {
                if let Some((_, read)) = self.input.progress() {
                    self.bar.set_position(read);
                }
                let report = lock(report);
                self.bar.set_message(format!("{} accepted, {} rejected", report.state.accepted, report.state.rejected));
                if let Some(failure) = &report.failure {
                    return End::Failed(failure.clone());
                }
            }
        }
    }

    /// The rows that were sent have to be those that were surveyed.
    fn end_of(&self, position: &Position) -> End {
        if self.surveyed.is_some_and(|surveyed| surveyed.sha256() != position.sha256()) {
            return End::Changed;
        }
        if self.input.has_grown() {
            let name = self.input.name();
            self.bar.suspend(|| say(&format!("note: {name} has grown since: a further run imports what was added")));
        }
        End::Complete
    }

    /// Saves what is confirmed, says what came of it, and gives the exit code.
    fn conclude<T: Record>(&self, writer: &Writer<T>, report: &Mutex<Report>, end: End) -> u8 {
        let mut report = lock(report);
        report.save(writer.checkpoint(), true);
        let State { accepted, rejected, .. } = report.state;
        let some = |count: u64, what: &str| if count > 0 { format!(", {count} {what}") } else { String::new() };
        let open = some(report.unknown, "not confirmed") + &some(report.unsent, "not sent");
        let skipped = writer.summary().skipped;
        let earlier = if skipped > 0 { format!(" ({skipped} of them in an earlier run)") } else { String::new() };
        self.bar.suspend(|| eprintln!("{accepted} accepted, {rejected} rejected{open}{earlier}"));
        let (is_interrupted, has_changed) = (matches!(end, End::Interrupted), matches!(end, End::Changed));
        let problem = match end {
            End::Failed(failure) => Some(failure),
            End::Changed => Some(format!(
                "{} was changed while it was read, and rows of both versions may have been sent: once nothing writes to it, \
                 import it from its first row{}",
                self.input.name(),
                if self.import.checkpoint.is_some() { " with --restart" } else { "" }
            )),
            End::Stopped(stopped) => Some(plain(&stopped.to_string())),
            End::Interrupted => report.failure.clone(),
            End::Complete => {
                let unsent = report.why_unsent.as_ref().map(|why| format!("rows were not sent: {}", plain(why)));
                report.failure.clone().or(unsent)
            }
        };
        if let Some(problem) = &problem {
            say(&format!("keyfit: {problem}"));
        }
        let is_cut_short = problem.is_some() || report.unknown + report.unsent > 0;
        if (is_interrupted || is_cut_short) && !has_changed {
            say(&self.how_to_go_on());
        }
        match (problem, rejected) {
            // What was not sent for it is no failure.
            (None, _) if is_interrupted => interrupt::CODE,
            _ if is_cut_short => 2,
            (_, 0) => 0,
            _ => 1,
        }
    }

    fn how_to_go_on(&self) -> String {
        match &self.import.checkpoint {
            Some(path) => format!(
                "to go on, run the same command again: {} says what is confirmed, and that is not sent again",
                place(path)
            ),
            None => {
                "a further run begins with the first row: rows that are sent twice change nothing, and --checkpoint \
                     makes it go on"
                    .to_owned()
            }
        }
    }
}

/// Reads on a thread of its own, so that nothing else waits for a pipe. `None` is the end.
fn read_ahead(mut rows: Reader) -> mpsc::Receiver<io::Result<Option<Row>>> {
    let (sender, receiver) = mpsc::channel(READ_AHEAD);
    std::thread::spawn(move || {
        loop {
            let row = rows.next();
            let is_last = !matches!(row, Ok(Some(_)));
            if sender.blocking_send(row).is_err() || is_last {
                break;
            }
        }
    });
    receiver
}

fn lock(report: &Mutex<Report>) -> MutexGuard<'_, Report> {
    report.lock().unwrap_or_else(PoisonError::into_inner)
}
