//! Whether the server still lives, and what it was asked last where it does not.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::request::Draft;

/// What is known of the server's life.
#[derive(Debug, Default)]
pub(in super::super) struct Vitals(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: Option<String>,
    died: Option<String>,
}

impl Vitals {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the request that reached the server last.
    pub(in super::super) fn reached(&self, draft: &Draft) {
        let mut url = draft.url.clone();
        url.set_query(None);
        let mut state = self.state();
        if state.died.is_none() {
            state.last = Some(format!("{} {url}", draft.method));
        }
    }

    /// The server answers nobody any more. Returns what is said of it.
    pub(in super::super) fn ended(&self, reason: &str) -> String {
        let mut state = self.state();
        let before =
            state.last.as_ref().map_or_else(String::new, |last| format!("; the last request before that was {last}"));
        state.died.get_or_insert_with(|| format!("the server does not answer any more: {reason}{before}")).clone()
    }

    /// What is said of a server that died.
    pub(in super::super) fn died(&self) -> Option<String> {
        self.state().died.clone()
    }
}
