//! Reads from a success how many items of its call failed, by the descriptions of the operation.

use serde_json::Value;

use super::places::{self, Counts, Place};
pub(crate) use super::places::{is_nothing, said};
use crate::error::operation::{ItemCounts, Partial};

/// The counts of a success by which items failed, as the first description that tells of any has them; `None` where none did. The text
/// is JSON, and is read once for all descriptions.
///
/// # Errors
/// Returns the place that does not hold what a description says, where no other description fits the answer.
pub(super) fn failed(descriptions: &'static [Partial], text: &[u8]) -> Result<Option<ItemCounts>, String> {
    let mut places: Vec<Place> = descriptions.iter().flat_map(places_of).collect();
    places::look(text, &mut places);
    let mut misfit = None;
    let mut is_told = false;
    for places in places.as_chunks::<PLACES>().0 {
        match counts(places) {
            Ok(Some(counts)) if counts.rejected > 0 => return Ok(Some(counts)),
            Ok(counts) => is_told |= counts.is_some(),
            Err(problem) => misfit = misfit.or(Some(problem)),
        }
    }
    misfit.filter(|_| !is_told).map_or(Ok(None), Err)
}

/// How many places a description has.
const PLACES: usize = 6;

fn places_of(description: &'static Partial) -> [Place; PLACES] {
    [
        Place::number(description.received),
        Place::number(description.accepted),
        Place::number(description.rejected),
        Place::length(description.accepted_items),
        Place::length(description.rejected_items),
        Place::outcomes(description),
    ]
}

/// What an answer tells by a description; `None` where it has none of its places.
fn counts(
    [received, accepted, rejected, taken, listed, outcomes]: &[Place; PLACES],
) -> Result<Option<ItemCounts>, String> {
    let number = |place| Ok::<_, String>(told(place)?.map(|counts| counts.accepted));
    let (received, accepted, rejected) = (number(received)?, number(accepted)?, number(rejected)?);
    let (taken, listed, outcomes) = (number(taken)?, number(listed)?, told(outcomes)?);
    let accepted = accepted.or(taken).or(outcomes.map(|counts| counts.accepted));
    let told = rejected.max(listed).max(outcomes.map(|counts| counts.rejected));
    let rejected = told.or_else(|| Some(received?.saturating_sub(accepted?)));
    if received.or(accepted).or(rejected).is_none() {
        return Ok(None);
    }
    let rejected = rejected.unwrap_or_default();
    let accepted = accepted.or_else(|| Some(received?.saturating_sub(rejected)));
    Ok(Some(ItemCounts::new(accepted, rejected)))
}

fn told(place: &Place) -> Result<Option<Counts>, String> {
    place.told().transpose().map_err(|wanted| format!("at `{}`: not {wanted}", place.pointer()))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COUNTS: Partial = Partial::new().with_accepted("/done/good").with_rejected("/done/bad");
    const LISTS: Partial = Partial::new().with_accepted_items("/ok").with_rejected_items("/errors");
    const OUTCOMES: Partial = Partial::new().with_outcomes("/rows").with_outcome("/state", &["stored", "201", "true"]);
    const REASONS: Partial = Partial::new().with_outcomes("").with_reason("/error");

    fn shown(descriptions: &[Partial], body: &Value) -> String {
        match failed(descriptions.to_vec().leak(), body.to_string().as_bytes()) {
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
