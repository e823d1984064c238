//! A queue between the rows and the API: rows go in, workers take items out.

use keyfit::batch_writer::jetstream::{Address, Filler, Put, Worker};
use keyfit::batch_writer::{Builder, Outcome, Reason};
use keyfit_conformance::UserError;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::import::input::{Input, Reader, hex};
use crate::import::job::ImportJob;
use crate::terminal::console::{print, print_message};
use crate::terminal::exit::ExitStatus;
use crate::terminal::interrupt::Interrupts;

/// Items that are shown; the others are counted.
const MAX_SHOWN: u64 = 20;

/// The queue to drain, with the options for it.
pub(crate) struct DrainJob {
    pub(crate) address: Address,
    /// True if the worker waits for more items.
    pub(crate) is_following: bool,
    /// True if a summary is printed as JSON.
    pub(crate) json: bool,
}

/// Prints the first messages about items that were not accepted, and counts the others.
#[derive(Default)]
struct MessageLimit(u64);

impl MessageLimit {
    fn show(&mut self, text: impl FnOnce() -> String) {
        self.0 += 1;
        match self.0 {
            shown if shown <= MAX_SHOWN => print_message(&text()),
            shown if shown == MAX_SHOWN + 1 => print_message("further items are counted, not shown"),
            _ => {}
        }
    }
}

/// Puts all rows into a queue.
pub(crate) async fn fill_queue<T: Serialize>(
    job: ImportJob,
    builder: Builder<T>,
    address: Address,
    json: bool,
) -> Result<ExitStatus, UserError> {
    let mut interrupts = interrupts()?;
    let input = Input::of(&job.feed.file)?;
    let mut rows = Reader::open(&job, &input, job.feed.format()?, None)?;
    let mut filler = Filler::open(address, &builder, None, None).await.map_err(user_error)?;
    let names = MessageIds::of(&input)?;
    let mut message_limit = MessageLimit::default();
    let filling = async {
        loop {
            // A row at a time from a file; standard input is read in a place where it may wait.
            let (row, back) = tokio::task::spawn_blocking(move || (rows.next(), rows))
                .await
                .map_err(|error| UserError::new(format!("the reading broke off: {error}")))?;
            rows = back;
            let Some(row) = row.map_err(|error| input.failure(&error))? else { break };
            let (line, reasons) = match row.json {
                Err(unfit) => {
                    filler.reject(row.line);
                    let reason = match unfit.field {
                        Some(field) => Reason::of_field(field, unfit.reason),
                        None => Reason::new(unfit.reason),
                    };
                    (row.line, vec![reason])
                }
                Ok(item) => {
                    match filler.put(row.line, &names.of_row(row.line, &item), &item).await.map_err(user_error)? {
                        Put::Taken => continue,
                        Put::Rejected(reasons) => (row.line, reasons),
                    }
                }
            };
            message_limit.show(|| format!("line {line}: {}", words(&reasons)));
        }
        Ok::<(), UserError>(())
    };
    let ended = tokio::select! {
        ended = filling => Some(ended),
        () = interrupts.next() => None,
    };
    // The items under way are waited for, whatever ended the filling.
    let flushed = filler.flush().await.map_err(user_error);
    let all = filler.filled();
    print_message(&format!("{} put into the queue, {} were in it, {} not fit", all.added, all.known, all.rejected));
    if json {
        print(&format!("{}\n", json!({ "added": all.added, "known": all.known, "rejected": all.rejected })))?;
    }
    let is_interrupted = ended.is_none();
    let failure = ended.and_then(Result::err).or(flushed.err());
    if is_interrupted || failure.is_some() {
        if let Some(failure) = &failure {
            print_message(&failure.to_string());
        }
        let done = filler.confirmed().unwrap_or_default();
        print_message(&format!("lines up to {done} are done: go on with those after it"));
        return Ok(if failure.is_some() { ExitStatus::Incomplete } else { ExitStatus::Interrupted });
    }
    Ok(if all.rejected == 0 { ExitStatus::Success } else { ExitStatus::Findings })
}

/// Sends the items of a queue.
pub(crate) async fn drain_queue<T: Serialize>(builder: Builder<T>, job: DrainJob) -> Result<ExitStatus, UserError> {
    let DrainJob { address, is_following, json } = job;
    let mut interrupts = interrupts()?;
    let mut message_limit = MessageLimit::default();
    let (stop_sender, stop_receiver) = tokio::sync::oneshot::channel();
    let stop = async move {
        interrupts.next().await;
        print_message("interrupted: what is on its way is waited for; interrupt again to end at once");
        interrupts.exit_with_next();
        // The receiver learns of it later.
        let _ = stop_sender.send(());
    };
    let worker = Worker::new(address, builder).follow(is_following);
    let drained = worker.run(stop, move |settled| match settled.outcome() {
        Outcome::Accepted => {}
        Outcome::Rejected(reasons) => message_limit.show(|| format!("item {}: {}", settled.sequence(), words(reasons))),
        Outcome::Unknown(why) => message_limit.show(|| format!("item {}: not confirmed: {why}", settled.sequence())),
    });
    let drained = drained.await.map_err(user_error)?;
    print_message(&drained.to_string());
    if json {
        let keyfit::batch_writer::jetstream::Drained { accepted, rejected, unknown, returned, .. } = drained;
        let summary = json!({ "accepted": accepted, "rejected": rejected, "unknown": unknown, "returned": returned });
        print(&format!("{summary}\n"))?;
    }
    Ok(if drained.unknown > 0 {
        ExitStatus::Incomplete
    } else if stop_receiver.await.is_ok() {
        ExitStatus::Interrupted
    } else if drained.rejected > 0 {
        ExitStatus::Findings
    } else {
        ExitStatus::Success
    })
}

/// The prefix of the ids by which the queue recognizes rows.
struct MessageIds(String);

impl MessageIds {
    /// Returns the ids of an input: those of a file are derived from its path, those of the standard input are new each time.
    fn of(input: &Input) -> Result<Self, UserError> {
        Ok(Self(match input {
            Input::File { path, .. } => {
                std::fs::canonicalize(path).unwrap_or_else(|_| path.clone()).display().to_string()
            }
            Input::Standard => keyfit::new_idempotency_key().map_err(user_error)?,
        }))
    }

    fn of_row(&self, line: u64, item: &[u8]) -> String {
        let mut digest = Sha256::new();
        digest.update(self.0.as_bytes());
        digest.update(line.to_le_bytes());
        digest.update(item);
        hex(&digest.finalize())
    }
}

fn interrupts() -> Result<Interrupts, UserError> {
    Interrupts::new().map_err(|error| UserError::new(format!("interrupts cannot be waited for: {error}")))
}

#[expect(clippy::needless_pass_by_value, reason = "it maps errors")]
fn user_error(error: keyfit::Error) -> UserError {
    UserError::new(error.to_string())
}

fn words(reasons: &[Reason]) -> String {
    let one = |reason: &Reason| match &reason.field {
        Some(field) => format!("{field}: {}", reason.message),
        None => reason.message.clone(),
    };
    reasons.iter().map(one).collect::<Vec<_>>().join("; ")
}
