//! The item results in the response to a call with many items: the overlay's `x-keyfit: partial`, validated against the
//! document.

pub(crate) mod guess;
mod names;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

pub use self::guess::BatchGuess;

use crate::body_members::{items, member};
use crate::hint_error::{HintError, display_pointer, hint_error, no_such_member};
use crate::operation::ResponseShape;
use crate::{Api, pointer, walk};

/// The places where a successful response reports the outcomes of a call's items. Places are JSON pointers into its body;
/// absent places are left out.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Partial {
    /// The number of received items.
    pub received: Option<String>,
    /// The number of accepted items.
    pub accepted: Option<String>,
    /// The number of rejected items.
    pub rejected: Option<String>,
    /// The list of the accepted items.
    pub accepted_items: Option<String>,
    /// The list of the rejected items.
    pub rejected_items: Option<String>,
    /// The list with one outcome for each item, in the order in which they were sent.
    pub outcomes: Option<String>,
    /// The member of an outcome that holds the result of its item: a pointer into the outcome.
    pub outcome: Option<String>,
    /// The values of that member for an accepted item.
    pub accepted_as: Vec<Value>,
    /// The member of a list entry that holds the reason for the rejection of its item: a pointer into the entry. Without
    /// `outcome`, an outcome with any value there is that of a rejected item.
    pub reason: Option<String>,
    /// The member of a list entry that holds the position of its item among those that were sent: a pointer into the entry.
    pub position: Option<String>,
    /// The position of the first item: 0, or 1.
    pub first: u64,
    /// The member of a list entry that repeats members of its item: a pointer into the entry, empty if the entry itself holds
    /// them.
    pub item: Option<String>,
}

impl Partial {
    /// Returns the place that reports failed items.
    pub fn tells_at(&self) -> &str {
        let places = [&self.outcomes, &self.rejected_items, &self.rejected, &self.received];
        places.into_iter().flatten().next().map_or("", String::as_str)
    }

    /// Returns a name for the case that an operation has several descriptions: the names on the path to that place.
    pub fn name(&self) -> String {
        let names: Vec<String> = pointer::names(self.tells_at()).collect();
        if names.is_empty() { "body".to_owned() } else { names.join("-").replace('/', "-") }
    }

    /// Returns the values that mark an accepted item in an outcome, as texts.
    pub fn accepted_texts(&self) -> Vec<String> {
        self.accepted_as.iter().map(text).collect()
    }

    /// Returns whether an outcome is that of an accepted item. An unknown value is not an acceptance.
    pub fn accepts(&self, outcome: &Value) -> bool {
        match &self.outcome {
            Some(at) => outcome.pointer(at).is_some_and(|said| self.accepted_texts().contains(&text(said))),
            None => self.reason.as_ref().and_then(|at| outcome.pointer(at)).is_none_or(is_nothing),
        }
    }

    /// Returns the schema of the responses that the description applies to: of alternatives, the first that has all of its
    /// places.
    pub fn schema<'a>(&self, api: &'a Api, answer: &'a Value) -> &'a Value {
        let answer = api.resolve(answer);
        let mut alternatives = ["oneOf", "anyOf"].into_iter().filter_map(|key| answer.get(key)?.as_array()).flatten();
        let has = |schema: &&Value| {
            self.locations().into_iter().filter_map(|(_, at)| at).all(|at| api.member(schema, at).is_some())
        };
        alternatives.find(has).map_or(answer, |schema| api.resolve(schema))
    }

    /// Returns the places in the body, with their keys.
    pub fn locations(&self) -> [(&'static str, Option<&str>); 6] {
        [
            ("received", self.received.as_deref()),
            ("accepted", self.accepted.as_deref()),
            ("rejected", self.rejected.as_deref()),
            ("accepted-items", self.accepted_items.as_deref()),
            ("rejected-items", self.rejected_items.as_deref()),
            ("outcomes", self.outcomes.as_deref()),
        ]
    }

    /// Returns the places in an entry of a list, with their keys.
    fn places_in_entries(&self) -> [(&'static str, Option<&str>); 4] {
        [
            ("outcome", self.outcome.as_deref()),
            ("reason", self.reason.as_deref()),
            ("position", self.position.as_deref()),
            ("item", self.item.as_deref()),
        ]
    }

    /// Returns an error if the description is empty or contradicts itself.
    fn check(&self) -> Result<(), HintError> {
        let tells_a_difference = self.received.is_some() && (self.accepted.is_some() || self.accepted_items.is_some());
        if self.rejected.is_none() && self.rejected_items.is_none() && self.outcomes.is_none() && !tells_a_difference {
            return Err(hint_error(
                "",
                "no place is named that tells of items that failed",
                "name the count `rejected`, the list `rejected-items`, the list `outcomes`, or `received` beside `accepted`",
            ));
        }
        if self.outcomes.is_none() && (self.outcome.is_some() || !self.accepted_as.is_empty()) {
            let key = if self.outcome.is_some() { "outcome" } else { "accepted-as" };
            return Err(hint_error(key, "there is no list `outcomes` that it is about", "name the list, or drop it"));
        }
        if self.outcomes.is_some() && self.outcome.is_none() && self.reason.is_none() {
            let help = "name the member of an outcome that says how its item ended, under `outcome`, or the one that only those of rejected items have, under `reason`";
            return Err(hint_error("outcomes", "nothing says which of the outcomes are of rejected items", help));
        }
        if self.outcome.is_some() == self.accepted_as.is_empty() {
            let (key, problem) = match self.outcome {
                Some(_) => ("outcome", "nothing says which values mean that an item was accepted"),
                None => ("accepted-as", "nothing says where these values stand"),
            };
            return Err(hint_error(key, problem, "give both: `outcome: /status` and `accepted-as: [stored]`"));
        }
        if let Some(odd) =
            self.accepted_as.iter().find(|value| value.is_array() || value.is_object() || value.is_null())
        {
            let problem = format!("`{odd}` is not a text, a number or a boolean");
            return Err(hint_error("accepted-as", problem, "list the values that mean that an item was accepted"));
        }
        Ok(())
    }

    /// Validates its places against the schema of the success.
    fn check_places(&self, document: &Value, answer: &Value) -> Result<(), HintError> {
        let mut entries = Vec::new();
        for (key, place) in self.locations() {
            let Some(place) = place else { continue };
            let found =
                member(document, answer, place).ok_or_else(|| no_such_member(key, place, "a member of the answer"))?;
            let is_list = key == "outcomes" || key.ends_with("-items");
            let (kinds, what): (&[&str], _) =
                if is_list { (&["array", "object"], "a list") } else { (&["integer", "number"], "a number") };
            if walk::kind(found.schema).is_some_and(|kind| !kinds.contains(&kind)) {
                let problem = format!("what is at `{}` in the answer is not {what}", display_pointer(place));
                return Err(hint_error(key, problem, "name another place, or drop it"));
            }
            if is_list {
                entries.extend(items(document, found.schema));
            }
        }
        for (key, place) in self.places_in_entries() {
            let Some(place) = place else { continue };
            let has = |entry: &&Value| member(document, entry, place).is_some();
            if !entries.is_empty() && !entries.iter().any(has) {
                return Err(no_such_member(key, place, "a member of the entries of a list"));
            }
        }
        Ok(())
    }
}

/// The descriptions of an overlay: one, or a list.
#[derive(Clone, Debug, Default)]
pub(crate) struct PartialHint(Vec<Partial>);

impl PartialHint {
    /// Returns the descriptions if they fit the document. An error has the place of its description below the hint.
    pub(crate) fn resolve(
        self,
        document: &Value,
        success: Option<&ResponseShape>,
    ) -> Result<Vec<Partial>, (String, HintError)> {
        let Self(found) = self;
        for (index, description) in found.iter().enumerate() {
            let at = if found.len() > 1 { format!("/{index}") } else { String::new() };
            let checked = description.check().and_then(|()| {
                let success = success.ok_or_else(|| {
                    hint_error("", "the operation has no success that is JSON", "describe its answer, or drop the hint")
                })?;
                success.schema.as_ref().map_or(Ok(()), |answer| description.check_places(document, answer))
            });
            checked.map_err(|error| (at.clone(), error))?;
            if found[..index].iter().any(|earlier| earlier.name() == description.name()) {
                let problem =
                    format!("two descriptions tell of failed items at `{}`", display_pointer(description.tells_at()));
                return Err((at, hint_error("", problem, "make one of them")));
            }
        }
        Ok(found)
    }
}

impl<'de> Deserialize<'de> for PartialHint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |value| Partial::deserialize(value).map_err(serde::de::Error::custom);
        match Value::deserialize(deserializer)? {
            Value::Array(several) => several.into_iter().map(read).collect::<Result<_, _>>().map(Self),
            one @ Value::Object(_) => Ok(Self(vec![read(one)?])),
            other => {
                let problem = format!(
                    "`{other}` is not an object of places such as `rejected: /failed`, or a list of such objects"
                );
                Err(serde::de::Error::custom(problem))
            }
        }
    }
}

/// Returns a text unchanged, and a number or a boolean as text.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Returns whether a reason is empty.
fn is_nothing(reason: &Value) -> bool {
    [Value::Null, json!(false), json!(""), json!([]), json!({})].contains(reason)
}
