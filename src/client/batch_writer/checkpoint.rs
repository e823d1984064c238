//! What is confirmed of the items written so far, so that a later run can leave that out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Which items were confirmed, accepted or rejected, by their numbers: all up to one, except some ranges.
///
/// As JSON: `{"through": 1200, "except": [[1101, 1130], [1200, 1200]], "sent": [[1101, 1130]]}`, both ends included. An item
/// whose outcome is unknown is not confirmed. The exceptions are the items on their way and the unknown ones, so that a
/// checkpoint is small however many items it covers. Those of them that the server may have taken are under `sent`: a later
/// run sends them again only where that does no harm.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(from = "Written", into = "Written")]
pub struct Checkpoint {
    /// The highest number that was written, if any.
    pub(super) through: Option<u64>,
    pub(super) except: Ranges,
    /// Those of the exceptions that may have been sent.
    pub(super) sent: Ranges,
}

impl Checkpoint {
    /// Whether the item of this number is confirmed.
    pub fn covers(&self, sequence: u64) -> bool {
        self.through.is_some_and(|through| sequence <= through) && !self.except.contains(sequence)
    }

    /// Whether the item of this number is not confirmed, and the server may have taken it.
    pub fn may_have_been_sent(&self, sequence: u64) -> bool {
        self.sent.contains(sequence) && !self.covers(sequence)
    }

    /// The highest number that was written, confirmed or not.
    pub fn through(&self) -> Option<u64> {
        self.through
    }

    /// The first number that is not confirmed: everything before it is.
    pub fn first_open(&self) -> u64 {
        let after = self.through.map_or(0, |through| through.saturating_add(1));
        self.except.first().map_or(after, |first| first.min(after))
    }
}

/// Numbers, as ranges that neither touch nor overlap.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    fn of(ranges: Vec<(u64, u64)>) -> Self {
        let mut found = Self::default();
        for (start, end) in ranges {
            found.insert_range(start, end);
        }
        found
    }

    pub(super) fn insert(&mut self, number: u64) {
        self.insert_range(number, number);
    }

    pub(super) fn contains(&self, number: u64) -> bool {
        self.0.range(..=number).next_back().is_some_and(|(_, end)| number <= *end)
    }

    /// Leaves only what is above a number.
    pub(super) fn above(&self, number: u64) -> Self {
        let ranges = self.0.iter().filter(|(_, end)| **end > number);
        Self(ranges.map(|(start, end)| ((*start).max(number.saturating_add(1)), *end)).collect())
    }

    pub(super) fn extend(&mut self, other: &Self) {
        for (start, end) in &other.0 {
            self.insert_range(*start, *end);
        }
    }

    fn first(&self) -> Option<u64> {
        self.0.keys().next().copied()
    }

    fn insert_range(&mut self, mut start: u64, mut end: u64) {
        if start > end {
            return;
        }
        // The one range that may begin before, then all that begin within or right after.
        if let Some((&before, &its_end)) = self.0.range(..=start).next_back()
            && its_end.saturating_add(1) >= start
        {
            start = before;
            end = end.max(its_end);
        }
        let reach = end.saturating_add(1);
        let swallowed: Vec<u64> = self.0.range(start..=reach).map(|(start, _)| *start).collect();
        for key in swallowed {
            end = end.max(self.0.remove(&key).unwrap_or_default());
        }
        self.0.insert(start, end);
    }
}

/// A checkpoint as it is stored. What somebody edited by hand is put in order, not refused.
#[derive(Deserialize, Serialize)]
struct Written {
    through: Option<u64>,
    #[serde(default)]
    except: Vec<(u64, u64)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sent: Vec<(u64, u64)>,
}

impl From<Written> for Checkpoint {
    fn from(Written { through, except, sent }: Written) -> Self {
        Self { through, except: Ranges::of(except), sent: Ranges::of(sent) }
    }
}

impl From<Checkpoint> for Written {
    fn from(checkpoint: Checkpoint) -> Self {
        let ranges = |ranges: Ranges| ranges.0.into_iter().collect();
        Self { through: checkpoint.through, except: ranges(checkpoint.except), sent: ranges(checkpoint.sent) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Checkpoint {
        serde_json::from_str(text).expect("a checkpoint")
    }

    #[test]
    fn an_empty_checkpoint_covers_nothing() {
        assert!(!Checkpoint::default().covers(0));
        assert_eq!(Checkpoint::default().first_open(), 0);
        assert_eq!(read(r#"{"through":null}"#), Checkpoint::default());
    }

    #[test]
    fn a_checkpoint_survives_being_stored() {
        let text = r#"{"through":20,"except":[[3,5],[7,7],[20,20]]}"#;
        let checkpoint = read(text);
        assert_eq!(serde_json::to_string(&checkpoint).ok().as_deref(), Some(text));
        let open: Vec<u64> = (0..25).filter(|number| !checkpoint.covers(*number)).collect();
        assert_eq!(open, [3, 4, 5, 7, 20, 21, 22, 23, 24]);
        assert_eq!(checkpoint.first_open(), 3);
        assert_eq!(read(r#"{"through":9}"#).first_open(), 10);
    }

    #[test]
    fn what_may_have_been_sent_is_told_apart_and_not_covered() {
        let text = r#"{"through":9,"except":[[3,6]],"sent":[[3,4]]}"#;
        let checkpoint = read(text);
        assert_eq!(serde_json::to_string(&checkpoint).ok().as_deref(), Some(text));
        let sent: Vec<u64> = (0..12).filter(|number| checkpoint.may_have_been_sent(*number)).collect();
        assert_eq!(sent, [3, 4]);
    }

    #[test]
    fn ranges_that_touch_or_overlap_become_one() {
        assert_eq!(read(r#"{"through":9,"except":[[5,6],[1,2],[3,3],[2,5],[9,8]]}"#).except.0, [(1, 6)].into());
        let whole = read(&format!(r#"{{"through":{0},"except":[[0,{0}],[5,5]]}}"#, u64::MAX));
        assert!(!whole.covers(u64::MAX) && !whole.covers(0));
        let mut ranges = Ranges::default();
        for number in [5, 1, 3, 2, 4, 9] {
            ranges.insert(number);
        }
        assert_eq!(ranges.0, [(1, 5), (9, 9)].into());
        assert_eq!(ranges.above(3).0, [(4, 5), (9, 9)].into());
    }
}
