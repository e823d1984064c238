//! Tracks whether the server still answers, and which call ended it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::request::Draft;

/// The recorded state of the server.
#[derive(Default)]
pub(in super::super) struct ServerHealth(Mutex<State>);

#[derive(Default)]
struct State {
    /// The number of running cases, and the id of the one that began last.
    running: usize,
    case: String,
    answered: Option<SuspectRequest>,
    /// The last request after `answered` that got no answer.
    unanswered: Option<SuspectRequest>,
    outage: Option<ServerOutage>,
}

/// A request after which the server may have stopped.
#[derive(Clone)]
pub(in super::super) struct SuspectRequest {
    pub(in super::super) draft: Draft,
    /// The status of its answer, if there was one.
    pub(in super::super) status: Option<u16>,
    /// The id of its case, if no other case was running.
    pub(in super::super) case: Option<String>,
}

/// The end of a server: it stopped answering.
#[derive(Clone)]
pub(in super::super) struct ServerOutage {
    /// The message about it.
    pub(in super::super) message: String,
    /// The request that ended it; `None` if the network or another call may be the cause.
    pub(in super::super) by: Option<SuspectRequest>,
}

impl ServerHealth {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that a case begins to send requests.
    pub(in super::super) fn begin(&self, case: &str) {
        let mut state = self.state();
        state.running += 1;
        case.clone_into(&mut state.case);
    }

    /// Records that a case has sent its last request.
    pub(in super::super) fn finish(&self) {
        let mut state = self.state();
        state.running = state.running.saturating_sub(1);
    }

    /// Records a request that reached the server, with the status of its answer.
    pub(in super::super) fn reached(&self, draft: &Draft, status: Option<u16>) {
        let mut state = self.state();
        let case = (state.running == 1).then(|| state.case.clone());
        let suspect = SuspectRequest { draft: draft.clone(), status, case };
        match (&state.outage, status) {
            (Some(_), _) => {}
            (None, Some(_)) => (state.answered, state.unanswered) = (Some(suspect), None),
            (None, None) => state.unanswered = Some(suspect),
        }
    }

    /// Records that the server stopped answering; `is_refused` if it refuses connections because no process listens. Returns a message
    /// about it.
    pub(in super::super) fn record_outage(&self, reason: &str, is_refused: bool) -> String {
        let mut state = self.state();
        if let Some(outage) = &state.outage {
            return outage.message.clone();
        }
        // A server may answer the call that ends it, and then fail at the next one.
        let before = match (&state.unanswered, &state.answered) {
            (Some(last), Some(answered)) => format!(
                "; the last request before that was {}, without an answer; the last one that was answered was {}",
                last.method_and_url(),
                answered.method_and_url()
            ),
            (Some(last), None) | (None, Some(last)) => {
                format!("; the last request before that was {}", last.method_and_url())
            }
            (None, None) => String::new(),
        };
        let by = state.unanswered.as_ref().or(state.answered.as_ref()).filter(|by| is_refused && by.case.is_some());
        let message = format!("the server does not answer any more: {reason}{before}");
        state.outage = Some(ServerOutage { message: message.clone(), by: by.cloned() });
        message
    }

    /// Returns the end of the server, if it has stopped answering.
    pub(in super::super) fn outage(&self) -> Option<ServerOutage> {
        self.state().outage.clone()
    }
}

impl SuspectRequest {
    /// Returns the method and the URL without the query.
    fn method_and_url(&self) -> String {
        let mut url = self.draft.url.clone();
        url.set_query(None);
        format!("{} {url}", self.draft.method)
    }
}
