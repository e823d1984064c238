//! The items that were taken and not sent yet, and the batches that they become. No time passes here and nothing is sent.
//!
//! Items of one user are never in two batches at a time: while one of them is in a batch, those that come after it are
//! parked, and move on when that batch is done. A batch of contacts holds one item of a user, because the second one of
//! two is a newer state; a batch of events may hold many, in order.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use super::Kind;
use super::batch::{Batch, Item, Limits, Open};
use super::check::Identity;
use crate::instasent::batch::Reason;

#[derive(Debug)]
pub(super) struct Queue {
    kind: Kind,
    limits: Limits,
    open: Open,
    ready: VecDeque<Batch>,
    /// The users with an item in a batch that is not done, by hash. Two users of one hash wait for each other, no more.
    users: HashMap<u64, User>,
    hasher: RandomState,
    /// Items that were taken and whose outcome is not delivered.
    pending_items: usize,
    pending_bytes: usize,
    /// Whether somebody waits for room.
    is_pressed: bool,
}

#[derive(Debug)]
struct User {
    /// The batch that holds its items.
    batch: u64,
    parked: VecDeque<Item>,
}

/// An item that is refused here.
pub(super) type Refused = (Item, Vec<Reason>);

impl Queue {
    pub(super) fn new(kind: Kind, limits: Limits) -> Self {
        Self {
            kind,
            limits,
            open: Open::new(0),
            ready: VecDeque::new(),
            users: HashMap::new(),
            hasher: RandomState::new(),
            pending_items: 0,
            pending_bytes: 0,
            is_pressed: false,
        }
    }

    /// Whether an item of so many bytes may be taken now. Who is refused waits until something is delivered.
    pub(super) fn has_room(&mut self, bytes: usize) -> bool {
        let Limits { pending_items, pending_bytes, .. } = self.limits;
        let fits = self.pending_items < pending_items && self.pending_bytes.saturating_add(bytes) <= pending_bytes;
        // An item larger than the bound goes alone.
        self.is_pressed = !(fits || self.pending_items == 0);
        !self.is_pressed
    }

    /// Counts an item as taken, wherever it goes.
    pub(super) fn take(&mut self, bytes: usize) {
        self.pending_items += 1;
        self.pending_bytes += bytes;
    }

    /// Their outcomes are delivered.
    pub(super) fn give_back(&mut self, items: usize, bytes: usize) {
        self.pending_items = self.pending_items.saturating_sub(items);
        self.pending_bytes = self.pending_bytes.saturating_sub(bytes);
    }

    /// Puts a fit item in its place.
    pub(super) fn push(
        &mut self,
        sequence: u64,
        json: &[u8],
        identity: &Identity<'_>,
        now: impl FnOnce() -> Duration,
    ) -> Option<Refused> {
        let user = self.hasher.hash_one(&*identity.user);
        let (name, event) = (&*identity.user, identity.event.as_deref());
        let item = || Item { sequence, json: json.into(), user: name.into(), event: event.map(Into::into) };
        if !self.open.has_room(&self.limits, json.len()) {
            self.seal();
        }
        if self.is_to_be_parked(user) {
            if let Some(user) = self.users.get_mut(&user) {
                user.parked.push_back(item());
            }
            return None;
        }
        if event.is_some_and(|event| self.open.has_event(event)) {
            return Some(twice(item()));
        }
        self.append(sequence, json, user, name, event, now);
        None
    }

    /// Whether an item is in the open batch, and since when.
    pub(super) fn open_since(&self) -> Option<Duration> {
        (!self.open.is_empty()).then_some(self.open.since)
    }

    /// Whether the open batch is to be sent without waiting for more: nothing more can come.
    pub(super) fn is_pressed(&self) -> bool {
        self.is_pressed
    }

    /// Closes the open batch, full or not.
    pub(super) fn seal(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let next = Open::new(self.open.id + 1);
        self.ready.push_back(std::mem::replace(&mut self.open, next).seal());
    }

    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    pub(super) fn next_ready(&mut self) -> Option<Batch> {
        self.ready.pop_front()
    }

    /// A batch is done: the next items of its users may go. What waited for it does not wait for company as well.
    pub(super) fn done(&mut self, batch: &Batch) -> Vec<Refused> {
        let mut refused = Vec::new();
        for user in batch.user_hashes() {
            let Entry::Occupied(mut entry) = self.users.entry(user) else { continue };
            if entry.get().batch != batch.id {
                continue;
            }
            let parked = std::mem::take(&mut entry.get_mut().parked);
            entry.remove();
            self.unpark(user, parked, &mut refused);
        }
        refused
    }

    /// Everything that is not on its way, in the order in which it came.
    pub(super) fn drain(&mut self) -> Vec<Batch> {
        self.seal();
        let mut batches: Vec<Batch> = self.ready.drain(..).collect();
        let parked = self.users.drain().flat_map(|(_, user)| user.parked);
        let mut parked: Vec<Item> = parked.collect();
        parked.sort_by_key(|item| item.sequence);
        batches.extend(parked.iter().map(Batch::of_one));
        batches
    }

    /// The numbers of the items that are not on their way.
    pub(super) fn sequences(&self) -> impl Iterator<Item = u64> {
        let parked = self.users.values().flat_map(|user| user.parked.iter().map(|item| item.sequence));
        self.open.sequences().chain(self.ready.iter().flat_map(Batch::sequences)).chain(parked)
    }

    fn is_to_be_parked(&self, user: u64) -> bool {
        let Some(user) = self.users.get(&user) else { return false };
        match self.kind {
            Kind::Contacts => true,
            Kind::Events => user.batch != self.open.id || !user.parked.is_empty(),
        }
    }

    fn append(
        &mut self,
        sequence: u64,
        json: &[u8],
        user: u64,
        name: &str,
        event: Option<&str>,
        now: impl FnOnce() -> Duration,
    ) {
        if self.open.is_empty() {
            self.open.since = now();
        }
        self.open.push(sequence, json, user, name, event);
        self.users.entry(user).or_insert_with(|| User { batch: self.open.id, parked: VecDeque::new() });
        if self.open.len() >= self.limits.batch_items {
            self.seal();
        }
    }

    /// Moves items of one user to the open batch, as many as may go together.
    fn unpark(&mut self, user: u64, mut parked: VecDeque<Item>, refused: &mut Vec<Refused>) {
        while !self.is_to_be_parked(user)
            && let Some(item) = parked.pop_front()
        {
            if item.event.as_deref().is_some_and(|event| self.open.has_event(event)) {
                refused.push(twice(item));
            } else if self.open.has_room(&self.limits, item.json.len()) {
                self.append(item.sequence, &item.json, user, &item.user, item.event.as_deref(), || Duration::ZERO);
            } else {
                self.seal();
                parked.push_front(item);
            }
        }
        if let Some(user) = self.users.get_mut(&user) {
            user.parked = parked;
        }
    }
}

fn twice(item: Item) -> Refused {
    let message = "is in the same batch already: an event is sent once".to_owned();
    (item, vec![Reason { field: Some("_event_id".to_owned()), message }])
}
