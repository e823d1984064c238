//! The removal of a resource that the run created, and the reads after it.

use serde_json::Value;

use super::super::case_run::CaseRun;
use super::super::flow::Stop;
use super::super::{Reply, TargetServer};
use super::check_complete;
use super::compare::{Representation, is_blank};
use crate::document::chain::Chain;
use crate::text::words::words;

/// Words in names and values of members that mark a resource as removed or about to be removed.
const GONE: [&str; 24] = [
    "archived",
    "cancelled",
    "canceled",
    "closed",
    "deactivated",
    "deleted",
    "deleting",
    "deletion",
    "destroyed",
    "destroying",
    "disabled",
    "discarded",
    "ended",
    "expired",
    "gone",
    "inactive",
    "purged",
    "removed",
    "removing",
    "retired",
    "revoked",
    "terminated",
    "terminating",
    "trashed",
];

impl TargetServer {
    /// Removes a resource, reads it, and removes it once more.
    pub(super) async fn remove_and_read(&self, case_run: &mut CaseRun<'_>, chain: &Chain) -> Result<(), Stop> {
        let (ids, before) = self.create_own_resource(case_run, chain).await?;
        let before = Representation::read(&before.body);
        let removal = self.draft_of(case_run, case_run.catalogue.operation(case_run.case), &ids)?;
        check_complete(&self.step(&removal, &mut case_run.sent).await?)?;
        let reading = self.reading(case_run, chain, &ids)?;
        let is_gone = |reply: &Reply| {
            let now = Representation::read(&reply.body).value;
            !reply.is_success() || (now != before.value && says_gone(&now))
        };
        let now = self.read_until(case_run, &reading, is_gone).await?;
        if !is_gone(&now) {
            let as_before = Representation::read(&now.body).value == before.value;
            let path = reading.url.path();
            return Err(if as_before {
                Stop::Found(format!("what was removed is served as before: {path} answers {}", now.status))
            } else {
                Stop::missing(format!("{path} is served in another state, of which nobody says what it means"))
            });
        }
        // The server may answer the second removal with success or a refusal, but must not fail.
        self.step(&removal, &mut case_run.sent).await.map(drop)
    }
}

/// Returns whether a representation marks its resource as removed: by a member with such a name and a value, by a state with such a value, or
/// by a switch such as `active` that is false.
fn says_gone(value: &Value) -> bool {
    let is_word = |text: &str| words(text).iter().any(|word| GONE.contains(&word.as_str()));
    let members = value.as_object().into_iter().flatten();
    members.into_iter().any(|(name, member)| {
        let is_state =
            matches!(words(name).last().map(String::as_str), Some("state" | "status" | "phase" | "lifecycle"));
        let is_switch = matches!(words(name).last().map(String::as_str), Some("active" | "enabled" | "available"));
        (is_word(name) && !is_blank(Some(member)))
            || (is_state && member.as_str().is_some_and(is_word))
            || (is_switch && *member == Value::Bool(false))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::says_gone;

    #[test]
    fn a_state_that_says_gone_is_known_by_its_words() {
        for gone in [
            json!({ "deleted": true }),
            json!({ "deleted_at": "2026-01-01" }),
            json!({ "isDeleted": true }),
            json!({ "status": "pending_deletion" }),
            json!({ "state": "TERMINATED" }),
            json!({ "active": false }),
        ] {
            assert!(says_gone(&gone), "{gone}");
        }
        for here in [json!({}), json!({ "deletedAt": null }), json!({ "status": "open" }), json!({ "name": "deleted" })]
        {
            assert!(!says_gone(&here), "{here}");
        }
    }
}
