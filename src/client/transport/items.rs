//! Reads from a success how many items of its call failed, by the descriptions of the operation.

use serde_json::Value;
use serde_json::value::RawValue;

use super::places;
use crate::error::json::without_values;
use crate::error::operation::{ItemCounts, Partial};

/// The counts of a success by which items failed, as the first description that tells of any has them; `None` where none did.
///
/// # Errors
/// Returns why the text is not JSON, or the place that does not hold what a description says, where no other description fits
/// the answer.
pub(super) fn failed(descriptions: &[Partial], text: &[u8]) -> Result<Option<ItemCounts>, String> {
    let mut misfit = None;
    let mut is_told = false;
    for description in descriptions {
        match counts(description, text) {
            Ok(Some(counts)) if counts.rejected > 0 => return Ok(Some(counts)),
            Ok(counts) => is_told |= counts.is_some(),
            Err(problem) => misfit = misfit.or(Some(problem)),
        }
    }
    misfit.filter(|_| !is_told).map_or(Ok(None), Err)
}

/// What an answer tells by a description; `None` where it has none of its places.
fn counts(description: &Partial, text: &[u8]) -> Result<Option<ItemCounts>, String> {
    let Partial { received, accepted, rejected, accepted_items, rejected_items, outcomes, .. } = *description;
    let places = [received, accepted, rejected, accepted_items, rejected_items, outcomes];
    let found = places::find(text, places).map_err(|error| without_values(&error.to_string()))?;
    let mut told =
        places.into_iter().zip(found).map(|(at, value)| Some((at?, value.filter(|value| value.get() != "null")?)));
    let mut next = || told.next().flatten();
    let (received, accepted, rejected) = (number(next())?, number(next())?, number(next())?);
    let (taken, listed) = (length(next())?, length(next())?);
    let of_outcomes = next().map(|told| tally(description, told)).transpose()?;
    let accepted = accepted.or(taken).or(of_outcomes.map(|(accepted, _)| accepted));
    let told = rejected.max(listed).max(of_outcomes.map(|(_, rejected)| rejected));
    let rejected = told.or_else(|| Some(received?.saturating_sub(accepted?)));
    if received.or(accepted).or(rejected).is_none() {
        return Ok(None);
    }
    let rejected = rejected.unwrap_or_default();
    let accepted = accepted.or_else(|| Some(received?.saturating_sub(rejected)));
    Ok(Some(ItemCounts::new(accepted, rejected)))
}

/// A place with the value that stands there.
type Told<'a> = (&'a str, &'a RawValue);

fn number(told: Option<Told<'_>>) -> Result<Option<u64>, String> {
    let Some((at, value)) = told else { return Ok(None) };
    value.get().parse().map(Some).map_err(|_| format!("at `{at}`: not a whole number"))
}

fn length(told: Option<Told<'_>>) -> Result<Option<u64>, String> {
    let Some((at, value)) = told else { return Ok(None) };
    let mut length = 0;
    places::each(value, [], |[]| length += 1).ok_or_else(|| not_a_list(at))?;
    Ok(Some(length))
}

/// How many outcomes of a list are of accepted items, and of others.
fn tally(description: &Partial, (at, value): Told<'_>) -> Result<(u64, u64), String> {
    let (mut accepted, mut rejected) = (0, 0);
    let count = |[said]: [Option<&RawValue>; 1]| {
        *if is_accepted(description, said) { &mut accepted } else { &mut rejected } += 1;
    };
    places::each(value, [description.outcome.or(description.reason)], count).ok_or_else(|| not_a_list(at))?;
    Ok((accepted, rejected))
}

fn not_a_list(at: &str) -> String {
    format!("at `{at}`: not a list")
}

/// As [`accepts`], by what stands where the outcome says how its item ended, or why it was rejected.
fn is_accepted(description: &Partial, said: Option<&RawValue>) -> bool {
    let value = |text: &RawValue| serde_json::from_str::<Value>(text.get()).unwrap_or_default();
    if description.outcome.is_none() {
        return said.is_none_or(|reason| is_nothing(&value(reason)));
    }
    let Some(word) = said else { return false };
    match word.get().strip_prefix('"').and_then(|text| text.strip_suffix('"')).filter(|text| !text.contains('\\')) {
        Some(text) => description.accepted_as.contains(&text),
        None => self::said(&value(word)).is_some_and(|word| description.accepted_as.contains(&word.as_str())),
    }
}

/// Whether an outcome is that of an accepted item. What is not known as acceptance is none.
pub(crate) fn accepts(description: &Partial, outcome: &Value) -> bool {
    match description.outcome {
        Some(at) => {
            let said = outcome.pointer(at).and_then(said);
            said.is_some_and(|said| description.accepted_as.contains(&said.as_str()))
        }
        None => description.reason.and_then(|at| outcome.pointer(at)).is_none_or(is_nothing),
    }
}

/// A text, or a number or a boolean as its text.
pub(crate) fn said(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Whether a reason says nothing.
pub(crate) fn is_nothing(reason: &Value) -> bool {
    match reason {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COUNTS: Partial = Partial::new().with_accepted("/done/good").with_rejected("/done/bad");
    const LISTS: Partial = Partial::new().with_accepted_items("/ok").with_rejected_items("/errors");
    const OUTCOMES: Partial = Partial::new().with_outcomes("/rows").with_outcome("/state", &["stored", "201", "true"]);
    const REASONS: Partial = Partial::new().with_outcomes("").with_reason("/error");

    fn shown(descriptions: &[Partial], body: &Value) -> String {
        match failed(descriptions, body.to_string().as_bytes()) {
            Ok(Some(counts)) => counts.to_string(),
            Ok(None) => "none".to_owned(),
            Err(problem) => problem,
        }
    }

    #[test]
    fn failed_items_are_found_wherever_an_answer_tells_of_them() {
        for (description, body, told) in [
            (COUNTS, json!({"done": {"good": 2, "bad": 1}}), "2 accepted, 1 rejected"),
            (COUNTS, json!({"done": {"bad": 1}}), "1 rejected"),
            (LISTS, json!({"ok": [1, 2], "errors": [{}]}), "2 accepted, 1 rejected"),
            (LISTS, json!({"errors": {"3": "late", "7": "late"}}), "2 rejected"),
            (OUTCOMES, json!({"rows": [{"state": "stored"}, {"state": "lost"}, {}]}), "1 accepted, 2 rejected"),
            (OUTCOMES, json!({"rows": [{"state": 201}, {"state": 422}, {"state": true}]}), "2 accepted, 1 rejected"),
            (
                REASONS,
                json!([{"id": 1}, {"id": 2, "error": "late"}, {"error": null}, {"error": []}]),
                "3 accepted, 1 rejected",
            ),
            (
                Partial::new().with_received("/all").with_accepted("/good"),
                json!({"all": 3, "good": 1}),
                "1 accepted, 2 rejected",
            ),
            (
                Partial::new().with_received("/all").with_rejected("/bad"),
                json!({"all": 3, "bad": 1}),
                "2 accepted, 1 rejected",
            ),
        ] {
            assert_eq!(shown(&[description], &body), told, "{body}");
        }
    }

    #[test]
    fn where_places_contradict_each_other_the_worse_one_counts() {
        let both = LISTS.with_rejected("/count");
        assert_eq!(shown(&[both], &json!({"count": 0, "errors": [{}]})), "1 rejected");
        assert_eq!(shown(&[both], &json!({"count": 2, "errors": []})), "2 rejected");
        // A third group, such as what is still queued, is not taken for rejected.
        let all = COUNTS.with_received("/all");
        assert_eq!(shown(&[all], &json!({"all": 9, "done": {"good": 2, "bad": 0}})), "none");
    }

    #[test]
    fn an_answer_that_tells_of_no_failure_is_a_success() {
        for body in [json!({}), json!(null), json!("ok"), json!({"done": null}), json!({"done": {"good": 1, "bad": 0}})]
        {
            assert_eq!(shown(&[COUNTS], &body), "none", "{body}");
        }
        assert_eq!(shown(&[LISTS], &json!({"ok": [1], "errors": null})), "none");
        assert_eq!(shown(&[OUTCOMES], &json!({"rows": []})), "none");
    }

    #[test]
    fn a_place_that_holds_something_else_is_named_without_its_value() {
        assert_eq!(shown(&[COUNTS], &json!({"done": {"bad": "hunter2"}})), "at `/done/bad`: not a whole number");
        assert_eq!(shown(&[COUNTS], &json!({"done": {"bad": -1}})), "at `/done/bad`: not a whole number");
        assert_eq!(shown(&[LISTS], &json!({"errors": "hunter2"})), "at `/errors`: not a list");
    }

    #[test]
    fn any_of_several_descriptions_can_tell_of_failures() {
        let either = [LISTS, COUNTS];
        assert_eq!(shown(&either, &json!({"done": {"good": 1, "bad": 1}})), "1 accepted, 1 rejected");
        assert_eq!(shown(&either, &json!({"errors": [1]})), "1 rejected");
        // `errors` is something else where the other description fits.
        assert_eq!(shown(&either, &json!({"errors": "none", "done": {"good": 1, "bad": 0}})), "none");
        assert_eq!(shown(&either, &json!({"errors": "none"})), "at `/errors`: not a list");
    }
}
