//! Where a message stands, after any number of reports in any order.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{DlrEvent, DlrStatus};
use crate::error::Timestamp;

/// Where a message stands. It holds what the furthest report said, and never goes back: keep it by the message's id, and
/// replace it by what [`after`](Self::after) returns.
///
/// A message is *sent*, then *accepted* or *buffered*, then perhaps *unknown*, and at last *delivered*, or one of
/// *error*, *failed*, *expired*, *canceled* and *rejected*. Of two reports the one of the later stage counts; at one
/// stage the one of the later `eventAt`; where that does not tell either, a fixed order decides, in which *delivered* is
/// last. So the same reports lead to the same state in whichever order they arrive, and however often.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryState {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<DlrStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_at: Option<Timestamp>,
}

/// The effect of a report on a state.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Transition {
    /// The message stands at another status than before: act on it.
    Advanced,
    /// A final status was replaced by another final one, of a later time. What was done for the first may have to be
    /// undone.
    Corrected,
    /// The same status again: a report that was posted twice, or one more for another part of the message. The state
    /// keeps the later time and its code.
    Duplicate,
    /// The message is further already: the report is late. The state is as before.
    Stale,
    /// The report says nothing of how far the message is: it is inbound, or has a status that is not known. The state is
    /// as before. These want looking at [`DlrEvent::status`].
    Unranked,
}

impl DeliveryState {
    /// The state after a report, and what the report did. Nothing is kept elsewhere and no clock is read. The report is
    /// taken to be about the message whose state this is.
    #[must_use]
    pub fn after(&self, event: &DlrEvent) -> (Self, Transition) {
        let reported = Self { status: Some(event.status.clone()), code: event.code, event_at: event.event_at.clone() };
        let Some(rank) = reported.rank() else { return (self.clone(), Transition::Unranked) };
        let is_further = self.rank().is_none_or(|own| rank > own);
        let transition = match &self.status {
            Some(status) if *status == event.status => Transition::Duplicate,
            _ if !is_further => Transition::Stale,
            Some(status) if status.is_final() => Transition::Corrected,
            _ => Transition::Advanced,
        };
        (if is_further { reported } else { self.clone() }, transition)
    }

    /// The status of the furthest report; `None` before the first.
    pub fn status(&self) -> Option<&DlrStatus> {
        self.status.as_ref()
    }

    /// The code that came with it.
    pub fn code(&self) -> Option<i64> {
        self.code
    }

    /// When it happened.
    pub fn event_at(&self) -> Option<&Timestamp> {
        self.event_at.as_ref()
    }

    /// Returns whether no further report is expected.
    pub fn is_final(&self) -> bool {
        self.status.as_ref().is_some_and(DlrStatus::is_final)
    }

    /// Returns its progress. Every report that has a rank has one of its own, so that the furthest is the same in any order.
    fn rank(&self) -> Option<Rank<'_>> {
        let (stage, order) = self.status.as_ref()?.rank()?;
        let at = self.event_at.as_ref();
        Some((stage, at.and_then(Timestamp::to_utc), order, self.code, at.map(Timestamp::as_str)))
    }
}

/// Stage, time, order within the stage, and what is left to tell two reports apart.
type Rank<'a> = (u8, Option<DateTime<Utc>>, u8, Option<i64>, Option<&'a str>);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const STATUSES: [&str; 13] = [
        "sent",
        "accepted",
        "buffered",
        "unknown",
        "delivered",
        "error",
        "failed",
        "expired",
        "canceled",
        "rejected",
        "stop",
        "inbound",
        "news",
    ];

    fn event(status: &str, second: Option<u32>, code: Option<i64>) -> DlrEvent {
        let at = second.map(|second| format!("2026-01-22T10:00:{second:02}Z"));
        let body = json!({"id": "sms_1", "status": status, "code": code, "eventAt": at});
        DlrEvent::from_slice(body.to_string().as_bytes()).expect("an event")
    }

    fn at(status: &str, second: u32) -> DlrEvent {
        event(status, Some(second), None)
    }

    fn run(events: &[DlrEvent]) -> (DeliveryState, Vec<Transition>) {
        let mut state = DeliveryState::default();
        let mut transitions = Vec::new();
        for event in events {
            let transition;
            (state, transition) = state.after(event);
            transitions.push(transition);
        }
        (state, transitions)
    }

    fn status_of(events: &[DlrEvent]) -> String {
        run(events).0.status().map(ToString::to_string).unwrap_or_default()
    }

    #[test]
    fn a_message_advances_along_its_way() {
        use Transition::Advanced;
        let (state, transitions) = run(&[at("sent", 1), at("buffered", 2), at("unknown", 3), at("delivered", 4)]);
        assert_eq!(transitions, [Advanced; 4]);
        assert!(state.is_final());
        assert_eq!(state.event_at().map(Timestamp::as_str), Some("2026-01-22T10:00:04Z"));
    }

    #[test]
    fn late_and_repeated_reports_change_nothing() {
        let events = [at("delivered", 4), at("sent", 1), at("delivered", 4), at("unknown", 9)];
        let (state, transitions) = run(&events);
        assert_eq!(transitions[1..], [Transition::Stale, Transition::Duplicate, Transition::Stale]);
        assert_eq!(state, run(&events[..1]).0);
    }

    #[test]
    fn the_stage_counts_before_the_time() {
        assert_eq!(status_of(&[at("delivered", 1), at("sent", 9)]), "delivered");
    }

    #[test]
    fn at_one_stage_the_later_time_counts() {
        assert_eq!(status_of(&[at("accepted", 2), at("buffered", 1)]), "accepted");
        assert_eq!(status_of(&[at("buffered", 1), at("accepted", 2)]), "accepted");
    }

    #[test]
    fn a_final_status_is_replaced_by_a_later_one_and_says_so() {
        let (state, transitions) = run(&[at("expired", 1), at("delivered", 2), at("failed", 1)]);
        assert_eq!(transitions[1..], [Transition::Corrected, Transition::Stale]);
        assert_eq!(state.status(), Some(&DlrStatus::Delivered));
    }

    #[test]
    fn without_a_time_a_delivery_beats_every_failure() {
        for failure in ["error", "failed", "expired", "canceled", "rejected"] {
            let events = [event(failure, None, Some(5)), event("delivered", None, Some(0))];
            assert_eq!(status_of(&events), "delivered");
            assert_eq!(status_of(&[events[1].clone(), events[0].clone()]), "delivered");
        }
    }

    #[test]
    fn one_status_again_is_a_duplicate_that_keeps_the_later_time() {
        let (state, transitions) = run(&[at("failed", 1), event("failed", Some(2), Some(7))]);
        assert_eq!(transitions[1], Transition::Duplicate);
        assert_eq!((state.code(), state.event_at().map(Timestamp::as_str)), (Some(7), Some("2026-01-22T10:00:02Z")));
    }

    #[test]
    fn what_has_no_rank_leaves_the_state_alone() {
        for status in ["stop", "inbound", "news"] {
            let (state, transitions) = run(&[at("sent", 1), at(status, 9)]);
            assert_eq!(transitions[1], Transition::Unranked);
            assert_eq!(state.status(), Some(&DlrStatus::Sent));
            assert_eq!(run(&[at(status, 1)]).0, DeliveryState::default());
        }
    }

    #[test]
    fn a_state_is_kept_as_json() {
        let (state, _) = run(&[event("failed", Some(2), Some(7))]);
        let json = json!({"status": "failed", "code": 7, "eventAt": "2026-01-22T10:00:02Z"});
        assert_eq!(serde_json::to_value(&state).ok(), Some(json.clone()));
        assert_eq!(serde_json::from_value::<DeliveryState>(json).ok(), Some(state));
        assert_eq!(serde_json::from_str::<DeliveryState>("{}").ok(), Some(DeliveryState::default()));
    }

    prop_compose! {
        fn any_event()(status in prop::sample::select(&STATUSES[..]), second in prop::option::of(0..5_u32), code in prop::option::of(0..3_i64)) -> DlrEvent {
            event(status, second, code)
        }
    }

    proptest! {
        #[test]
        fn any_order_and_any_repetition_lead_to_one_state(
            (events, shuffled) in prop::collection::vec(any_event(), 0..12).prop_flat_map(|events| {
                let twice: Vec<_> = events.iter().chain(&events).cloned().collect();
                (Just(events), Just(twice).prop_shuffle())
            }),
        ) {
            prop_assert_eq!(run(&events).0, run(&shuffled).0);
        }

        #[test]
        fn a_state_never_goes_back_and_a_transition_says_what_it_did(events in prop::collection::vec(any_event(), 0..12)) {
            let mut state = DeliveryState::default();
            for event in &events {
                let (next, transition) = state.after(event);
                prop_assert!(next.rank() >= state.rank());
                let moved = next.status() != state.status();
                prop_assert_eq!(moved, matches!(transition, Transition::Advanced | Transition::Corrected));
                prop_assert!(!state.is_final() || next.is_final());
                if matches!(transition, Transition::Stale | Transition::Unranked) {
                    prop_assert_eq!(&next, &state);
                }
                state = next;
            }
        }
    }
}
