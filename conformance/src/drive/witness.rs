//! A client on stage, and a note of what it could not do: what a scene sees then means nothing.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use keyfit_openapi::Operation;
use serde_json::{Map, Value};

use super::subject::{Called, Failure, NoAnswer, Observed, Subject};

/// A client for one case.
pub(super) struct Witness<'a> {
    client: &'a dyn Subject,
    /// The first call that gave nothing to judge.
    unanswered: Mutex<Option<NoAnswer>>,
    left_out: Mutex<BTreeSet<String>>,
}

impl<'a> Witness<'a> {
    pub(super) fn new(client: &'a dyn Subject) -> Self {
        Self { client, unanswered: Mutex::default(), left_out: Mutex::default() }
    }

    /// Calls an operation. Without an answer the scene sees a failure, and is not believed.
    pub(super) async fn call(&self, operation: &Operation, arguments: &Map<String, Value>) -> Observed {
        match self.client.call(operation, arguments).await {
            Ok(Called { observed, left_out }) => {
                self.left_out.lock().unwrap_or_else(PoisonError::into_inner).extend(left_out);
                observed
            }
            Err(reason) => {
                self.unanswered.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
                Observed::Failure(Box::new(Failure { kind: "no-answer".to_owned(), ..Failure::default() }))
            }
        }
    }

    /// Whether an argument says that an answer is to come item by item.
    pub(super) fn chooses_streams(&self) -> bool {
        self.client.chooses_streams()
    }

    /// How long the client has waited so far.
    pub(super) fn waited(&self) -> Option<Duration> {
        self.client.waited()
    }

    /// Why the case means nothing, where that is so.
    pub(super) fn unanswered(&self) -> Option<NoAnswer> {
        self.unanswered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the client has no place for.
    pub(super) fn left_out(&self) -> Vec<String> {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// The arguments without those that the client has no place for: what its request is held to.
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
