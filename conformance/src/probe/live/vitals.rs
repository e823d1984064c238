//! Whether the server still lives, and what it was asked last where it does not.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::request::Draft;

/// What is known of the server's life.
#[derive(Debug, Default)]
pub(in super::super) struct Vitals(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    answered: Option<String>,
    /// Sent after that, without an answer.
    unanswered: Option<String>,
    died: Option<String>,
}

impl Vitals {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a request that reached the server.
    pub(in super::super) fn reached(&self, draft: &Draft, is_answered: bool) {
        let mut url = draft.url.clone();
        url.set_query(None);
        let request = format!("{} {url}", draft.method);
        let mut state = self.state();
        match (&state.died, is_answered) {
            (Some(_), _) => {}
            (None, true) => (state.answered, state.unanswered) = (Some(request), None),
            (None, false) => state.unanswered = Some(request),
        }
    }

    /// The server answers nobody any more. Returns what is said of it.
    pub(in super::super) fn ended(&self, reason: &str) -> String {
        let mut state = self.state();
        // What ends a server may be answered first, and what comes next finds it dying.
        let before = match (&state.unanswered, &state.answered) {
            (Some(last), Some(answered)) => {
                format!(
                    "; the last request before that was {last}, without an answer; the last one that was answered was {answered}"
                )
            }
            (Some(last), None) | (None, Some(last)) => format!("; the last request before that was {last}"),
            (None, None) => String::new(),
        };
        state.died.get_or_insert_with(|| format!("the server does not answer any more: {reason}{before}")).clone()
    }

    /// What is said of a server that died.
    pub(in super::super) fn died(&self) -> Option<String> {
        self.state().died.clone()
    }
}
