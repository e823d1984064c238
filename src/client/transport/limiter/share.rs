//! A client's part of a budget that several clients share: slices of calls, what became of them, and who waits for more.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;

use super::reports::Reports;
use super::state::{NEWS, SPREAD};
use crate::budget::{Budget, BudgetError, Granted, Report, Reservation, Reserved};
use crate::error::hex::hex;
use crate::error::{Clock, RateLimit, jitter};
use crate::runtime;

/// How long the budget may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a client goes on by itself before it asks again a budget that did not answer.
const GONE: Duration = Duration::from_secs(1);
/// The most calls that are asked for at a time.
const LARGEST: u64 = 1000;

/// Where several clients keep their budget together.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) budget: Arc<dyn Budget>,
    pub(crate) clock: Arc<dyn Clock>,
    /// The beginning of the budget's names for buckets.
    pub(crate) api: String,
}

/// A client's part of one bucket.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Arc<dyn Budget>,
    clock: Arc<dyn Clock>,
    /// The budget's name for the bucket.
    name: String,
    /// This client, for the budget.
    holder: u64,
    state: Mutex<ShareState>,
    /// Something came of what was asked.
    answered: Notify,
}

/// The answer to who asks for a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Taken {
    /// One may be sent, of this window.
    Call(u64),
    /// Nobody has any left for this time.
    Wait(Duration),
    /// The budget does not answer: the client goes on by itself.
    Alone,
}

#[derive(Debug, Default)]
struct ShareState {
    /// The first to end comes first.
    slices: VecDeque<Slice>,
    /// Until when there is nothing, on the monotonic clock.
    wait_until: Option<Duration>,
    /// Whether the budget is being asked.
    is_asking: bool,
    /// Whether a task waits for a slice to end.
    is_timed: bool,
    /// Callers that wait.
    waiting: u64,
    /// Calls taken since the last slice was asked for.
    taken: u64,
    /// Calls that are on their way.
    in_flight: u64,
    reports: Reports,
    /// Clients that share the limit.
    holders: u64,
    /// Whether the budget did not answer, and until when it is not asked again.
    is_alone: bool,
    alone_until: Duration,
}

/// Calls that may be sent.
#[derive(Debug)]
struct Slice {
    left: u64,
    epoch: u64,
    /// When it ends, on the monotonic clock.
    ends: Duration,
}

impl Share {
    pub(super) fn new(shared: &Shared, class: &str, place: Option<&[u8]>) -> Arc<Self> {
        // What the path says may be somebody's number or address.
        let place = place.map(|place| hex(&Sha256::digest(place)[..16])).unwrap_or_default();
        Arc::new(Self {
            budget: Arc::clone(&shared.budget),
            clock: Arc::clone(&shared.clock),
            name: format!("{}:{class}:{place}", shared.api),
            holder: getrandom::u64().unwrap_or_default(),
            state: Mutex::default(),
            answered: Notify::new(),
        })
    }

    /// A call, once there is one.
    pub(crate) async fn take(self: &Arc<Self>) -> Taken {
        loop {
            // Before the look, so that nothing is missed between the two.
            let mut answered = std::pin::pin!(self.answered.notified());
            answered.as_mut().enable();
            {
                let now = self.clock.monotonic();
                let mut state = self.lock();
                if let Some(taken) = state.take(now) {
                    if state.is_low() && state.may_ask(now) {
                        self.ask(&mut state);
                    }
                    return taken;
                }
                if state.may_ask(now) {
                    self.ask(&mut state);
                }
                state.waiting += 1;
            }
            let waiting = Waiting(self);
            answered.await;
            drop(waiting);
        }
    }

    /// Asks for another slice.
    fn ask(self: &Arc<Self>, state: &mut ShareState) {
        let wanted = state.wanted();
        self.ask_for(state, wanted);
    }

    /// Reports and asks, in a task of its own: whoever waits for the answer may be dropped.
    fn ask_for(self: &Arc<Self>, state: &mut ShareState, wanted: u64) {
        state.is_asking = true;
        let asked_at = self.clock.monotonic();
        let (share, reports) = (Arc::clone(self), state.reports.take(asked_at));
        runtime::spawn(async move {
            let reserved = share.reserve(wanted, reports).await;
            share.note(reserved, asked_at);
        });
    }

    /// Reports, the newest with what is wanted.
    async fn reserve(&self, wanted: u64, mut reports: Vec<Report>) -> Result<Reserved, BudgetError> {
        let newest = reports.pop().unwrap_or_default();
        let (holder, name) = (self.holder, &self.name);
        let asked = async {
            for report in reports {
                self.budget.reserve(name, Reservation { holder, wanted: 0, report }).await?;
            }
            self.budget.reserve(name, Reservation { holder, wanted, report: newest }).await
        };
        let late = |_| Err(BudgetError::new(format!("no answer within {} ms", PATIENCE.as_millis())));
        runtime::timeout(PATIENCE, asked).await.unwrap_or_else(late)
    }

    /// Takes in what the budget answered, and wakes who waits.
    fn note(self: &Arc<Self>, reserved: Result<Reserved, BudgetError>, asked_at: Duration) {
        let now = self.clock.monotonic();
        let mut state = self.lock();
        state.is_asking = false;
        match reserved {
            Ok(reserved) => {
                if std::mem::take(&mut state.is_alone) {
                    tracing::info!(target: "keyfit::http", bucket = self.name, "the rate budget answers again");
                }
                match reserved {
                    Reserved::Granted(granted) => {
                        state.add(granted, asked_at);
                        self.time(&mut state, granted.valid_for);
                    }
                    Reserved::Wait(wait) => {
                        // Not from when it was asked: who is back before the end of a window asks once more.
                        state.wait_until = Some(now + wait);
                        self.report_at_rest(&mut state, now);
                    }
                    Reserved::Noted => {}
                }
            }
            Err(error) => {
                state.alone_until = now + GONE;
                if !std::mem::replace(&mut state.is_alone, true) {
                    tracing::warn!(
                        target: "keyfit::http",
                        bucket = self.name,
                        clients = state.holders,
                        %error,
                        "this client goes on with its part of the limit"
                    );
                }
            }
        }
        drop(state);
        self.answered.notify_waiters();
    }

    /// Gives back what is not used of a slice in its time, and reports the rest.
    fn time(self: &Arc<Self>, state: &mut ShareState, valid_for: Duration) {
        if std::mem::replace(&mut state.is_timed, true) {
            return;
        }
        let (share, clock) = (Arc::downgrade(self), Arc::clone(&self.clock));
        runtime::spawn(async move {
            let mut wait = valid_for;
            loop {
                clock.sleep(wait).await;
                let Some(next) = Weak::upgrade(&share).and_then(|share| share.end_slices()) else { return };
                wait = next;
            }
        });
    }

    /// Ends the slices whose time is up, and reports them. The time until the next one ends; `None` where there is none.
    fn end_slices(self: &Arc<Self>) -> Option<Duration> {
        let now = self.clock.monotonic();
        let mut state = self.lock();
        state.end_slices(now);
        let next = state.slices.iter().map(|slice| slice.ends.saturating_sub(now)).min();
        if next.is_none() {
            state.is_timed = false;
        }
        if state.reports.say_something() && state.may_ask(now) {
            self.ask_for(&mut state, 0);
        }
        next
    }

    /// Tells the others at once, and waits until they can know.
    pub(crate) async fn tell(self: &Arc<Self>) {
        let now = self.clock.monotonic();
        let reports = self.lock().reports.take(now);
        // Where the budget is gone, the next slice says so.
        let _ = self.reserve(0, reports).await;
    }

    /// A call of that window was answered.
    pub(super) fn answered(&self, epoch: Option<u64>, told: Option<(RateLimit, Option<Duration>)>) {
        let now = self.clock.monotonic();
        self.lock().reports.answered(epoch, told, now);
    }

    /// A call of that window was refused for its limit.
    pub(super) fn refused(&self, wait: Duration) {
        let now = self.clock.monotonic();
        self.lock().refused(wait, now);
    }

    /// A call of that window was not sent.
    pub(super) fn unused(&self, epoch: u64) {
        self.lock().reports.unused(epoch, 1);
    }

    /// A call that was taken is on its way no longer.
    pub(super) fn ended(self: &Arc<Self>) {
        let now = self.clock.monotonic();
        let mut state = self.lock();
        state.in_flight -= 1;
        self.report_at_rest(&mut state, now);
    }

    /// Reports the outcome of the last calls where nothing else will soon: what is not known at the end of a window takes up room in the
    /// next one.
    fn report_at_rest(self: &Arc<Self>, state: &mut ShareState, now: Duration) {
        let waits = state.wait_until.is_some_and(|until| until > now + NEWS);
        let is_at_rest = state.in_flight == 0 && state.slices.is_empty() && (waits || !state.is_timed);
        // A call may be dropped anywhere, also where nothing can be run.
        if is_at_rest && state.may_ask(now) && state.reports.say_something() && runtime::why_absent().is_none() {
            self.ask_for(state, 0);
        }
    }

    /// Whether the others have to hear at once of what is known here.
    pub(crate) fn has_news(&self) -> bool {
        let state = self.lock();
        state.reports.have_news() && !state.is_alone
    }

    /// The part of a limit that a client by itself may take.
    pub(super) fn part_of(&self, rate: RateLimit) -> RateLimit {
        let holders = self.lock().holders.max(1);
        let part = |calls: Option<u64>| calls.map(|calls| calls / holders);
        RateLimit { limit: part(rate.limit).map(|limit| limit.max(1)), remaining: part(rate.remaining), ..rate }
    }

    fn lock(&self) -> MutexGuard<'_, ShareState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A caller that waits, until it is dropped.
struct Waiting<'a>(&'a Share);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.lock().waiting -= 1;
    }
}

impl ShareState {
    /// The answer that is known without asking; `None` where the budget has to be asked.
    fn take(&mut self, now: Duration) -> Option<Taken> {
        if self.is_alone {
            return Some(Taken::Alone);
        }
        self.end_slices(now);
        if let Some(slice) = self.slices.front_mut() {
            slice.left -= 1;
            let epoch = slice.epoch;
            if slice.left == 0 {
                self.slices.pop_front();
            }
            self.taken += 1;
            self.in_flight += 1;
            return Some(Taken::Call(epoch));
        }
        let wait = self.wait_until.and_then(|until| until.checked_sub(now)).filter(|wait| !wait.is_zero())?;
        Some(Taken::Wait(wait + if wait > NEWS { jitter::full_jitter(SPREAD) } else { Duration::ZERO }))
    }

    /// Whether what is left will not last until more has come, or the budget may answer again. After a single call nothing is asked
    /// for ahead: it would lie idle where calls are rare.
    fn is_low(&self) -> bool {
        let left: u64 = self.slices.iter().map(|slice| slice.left).sum();
        self.is_alone || self.wait_until.is_none() && self.taken > 1 && left * 4 <= self.taken
    }

    fn may_ask(&self, now: Duration) -> bool {
        !self.is_asking && (!self.is_alone || self.alone_until <= now)
    }

    /// Twice what was used of the last slice, or what is waited for.
    fn wanted(&mut self) -> u64 {
        (std::mem::take(&mut self.taken) * 2).max(self.waiting + 1).min(LARGEST)
    }

    fn add(&mut self, granted: Granted, asked_at: Duration) {
        self.wait_until = None;
        self.holders = granted.holders;
        let epoch = granted.epoch;
        self.reports.begin(epoch, granted.reset);
        let ends = asked_at + granted.valid_for;
        // One of a window whose end is known may be over before an older one.
        let at = self.slices.partition_point(|slice| slice.ends <= ends);
        self.slices.insert(at, Slice { left: granted.calls, epoch, ends });
    }

    /// Calls that are left of slices whose time is up go back.
    fn end_slices(&mut self, now: Duration) {
        while let Some(slice) = self.slices.front().filter(|slice| slice.ends <= now) {
            let (epoch, left) = (slice.epoch, slice.left);
            self.slices.pop_front();
            self.reports.unused(epoch, left);
        }
    }

    fn refused(&mut self, wait: Duration, now: Duration) {
        self.reports.refused(wait, now);
        for slice in std::mem::take(&mut self.slices) {
            self.reports.unused(slice.epoch, slice.left);
        }
        self.wait_until = Some(self.wait_until.unwrap_or_default().max(now + wait));
    }
}
