//! A client in a running case, which records calls that it could not make: the result of the case is then not valid.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use keyfit_openapi::Operation;
use serde_json::{Map, Value};

use super::subject::{CallFailure, CallOutcome, CallResult, DriveError, Subject};

/// A client for one case.
pub(super) struct RecordingClient<'a> {
    client: &'a dyn Subject,
    /// The first call without a result to judge.
    unanswered: Mutex<Option<DriveError>>,
    left_out: Mutex<BTreeSet<String>>,
}

impl<'a> RecordingClient<'a> {
    pub(super) fn new(client: &'a dyn Subject) -> Self {
        Self { client, unanswered: Mutex::default(), left_out: Mutex::default() }
    }

    /// Calls an operation. If there is no answer, it returns a failure and the case is not judged.
    pub(super) async fn call(&self, operation: &Operation, arguments: &Map<String, Value>) -> CallOutcome {
        match self.client.call(operation, arguments).await {
            Ok(CallResult { observed, left_out }) => {
                self.left_out.lock().unwrap_or_else(PoisonError::into_inner).extend(left_out);
                observed
            }
            Err(reason) => {
                self.unanswered.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
                CallOutcome::Failure(Box::new(CallFailure { kind: "no-answer".to_owned(), ..CallFailure::default() }))
            }
        }
    }

    /// Returns whether an argument selects streamed answers.
    pub(super) fn chooses_streams(&self) -> bool {
        self.client.chooses_streams()
    }

    /// Returns the total time that the client has waited.
    pub(super) fn waited(&self) -> Option<Duration> {
        self.client.waited()
    }

    /// Returns the reason why the case cannot be judged, if so.
    pub(super) fn unanswered(&self) -> Option<DriveError> {
        self.unanswered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the arguments that the client does not support.
    pub(super) fn left_out(&self) -> Vec<String> {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Returns the arguments without those that the client does not support, for the comparison with its request.
    pub(super) fn without_left_out(&self, arguments: &Map<String, Value>) -> Map<String, Value> {
        let mut kept = arguments.clone();
        for name in self.left_out() {
            match name.strip_prefix("body/") {
                Some(member) => {
                    let body = kept.get_mut("body").and_then(Value::as_object_mut);
                    body.and_then(|body| body.remove(member));
                }
                None => drop(kept.remove(&name)),
            }
        }
        kept
    }
}
