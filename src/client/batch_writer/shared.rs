//! What the writer, its task and the batches on their way share: the queue, the outcomes that wait to be delivered, and
//! why the writer stopped.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::batch::{Batch, Item};
use super::checkpoint::Ranges;
use super::identity::Checked;
use super::pace::Pace;
use super::queue::{Queue, Refused};
use super::{Checkpoint, Outcome, Stopped, Summary, Unknown, WriteError};
use crate::client::transport::stop::Stop;
use crate::error::Error;

/// Why an item of an earlier run is left alone.
const DOUBLED: &str = "an earlier run may have sent it, and a second time could have a second effect";

#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// How many outcomes of the batch that is being delivered are.
    delivered: AtomicUsize,
    /// There is something for the writer's task to do.
    pub(super) work: Notify,
    /// Outcomes were delivered, or the writer stopped.
    pub(super) progress: Notify,
    /// Set where nothing is sent any more, and so nothing is waited for.
    pub(super) stop: Arc<Stop>,
}

/// The highest number of batches that are being settled at a time.
const MAX_SETTLING: usize = 32;

#[derive(Debug)]
pub(super) struct State {
    pub(super) queue: Queue,
    pub(super) in_flight: HashMap<u64, Arc<Batch>>,
    /// Those of them, by their ids, that the server has answered and the gate has not settled.
    settling: HashSet<u64>,
    finished: VecDeque<Finished>,
    delivering: Option<Arc<Batch>>,
    /// What an earlier run confirmed.
    resumed: Checkpoint,
    last: Option<u64>,
    unknown: Ranges,
    /// Those of the unknown items that may have been sent.
    sent: Ranges,
    pub(super) pace: Pace,
    summary: Summary,
    pub(super) flushes: usize,
    end: End,
    stop: Option<Arc<str>>,
    error: Option<Arc<Error>>,
    /// Since when no server has answered as it should.
    failing_since: Option<Duration>,
}

/// What is to become of the writer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    Open,
    /// No item comes any more; what is here is sent.
    Closing,
    /// What is not on its way is not sent.
    Stopping,
    /// Every outcome is delivered.
    Done,
}

/// A batch that is done, with an outcome for each of its items.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) batch: Arc<Batch>,
    pub(super) outcomes: Vec<Outcome>,
}

/// What became of an offered item.
pub(super) enum Offer {
    Taken(u64),
    Covered(u64),
    Full,
}

impl Shared {
    pub(super) fn new(queue: Queue, pace: Pace, resumed: Checkpoint) -> Self {
        let state = State {
            queue,
            in_flight: HashMap::new(),
            settling: HashSet::new(),
            finished: VecDeque::new(),
            delivering: None,
            resumed,
            last: None,
            unknown: Ranges::default(),
            sent: Ranges::default(),
            pace,
            summary: Summary::default(),
            flushes: 0,
            end: End::Open,
            stop: None,
            error: None,
            failing_since: None,
        };
        Self {
            state: Mutex::new(state),
            delivered: AtomicUsize::new(0),
            work: Notify::new(),
            progress: Notify::new(),
            stop: Arc::default(),
        }
    }

    /// Takes an item, fit or not, if there is room. `sequence`: its number, or the next one. `is_doubted`: another run may have
    /// sent it.
    pub(super) fn offer(
        &self,
        sequence: Option<u64>,
        json: &[u8],
        identity: &Checked<'_>,
        is_doubted: bool,
        now: impl FnOnce() -> Duration,
    ) -> Result<Offer, WriteError> {
        let mut state = self.lock();
        if let Some(stopped) = state.stopped() {
            return Err(WriteError::Stopped(stopped));
        }
        let last = state.last;
        let next = last.map_or(Some(0), |last| last.checked_add(1));
        let in_order = |number: &u64| next.is_some_and(|next| *number >= next);
        let Some(number) = sequence.or(next).filter(in_order) else {
            return Err(WriteError::OutOfOrder { sequence, last });
        };
        if state.resumed.covers(number) {
            state.last = Some(number);
            state.summary.skipped += 1;
            return Ok(Offer::Covered(number));
        }
        if !state.queue.has_room(json.len()) {
            self.work.notify_one();
            return Ok(Offer::Full);
        }
        state.last = Some(number);
        let had = (state.queue.open_since().is_some(), state.queue.has_ready());
        let mut refused = None;
        let may_be_doubled = is_doubted || state.resumed.may_have_been_sent(number);
        match identity {
            Ok(identity) if may_be_doubled && !identity.is_harmless => {
                let batch = Arc::new(Batch::of_one(&Item::unfit(number, json)));
                let outcomes = vec![Outcome::Unknown(Unknown::sent(DOUBLED))];
                state.finished.push_back(Finished { batch, outcomes });
            }
            Ok(identity) => refused = state.queue.push(number, json, identity, now),
            Err(reasons) => refused = Some((Item::unfit(number, json), reasons.clone())),
        }
        let is_news =
            refused.is_some() || may_be_doubled || had != (state.queue.open_since().is_some(), state.queue.has_ready());
        state.queue.take(json.len());
        state.refuse(refused);
        drop(state);
        if is_news {
            self.work.notify_one();
        }
        Ok(Offer::Taken(number))
    }

    /// A batch has its outcomes, and waits for the gate: others may be sent meanwhile.
    pub(super) fn begin_settling(&self, batch: &Batch) {
        let mut state = self.lock();
        // Nobody waits for one that was given up.
        if state.in_flight.contains_key(&batch.id) {
            state.settling.insert(batch.id);
        }
        drop(state);
        self.work.notify_one();
    }

    /// A batch came to its end. One that nobody waits for any more has had its outcomes.
    pub(super) fn finish(&self, batch: Arc<Batch>, outcomes: Vec<Outcome>) {
        let mut state = self.lock();
        if state.in_flight.remove(&batch.id).is_none() {
            return;
        }
        state.settling.remove(&batch.id);
        let refused = state.queue.done(&batch);
        state.refuse(refused);
        state.finished.push_back(Finished { batch, outcomes });
        drop(state);
        self.work.notify_one();
    }

    /// The next batch whose outcomes are to be delivered.
    pub(super) fn begin_delivery(&self) -> Option<Finished> {
        let mut state = self.lock();
        let finished = state.finished.pop_front()?;
        self.delivered.store(0, Ordering::Release);
        for (sequence, outcome) in finished.batch.sequences().zip(&finished.outcomes) {
            if let Outcome::Unknown(unknown) = outcome {
                state.unknown.insert(sequence);
                if unknown.may_have_been_sent() {
                    state.sent.insert(sequence);
                }
            }
        }
        state.delivering = Some(Arc::clone(&finished.batch));
        Some(finished)
    }

    /// So many outcomes of the batch are delivered.
    pub(super) fn delivered(&self, items: usize) {
        self.delivered.store(items, Ordering::Release);
    }

    pub(super) fn end_delivery(&self, finished: &Finished) {
        let mut state = self.lock();
        state.delivering = None;
        for outcome in &finished.outcomes {
            state.summary.count(outcome);
        }
        state.queue.give_back(finished.batch.len(), finished.batch.item_bytes());
        drop(state);
        self.progress.notify_waiters();
    }

    /// Ends the writer for an error: nothing that is not on its way is sent.
    pub(super) fn stop(&self, error: &Arc<Error>) {
        let mut state = self.lock();
        if matches!(state.end, End::Open | End::Closing) {
            state.error = Some(Arc::clone(error));
            let unknown = Unknown::failed(Arc::clone(error), false);
            state.abandon(&error.to_string(), &unknown);
        }
        drop(state);
        self.stop.set();
        self.wake_all();
    }

    /// Ends the writer for another reason; says how many items are not sent for it.
    pub(super) fn abandon(&self, reason: &str) -> usize {
        let mut state = self.lock();
        let before = state.finished.iter().map(|finished| finished.outcomes.len()).sum::<usize>();
        if matches!(state.end, End::Open | End::Closing) {
            state.abandon(reason, &Unknown::unsent(reason));
        }
        let after = state.finished.iter().map(|finished| finished.outcomes.len()).sum::<usize>();
        drop(state);
        self.stop.set();
        self.wake_all();
        after - before
    }

    /// The writer's task is gone: what is on its way will never be known.
    pub(super) fn abandon_all(&self, reason: &str) {
        self.abandon(reason);
        let mut state = self.lock();
        state.settling.clear();
        let batches: Vec<Arc<Batch>> = state.in_flight.drain().map(|(_, batch)| batch).collect();
        for batch in batches {
            let outcomes = vec![Outcome::Unknown(Unknown::sent(reason)); batch.len()];
            state.finished.push_back(Finished { batch, outcomes });
        }
    }

    pub(super) fn is_stopping(&self) -> bool {
        matches!(self.lock().end, End::Stopping | End::Done)
    }

    /// When the present outage began.
    pub(super) fn failing_since(&self, now: Duration) -> Duration {
        *self.lock().failing_since.get_or_insert(now)
    }

    /// An answer came.
    pub(super) fn answered(&self, began: Duration, now: Duration, left: Option<u64>) {
        let mut state = self.lock();
        state.failing_since = None;
        let in_flight = state.in_flight.len() - state.settling.len();
        state.pace.answered(began, now, left, in_flight);
        drop(state);
        self.work.notify_one();
    }

    /// The server did not keep up.
    pub(super) fn pushed_back(&self, began: Duration, now: Duration, is_limit: bool, left: Option<u64>) {
        self.lock().pace.pushed_back(began, now, is_limit, left);
    }

    /// An item was delivered, and is not to count as confirmed.
    pub(super) fn unconfirm(&self, sequence: u64) {
        self.lock().unknown.insert(sequence);
    }

    /// What is confirmed, with so many more outcomes of the batch that is being delivered.
    pub(super) fn checkpoint(&self, more: usize) -> Checkpoint {
        let state = self.lock();
        let delivered = self.delivered.load(Ordering::Acquire).saturating_add(more);
        let through = state.last.max(state.resumed.through);
        let rest = |ranges: &Ranges| state.last.map_or_else(|| ranges.clone(), |last| ranges.above(last));
        let (mut except, mut sent) = (rest(&state.resumed.except), rest(&state.resumed.sent));
        except.extend(&state.unknown);
        sent.extend(&state.sent);
        for sequence in state.queue.sequences() {
            except.insert(sequence);
            // It has not been sent again; whether it was before is as open as it was.
            if state.resumed.may_have_been_sent(sequence) {
                sent.insert(sequence);
            }
        }
        for sequence in state.sent_and_open(delivered) {
            except.insert(sequence);
            sent.insert(sequence);
        }
        Checkpoint { through, except, sent }
    }

    /// Whether all items up to a number have had their outcome.
    pub(super) fn is_settled(&self, through: Option<u64>) -> bool {
        let state = self.lock();
        // A batch counts as a whole: its outcomes are in the summary when the last one is delivered.
        through.is_none_or(|through| state.outstanding(0).all(|sequence| sequence > through))
    }

    pub(super) fn last(&self) -> Option<u64> {
        self.lock().last
    }

    pub(super) fn summary(&self) -> Summary {
        self.lock().summary
    }

    /// Why the writer takes nothing any more.
    pub(super) fn stopped_for(&self) -> Option<Stopped> {
        self.lock().stopped()
    }

    pub(super) fn wake_all(&self) {
        self.work.notify_one();
        self.progress.notify_waiters();
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns whether another batch may be sent. Batches that are being settled count beyond so many.
    pub(super) fn has_room(&self) -> bool {
        let waiting = self.in_flight.len() - self.settling.len();
        waiting < self.pace.allowed() && self.settling.len() < MAX_SETTLING
    }

    pub(super) fn end(&self) -> End {
        self.end
    }

    pub(super) fn close(&mut self) {
        if self.end == End::Open {
            self.end = End::Closing;
        }
    }

    pub(super) fn done(&mut self) {
        self.end = End::Done;
    }

    pub(super) fn has_finished(&self) -> bool {
        !self.finished.is_empty()
    }

    fn stopped(&self) -> Option<Stopped> {
        let reason = self.stop.clone()?;
        Some(Stopped { reason, error: self.error.clone(), summary: self.summary })
    }

    fn abandon(&mut self, reason: &str, unknown: &Unknown) {
        self.end = End::Stopping;
        self.stop = Some(reason.into());
        for batch in self.queue.drain() {
            let outcomes = vec![Outcome::Unknown(unknown.clone()); batch.len()];
            self.finished.push_back(Finished { batch: Arc::new(batch), outcomes });
        }
    }

    fn refuse(&mut self, refused: impl IntoIterator<Item = Refused>) {
        for (item, reasons) in refused {
            let batch = Arc::new(Batch::of_one(&item));
            self.finished.push_back(Finished { batch, outcomes: vec![Outcome::Rejected(reasons)] });
        }
    }

    /// The items whose outcome is not delivered; of the batch that is being delivered, so many are.
    fn outstanding(&self, delivered: usize) -> impl Iterator<Item = u64> {
        self.queue.sequences().chain(self.sent_and_open(delivered))
    }

    /// Those of them that are not in the queue any more.
    fn sent_and_open(&self, delivered: usize) -> impl Iterator<Item = u64> {
        let finished = self.finished.iter().flat_map(|finished| finished.batch.sequences());
        let delivering = self.delivering.iter().flat_map(move |batch| batch.sequences().skip(delivered));
        let in_flight = self.in_flight.values().flat_map(|batch| batch.sequences());
        in_flight.chain(finished).chain(delivering)
    }
}
