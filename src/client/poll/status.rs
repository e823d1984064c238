//! The status of work, in the words that APIs have for it.

use serde::Deserialize;

/// The state of the work.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Standing {
    /// It goes on.
    AtWork,
    /// It is over, and the answer is what came of it.
    Over,
    /// It failed, in the server's word.
    Failed(String),
}

/// Words of work that goes on, in small letters alone. Not among them are words that things have for good: `active`, `started`,
/// `scheduled`.
const AT_WORK: [&str; 17] = [
    "accepted",
    "canceling",
    "cancelling",
    "creating",
    "deleting",
    "inprogress",
    "initializing",
    "notstarted",
    "pending",
    "preparing",
    "processing",
    "provisioning",
    "queued",
    "running",
    "submitted",
    "updating",
    "waiting",
];

/// Words of work that failed.
const FAILED: [&str; 11] = [
    "aborted",
    "canceled",
    "cancelled",
    "error",
    "errored",
    "expired",
    "failed",
    "failure",
    "rejected",
    "terminated",
    "timedout",
];

/// Returns the state of the work by the body of its status: by `status`, or `state`, if that is one of the known words. Any other
/// body is the result.
pub(super) fn standing(body: &[u8]) -> Standing {
    let Ok(status) = serde_json::from_slice::<Status>(body) else { return Standing::Over };
    let words = [status.status, status.state].into_iter().flatten();
    for word in words.filter_map(|word| word.as_str().map(str::to_owned)) {
        let letters: String = word.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase();
        if AT_WORK.contains(&letters.as_str()) {
            return Standing::AtWork;
        }
        if FAILED.contains(&letters.as_str()) {
            return Standing::Failed(word);
        }
    }
    Standing::Over
}

#[derive(Deserialize)]
struct Status {
    status: Option<serde_json::Value>,
    state: Option<serde_json::Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_known_however_they_are_spelled_and_others_are_a_result() {
        for body in [r#"{"status":"In Progress"}"#, r#"{"state":"NOT_STARTED"}"#, r#"{"status":null,"state":"queued"}"#]
        {
            assert_eq!(standing(body.as_bytes()), Standing::AtWork, "{body}");
        }
        for (body, word) in [(r#"{"status":"Failed"}"#, "Failed"), (r#"{"state":"timed-out","status":7}"#, "timed-out")]
        {
            assert_eq!(standing(body.as_bytes()), Standing::Failed(word.to_owned()), "{body}");
        }
        for body in ["", "[]", "id;name", r#"{"status":"Succeeded"}"#, r#"{"status":200}"#, r#"{"rows":3}"#] {
            assert_eq!(standing(body.as_bytes()), Standing::Over, "{body}");
        }
    }
}
