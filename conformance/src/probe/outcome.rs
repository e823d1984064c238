//! Checks whether an answer reports the outcome of all batch items: none missing, none twice, in order, with correct counts. The answer
//! itself determines which description of an overlay applies.

use std::collections::BTreeSet;

use keyfit_openapi::Partial;
use serde_json::Value;

use crate::contract::Batch;

/// Returns the flaw of the outcome, or `None` if it is correct. If the server may reject more items than the spoilt ones, the outcome has
/// to be consistent and to name at least those.
pub(super) fn mismatch(
    batch: &Batch,
    descriptions: &[Partial],
    sent: &[(Value, bool)],
    body: &Value,
    may_reject_more: bool,
) -> Option<String> {
    let has = |description: &Partial| {
        let mut places = description.locations().into_iter().filter_map(|(_, place)| place);
        let count = places.clone().count();
        (places.by_ref().filter(|place| body.pointer(place).is_some()).count(), count)
    };
    let whole = descriptions.iter().find(|description| has(description).0 == has(description).1);
    let part = || descriptions.iter().find(|description| has(description).0 > 0);
    match whole.or_else(part) {
        Some(described) if may_reject_more => {
            let sent = with_rejected(described, sent, body);
            ReportedOutcome { batch, described, sent: &sent, body }.check().err()
        }
        Some(described) => ReportedOutcome { batch, described, sent, body }.check().err(),
        None => Some("the answer has none of the places that tell of items".to_owned()),
    }
}

/// Returns the items, with each one marked as bad that the answer reports as rejected.
fn with_rejected(described: &Partial, sent: &[(Value, bool)], body: &Value) -> Vec<(Value, bool)> {
    let mut sent = sent.to_vec();
    let list = |place: &Option<String>| Some(body.pointer(place.as_ref()?)?.as_array()?.iter().enumerate());
    let position = |(index, entry): (usize, &Value)| match &described.position {
        Some(position) => usize::try_from(entry.pointer(position)?.as_u64()?.checked_sub(described.first)?).ok(),
        None => Some(index),
    };
    let of_failed = list(&described.rejected_items).filter(|_| described.position.is_some());
    let of_all = || list(&described.outcomes).map(|all| all.filter(|(_, entry)| !described.accepts(entry)).collect());
    if let Some(rejected) = of_failed.map(Iterator::collect::<Vec<_>>).or_else(of_all) {
        for index in rejected.into_iter().filter_map(position) {
            sent.get_mut(index).into_iter().for_each(|(_, is_good)| *is_good = false);
        }
        return sent;
    }
    // Only their number is known.
    let reported = described.rejected.as_ref().and_then(|place| body.pointer(place)?.as_u64()).unwrap_or_default();
    let spoilt = sent.iter().filter(|(_, is_good)| !is_good).count();
    let more = usize::try_from(reported).unwrap_or(usize::MAX).saturating_sub(spoilt);
    sent.iter_mut().filter(|(_, is_good)| *is_good).take(more).for_each(|(_, is_good)| *is_good = false);
    sent
}

/// An answer, with the outcome that it has to report.
struct ReportedOutcome<'a> {
    batch: &'a Batch,
    described: &'a Partial,
    sent: &'a [(Value, bool)],
    body: &'a Value,
}

impl ReportedOutcome<'_> {
    /// Checks that the counts add up, and that each list names each of its items once.
    fn check(&self) -> Result<(), String> {
        let Partial { received, accepted, rejected, accepted_items, rejected_items, outcomes, .. } = self.described;
        let good = self.sent.iter().filter(|(_, is_good)| *is_good).count();
        for (place, expected) in [(received, self.sent.len()), (accepted, good), (rejected, self.sent.len() - good)] {
            let Some(place) = place else { continue };
            let reported = self.body.pointer(place).unwrap_or(&Value::Null);
            if *reported != expected {
                return Err(format!("`{place}` is {reported}, not {expected}"));
            }
        }
        for (place, only) in [(accepted_items, Some(true)), (rejected_items, Some(false)), (outcomes, None)] {
            if let Some(place) = place {
                self.list(place, only)?;
            }
        }
        Ok(())
    }

    /// Checks a list of the good items, of the bad ones, or of all.
    fn list(&self, place: &str, only: Option<bool>) -> Result<(), String> {
        let entries = match self.body.pointer(place) {
            Some(Value::Array(entries)) => entries.iter().collect::<Vec<_>>(),
            Some(Value::Object(members)) => members.values().collect(),
            _ => return Err(format!("`{place}` is not a list")),
        };
        let listed = self.sent.iter().enumerate().filter(|(_, (_, is_good))| only.is_none_or(|only| only == *is_good));
        let expected: Vec<usize> = listed.map(|(index, _)| index).collect();
        if entries.len() != expected.len() {
            return Err(format!("`{place}` has {} entries, not {}", entries.len(), expected.len()));
        }
        let mut seen = BTreeSet::new();
        for (entry, next) in entries.into_iter().zip(&expected) {
            let index = match &self.described.position {
                None => *next,
                Some(position) => self.index(place, position, entry)?,
            };
            if !expected.contains(&index) || !seen.insert(index) {
                let how = if seen.contains(&index) { "twice" } else { "wrongly" };
                return Err(format!("`{place}` names the position {} {how}", index as u64 + self.described.first));
            }
            self.entry(place, index, entry, only.is_none())?;
        }
        Ok(())
    }

    /// Returns the index of the item that an entry is about, from the position that it names.
    fn index(&self, place: &str, position: &str, entry: &Value) -> Result<usize, String> {
        let reported = entry.pointer(position).and_then(Value::as_u64);
        let reported = reported.ok_or_else(|| format!("an entry of `{place}` has no position at `{position}`"))?;
        let index = reported.checked_sub(self.described.first).and_then(|index| usize::try_from(index).ok());
        index.ok_or_else(|| format!("`{place}` names the position {reported} wrongly"))
    }

    /// Checks that an entry reports the right result of its item and repeats the right id, if it contains them.
    fn entry(&self, place: &str, index: usize, entry: &Value, is_outcome: bool) -> Result<(), String> {
        let (item, is_good) = &self.sent[index];
        if is_outcome && self.described.accepts(entry) != *is_good {
            let reported = if *is_good { "rejected" } else { "accepted" };
            return Err(format!("`{place}` tells the item at {index} to be {reported}, which it is not"));
        }
        let Some(field) = &self.batch.id_field else { return Ok(()) };
        let repeated = self.described.item.as_ref().and_then(|at| entry.pointer(at)?.get(field));
        match (repeated, item.get(field)) {
            (Some(reported), Some(sent)) if reported != sent => {
                Err(format!("`{place}` is about {reported} where {sent} is next"))
            }
            _ => Ok(()),
        }
    }
}
