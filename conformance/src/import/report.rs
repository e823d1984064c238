//! The outcomes of rows: counted, written to the files of rejects and reasons, saved in the checkpoint, and shown to the user.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use keyfit::batch_writer::{Checkpoint, DeadLetters, Delivery, Outcome, Reason};
use keyfit::redact::{plain, plain_json};
use keyfit_conformance::UserError;
use serde_json::{Value, json};

use crate::import::input::{InvalidRow, Position, hint};
use crate::import::job::ImportJob;
use crate::import::output::Output;
use crate::import::roles;
use crate::import::state::{ReadProgress, State, lock_checkpoint};

/// Rows that are shown; the others are counted.
const MAX_SHOWN: u64 = 20;
/// The number of characters of a row's reasons that are shown.
const MAX_REASON_CHARS: usize = 300;
/// The interval between two writes of the checkpoint.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);

/// The files that an import writes, each of them locked.
pub(crate) struct Files {
    rejects: Option<Output>,
    reasons: Option<Output>,
    dead_letters: Option<(PathBuf, Arc<Mutex<DeadLetters>>)>,
    checkpoint: Option<PathBuf>,
    _lock: Option<File>,
}

pub(crate) struct Report {
    pub(crate) state: State,
    /// Rows that the server may have taken.
    pub(crate) unknown: u64,
    /// Rows that were not sent, or had no effect.
    pub(crate) unsent: u64,
    /// The reason for the first of them, which most have in common. It is shown at the end.
    pub(crate) why_unsent: Option<String>,
    /// The first failure to write a file: an unreported row must not count as reported.
    pub(crate) failure: Option<UserError>,
    files: Files,
    /// The beginning of a file of rejects.
    header: Vec<u8>,
    /// The original texts of the rows without an outcome, and the reasons of the invalid ones.
    open: HashMap<u64, (Vec<u8>, Option<InvalidRow>)>,
    /// The end of the last row that was read.
    pub(crate) position: Position,
    /// The length of the text, in bytes.
    size: u64,
    saved: Option<Instant>,
    shown: u64,
}

impl Files {
    /// Takes the lock of the checkpoint, before anything of it is read.
    pub(crate) fn lock(job: &ImportJob) -> Result<Self, UserError> {
        let checkpoint = job.feed.checkpoint.clone();
        let lock = checkpoint.as_deref().map(lock_checkpoint).transpose()?;
        Ok(Self { rejects: None, reasons: None, dead_letters: job.dead_letters.clone(), checkpoint, _lock: lock })
    }

    /// Opens the files that are written to.
    pub(crate) fn open(mut self, job: &ImportJob, state: &State) -> Result<Self, UserError> {
        let open = |role: &str, path: &Option<PathBuf>, known: &Option<_>| {
            path.as_ref().map(|path| Output::open(role, path, known.as_ref())).transpose()
        };
        // Once a file is there, it is known by more than its name: other letters of its name, or another way to its folder,
        // lead to it too.
        self.rejects = open("--rejects", &job.rejects, &state.rejects)?;
        roles::check(job)?;
        self.reasons = open("--reasons", &job.reasons, &state.reasons)?;
        roles::check(job)?;
        Ok(self)
    }
}

impl Report {
    pub(crate) fn new(state: State, files: Files, header: Vec<u8>, size: u64) -> Self {
        Self {
            state,
            unknown: 0,
            unsent: 0,
            why_unsent: None,
            failure: None,
            files,
            header,
            open: HashMap::new(),
            position: Position::default(),
            size,
            saved: None,
            shown: 0,
        }
    }

    /// Records a row that is about to be written.
    pub(crate) fn row(&mut self, line: u64, source: Vec<u8>, unfit: Option<InvalidRow>, position: Position) {
        self.position = position;
        if self.files.rejects.is_some() || unfit.is_some() {
            self.open.insert(line, (source, unfit));
        }
    }

    /// Forgets a row that had its outcome in an earlier run.
    pub(crate) fn skipped(&mut self, line: u64) {
        self.open.remove(&line);
    }

    /// Records an outcome. `tell` prints a line.
    pub(crate) fn outcome(&mut self, delivery: &Delivery<'_>, tell: impl Fn(&str)) {
        let line = delivery.sequence();
        let row = self.open.remove(&line);
        match delivery.outcome() {
            Outcome::Accepted => self.state.accepted += 1,
            Outcome::Rejected(reasons) => {
                self.state.rejected += 1;
                let (source, unfit) = row.unwrap_or_default();
                let reasons = reasons_with_hints(reasons, unfit, delivery.item());
                self.show(line, &words(&reasons), &tell);
                if let Err(error) = self.reject(line, &reasons, &source) {
                    self.failure = Some(error);
                }
            }
            Outcome::Unknown(why) if !why.may_have_been_sent() => {
                self.unsent += 1;
                self.why_unsent.get_or_insert_with(|| why.to_string());
            }
            Outcome::Unknown(why) => {
                self.unknown += 1;
                self.show(line, &format!("not confirmed: {}", plain(&why.to_string())), &tell);
            }
        }
        // After a failure the last good checkpoint stays.
        if self.files.checkpoint.is_some()
            && self.failure.is_none()
            && self.saved.is_none_or(|saved| saved.elapsed() >= SAVE_INTERVAL)
        {
            self.save(delivery.checkpoint(), false);
        }
    }

    /// Writes the checkpoint before rows are sent that must not be sent twice.
    pub(crate) fn save_before_sending(&mut self, checkpoint: &Checkpoint) -> io::Result<()> {
        if self.files.checkpoint.is_none() {
            return Ok(());
        }
        self.save(checkpoint.clone(), false);
        self.failure.as_ref().map_or(Ok(()), |failure| Err(io::Error::other(failure.to_string())))
    }

    /// Writes the other files to the disk, and then the checkpoint, which covers them.
    pub(crate) fn save(&mut self, checkpoint: Checkpoint, is_complete: bool) {
        if self.failure.is_none() {
            self.failure = self.try_save(checkpoint, is_complete).err();
        }
    }

    fn try_save(&mut self, checkpoint: Checkpoint, is_complete: bool) -> Result<(), UserError> {
        self.saved = Some(Instant::now());
        let Files { rejects, reasons, dead_letters, checkpoint: path, .. } = &mut self.files;
        if let Some((place, file)) = dead_letters {
            let synced = file.lock().unwrap_or_else(PoisonError::into_inner).sync();
            synced.map_err(|error| write_error("--dead-letters", &error).at(place.display()))?;
        }
        let sync = |role: &str, output: &mut Option<Output>| {
            let known = output.as_mut().map(|output| output.sync(is_complete)).transpose();
            known.map_err(|error| write_error(role, &error))
        };
        // The entries for files of other runs stay: they may be given again.
        let (rejects, reasons) = (sync("--rejects", rejects)?, sync("--reasons", reasons)?);
        self.state.rejects = rejects.or(self.state.rejects.take());
        self.state.reasons = reasons.or(self.state.reasons.take());
        self.state.checkpoint = checkpoint;
        // A run that has read less than an earlier one knows no more than that.
        if self.position.bytes() >= self.state.input.bytes() {
            self.state.input = ReadProgress::to(&self.position, self.size);
        }
        match path {
            Some(path) => {
                let saved = self.state.save(path);
                saved.map_err(|error| write_error("the checkpoint", &error).at(path.display()))
            }
            None => Ok(()),
        }
    }

    fn reject(&mut self, line: u64, reasons: &[InvalidRow], source: &[u8]) -> Result<(), UserError> {
        if let Some(file) = &mut self.files.rejects {
            let header = if file.is_empty() { self.header.as_slice() } else { &[] };
            let end: &[u8] = if source.ends_with(b"\n") || source.ends_with(b"\r") { b"" } else { b"\n" };
            let written = [header, source, end].into_iter().try_for_each(|part| file.write(part));
            written.map_err(|error| write_error("--rejects", &error))?;
        }
        if let Some(file) = &mut self.files.reasons {
            let reasons: Vec<Value> =
                reasons.iter().map(|InvalidRow { field, reason }| json!({"field": field, "message": reason})).collect();
            let text = format!("{}\n", plain_json(&json!({"line": line, "reasons": reasons}).to_string()));
            file.write(text.as_bytes()).map_err(|error| write_error("--reasons", &error))?;
        }
        Ok(())
    }

    fn show(&mut self, line: u64, text: &str, tell: impl Fn(&str)) {
        self.shown += 1;
        match self.shown {
            shown if shown <= MAX_SHOWN => tell(&format!("line {line}: {text}")),
            shown if shown == MAX_SHOWN + 1 => tell("further lines are counted, not shown"),
            _ => {}
        }
    }
}

fn write_error(what: &str, error: &io::Error) -> UserError {
    UserError::new(format!("{what} cannot be written: {error}"))
}

/// Returns the reasons why a row was rejected, by the reader, the writer, or the server, with a hint for the correct notation if it is known.
fn reasons_with_hints(reasons: &[Reason], unfit: Option<InvalidRow>, item: &[u8]) -> Vec<InvalidRow> {
    if let Some(unfit) = unfit {
        return vec![unfit];
    }
    let with_hint = |Reason { field, message, .. }: &Reason| {
        let hint = field.as_deref().and_then(|field| hint(item, field));
        let reason = hint.map_or_else(|| message.clone(), |hint| format!("{message} ({hint})"));
        InvalidRow { field: field.clone(), reason }
    };
    reasons.iter().map(with_hint).collect()
}

fn words(reasons: &[InvalidRow]) -> String {
    let one = |InvalidRow { field, reason }: &InvalidRow| match field {
        Some(field) => format!("{field}: {reason}"),
        None => reason.clone(),
    };
    let text = reasons.iter().map(one).collect::<Vec<_>>().join("; ");
    let mut shown: String = plain(&text).chars().take(MAX_REASON_CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
