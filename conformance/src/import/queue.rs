//! A queue between the rows and the API: rows go in, workers take items out.

use keyfit::batch_writer::jetstream::{Address, Filler, Put, Worker};
use keyfit::batch_writer::{Builder, Outcome, Reason};
use keyfit_conformance::UserError;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::console::{complain, print};
use crate::ending::Ending;
use crate::import::input::{Input, Reader, hex};
use crate::import::job::Job;
use crate::interrupt::Interrupts;

/// Items that are shown; the others are counted.
const MOST_SHOWN: u64 = 20;

/// Which queue is emptied, and how.
pub(crate) struct Work {
    pub(crate) address: Address,
    /// Whether more items are waited for.
    pub(crate) is_following: bool,
    /// Whether a summary is printed as JSON.
    pub(crate) json: bool,
}

/// Tells of the first items that are no success.
#[derive(Default)]
struct Shown(u64);

impl Shown {
    fn show(&mut self, text: impl FnOnce() -> String) {
        self.0 += 1;
        match self.0 {
            shown if shown <= MOST_SHOWN => complain(&text()),
            shown if shown == MOST_SHOWN + 1 => complain("further items are counted, not shown"),
            _ => {}
        }
    }
}

/// Puts all rows into a queue.
pub(crate) async fn fill<T: Serialize>(
    job: Job,
    builder: Builder<T>,
    address: Address,
    json: bool,
) -> Result<Ending, UserError> {
    let mut interrupts = interrupts()?;
    let input = Input::of(&job.feed.file)?;
    let mut rows = Reader::open(&job, &input, job.feed.format()?, None)?;
    let mut filler = Filler::open(address, &builder, None, None).await.map_err(told)?;
    let names = Names::of(&input)?;
    let mut shown = Shown::default();
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
                Ok(item) => match filler.put(row.line, &names.of_row(row.line, &item), &item).await.map_err(told)? {
                    Put::Taken => continue,
                    Put::Rejected(reasons) => (row.line, reasons),
                },
            };
            shown.show(|| format!("line {line}: {}", words(&reasons)));
        }
        Ok::<(), UserError>(())
    };
    let ended = tokio::select! {
        ended = filling => Some(ended),
        () = interrupts.next() => None,
    };
    // What is on its way is worth waiting for, whatever ended the filling.
    let flushed = filler.flush().await.map_err(told);
    let all = filler.filled();
    complain(&format!("{} put into the queue, {} were in it, {} not fit", all.added, all.known, all.rejected));
    if json {
        print(&format!("{}\n", json!({ "added": all.added, "known": all.known, "rejected": all.rejected })))?;
    }
    let is_interrupted = ended.is_none();
    let failure = ended.and_then(Result::err).or(flushed.err());
    if is_interrupted || failure.is_some() {
        if let Some(failure) = &failure {
            complain(&failure.to_string());
        }
        let done = filler.confirmed().unwrap_or_default();
        complain(&format!("lines up to {done} are done: go on with those after it"));
        return Ok(if failure.is_some() { Ending::Incomplete } else { Ending::Interrupted });
    }
    Ok(if all.rejected == 0 { Ending::Fine } else { Ending::Findings })
}

/// Sends the items of a queue.
pub(crate) async fn work<T: Serialize>(builder: Builder<T>, work: Work) -> Result<Ending, UserError> {
    let Work { address, is_following, json } = work;
    let mut interrupts = interrupts()?;
    let mut shown = Shown::default();
    let (told_stop, was_stopped) = tokio::sync::oneshot::channel();
    let stop = async move {
        interrupts.next().await;
        complain("interrupted: what is on its way is waited for; interrupt again to end at once");
        interrupts.exit_with_next();
        // Whoever asks later knows that it was.
        let _ = told_stop.send(());
    };
    let worker = Worker::new(address, builder).follow(is_following);
    let drained = worker.run(stop, move |settled| match settled.outcome() {
        Outcome::Accepted => {}
        Outcome::Rejected(reasons) => shown.show(|| format!("item {}: {}", settled.sequence(), words(reasons))),
        Outcome::Unknown(why) => shown.show(|| format!("item {}: not confirmed: {why}", settled.sequence())),
    });
    let drained = drained.await.map_err(told)?;
    complain(&drained.to_string());
    if json {
        let keyfit::batch_writer::jetstream::Drained { accepted, rejected, unknown, returned, .. } = drained;
        let summary = json!({ "accepted": accepted, "rejected": rejected, "unknown": unknown, "returned": returned });
        print(&format!("{summary}\n"))?;
    }
    Ok(if drained.unknown > 0 {
        Ending::Incomplete
    } else if was_stopped.await.is_ok() {
        Ending::Interrupted
    } else if drained.rejected > 0 {
        Ending::Findings
    } else {
        Ending::Fine
    })
}

/// By which the queue knows rows again.
struct Names(String);

impl Names {
    /// Of a file: by its path. What comes by standard input is new each time.
    fn of(input: &Input) -> Result<Self, UserError> {
        Ok(Self(match input {
            Input::File { path, .. } => {
                std::fs::canonicalize(path).unwrap_or_else(|_| path.clone()).display().to_string()
            }
            Input::Standard => keyfit::new_idempotency_key().map_err(told)?,
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
fn told(error: keyfit::Error) -> UserError {
    UserError::new(error.to_string())
}

fn words(reasons: &[Reason]) -> String {
    let one = |reason: &Reason| match &reason.field {
        Some(field) => format!("{field}: {}", reason.message),
        None => reason.message.clone(),
    };
    reasons.iter().map(one).collect::<Vec<_>>().join("; ")
}
