//! The outcome of each item of a batch in its answer, by the descriptions of the operation. What it does not say for certain is
//! unknown: an item is never taken for accepted because nothing contradicts it.

use std::collections::HashMap;

use serde::de::DeserializeSeed as _;
use serde_json::Value;

use super::sieve::Sieve;
use super::{Outcome, Reason, Unknown};
use crate::client::transport::items::{accepts, is_nothing, said};
use crate::error::operation::Partial;

/// How answers tell of items.
#[derive(Debug)]
pub(super) struct Shape {
    partial: &'static [Partial],
    /// The field by which an item is known again.
    id_field: Option<&'static str>,
    /// The parts of an answer that are read.
    sieve: Sieve,
}

impl Shape {
    pub(super) fn new(partial: &'static [Partial], id_field: Option<&'static str>) -> Self {
        Self { partial, id_field, sieve: Sieve::of(partial, id_field) }
    }

    /// The outcome of each item; `None` where the body is not as any description says. `ids`: those of the items as sent, in
    /// order; empty where they have none. Where there is no description, a success is that of every item.
    pub(super) fn read(&self, body: &[u8], ids: &[&str], is_success: bool) -> Option<Vec<Outcome>> {
        if self.partial.is_empty() {
            return is_success.then(|| vec![Outcome::Accepted; ids.len()]);
        }
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        let answer = self.sieve.deserialize(&mut deserializer).ok()?;
        deserializer.end().ok()?;
        let told = self.partial.iter().find_map(|partial| Told::read(partial, &answer))?;
        let mut slots = Slots::new(told.partial, self.id_field, ids);
        slots.fill(&told, is_success);
        Some(slots.said.into_iter().map(Said::outcome).collect())
    }
}

/// The parts of an answer that a description names.
struct Told<'a> {
    partial: &'a Partial,
    received: Option<u64>,
    accepted: Option<u64>,
    rejected: Option<u64>,
    accepted_items: Option<Vec<Entry<'a>>>,
    rejected_items: Option<Vec<Entry<'a>>>,
    outcomes: Option<Vec<Entry<'a>>>,
}

/// An entry of a list, or a member of an object with its name.
type Entry<'a> = (Option<&'a str>, &'a Value);

impl<'a> Told<'a> {
    /// `None` where the answer has none of the places, or something else stands there.
    fn read(partial: &'a Partial, answer: &'a Value) -> Option<Self> {
        let at = |place: Option<&str>| place.and_then(|place| answer.pointer(place)).filter(|value| !value.is_null());
        let number = |place| at(place).map(|value| value.as_u64().ok_or(())).transpose().ok();
        let list = |place| at(place).map(|value| entries(value).ok_or(())).transpose().ok();
        let told = Self {
            partial,
            received: number(partial.received)?,
            accepted: number(partial.accepted)?,
            rejected: number(partial.rejected)?,
            accepted_items: list(partial.accepted_items)?,
            rejected_items: list(partial.rejected_items)?,
            outcomes: list(partial.outcomes)?,
        };
        let counts = told.received.or(told.accepted).or(told.rejected).is_some();
        let lists = [&told.accepted_items, &told.rejected_items, &told.outcomes].into_iter().any(Option::is_some);
        (counts || lists).then_some(told)
    }
}

fn entries(value: &Value) -> Option<Vec<Entry<'_>>> {
    match value {
        Value::Array(list) => Some(list.iter().map(|entry| (None, entry)).collect()),
        Value::Object(members) => Some(members.iter().map(|(name, entry)| (Some(name.as_str()), entry)).collect()),
        _ => None,
    }
}

struct Slots<'a> {
    partial: &'a Partial,
    id_field: Option<&'a str>,
    ids: &'a [&'a str],
    /// The only place of an id.
    places: HashMap<&'a str, Option<usize>>,
    said: Vec<Said>,
}

#[derive(Clone)]
enum Said {
    Nothing,
    Contradiction,
    Outcome(Outcome),
}

/// Which item an entry is about.
enum About {
    Item(usize),
    /// Two things that it says are about two items.
    Contradiction(usize),
    /// It names none.
    Nobody,
    /// It names one that was not sent, or is not the only one of its name.
    Another,
}

impl Said {
    fn outcome(self) -> Outcome {
        match self {
            Self::Outcome(outcome) => outcome,
            Self::Nothing => Outcome::Unknown(Unknown::sent("the answer says nothing of this item")),
            Self::Contradiction => Outcome::Unknown(Unknown::sent("the answer contradicts itself")),
        }
    }
}

impl<'a> Slots<'a> {
    fn new(partial: &'a Partial, id_field: Option<&'a str>, ids: &'a [&'a str]) -> Self {
        let mut places: HashMap<&str, Option<usize>> = HashMap::with_capacity(ids.len());
        for (place, id) in ids.iter().enumerate().filter(|(_, id)| !id.is_empty()) {
            places.entry(id).and_modify(|known| *known = None).or_insert(Some(place));
        }
        Self { partial, id_field, ids, places, said: vec![Said::Nothing; ids.len()] }
    }

    fn fill(&mut self, told: &Told<'_>, is_success: bool) {
        let count = self.ids.len() as u64;
        let sum = told.accepted.unwrap_or_default().saturating_add(told.rejected.unwrap_or_default());
        if sum > count || told.received.is_some_and(|received| received != count) {
            return self.contradict();
        }
        if let Some(outcomes) = &told.outcomes {
            return self.outcomes(told, outcomes);
        }
        let listed = |list: &Option<Vec<Entry<'_>>>| list.as_ref().map(|list| list.len() as u64);
        let fewer = |count: Option<u64>, list| count.zip(listed(list)).is_some_and(|(count, listed)| count < listed);
        // More may be counted than is listed, and then nothing is known of the rest.
        if fewer(told.accepted, &told.accepted_items) || fewer(told.rejected, &told.rejected_items) {
            return self.contradict();
        }
        let [good, bad] = [&told.accepted_items, &told.rejected_items].map(|list| list.as_deref().unwrap_or_default());
        let mut is_placed = true;
        for entry in good {
            is_placed &= self.place(entry, None, || Outcome::Accepted);
        }
        for entry in bad {
            is_placed &= self.place(entry, None, || Outcome::Rejected(self::reasons(told.partial, entry.1)));
        }
        if let Some(outcome) = self.counted(told, good.len() as u64, bad, is_placed, is_success) {
            self.said.iter_mut().filter(|said| matches!(said, Said::Nothing)).for_each(|said| *said = outcome.clone());
        }
    }

    /// The outcome that the counts prove of every item that no list names.
    fn counted(
        &self,
        told: &Told<'_>,
        good: u64,
        bad: &[Entry<'_>],
        is_placed: bool,
        is_success: bool,
    ) -> Option<Said> {
        let (partial, count) = (self.partial, self.ids.len() as u64);
        let failed = told.rejected.unwrap_or(0).max(bad.len() as u64);
        let is_named = partial.position.is_some() || (partial.item.is_some() && self.id_field.is_some());
        // A list of accepted items that could name this one and does not, says nothing for it.
        if failed == 0 && good == count && !is_named {
            return Some(Said::Outcome(Outcome::Accepted));
        }
        if failed == count && good == 0 && told.accepted.unwrap_or(0) == 0 && bad.len() as u64 <= count {
            let reason = || bad.first().filter(|_| bad.len() == 1).map(|(_, entry)| reasons(partial, entry));
            let reasons = reason().unwrap_or_else(|| vec![Reason::new("no reason is given for this item alone")]);
            return (!is_named || bad.is_empty()).then_some(Said::Outcome(Outcome::Rejected(reasons)));
        }
        if partial.accepted_items.is_some() || !is_placed || !is_success {
            return None;
        }
        let is_listed = failed == bad.len() as u64;
        let adds_up = told.accepted.is_none_or(|accepted| accepted + failed == count);
        (is_listed && adds_up).then_some(Said::Outcome(Outcome::Accepted))
    }

    /// One outcome for each item.
    fn outcomes(&mut self, told: &Told<'_>, outcomes: &[Entry<'_>]) {
        let partial = told.partial;
        let good = outcomes.iter().filter(|(_, entry)| accepts(partial, entry)).count() as u64;
        let bad = outcomes.len() as u64 - good;
        let is_whole = outcomes.len() == self.ids.len();
        if told.accepted.is_some_and(|accepted| accepted != good) {
            return self.contradict();
        }
        let is_counted = told.rejected == Some(bad);
        let explained = outcomes.iter().filter(|(_, entry)| !accepts(partial, entry) && has_reason(partial, entry));
        let explained = explained.count() as u64;
        if told.rejected.is_some_and(|rejected| rejected > bad || rejected < explained) {
            return self.contradict();
        }
        for (place, entry) in outcomes.iter().enumerate() {
            let here = is_whole.then_some(place);
            if accepts(partial, entry.1) {
                self.place(entry, here, || Outcome::Accepted);
            } else if is_counted || partial.reason.is_none() || has_reason(partial, entry.1) {
                self.place(entry, here, || Outcome::Rejected(reasons(partial, entry.1)));
            } else {
                // Neither a word for acceptance nor a reason: it may be on its way.
                let word = partial.outcome.and_then(|at| entry.1.pointer(at)).and_then(said);
                let word = word.map_or_else(|| "nothing".to_owned(), |word| format!("`{word}`"));
                let text = format!("the answer says {word} of this item, which is neither acceptance nor a reason");
                self.place(entry, here, || Outcome::Unknown(Unknown::sent(&text)));
            }
        }
    }

    /// Puts an outcome where its entry says. `here`: its place where the entry does not say any. `false` where nobody knows.
    fn place(&mut self, entry: &Entry<'_>, here: Option<usize>, outcome: impl FnOnce() -> Outcome) -> bool {
        let place = match (self.about(entry), here) {
            (About::Item(place), _) | (About::Nobody, Some(place)) => place,
            // Of several with one id it is the one in its place, as long as that is its id.
            (About::Another, Some(place)) if self.echo(entry.1).is_some_and(|id| id == self.ids[place]) => place,
            (About::Contradiction(place), _) => {
                self.said[place] = Said::Contradiction;
                return false;
            }
            (About::Nobody | About::Another, _) => return false,
        };
        self.said[place] = match self.said[place] {
            Said::Nothing => Said::Outcome(outcome()),
            Said::Outcome(_) | Said::Contradiction => Said::Contradiction,
        };
        true
    }

    fn about(&self, (name, entry): &Entry<'_>) -> About {
        let echo = self.echo(entry);
        let own = |number: u64| {
            let place = usize::try_from(number.checked_sub(self.partial.first)?).ok()?;
            Some(place).filter(|place| *place < self.ids.len())
        };
        if let Some(at) = self.partial.position {
            let Some(place) = entry.pointer(at).and_then(Value::as_u64).and_then(own) else {
                return About::Another;
            };
            let is_other = echo.is_some_and(|id| !self.ids[place].is_empty() && id != self.ids[place]);
            return if is_other { About::Contradiction(place) } else { About::Item(place) };
        }
        if let Some(id) = echo.as_deref().or(*name) {
            if let Some(place) = self.places.get(id) {
                return place.map_or(About::Another, About::Item);
            }
            // A member that is named by the place of its item, where no item is named so.
            let number = name.filter(|_| echo.is_none()).and_then(|name| name.parse().ok());
            return number.and_then(own).map_or(About::Another, About::Item);
        }
        About::Nobody
    }

    /// The id of the item that an entry repeats.
    fn echo(&self, entry: &Value) -> Option<String> {
        let item = entry.pointer(self.partial.item?)?;
        said(item).or_else(|| item.get(self.id_field?).and_then(said)).filter(|id| !id.is_empty())
    }

    fn contradict(&mut self) {
        self.said.fill(Said::Contradiction);
    }
}

fn has_reason(partial: &Partial, entry: &Value) -> bool {
    partial.reason.and_then(|at| entry.pointer(at)).is_some_and(|reason| !is_nothing(reason))
}

/// Why an item was rejected: `{field: [message, ..]}`, a text, or whatever comes in its place.
fn reasons(partial: &Partial, entry: &Value) -> Vec<Reason> {
    let given = match partial.reason {
        Some(at) => entry.pointer(at).filter(|reason| !is_nothing(reason)),
        None => {
            partial.outcome.and_then(|at| entry.pointer(at)).or_else(|| Some(entry).filter(|entry| entry.is_string()))
        }
    };
    let mut reasons = Vec::new();
    match given {
        Some(Value::Object(fields)) => {
            for (field, messages) in fields {
                let messages = messages.as_array().map_or(std::slice::from_ref(messages), Vec::as_slice);
                reasons.extend(messages.iter().map(|message| Reason::of_field(field.clone(), words(message))));
            }
        }
        Some(Value::Array(several)) => reasons.extend(several.iter().map(|message| Reason::new(words(message)))),
        Some(one) => reasons.push(Reason::new(words(one))),
        None => {}
    }
    if reasons.is_empty() {
        reasons.push(Reason::new("no reason is given"));
    }
    reasons
}

fn words(message: &Value) -> String {
    said(message).unwrap_or_else(|| message.to_string())
}

#[cfg(test)]
#[path = "receipt_tests.rs"]
mod tests;
