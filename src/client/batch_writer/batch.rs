//! A batch as it is filled, and as it is sent.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;

/// What bounds the batches and the memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) batch_items: usize,
    pub(super) batch_bytes: usize,
    pub(super) pending_items: usize,
    pub(super) pending_bytes: usize,
}

/// An item on its own.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) sequence: u64,
    pub(super) json: Box<[u8]>,
    /// By which it is known again; empty where it has none.
    pub(super) id: Box<str>,
    pub(super) unique: Option<Box<str>>,
    pub(super) is_harmless: bool,
}

/// The part of an item that a batch keeps, beside its JSON.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    pub(super) id: &'a str,
    pub(super) unique: Option<&'a str>,
    pub(super) is_harmless: bool,
}

impl Item {
    pub(super) fn known(&self) -> Known<'_> {
        Known { id: &self.id, unique: self.unique.as_deref(), is_harmless: self.is_harmless }
    }

    /// Of an item that is not fit to be sent.
    pub(super) fn unfit(sequence: u64, json: &[u8]) -> Self {
        Self { sequence, json: json.into(), id: Box::default(), unique: None, is_harmless: true }
    }
}

/// A batch that takes items. Its body is written as they come, so that an item is copied once.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) id: u64,
    /// When its first item came.
    pub(super) since: Duration,
    body: Vec<u8>,
    slots: Vec<Slot>,
    /// The ids, one after the other.
    ids: String,
    uniques: HashSet<Box<str>>,
}

/// Where an item and its id end; they begin where those before them end.
#[derive(Debug)]
struct Slot {
    sequence: u64,
    /// The hash of its key.
    key: Option<u64>,
    item_end: usize,
    id_end: usize,
    is_harmless: bool,
}

/// A batch that is full enough.
pub(super) struct Batch {
    pub(super) id: u64,
    body: Bytes,
    slots: Vec<Slot>,
    ids: String,
}

impl Open {
    pub(super) fn new(id: u64) -> Self {
        Self {
            id,
            since: Duration::ZERO,
            body: Vec::new(),
            slots: Vec::new(),
            ids: String::new(),
            uniques: HashSet::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn has(&self, unique: &str) -> bool {
        self.uniques.contains(unique)
    }

    /// Whether an item of so many bytes fits. The first one always does.
    pub(super) fn has_room(&self, limits: &Limits, bytes: usize) -> bool {
        // The comma before it and the bracket at the end.
        self.is_empty() || (self.len() < limits.batch_items && self.body.len() + bytes + 2 <= limits.batch_bytes)
    }

    pub(super) fn push(&mut self, sequence: u64, json: &[u8], key: Option<u64>, item: &Known<'_>) {
        self.body.push(if self.body.is_empty() { b'[' } else { b',' });
        self.body.extend_from_slice(json);
        self.ids.push_str(item.id);
        self.uniques.extend(item.unique.map(Into::into));
        let (item_end, id_end) = (self.body.len(), self.ids.len());
        self.slots.push(Slot { sequence, key, item_end, id_end, is_harmless: item.is_harmless });
    }

    pub(super) fn seal(mut self) -> Batch {
        self.body.push(b']');
        Batch { id: self.id, body: self.body.into(), slots: self.slots, ids: self.ids }
    }

    pub(super) fn sequences(&self) -> impl Iterator<Item = u64> {
        self.slots.iter().map(|slot| slot.sequence)
    }
}

impl Batch {
    /// A batch for the outcome of an item that is not sent.
    pub(super) fn of_one(item: &Item) -> Self {
        let mut open = Open::new(u64::MAX);
        open.push(item.sequence, &item.json, None, &item.known());
        open.seal()
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The JSON array of some of the items; of all of them it is shared, not copied.
    pub(super) fn body(&self, part: &Range<usize>) -> Bytes {
        if *part == (0..self.len()) {
            return self.body.clone();
        }
        let (start, end) = (self.span(part.start).start, self.span(part.end.saturating_sub(1)).end);
        [b"[", &self.body[start..end], b"]"].concat().into()
    }

    pub(super) fn item(&self, index: usize) -> &[u8] {
        &self.body[self.span(index)]
    }

    /// The bytes of all items.
    pub(super) fn item_bytes(&self) -> usize {
        self.body.len() - self.len() - 1
    }

    pub(super) fn sequence(&self, index: usize) -> u64 {
        self.slots[index].sequence
    }

    pub(super) fn sequences(&self) -> impl Iterator<Item = u64> {
        self.slots.iter().map(|slot| slot.sequence)
    }

    pub(super) fn numbers(&self, part: &Range<usize>) -> Vec<u64> {
        self.slots[part.clone()].iter().map(|slot| slot.sequence).collect()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = u64> {
        self.slots.iter().filter_map(|slot| slot.key)
    }

    /// Whether each of some items may be sent twice.
    pub(super) fn is_harmless(&self, part: &Range<usize>) -> bool {
        self.slots[part.clone()].iter().all(|slot| slot.is_harmless)
    }

    /// The ids of some of the items; empty where they have none.
    pub(super) fn ids(&self, part: &Range<usize>) -> Vec<&str> {
        let start = |index: usize| index.checked_sub(1).map_or(0, |before| self.slots[before].id_end);
        part.clone().map(|index| &self.ids[start(index)..self.slots[index].id_end]).collect()
    }

    fn span(&self, index: usize) -> Range<usize> {
        let before = index.checked_sub(1).map_or(0, |before| self.slots[before].item_end);
        before + 1..self.slots[index].item_end
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the items: they may be personal.
        f.debug_struct("Batch").field("id", &self.id).field("items", &self.len()).finish_non_exhaustive()
    }
}
