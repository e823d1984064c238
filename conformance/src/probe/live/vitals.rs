//! Whether the server still lives, and which call ended it where it does not.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::request::Draft;

/// What is known of the server's life.
#[derive(Default)]
pub(in super::super) struct Vitals(Mutex<State>);

#[derive(Default)]
struct State {
    /// Cases on their way, and the id of the one that began last.
    running: usize,
    case: String,
    answered: Option<Suspect>,
    /// Sent after that, without an answer.
    unanswered: Option<Suspect>,
    died: Option<Death>,
}

/// A request after which the server may be gone.
#[derive(Clone)]
pub(in super::super) struct Suspect {
    pub(in super::super) draft: Draft,
    /// How it was answered, if it was.
    pub(in super::super) status: Option<u16>,
    /// The case that it belongs to, where no other was on its way.
    pub(in super::super) case: Option<String>,
}

/// That a server answers nobody any more.
#[derive(Clone)]
pub(in super::super) struct Death {
    /// What is said of it.
    pub(in super::super) told: String,
    /// What ended it. None where that cannot be told from a network that fails, or from other calls.
    pub(in super::super) by: Option<Suspect>,
}

impl Vitals {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A case begins to send requests.
    pub(in super::super) fn begin(&self, case: &str) {
        let mut state = self.state();
        state.running += 1;
        case.clone_into(&mut state.case);
    }

    /// A case has sent its last request.
    pub(in super::super) fn finish(&self) {
        let mut state = self.state();
        state.running = state.running.saturating_sub(1);
    }

    /// Keeps a request that reached the server, with the status of its answer.
    pub(in super::super) fn reached(&self, draft: &Draft, status: Option<u16>) {
        let mut state = self.state();
        let case = (state.running == 1).then(|| state.case.clone());
        let suspect = Suspect { draft: draft.clone(), status, case };
        match (&state.died, status) {
            (Some(_), _) => {}
            (None, Some(_)) => (state.answered, state.unanswered) = (Some(suspect), None),
            (None, None) => state.unanswered = Some(suspect),
        }
    }

    /// The server answers nobody any more; `is_refused` where it refuses connections, as a machine does on which nothing listens.
    /// Returns what is said of it.
    pub(in super::super) fn ended(&self, reason: &str, is_refused: bool) -> String {
        let mut state = self.state();
        if let Some(died) = &state.died {
            return died.told.clone();
        }
        // What ends a server may be answered first, and what comes next finds it dying.
        let before = match (&state.unanswered, &state.answered) {
            (Some(last), Some(answered)) => format!(
                "; the last request before that was {}, without an answer; the last one that was answered was {}",
                last.named(),
                answered.named()
            ),
            (Some(last), None) | (None, Some(last)) => format!("; the last request before that was {}", last.named()),
            (None, None) => String::new(),
        };
        let by = state.unanswered.as_ref().or(state.answered.as_ref()).filter(|by| is_refused && by.case.is_some());
        let told = format!("the server does not answer any more: {reason}{before}");
        state.died = Some(Death { told: told.clone(), by: by.cloned() });
        told
    }

    /// What is known of its death.
    pub(in super::super) fn died(&self) -> Option<Death> {
        self.state().died.clone()
    }
}

impl Suspect {
    /// Method and URL, without the query.
    fn named(&self) -> String {
        let mut url = self.draft.url.clone();
        url.set_query(None);
        format!("{} {url}", self.draft.method)
    }
}
