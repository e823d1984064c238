//! Many messages: which can go, in which requests, and what they take.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;

use super::{BulkOutcome, Checked, Decimal, Field, Finding, InvalidAnswer, Message, Refused, Segments, check, cost};

/// The maximum number of messages of one bulk request.
pub const BULK_LIMIT: usize = 100;

/// A plan for many messages: the ones that can be sent, in chunks for bulk requests, and the ones that cannot.
#[derive(Clone, Debug)]
pub struct Plan<'a, M> {
    chunks: Vec<Chunk<'a, M>>,
    refused: Vec<RefusedItem>,
}

/// The messages of one bulk request, at most [`BULK_LIMIT`], with their places among all that were given.
#[derive(Clone, Debug)]
pub struct Chunk<'a, M> {
    entries: Vec<Entry<'a, M>>,
}

/// One message that can go.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry<'a, M> {
    /// Its index among all messages that were given, from 0.
    pub index: usize,
    /// The message.
    pub message: &'a M,
    /// Its parts.
    pub segments: Segments,
    /// Its warnings.
    pub warnings: Vec<Finding>,
}

/// One message that the API would refuse.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RefusedItem {
    /// Its index among all messages that were given, from 0.
    pub index: usize,
    /// The reason of the refusal.
    pub reason: Refused,
}

/// Checks messages, and splits those that can go into chunks, in their order.
///
/// A `clientId` that an earlier message has already is a warning: the documents ask for one of its own for each message.
pub fn plan<M: Message>(messages: &[M]) -> Plan<'_, M> {
    let mut refused = Vec::new();
    let mut entries = Vec::new();
    let mut client_ids = HashMap::new();
    for (index, message) in messages.iter().enumerate() {
        match check(message) {
            Err(reason) => refused.push(RefusedItem { index, reason }),
            Ok(Checked { segments, mut warnings }) => {
                warnings.extend(duplicate(&mut client_ids, index, message));
                entries.push(Entry { index, message, segments, warnings });
            }
        }
    }
    let mut entries = entries.into_iter().peekable();
    let mut chunks = Vec::new();
    while entries.peek().is_some() {
        chunks.push(Chunk { entries: entries.by_ref().take(BULK_LIMIT).collect() });
    }
    Plan { chunks, refused }
}

impl<'a, M: Message> Plan<'a, M> {
    /// The requests to make, in order.
    pub fn chunks(&self) -> &[Chunk<'a, M>] {
        &self.chunks
    }

    /// The messages that cannot go, by index.
    pub fn refused(&self) -> &[RefusedItem] {
        &self.refused
    }

    /// The messages that can go, by index.
    pub fn entries(&self) -> impl Iterator<Item = &Entry<'a, M>> {
        self.chunks.iter().flat_map(|chunk| &chunk.entries)
    }

    /// The parts of all messages that can go.
    pub fn parts(&self) -> usize {
        self.entries().map(|entry| entry.segments.parts).sum()
    }

    /// Returns their cost at one price for each part; see [`cost`]. Where prices differ by country, add up the
    /// [`entries`](Self::entries) of each.
    pub fn cost(&self, price_per_part: Decimal) -> Option<Decimal> {
        cost(self.parts(), price_per_part)
    }
}

impl<'a, M: Message> Chunk<'a, M> {
    /// The messages, in the order of the request: an answer's position 0 is the first of them.
    pub fn entries(&self) -> &[Entry<'a, M>] {
        &self.entries
    }

    /// The messages for the body of the request.
    pub fn items(&self) -> Vec<M>
    where
        M: Clone,
    {
        self.entries.iter().map(|entry| entry.message.clone()).collect()
    }

    /// The messages for the body of the request, converted: drafts into the items of an API.
    ///
    /// # Errors
    /// Returns an error if a message does not convert: the error of the first one. The drafts of a plan do convert.
    pub fn items_as<T: TryFrom<&'a M>>(&self) -> Result<Vec<T>, T::Error> {
        self.entries.iter().map(|entry| T::try_from(entry.message)).collect()
    }

    /// Returns the outcome of each message, by the answer to the request: the answer's type in either API, or its JSON.
    ///
    /// # Errors
    /// Returns an error if the answer is not an object with lists in it; see [`InvalidAnswer`].
    pub fn outcome(&self, answer: &impl Serialize) -> Result<BulkOutcome, InvalidAnswer> {
        let messages: Vec<_> = self.entries.iter().map(|entry| (entry.index, entry.message as &dyn Message)).collect();
        BulkOutcome::read(&messages, answer)
    }
}

impl fmt::Display for RefusedItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message {}: {}", self.index, self.reason)
    }
}

/// A warning where an earlier message has the same reference.
fn duplicate<'a>(seen: &mut HashMap<&'a str, usize>, index: usize, message: &'a impl Message) -> Option<Finding> {
    let client_id = message.client_id().filter(|client_id| !client_id.is_empty())?;
    let earlier = *seen.entry(client_id).or_insert(index);
    let problem = format!("message {earlier} has the same one");
    let help = "give each message one of its own: reports and bulk answers are matched by it";
    (earlier != index).then(|| Finding::new(Field::ClientId, problem, help))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::instasent::sms::Draft;

    fn drafts(count: usize) -> Vec<Draft> {
        (0..count).map(|index| Draft::new("Keyfit", format!("+346{index:08}"), "Hello")).collect()
    }

    #[test]
    fn chunks_hold_at_most_100_and_keep_the_places_among_all() {
        let mut drafts = drafts(203);
        drafts[1].to = "600".to_owned();
        drafts[150].text = String::new();
        let plan = plan(&drafts);
        let sizes: Vec<_> = plan.chunks().iter().map(|chunk| chunk.entries().len()).collect();
        assert_eq!(sizes, [100, 100, 1]);
        let refused: Vec<_> = plan.refused().iter().map(|item| item.index).collect();
        assert_eq!(refused, [1, 150]);
        assert!(plan.refused()[0].to_string().starts_with("message 1: `to`: "));
        assert_eq!(plan.chunks()[0].entries()[1].index, 2);
        assert_eq!(plan.chunks()[2].entries()[0].index, 202);
        assert!(plan.entries().all(|entry| *entry.message == drafts[entry.index]));
        assert_eq!(plan.chunks()[0].items()[1], drafts[2]);
    }

    #[test]
    fn no_message_and_no_good_message_make_no_chunk() {
        assert!(plan::<Draft>(&[]).chunks().is_empty());
        assert!(plan(&[Draft::new("", "", "")]).chunks().is_empty());
    }

    #[test]
    fn parts_and_cost_are_those_of_the_messages_that_can_go() {
        let mut drafts = drafts(3);
        drafts[0].text = "a".repeat(161);
        drafts[2].to = String::new();
        let plan = plan(&drafts);
        assert_eq!(plan.parts(), 3);
        assert_eq!(plan.cost(Decimal::new(55, 3)), Some(Decimal::new(165, 3)));
    }

    #[test]
    fn a_reference_used_twice_is_a_warning_that_names_the_first() {
        let mut drafts = drafts(3);
        for index in [0, 2] {
            drafts[index].client_id = Some("order-1".to_owned());
        }
        let plan = plan(&drafts);
        let warnings: Vec<_> = plan.entries().map(|entry| entry.warnings.len()).collect();
        assert_eq!(warnings, [0, 0, 1]);
        let warned = plan.entries().nth(2).expect("three entries");
        assert_eq!(warned.warnings[0].problem, "message 0 has the same one");
    }

    #[test]
    fn an_outcome_has_the_indexes_of_all_messages() {
        let mut drafts = drafts(3);
        drafts[0].to = String::new();
        let plan = plan(&drafts);
        let answer =
            json!({"entities": [{"id": "sms-1", "to": drafts[1].to}], "errors": [{"position": 1, "error": "no"}]});
        let outcome = plan.chunks()[0].outcome(&answer).expect("an outcome");
        let indexes: Vec<_> = outcome.items().iter().map(|item| item.index).collect();
        assert_eq!(indexes, [1, 2]);
    }

    #[cfg(all(feature = "instasent-legacy", feature = "instasent-transactional"))]
    #[test]
    fn the_drafts_of_a_plan_become_the_body_of_either_api() {
        use crate::client::batch::Batch;
        use crate::instasent::{legacy, transactional};

        let drafts = drafts(2);
        let plan = plan(&drafts);
        let chunk = &plan.chunks()[0];
        let body: Batch<legacy::types::SmsItem, BULK_LIMIT> =
            chunk.items_as().expect("items").try_into().expect("a batch");
        assert_eq!(body.len(), 2);
        let items: Vec<transactional::types::SmsItem> = chunk.items_as().expect("items");
        assert_eq!(super::plan(&items).chunks()[0].entries().len(), 2);
    }
}
