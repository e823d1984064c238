//! The writer's task: it starts batches, as many at a time as it may, and delivers outcomes.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::batch::Batch;
use super::send::Sender;
use super::shared::{End, Finished, Shared};
use super::{Checkpoint, DeadLetters, Delivery, Outcome, Unknown};
use crate::error::Error;
use crate::runtime;

/// What the caller gives for outcomes to be delivered to.
pub(super) type Receiver = Box<dyn FnMut(&Delivery<'_>) + Send>;

/// The keeper of a checkpoint, called before batches are sent that must not be sent twice.
pub(super) type Journal = Box<dyn FnMut(&Checkpoint) -> io::Result<()> + Send>;

pub(super) struct Task {
    pub(super) sender: Arc<Sender>,
    pub(super) shared: Arc<Shared>,
    pub(super) receiver: Receiver,
    pub(super) journal: Option<Journal>,
    pub(super) dead_letters: Option<Arc<Mutex<DeadLetters>>>,
    pub(super) linger: Duration,
}

/// A batch on its way. It is finished however its task ends.
struct OnItsWay {
    shared: Arc<Shared>,
    batch: Arc<Batch>,
    outcomes: Option<Vec<Outcome>>,
}

/// What the task does next.
enum Next {
    /// Look again when told to, or after this time.
    Wait(Option<Duration>),
    Again,
    End,
}

impl Task {
    pub(super) async fn run(mut self) {
        loop {
            let due = self.due();
            if let Err(error) = self.keep(&due) {
                self.stop("the checkpoint cannot be written before items are sent", &error);
                for batch in due {
                    let unknown = Unknown::unsent("the checkpoint could not be written before the item was sent");
                    self.shared.finish(Arc::clone(&batch), vec![Outcome::Unknown(unknown); batch.len()]);
                }
                continue;
            }
            for batch in due {
                runtime::spawn(see_through(Arc::clone(&self.sender), OnItsWay::new(&self.shared, batch)));
            }
            self.deliver();
            match self.next() {
                Next::Wait(Some(time)) => {
                    // Whichever comes first; both are looked at above.
                    let _ = runtime::timeout(time, self.shared.work.notified()).await;
                }
                Next::Wait(None) => self.shared.work.notified().await,
                Next::Again => {}
                Next::End => break,
            }
        }
        self.shared.wake_all();
    }

    /// The batches to start now.
    fn due(&self) -> Vec<Arc<Batch>> {
        let now = self.now();
        let mut state = self.shared.lock();
        let mut due = Vec::new();
        while state.has_room() {
            if !state.queue.has_ready() {
                let is_hurried = state.flushes > 0 || state.end() == End::Closing || state.queue.is_pressed();
                let is_old = |since: Duration| is_hurried || since.saturating_add(self.linger) <= now;
                if !state.queue.open_since().is_some_and(is_old) {
                    break;
                }
                state.queue.seal();
            }
            let Some(batch) = state.queue.next_ready().map(Arc::new) else { break };
            state.in_flight.insert(batch.id, Arc::clone(&batch));
            due.push(batch);
        }
        due
    }

    /// Has the caller keep what is about to be sent, where a later run must not send it again.
    fn keep(&mut self, due: &[Arc<Batch>]) -> io::Result<()> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        if due.iter().all(|batch| batch.is_harmless(&(0..batch.len()))) {
            return Ok(());
        }
        journal(&self.shared.checkpoint(0))
    }

    fn stop(&self, what: &str, error: &io::Error) {
        self.shared.stop(&Arc::new(Error::configuration(format!("{what}: {error}"))));
    }

    fn next(&self) -> Next {
        let now = self.now();
        let mut state = self.shared.lock();
        if state.has_finished() {
            return Next::Again;
        }
        let is_idle = state.in_flight.is_empty() && !state.queue.has_ready();
        match (state.queue.open_since(), state.end()) {
            (None, End::Closing | End::Stopping) if is_idle => {
                state.done();
                Next::End
            }
            (Some(since), _) if state.has_room() => {
                Next::Wait(Some(since.saturating_add(self.linger).saturating_sub(now)))
            }
            _ => Next::Wait(None),
        }
    }

    fn deliver(&mut self) {
        while let Some(finished) = self.shared.begin_delivery() {
            self.deliver_one(&finished);
            self.shared.end_delivery(&finished);
        }
    }

    fn deliver_one(&mut self, finished: &Finished) {
        for (index, outcome) in finished.outcomes.iter().enumerate() {
            self.shared.delivered(index);
            let batch = &finished.batch;
            let (sequence, item) = (batch.sequence(index), batch.item(index));
            let delivery = Delivery { sequence, item, outcome, shared: &self.shared };
            let written = self
                .dead_letters
                .as_deref()
                .map_or(Ok(()), |file| file.lock().unwrap_or_else(PoisonError::into_inner).write(&delivery));
            if let Err(error) = written {
                self.shared.unconfirm(sequence);
                self.stop("the file of dead letters cannot be written", &error);
            }
            (self.receiver)(&delivery);
        }
        self.shared.delivered(finished.outcomes.len());
    }

    fn now(&self) -> Duration {
        self.sender.now()
    }
}

impl Drop for Task {
    /// A runtime that shuts down takes its tasks with it. What they had is reported all the same.
    fn drop(&mut self) {
        let is_done = self.shared.lock().end() == End::Done;
        if is_done {
            return;
        }
        self.shared.abandon_all("the runtime ended before the outcome came");
        // A receiver that panicked is not called again.
        if std::thread::panicking() {
            tracing::error!(target: "keyfit::batch_writer", "the receiver of outcomes panicked; the rest is not delivered");
        } else {
            self.deliver();
        }
        self.shared.lock().done();
        self.shared.wake_all();
    }
}

async fn see_through(sender: Arc<Sender>, mut on_its_way: OnItsWay) {
    let outcomes = on_its_way.outcomes.insert(sender.send(&on_its_way.batch).await);
    if let Some(gate) = &sender.gate {
        let batch = &on_its_way.batch;
        on_its_way.shared.begin_settling(batch);
        let items = outcomes.iter().enumerate();
        let items = items.map(|(index, outcome)| (batch.sequence(index), batch.item(index), outcome));
        gate.settle(items.collect()).await;
    }
}

impl OnItsWay {
    fn new(shared: &Arc<Shared>, batch: Arc<Batch>) -> Self {
        Self { shared: Arc::clone(shared), batch, outcomes: None }
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        let outcomes = self
            .outcomes
            .take()
            .unwrap_or_else(|| vec![Outcome::Unknown(Unknown::sent("the request was broken off")); self.batch.len()]);
        self.shared.finish(Arc::clone(&self.batch), outcomes);
    }
}
