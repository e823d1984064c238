//! The import: rows through the writer, outcomes to the report.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use keyfit::Config;
use keyfit::batch_writer::{Builder, Delivery, Stopped, WriteError, Writer, Written};
use keyfit::instasent::ingest::{API, Client, DatasourceToken};
use keyfit::instasent::ingest_writer::ItemCheck;
use keyfit_conformance::UserError;
use keyfit_conformance::credential::secret::shown;
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc;

use crate::import::input::{Input, Position, Reader, Row, survey};
use crate::import::job::{Cells, Job};
use crate::import::options::{Options, Rows};
use crate::import::report::{Files, Report};
use crate::import::roles;
use crate::import::state::{State, Target};
use crate::terminal::console::{complain, place, print};
use crate::terminal::exit::Ending;
use crate::terminal::interrupt::Interrupts;

/// How many rows are read ahead of the writer.
const READ_AHEAD: usize = 256;

/// How the rows came to their end.
enum End {
    /// All were written.
    Complete,
    Stopped(Stopped),
    Interrupted,
    Failed(UserError),
    /// The file was written to while it was read.
    Changed,
}

/// Imports the rows.
pub(crate) fn run(options: &Options) -> Result<Ending, UserError> {
    in_runtime(import(options))
}

/// Runs what sends rows.
pub(crate) fn in_runtime(work: impl Future<Output = Result<Ending, UserError>>) -> Result<Ending, UserError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| UserError::new(format!("the runtime cannot be started: {error}")))?;
    let result = runtime.block_on(work);
    // A thread that waits for standard input, or reads a file that nobody wants any more, is not waited for.
    runtime.shutdown_background();
    result
}

async fn import(options: &Options) -> Result<Ending, UserError> {
    let client = client(options)?;
    let Options { project, datasource, rows, allowed, in_flight, .. } = options;
    let base_url = options.base_url.as_deref().unwrap_or(API.base_url()).trim_end_matches('/');
    let pairs = [("base_url", base_url), ("project", project), ("datasource", datasource), ("rows", rows.name())];
    let cells = match rows {
        Rows::Contacts => Cells::Contacts { allowed: allowed.clone() },
        Rows::Events => Cells::Events,
    };
    let job = Job {
        is_harmless: true,
        rejects: options.rejects.clone(),
        reasons: options.reasons.clone(),
        ..Job::new(options.feed.clone(), Target::of(pairs), cells)
    };
    let check = |check: ItemCheck| {
        let check = allowed.iter().fold(check, ItemCheck::allow_key);
        move |row: &[u8]| check.reasons(row)
    };
    // A flag that is not given is not sent.
    let (dry_run, sync) = (options.dry_run.then_some(true), options.sync.then_some(true));
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
pub(crate) async fn feed<T: Serialize>(job: Job, builder: Builder<T>) -> Result<Ending, UserError> {
    let mut interrupts =
        Interrupts::new().map_err(|error| UserError::new(format!("interrupts cannot be waited for: {error}")))?;
    let owned = job.clone();
    let prepared = tokio::select! {
        prepared = tokio::task::spawn_blocking(move || Prepared::of(&owned)) => prepared,
        () = interrupts.next() => {
            complain("interrupted while the file was read for the first time: nothing was sent");
            return Ok(Ending::Interrupted);
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

/// Everything that is found out before the first row is sent.
struct Prepared {
    input: Input,
    /// The end of the rows as they were then.
    surveyed: Option<Position>,
    rows: Reader,
    report: Report,
}

impl Prepared {
    fn of(job: &Job) -> Result<Self, UserError> {
        let options = &job.feed;
        let input = Input::of(&options.file)?;
        let format = options.format()?;
        if matches!(input, Input::Standard) && options.checkpoint.is_some() {
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
        // What is added from now on is for another run: it may be half a row.
        let rows = Reader::open(job, &input, format, surveyed.as_ref().map(Position::bytes))?;
        let size = surveyed.as_ref().map_or(0, Position::bytes);
        let state = State::load(job, &input, &rows.reading(options), size)?;
        let files = files.open(job, &state)?;
        // The text of another encoding is UTF-8 by now, which the mark says to who reads it again with the same options.
        let mark = if options.encoding.is_some() { "\u{feff}" } else { "" };
        let header = [mark.as_bytes(), rows.header()].concat();
        let report = Report::new(state, files, header, size);
        Ok(Self { input, surveyed, rows, report })
    }
}

fn client(options: &Options) -> Result<Client, UserError> {
    let name = &options.token_env;
    #[expect(clippy::disallowed_methods, reason = "a command line reads the environment")]
    let token = std::env::var(name).map_err(|_| {
        UserError::new(format!("the environment variable {} holds no token", shown(name)))
            .help("set it, or name another with --token-env")
    })?;
    let token = DatasourceToken::new(token);
    let token = token.map_err(|error| UserError::new(format!("invalid token in {name}: {error}")))?;
    let base_url = options.base_url.clone().unwrap_or_else(|| API.base_url().to_owned());
    let client = Client::with_config(token, Config::default().base_url(base_url));
    client.map_err(|error| UserError::new(error.to_string()))
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
    job: &'a Job,
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
    ) -> Result<Ending, UserError> {
        let builder = builder.resume(report.state.checkpoint.clone());
        // Before anything is sent: a run that is killed at once leaves files that the next one knows.
        report.save(report.state.checkpoint.clone(), false);
        if let Some(failure) = report.failure {
            return Err(failure);
        }
        let report = Arc::new(Mutex::new(report));
        let kept = Arc::clone(&report);
        let builder = builder.before_sending(move |checkpoint| lock(&kept).keep(checkpoint));
        let builder = match &self.job.dead_letters {
            Some((_, file)) => builder.dead_letters(Arc::clone(file)),
            None => builder,
        };
        let (told, teller) = (Arc::clone(&report), self.bar.clone());
        let receiver = move |delivery: &Delivery<'_>| {
            lock(&told).outcome(delivery, |line| teller.suspend(|| complain(line)));
        };
        let writer = builder.start(receiver).map_err(|error| UserError::new(error.to_string()))?;
        let mut end = tokio::select! {
            end = self.feed(&writer, read_ahead(rows), &report) => end,
            () = interrupts.next() => End::Interrupted,
        };
        // Outcomes of what was sent are worth waiting for, whatever ended the feeding.
        if !matches!(end, End::Interrupted) {
            tokio::select! {
                flushed = writer.flush() => {
                    if let (End::Complete, Err(stopped)) = (&end, flushed) {
                        end = End::Stopped(stopped);
                    }
                }
                () = interrupts.next() => end = End::Interrupted,
            }
        }
        if matches!(end, End::Interrupted) {
            let said = "interrupted: what is on its way is waited for; interrupt again to end at once";
            self.bar.suspend(|| complain(said));
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
    ) -> End {
        let mut count = 0_u64;
        loop {
            let Row { line, json, source, position } = match rows.recv().await {
                Some(Ok(Some(row))) => row,
                Some(Ok(None)) => return self.end_of(&lock(report).position),
                Some(Err(error)) => return End::Failed(self.input.failure(&error)),
                // The end of the file is told: silence is none.
                None => return End::Failed(UserError::new("it was not read to its end").at(self.input.name())),
            };
            // A line without an end that is not the last one is a part of what was there.
            if position.is_open() && self.surveyed.is_some_and(|surveyed| position.bytes() < surveyed.bytes()) {
                return End::Changed;
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
                Err(WriteError::Stopped(stopped)) => return End::Stopped(stopped),
                Err(error) => {
                    return End::Failed(UserError::new(format!("line {line}: {error}")).at(self.input.name()));
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
            self.bar
                .suspend(|| complain(&format!("note: {name} has grown since: a further run imports what was added")));
        }
        End::Complete
    }

    /// Saves what is confirmed, and says what came of it.
    fn conclude<T: Serialize>(&self, writer: &Writer<T>, report: &Mutex<Report>, end: End) -> Ending {
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
                complain(&error.to_string());
            }
        }
        let (is_interrupted, has_changed) = (matches!(end, End::Interrupted), matches!(end, End::Changed));
        let problem = match end {
            End::Failed(failure) => Some(failure),
            End::Changed => Some(self.changed()),
            End::Stopped(stopped) => Some(UserError::new(stopped.to_string())),
            End::Interrupted => report.failure.clone(),
            End::Complete => {
                let unsent = report.why_unsent.as_ref();
                let unsent = unsent.map(|why| UserError::new(format!("rows were not sent: {why}")));
                report.failure.clone().or(unsent)
            }
        };
        let is_cut_short = problem.is_some() || report.unknown + report.unsent > 0;
        let ending = match (&problem, rejected) {
            // What was not sent for it is no failure.
            (None, _) if is_interrupted => Ending::Interrupted,
            _ if is_cut_short => Ending::Incomplete,
            (_, 0) => Ending::Fine,
            _ => Ending::Findings,
        };
        if let Some(problem) = problem {
            complain(&problem.to_string());
        }
        if (is_interrupted || is_cut_short) && !has_changed {
            complain(&self.how_to_go_on());
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
