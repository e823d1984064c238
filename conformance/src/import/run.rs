//! The import: rows through the writer, outcomes to the report.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use keyfit::Config;
use keyfit::batch_writer::{Builder, Delivery, Stopped, WriteError, Writer, Written};
use keyfit::instasent::ingest::{API, Client, DatasourceToken};
use keyfit::instasent::ingest_writer::ItemCheck;
use keyfit_conformance::UserError;
use keyfit_conformance::credential::secret::name_for_message;
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc;

use crate::import::args::{ImportArgs, Rows};
use crate::import::input::{Input, Position, Reader, Row, survey};
use crate::import::job::{Cells, ImportJob};
use crate::import::report::{Files, Report};
use crate::import::roles;
use crate::import::state::{State, Target};
use crate::terminal::console::{place, print, print_message};
use crate::terminal::exit::ExitStatus;
use crate::terminal::interrupt::Interrupts;

/// The number of rows that are read ahead of the writer.
const READ_AHEAD_ROWS: usize = 256;

/// The reason why the reading of rows ended.
enum FeedEnd {
    /// All were written.
    Complete,
    Stopped(Stopped),
    Interrupted,
    Failed(UserError),
    /// The file was written to while it was read.
    Changed,
}

/// Imports the rows.
pub(crate) fn run(args: &ImportArgs) -> Result<ExitStatus, UserError> {
    in_runtime(import(args))
}

/// Runs a future on a new runtime.
pub(crate) fn in_runtime(work: impl Future<Output = Result<ExitStatus, UserError>>) -> Result<ExitStatus, UserError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| UserError::new(format!("the runtime cannot be started: {error}")))?;
    let result = runtime.block_on(work);
    // Does not wait for a thread that still reads standard input or a file.
    runtime.shutdown_background();
    result
}

async fn import(args: &ImportArgs) -> Result<ExitStatus, UserError> {
    let client = client(args)?;
    let ImportArgs { project, datasource, rows, allowed, in_flight, .. } = args;
    let base_url = args.base_url.as_deref().unwrap_or(API.base_url()).trim_end_matches('/');
    let pairs = [("base_url", base_url), ("project", project), ("datasource", datasource), ("rows", rows.name())];
    let cells = match rows {
        Rows::Contacts => Cells::Contacts { allowed: allowed.clone() },
        Rows::Events => Cells::Events,
    };
    let job = ImportJob {
        is_harmless: true,
        rejects: args.rejects.clone(),
        reasons: args.reasons.clone(),
        ..ImportJob::new(args.feed.clone(), Target::of(pairs), cells)
    };
    let check = |check: ItemCheck| {
        let check = allowed.iter().fold(check, ItemCheck::allow_key);
        move |row: &[u8]| check.reasons(row)
    };
    // A flag that is not given is not sent.
    let (dry_run, sync) = (args.dry_run.then_some(true), args.sync.then_some(true));
    match rows {
        Rows::Contacts => {
            let call = client.stream_contacts_push().project(&**project).datasource(&**datasource);
            let call = call.maybe_dry_run(dry_run).maybe_sync(sync);
            feed(job, call.writer().check(check(ItemCheck::contacts())).max_in_flight(*in_flight)).await
        }
        Rows::Events => {
            let call = client.stream_events_push().project(&**project).datasource(&**datasource);
            let call = call.maybe_dry_run(dry_run).maybe_sync(sync);
            feed(job, call.writer().check(check(ItemCheck::events())).max_in_flight(*in_flight)).await
        }
    }
}

/// Sends all rows of a job through a writer.
pub(crate) async fn feed<T: Serialize>(job: ImportJob, builder: Builder<T>) -> Result<ExitStatus, UserError> {
    let mut interrupts =
        Interrupts::new().map_err(|error| UserError::new(format!("interrupts cannot be waited for: {error}")))?;
    let owned = job.clone();
    let prepared = tokio::select! {
        prepared = tokio::task::spawn_blocking(move || Prepared::of(&owned)) => prepared,
        () = interrupts.next() => {
            print_message("interrupted while the file was read for the first time: nothing was sent");
            return Ok(ExitStatus::Interrupted);
        }
    };
    let prepared = prepared.map_err(|error| UserError::new(format!("the reading broke off: {error}")))?;
    let Prepared { input, surveyed, rows, report } = prepared?;
    let bar = progress(&input);
    let run = Run { job: &job, input: &input, surveyed: surveyed.as_ref(), bar: &bar };
    let ended = run.write(builder, report, rows, interrupts).await;
    bar.finish_and_clear();
    ended
}

/// The state before the first row is sent.
struct Prepared {
    input: Input,
    /// The end of the rows at that time.
    surveyed: Option<Position>,
    rows: Reader,
    report: Report,
}

impl Prepared {
    fn of(job: &ImportJob) -> Result<Self, UserError> {
        let args = &job.feed;
        let input = Input::of(&args.file)?;
        let format = args.format()?;
        if matches!(input, Input::Standard) && args.checkpoint.is_some() {
            return Err(UserError::new("--checkpoint is for files")
                .help("leave it out: standard input cannot be compared with what was read before"));
        }
        roles::check(job)?;
        let files = Files::lock(job)?;
        let failed = |error: io::Error| input.failure(&error);
        let surveyed = match input {
            Input::File { .. } => Some(survey(Reader::open(job, &input, format, None)?).map_err(failed)?),
            Input::Standard => None,
        };
        // Rows that are added from now on are for another run: the last one may be incomplete.
        let rows = Reader::open(job, &input, format, surveyed.as_ref().map(Position::bytes))?;
        let size = surveyed.as_ref().map_or(0, Position::bytes);
        let state = State::load(job, &input, &rows.reading(args), size)?;
        let files = files.open(job, &state)?;
        // The text of another encoding is UTF-8 by now, which the mark says to who reads it again with the same options.
        let mark = if args.encoding.is_some() { "\u{feff}" } else { "" };
        let header = [mark.as_bytes(), rows.header()].concat();
        let report = Report::new(state, files, header, size);
        Ok(Self { input, surveyed, rows, report })
    }
}

fn client(args: &ImportArgs) -> Result<Client, UserError> {
    let name = &args.token_env;
    #[expect(clippy::disallowed_methods, reason = "a command line reads the environment")]
    let token = std::env::var(name).map_err(|_| {
        UserError::new(format!("the environment variable {} holds no token", name_for_message(name)))
            .help("set it, or name another with --token-env")
    })?;
    let token = DatasourceToken::new(token);
    let token = token.map_err(|error| UserError::new(format!("invalid token in {name}: {error}")))?;
    let base_url = args.base_url.clone().unwrap_or_else(|| API.base_url().to_owned());
    let client = Client::with_config(token, Config::default().base_url(base_url));
    client.map_err(|error| UserError::new(error.to_string()))
}

/// Returns a progress bar, which is only drawn on a terminal.
fn progress(input: &Input) -> ProgressBar {
    let Some((length, _)) = input.progress() else { return ProgressBar::hidden() };
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {eta} {msg}") {
        bar.set_style(style);
    }
    bar
}

struct Run<'a> {
    job: &'a ImportJob,
    input: &'a Input,
    /// The end of the rows as they were before any was sent.
    surveyed: Option<&'a Position>,
    bar: &'a ProgressBar,
}

impl Run<'_> {
    async fn write<T: Serialize>(
        self,
        builder: Builder<T>,
        mut report: Report,
        rows: Reader,
        mut interrupts: Interrupts,
    ) -> Result<ExitStatus, UserError> {
        let builder = builder.resume(report.state.checkpoint.clone());
        // Before anything is sent: a run that is killed at once leaves files that the next one knows.
        report.save(report.state.checkpoint.clone(), false);
        if let Some(failure) = report.failure {
            return Err(failure);
        }
        let report = Arc::new(Mutex::new(report));
        let saved_report = Arc::clone(&report);
        let builder = builder.before_sending(move |checkpoint| lock(&saved_report).save_before_sending(checkpoint));
        let builder = match &self.job.dead_letters {
            Some((_, file)) => builder.dead_letters(Arc::clone(file)),
            None => builder,
        };
        let (shared_report, progress_bar) = (Arc::clone(&report), self.bar.clone());
        let receiver = move |delivery: &Delivery<'_>| {
            lock(&shared_report).outcome(delivery, |line| progress_bar.suspend(|| print_message(line)));
        };
        let writer = builder.start(receiver).map_err(|error| UserError::new(error.to_string()))?;
        let mut end = tokio::select! {
            end = self.feed(&writer, read_ahead(rows), &report) => end,
            () = interrupts.next() => FeedEnd::Interrupted,
        };
        // Outcomes of what was sent are worth waiting for, whatever ended the feeding.
        if !matches!(end, FeedEnd::Interrupted) {
            tokio::select! {
                flushed = writer.flush() => {
                    if let (FeedEnd::Complete, Err(stopped)) = (&end, flushed) {
                        end = FeedEnd::Stopped(stopped);
                    }
                }
                () = interrupts.next() => end = FeedEnd::Interrupted,
            }
        }
        if matches!(end, FeedEnd::Interrupted) {
            let said = "interrupted: what is on its way is waited for; interrupt again to end at once";
            self.bar.suspend(|| print_message(said));
            interrupts.exit_with_next();
            writer.halt().await;
        }
        Ok(self.conclude(&writer, &report, end))
    }

    /// Writes row after row until the end, or until the writer or the report stops.
    async fn feed<T: Serialize>(
        &self,
        writer: &Writer<T>,
        mut rows: mpsc::Receiver<io::Result<Option<Row>>>,
        report: &Mutex<Report>,
    ) -> FeedEnd {
        let mut count = 0_u64;
        loop {
            let Row { line, json, source, position } = match rows.recv().await {
                Some(Ok(Some(row))) => row,
                Some(Ok(None)) => return self.end_of(&lock(report).position),
                Some(Err(error)) => return FeedEnd::Failed(self.input.failure(&error)),
                // The reader reports the end of the file: a closed channel is not one.
                None => return FeedEnd::Failed(UserError::new("it was not read to its end").at(self.input.name())),
            };
            // A line without an end that is not the last one is a part of what was there.
            if position.is_open() && self.surveyed.is_some_and(|surveyed| position.bytes() < surveyed.bytes()) {
                return FeedEnd::Changed;
            }
            let (json, unfit) = match json {
                Ok(json) => (json, None),
                Err(unfit) => (Vec::new(), Some(unfit)),
            };
            let reason = unfit.as_ref().map(|unfit| (unfit.reason.clone(), source.clone()));
            lock(report).row(line, source, unfit, position);
            let written = match reason {
                None => writer.write_json(line, json).await,
                Some((reason, source)) => writer.write_unfit(line, &source, &reason).await,
            };
            match written {
                Ok(Written::Taken(_)) => {}
                Ok(Written::Skipped(_)) => lock(report).skipped(line),
                Err(WriteError::Stopped(stopped)) => return FeedEnd::Stopped(stopped),
                Err(error) => {
                    return FeedEnd::Failed(UserError::new(format!("line {line}: {error}")).at(self.input.name()));
                }
            }
            count += 1;
            if count.is_multiple_of(256) {
                if let Some((_, read)) = self.input.progress() {
                    self.bar.set_position(read);
                }
                let report = lock(report);
                self.bar.set_message(format!("{} accepted, {} rejected", report.state.accepted, report.state.rejected));
                if let Some(failure) = &report.failure {
                    return FeedEnd::Failed(failure.clone());
                }
            }
        }
    }

    /// Checks that the rows that were sent are those that were surveyed.
    fn end_of(&self, position: &Position) -> FeedEnd {
        if self.surveyed.is_some_and(|surveyed| surveyed.sha256() != position.sha256()) {
            return FeedEnd::Changed;
        }
        if self.input.has_grown() {
            let name = self.input.name();
            self.bar.suspend(|| {
                print_message(&format!("note: {name} has grown since: a further run imports what was added"));
            });
        }
        FeedEnd::Complete
    }

    /// Saves the checkpoint, prints the summary, and returns the exit status.
    fn conclude<T: Serialize>(&self, writer: &Writer<T>, report: &Mutex<Report>, end: FeedEnd) -> ExitStatus {
        let mut report = lock(report);
        report.save(writer.checkpoint(), true);
        let State { accepted, rejected, .. } = report.state;
        let some = |count: u64, what: &str| if count > 0 { format!(", {count} {what}") } else { String::new() };
        let open = some(report.unknown, "not confirmed") + &some(report.unsent, "not sent");
        let skipped = writer.summary().skipped;
        let earlier = if skipped > 0 { format!(" ({skipped} of them in an earlier run)") } else { String::new() };
        self.bar.suspend(|| eprintln!("{accepted} accepted, {rejected} rejected{open}{earlier}"));
        if self.job.json {
            let (unknown, unsent) = (report.unknown, report.unsent);
            let summary = json!({ "accepted": accepted, "rejected": rejected, "unknown": unknown, "unsent": unsent, "skipped": skipped });
            if let Err(error) = print(&format!("{summary}\n")) {
                print_message(&error.to_string());
            }
        }
        let (is_interrupted, has_changed) = (matches!(end, FeedEnd::Interrupted), matches!(end, FeedEnd::Changed));
        let problem = match end {
            FeedEnd::Failed(failure) => Some(failure),
            FeedEnd::Changed => Some(self.changed()),
            FeedEnd::Stopped(stopped) => Some(UserError::new(stopped.to_string())),
            FeedEnd::Interrupted => report.failure.clone(),
            FeedEnd::Complete => {
                let unsent = report.why_unsent.as_ref();
                let unsent = unsent.map(|why| UserError::new(format!("rows were not sent: {why}")));
                report.failure.clone().or(unsent)
            }
        };
        let is_cut_short = problem.is_some() || report.unknown + report.unsent > 0;
        let ending = match (&problem, rejected) {
            // Rows that were not sent because of it are not a failure.
            (None, _) if is_interrupted => ExitStatus::Interrupted,
            _ if is_cut_short => ExitStatus::Incomplete,
            (_, 0) => ExitStatus::Success,
            _ => ExitStatus::Findings,
        };
        if let Some(problem) = problem {
            print_message(&problem.to_string());
        }
        if (is_interrupted || is_cut_short) && !has_changed {
            print_message(&self.how_to_go_on());
        }
        ending
    }

    fn changed(&self) -> UserError {
        let restart = if self.job.feed.checkpoint.is_some() { " with --restart" } else { "" };
        UserError::new("the file was changed while it was read, and rows of both versions may have been sent")
            .at(self.input.name())
            .help(format!("once nothing writes to it, import it from its first row{restart}"))
    }

    fn how_to_go_on(&self) -> String {
        match &self.job.feed.checkpoint {
            Some(path) => format!(
                "to go on, run the same command again: {} says what is confirmed, and that is not sent again",
                place(path)
            ),
            None if self.job.is_harmless => {
                "a further run begins with the first row: rows that are sent twice change nothing, and --checkpoint \
                 makes it go on"
                    .to_owned()
            }
            None => {
                "a further run would begin with the first row, and send again what was accepted: take those rows out first; \
                 --checkpoint, from the first run on, makes it go on"
                    .to_owned()
            }
        }
    }
}

/// Reads on a thread of its own, so that nothing else waits for a pipe. `None` is the end.
fn read_ahead(mut rows: Reader) -> mpsc::Receiver<io::Result<Option<Row>>> {
    let (sender, receiver) = mpsc::channel(READ_AHEAD_ROWS);
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
