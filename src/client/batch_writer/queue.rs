//! The items that were taken and not sent yet, and the batches that they become. No time passes here and nothing is sent.
//!
//! Items of one key are never in two batches at a time: while one of them is in a batch, those that come after it are
//! parked, and move on when that batch is done. Where the key is what an item is known by, a batch holds one of a key, because
//! the second one of two is a newer state; else it may hold many, in order.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use super::Reason;
use super::batch::{Batch, Item, Known, Limits, Open};
use super::identity::{Fields, Identity};

#[derive(Debug)]
pub(super) struct Queue {
    is_single: bool,
    /// The member of which a batch holds no value twice: a second item with it is refused.
    refuses_twice: Option<String>,
    limits: Limits,
    open: Open,
    ready: VecDeque<Batch>,
    /// The keys with an item in a batch that is not done, by hash. Two keys of one hash wait for each other, no more.
    keys: HashMap<u64, Held>,
    hasher: RandomState,
    /// Items that were taken and whose outcome is not delivered.
    pending_items: usize,
    pending_bytes: usize,
    /// Whether somebody waits for room.
    is_pressed: bool,
}

/// A key with items that are not done.
#[derive(Debug)]
struct Held {
    /// The batch that holds its items.
    batch: u64,
    parked: VecDeque<Item>,
}

/// An item that is refused here.
pub(super) type Refused = (Item, Vec<Reason>);

impl Queue {
    pub(super) fn new(fields: &Fields, limits: Limits) -> Self {
        Self {
            is_single: fields.is_single(),
            refuses_twice: fields.refuses_twice().map(str::to_owned),
            limits,
            open: Open::new(0),
            ready: VecDeque::new(),
            keys: HashMap::new(),
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
        let key = identity.key.as_deref().map(|key| self.hasher.hash_one(key));
        let id = identity.id.as_deref().unwrap_or_default();
        let known = Known { id, unique: identity.unique.as_deref(), is_harmless: identity.is_harmless };
        let item = || Item {
            sequence,
            json: json.into(),
            id: id.into(),
            unique: known.unique.map(Into::into),
            is_harmless: known.is_harmless,
        };
        if !self.open.has_room(&self.limits, json.len()) {
            self.seal();
        }
        let is_twice = |open: &Open| known.unique.is_some_and(|unique| open.has(unique));
        if is_twice(&self.open) && self.refuses_twice.is_none() {
            self.seal();
        }
        if let Some(held) = key.filter(|key| self.is_to_be_parked(*key)).and_then(|key| self.keys.get_mut(&key)) {
            held.parked.push_back(item());
            return None;
        }
        if is_twice(&self.open) {
            return Some(self.twice(item()));
        }
        self.append(sequence, json, key, &known, now);
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

    /// A batch is done: the next items of its keys may go. What waited for it does not wait for company as well.
    pub(super) fn done(&mut self, batch: &Batch) -> Vec<Refused> {
        let mut refused = Vec::new();
        for key in batch.keys() {
            let Entry::Occupied(mut entry) = self.keys.entry(key) else { continue };
            if entry.get().batch != batch.id {
                continue;
            }
            let parked = std::mem::take(&mut entry.get_mut().parked);
            entry.remove();
            self.unpark(key, parked, &mut refused);
        }
        refused
    }

    /// Everything that is not on its way, in the order in which it came.
    pub(super) fn drain(&mut self) -> Vec<Batch> {
        self.seal();
        let mut batches: Vec<Batch> = self.ready.drain(..).collect();
        let parked = self.keys.drain().flat_map(|(_, held)| held.parked);
        let mut parked: Vec<Item> = parked.collect();
        parked.sort_by_key(|item| item.sequence);
        batches.extend(parked.iter().map(Batch::of_one));
        batches
    }

    /// The numbers of the items that are not on their way.
    pub(super) fn sequences(&self) -> impl Iterator<Item = u64> {
        let parked = self.keys.values().flat_map(|held| held.parked.iter().map(|item| item.sequence));
        self.open.sequences().chain(self.ready.iter().flat_map(Batch::sequences)).chain(parked)
    }

    fn is_to_be_parked(&self, key: u64) -> bool {
        let held = self.keys.get(&key);
        held.is_some_and(|held| self.is_single || held.batch != self.open.id || !held.parked.is_empty())
    }

    fn append(
        &mut self,
        sequence: u64,
        json: &[u8],
        key: Option<u64>,
        known: &Known<'_>,
        now: impl FnOnce() -> Duration,
    ) {
        if self.open.is_empty() {
            self.open.since = now();
        }
        self.open.push(sequence, json, key, known);
        if let Some(key) = key {
            self.keys.entry(key).or_insert_with(|| Held { batch: self.open.id, parked: VecDeque::new() });
        }
        if self.open.len() >= self.limits.batch_items {
            self.seal();
        }
    }

    /// Moves items of one key to the open batch, as many as may go together.
    fn unpark(&mut self, key: u64, mut parked: VecDeque<Item>, refused: &mut Vec<Refused>) {
        while !self.is_to_be_parked(key)
            && let Some(item) = parked.pop_front()
        {
            let is_twice = item.unique.as_deref().is_some_and(|unique| self.open.has(unique));
            if is_twice && self.refuses_twice.is_some() {
                refused.push(self.twice(item));
            } else if !is_twice && self.open.has_room(&self.limits, item.json.len()) {
                self.append(item.sequence, &item.json, Some(key), &item.known(), || Duration::ZERO);
            } else {
                self.seal();
                parked.push_front(item);
            }
        }
        if let Some(held) = self.keys.get_mut(&key) {
            held.parked = parked;
        }
    }

    fn twice(&self, item: Item) -> Refused {
        let reason = Reason::new("is in the same batch already: the server would ignore the second item".to_owned());
        (item, vec![Reason { field: self.refuses_twice.clone(), ..reason }])
    }
}
