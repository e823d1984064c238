//! What becomes of each row: counted, written to the file of rejects, kept in the checkpoint, and told to the user.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use keyfit::batch::Reason;
use keyfit::ingest_writer::{Checkpoint, Delivery, Outcome};
use serde_json::{Value, json};

use crate::options::Import;
use crate::state::State;

/// Rows that are shown; the others are counted.
const MOST_SHOWN: u64 = 20;
/// How often the checkpoint is written.
const EVERY: Duration = Duration::from_secs(1);

pub(crate) struct Report {
    pub(crate) state: State,
    pub(crate) unknown: u64,
    /// What went wrong here: a row that is not reported must not be taken for reported.
    pub(crate) failure: Option<String>,
    rejects: Option<BufWriter<File>>,
    checkpoint: Option<PathBuf>,
    saved: Option<Instant>,
    shown: u64,
}

impl Report {
    pub(crate) fn new(import: &Import, state: State) -> Result<Self, String> {
        let open = |path: &PathBuf| {
            open_rejects(path, state.rejects_bytes)
                .map_err(|error| format!("{} cannot be written: {error}", path.display()))
        };
        let rejects = import.rejects.as_ref().map(open).transpose()?;
        let checkpoint = import.checkpoint.clone();
        Ok(Self { state, unknown: 0, failure: None, rejects, checkpoint, saved: None, shown: 0 })
    }

    /// An outcome. `tell` prints a line.
    pub(crate) fn outcome(&mut self, delivery: &Delivery<'_>, tell: impl Fn(&str)) {
        let line = delivery.sequence();
        match delivery.outcome() {
            Outcome::Accepted => self.state.accepted += 1,
            Outcome::Rejected(reasons) => {
                self.state.rejected += 1;
                self.show(line, &words(reasons), &tell);
                if let Err(error) = self.reject(line, reasons, delivery.item()) {
                    self.failure = Some(format!("the file of rejects cannot be written: {error}"));
                }
            }
            Outcome::Unknown(why) => {
                self.unknown += 1;
                self.show(line, &format!("not confirmed: {why}"), &tell);
            }
        }
        // After a failure the last good checkpoint stays.
        if self.checkpoint.is_some()
            && self.failure.is_none()
            && self.saved.is_none_or(|saved| saved.elapsed() >= EVERY)
        {
            self.save(delivery.checkpoint());
        }
    }

    /// Writes the checkpoint, and before it the rejects that it covers.
    pub(crate) fn save(&mut self, checkpoint: Checkpoint) {
        self.state.checkpoint = checkpoint;
        self.saved = Some(Instant::now());
        if let Err(error) = self.flush() {
            self.failure = Some(format!("the file of rejects cannot be written: {error}"));
        } else if let Some(path) = &self.checkpoint
            && let Err(error) = self.state.save(path)
        {
            self.failure = Some(format!("the checkpoint {} cannot be written: {error}", path.display()));
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.rejects {
            Some(file) => {
                file.flush()?;
                file.get_ref().sync_data()
            }
            None => Ok(()),
        }
    }

    fn reject(&mut self, line: u64, reasons: &[Reason], item: &[u8]) -> io::Result<()> {
        let Some(file) = &mut self.rejects else { return Ok(()) };
        let reasons: Vec<Value> =
            reasons.iter().map(|reason| json!({"field": reason.field, "message": reason.message})).collect();
        // What is no JSON is kept as text.
        let item: Value = serde_json::from_slice(item).unwrap_or_else(|_| String::from_utf8_lossy(item).into());
        let text = format!("{}\n", json!({"line": line, "reasons": reasons, "item": item}));
        self.state.rejects_bytes += text.len() as u64;
        file.write_all(text.as_bytes())
    }

    fn show(&mut self, line: u64, text: &str, tell: impl Fn(&str)) {
        self.shown += 1;
        match self.shown {
            shown if shown <= MOST_SHOWN => tell(&format!("line {line}: {text}")),
            shown if shown == MOST_SHOWN + 1 => tell("further lines are counted, not shown"),
            _ => {}
        }
    }
}

fn words(reasons: &[Reason]) -> String {
    let one = |reason: &Reason| match &reason.field {
        Some(field) => format!("{field}: {}", reason.message),
        None => reason.message.clone(),
    };
    // A server's words may hold anything; a terminal is not to obey it.
    let text = reasons.iter().map(one).collect::<Vec<_>>().join("; ");
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).take(300).collect()
}

/// Goes on after what an earlier run confirmed; what it wrote beyond that comes again.
fn open_rejects(path: &Path, length: u64) -> io::Result<BufWriter<File>> {
    let mut file = OpenOptions::new().create(true).write(true).truncate(false).open(path)?;
    if file.metadata()?.len() < length {
        return Err(io::Error::other("it is shorter than the checkpoint says: it belongs to another import"));
    }
    file.set_len(length)?;
    file.seek(SeekFrom::End(0))?;
    Ok(BufWriter::new(file))
}
