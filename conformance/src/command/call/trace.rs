//! The output of `--verbose` about requests and answers.

use std::time::Duration;

use keyfit::observer::{Attempt, Next, Observer};
use keyfit_conformance::call::display;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use super::session::Session;
use crate::terminal::console;

/// Prints a line for each attempt that ends.
#[derive(Debug)]
pub(super) struct AttemptLogger;

impl Observer for AttemptLogger {
    fn attempt(&self, attempt: &Attempt<'_>) {
        let came = match (attempt.status, attempt.error) {
            (Some(status), _) => status.as_u16().to_string(),
            (None, Some(kind)) => kind.as_str().replace('_', " "),
            (None, None) => "no answer".to_owned(),
        };
        let next = match attempt.next {
            Next::Wait(wait) => format!(", again in {}", seconds(wait)),
            Next::Reauthorize => ", again with another token".to_owned(),
            _ => String::new(),
        };
        console::print_message(&format!("* attempt {}: {came} after {}{next}", attempt.number, seconds(attempt.took)));
    }
}

/// Prints a request; of several pages the first one.
pub(super) fn print_request(head: &[String]) {
    for line in head {
        console::print_message(&format!("> {line}"));
    }
}

/// Prints the status and the headers of an answer.
pub(super) fn print_response(status: StatusCode, headers: &HeaderMap, session: &Session) {
    console::print_message(&format!("< {status}"));
    for line in display::headers(headers, &session.private) {
        console::print_message(&format!("< {line}"));
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}
