//! The outcome of each message of a bulk request.

use serde::Serialize;
use serde_json::Value;

use super::Message;
use super::echo::{Echo, Place};
use crate::instasent::batch::Reason;

/// The outcome of each message of a bulk request.
///
/// The answer has two lists, and no document says how their elements name the message they are about. They are matched by
/// what they do say; what that leaves open is said to be unknown, with the reason, and not guessed. Give each message a
/// `clientId` of its own to leave little open.
#[derive(Clone, Debug, PartialEq)]
pub struct BulkOutcome {
    items: Vec<ItemReport>,
    unplaced: Vec<Unplaced>,
}

/// The outcome of one message, with its index.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ItemReport {
    /// Its index among all messages that were planned, from 0.
    pub index: usize,
    /// Its outcome.
    pub outcome: ItemOutcome,
}

/// The outcome of a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ItemOutcome {
    /// The server took it, and it will cost money.
    Accepted {
        /// Its id; `None` where the server sent none, or where it cannot be told whose an id is.
        id: Option<String>,
        /// The evidence for the match.
        evidence: Evidence,
    },
    /// The server did not take it.
    Rejected {
        /// The reasons, in the server's words; empty if a reason cannot be assigned to a message.
        reasons: Vec<Reason>,
        /// The evidence for the match.
        evidence: Evidence,
    },
    /// It cost nothing: the checks refused it, its request was refused as a whole or never left, or none was made after
    /// one before it failed.
    NotSent {
        /// Why.
        why: String,
    },
    /// The answer does not tell. It may have been sent: do not send it again unseen.
    Unknown {
        /// What is missing.
        why: String,
    },
}

/// The evidence that an element of the answer is about a message.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Evidence {
    /// It names the message's position in the request.
    Position,
    /// It repeats the message's reference, number or text. Messages that are the same in every field share their
    /// outcomes: which of them has which makes no difference.
    Echo,
    /// The answer accounts for every message, and the others are matched.
    Elimination,
}

/// An element of the answer that could not be given to one message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Unplaced {
    /// True if it is in the list of accepted ones.
    pub is_accepted: bool,
    /// The element as the server sent it.
    pub element: Value,
    /// The reason why it could not be matched.
    pub why: String,
}

/// The reason why an answer is not a valid answer to a bulk request.
///
/// # Troubleshooting
/// Give the answer of `sms_bulk_create`, or its JSON: `{"entities": [...], "errors": [...]}`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not the answer to a bulk request: {0}")]
pub struct InvalidAnswer(String);

impl BulkOutcome {
    /// One report for each message of the chunk, in its order.
    pub fn items(&self) -> &[ItemReport] {
        &self.items
    }

    /// The messages that the server did not take.
    pub fn rejected(&self) -> impl Iterator<Item = &ItemReport> {
        self.items.iter().filter(|item| matches!(item.outcome, ItemOutcome::Rejected { .. }))
    }

    /// The messages of which the answer does not tell.
    pub fn unknown(&self) -> impl Iterator<Item = &ItemReport> {
        self.items.iter().filter(|item| matches!(item.outcome, ItemOutcome::Unknown { .. }))
    }

    /// The elements that could not be given to one message: ids and reasons that are somebody's.
    pub fn unplaced(&self) -> &[Unplaced] {
        &self.unplaced
    }

    /// One outcome for all.
    pub(super) fn alike(items: Vec<ItemReport>) -> Self {
        Self { items, unplaced: Vec::new() }
    }

    /// Matches an answer to the messages of its request, each with its index.
    pub(super) fn read(messages: &[(usize, &dyn Message)], answer: &impl Serialize) -> Result<Self, InvalidAnswer> {
        let answer = serde_json::to_value(answer).map_err(|error| InvalidAnswer(error.to_string()))?;
        if !answer.is_object() {
            return Err(InvalidAnswer("it is no object".to_owned()));
        }
        let elements = list(&answer, "entities")?.iter().map(|element| (true, element));
        let elements: Vec<_> =
            elements.chain(list(&answer, "errors")?.iter().map(|element| (false, element))).collect();
        let (indexes, messages): (Vec<usize>, Vec<&dyn Message>) = messages.iter().copied().unzip();
        let mut matching = Matching { outcomes: vec![None; messages.len()], ..Matching::default() };
        let mut echoes = Vec::new();
        for (is_accepted, element) in &elements {
            match Echo::of(element, *is_accepted).place(&messages) {
                // Named positions are taken first: among messages that are the same, an echo takes what they leave.
                Place::Position(position) => matching.put(*is_accepted, element, &[position], Evidence::Position),
                Place::Among(positions) => echoes.push((*is_accepted, *element, positions)),
                Place::Open(why) => matching.leave(*is_accepted, element, why),
                Place::Contradiction(why) => {
                    matching.is_contradictory = true;
                    matching.leave(*is_accepted, element, why);
                }
            }
        }
        for (is_accepted, element, positions) in echoes {
            matching.put(is_accepted, element, &positions, Evidence::Echo);
        }
        let outcomes = matching.finish(elements.len());
        let items = indexes.into_iter().zip(outcomes).map(|(index, outcome)| ItemReport { index, outcome }).collect();
        Ok(Self { items, unplaced: matching.unplaced })
    }
}

#[derive(Default)]
struct Matching {
    outcomes: Vec<Option<ItemOutcome>>,
    unplaced: Vec<Unplaced>,
    /// True if an element fits no message, or one that has its outcome: then counting is not evidence.
    is_contradictory: bool,
}

impl Matching {
    fn leave(&mut self, is_accepted: bool, element: &Value, why: String) {
        self.unplaced.push(Unplaced { is_accepted, element: element.clone(), why });
    }

    /// Gives an element to the first of these messages that has no outcome.
    fn put(&mut self, is_accepted: bool, element: &Value, positions: &[usize], evidence: Evidence) {
        let free = positions.iter().find(|position| self.outcomes[**position].is_none());
        if let Some(position) = free {
            self.outcomes[*position] = Some(outcome(is_accepted, Some(element), evidence));
            return;
        }
        self.is_contradictory = true;
        for position in positions {
            let agrees = matches!(&self.outcomes[*position], Some(ItemOutcome::Accepted { .. }) if is_accepted)
                || matches!(&self.outcomes[*position], Some(ItemOutcome::Rejected { .. }) if !is_accepted);
            if !agrees {
                let why = "the answer reports it both as accepted and as rejected".to_owned();
                self.outcomes[*position] = Some(ItemOutcome::Unknown { why });
            }
        }
        self.leave(is_accepted, element, "the message has an outcome already".to_owned());
    }

    /// Settles what is left where counting allows it, and says why not where it does not.
    fn finish(&mut self, reported: usize) -> Vec<ItemOutcome> {
        let sent = self.outcomes.len();
        let open: Vec<usize> = (0..sent).filter(|position| self.outcomes[*position].is_none()).collect();
        let accepted = self.unplaced.iter().filter(|unplaced| unplaced.is_accepted).count();
        let rejected = self.unplaced.len() - accepted;
        let is_provable = !self.is_contradictory && reported == sent && (accepted == 0 || rejected == 0);
        let rest = if is_provable {
            // One message and one element that are left belong together.
            let element = if open.len() == 1 { self.unplaced.pop().map(|unplaced| unplaced.element) } else { None };
            outcome(accepted > 0, element.as_ref(), Evidence::Elimination)
        } else if reported == sent {
            let why =
                format!("{accepted} accepted and {rejected} rejected elements of the answer could not be matched");
            ItemOutcome::Unknown { why }
        } else {
            ItemOutcome::Unknown { why: format!("the answer has {reported} outcomes for {sent} messages") }
        };
        self.outcomes.drain(..).map(|outcome| outcome.unwrap_or_else(|| rest.clone())).collect()
    }
}

fn outcome(is_accepted: bool, element: Option<&Value>, evidence: Evidence) -> ItemOutcome {
    if is_accepted {
        let id = element.map(|element| &element["id"]).filter(|id| id.is_string() || id.is_number());
        ItemOutcome::Accepted { id: id.map(text), evidence }
    } else {
        ItemOutcome::Rejected { reasons: element.map(reasons).unwrap_or_default(), evidence }
    }
}

/// The reasons of a rejection: `errors` by field, `error`, `message`, or fields with lists of texts; the whole element
/// where it has none of these.
fn reasons(element: &Value) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut add = |field: Option<&str>, messages: &Value| {
        let messages = messages.as_array().map_or(std::slice::from_ref(messages), Vec::as_slice);
        reasons.extend(
            messages.iter().map(|message| Reason { field: field.map(str::to_owned), ..Reason::new(text(message)) }),
        );
    };
    match &element["errors"] {
        Value::Null => {}
        Value::Object(fields) => fields.iter().for_each(|(field, messages)| add(Some(field), messages)),
        messages => add(None, messages),
    }
    for key in ["error", "message"] {
        if !element[key].is_null() {
            add(None, &element[key]);
        }
    }
    let fields = element
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, messages)| *key != "errors" && *key != "error" && *key != "message" && messages.is_array());
    fields.for_each(|(field, messages)| add(Some(field), messages));
    if reasons.is_empty() {
        reasons.push(Reason::new(text(element)));
    }
    reasons
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn list<'a>(answer: &'a Value, key: &str) -> Result<&'a [Value], InvalidAnswer> {
    match answer.get(key) {
        // The generated types leave an empty list out.
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(elements)) => Ok(elements),
        Some(_) => Err(InvalidAnswer(format!("`{key}` is no list"))),
    }
}

#[cfg(test)]
#[path = "outcome_tests.rs"]
mod tests;
