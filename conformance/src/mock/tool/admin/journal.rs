//! `/_keyfit/requests`: the last thousand requests to the API and their results. It contains no tokens.

use std::borrow::Cow;
use std::collections::VecDeque;

use hyper::http::request::Parts;
use keyfit::auth::Fingerprint;
use keyfit::redact::Redactor;
use keyfit_openapi::{Operation, plain};
use serde::Serialize;
use serde_json::{Value, json};

use super::AdminState;
use crate::credential::carrier;
use crate::mock::call::Call;
use crate::mock::core::Core;
use crate::mock::tool::error::MockError;

/// The number of requests that are kept.
const CAPACITY: usize = 1000;

/// A request to the API or to the authorization server.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct RecordedRequest {
    /// The number of the request, from 1; a reset begins at 1 again.
    pub number: u64,
    /// The method.
    pub method: String,
    /// The path including that of the base URL, as it was sent, with tokens masked. Without the query.
    pub path: String,
    /// The id of the operation, if the document has it.
    pub operation: Option<String>,
    /// The status of the answer; `None` if the connection was cut.
    pub status: Option<u16>,
    /// The name of the fault that applied to it.
    pub fault: Option<&'static str>,
    /// True if the request was executed. A request that the API refuses counts as executed.
    pub executed: bool,
    /// The fingerprint of its token, as keyfit clients log it.
    pub token: Option<String>,
    /// The kind of that token; `None` if it was never issued.
    pub kind: Option<String>,
}

/// The known properties of a request before it is served.
pub(in crate::mock) struct RequestSummary {
    method: String,
    path: String,
    operation: Option<String>,
    token: Option<String>,
    kind: Option<String>,
}

/// The last requests, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Journal {
    entries: VecDeque<RecordedRequest>,
    total: u64,
}

impl AdminState {
    /// Returns the requests after the number in the query.
    pub(super) fn recorded_requests(&self, query: Option<&str>) -> Result<Value, MockError> {
        let mut after = 0;
        for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if name != "after" {
                return Err(MockError::value(
                    "the query has an unknown parameter",
                    "the one that there is: after=NUMBER",
                ));
            }
            after = value.parse().map_err(|_| {
                MockError::value("`after` is no number", "give the `number` of the last request that you know")
            })?;
        }
        let journal = self.journal();
        Ok(json!({ "total": journal.total, "kept": journal.entries.len(), "requests": journal.after(after) }))
    }
}

impl Journal {
    pub(super) fn record(
        &mut self,
        sent: RequestSummary,
        status: Option<u16>,
        fault: Option<&'static str>,
        executed: bool,
    ) {
        self.total += 1;
        if self.entries.len() == CAPACITY {
            self.entries.pop_front();
        }
        let RequestSummary { method, path, operation, token, kind } = sent;
        self.entries.push_back(RecordedRequest {
            number: self.total,
            method,
            path,
            operation,
            status,
            fault,
            executed,
            token,
            kind,
        });
    }

    /// Returns the requests with a higher number.
    pub(super) fn after(&self, number: u64) -> Vec<RecordedRequest> {
        self.entries.iter().filter(|request| request.number > number).cloned().collect()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl RequestSummary {
    pub(super) fn read(core: &Core, parts: &Parts, call: Option<&Call>, operation: Option<&Operation>) -> Self {
        let token = call.and_then(|call| carried(core, call)).or_else(|| bearer(parts).map(Cow::Borrowed));
        let token = token.as_deref();
        let state = core.state();
        let path = state.redactor().mask(parts.uri.path());
        // A token that was never issued may belong to another server.
        let strange = token.filter(|token| state.token(token).is_none());
        let path = strange.map(|token| Redactor::new([token]).mask(&path).into_owned()).unwrap_or(path);
        Self {
            method: parts.method.as_str().to_owned(),
            path,
            operation: operation.map(|operation| plain(&operation.id)),
            kind: token.and_then(|token| state.token(token)).map(|token| token.kind),
            token: token.map(|token| Fingerprint::of(token).to_string()),
        }
    }
}

/// Returns the token after the scheme `Bearer`, or without a scheme.
fn bearer(parts: &Parts) -> Option<&str> {
    let header = parts.headers.get("authorization")?.to_str().ok()?.trim();
    match header.split_once(' ') {
        Some((scheme, token)) => scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()),
        None => Some(header),
    }
}

/// Returns the credential at the place of one of the API's kinds.
fn carried<'a>(core: &Core, call: &'a Call) -> Option<Cow<'a, str>> {
    let carriers = core.contract.credentials.iter().flat_map(|credential| &credential.carriers);
    carriers.into_iter().find_map(|carrier| carrier::credential_in(carrier, &call.headers, |name| call.query(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_keeps_the_last_thousand() {
        let mut journal = Journal::default();
        for number in 0..1500 {
            let sent = RequestSummary {
                method: "GET".to_owned(),
                path: format!("/{number}"),
                operation: None,
                token: None,
                kind: None,
            };
            journal.record(sent, Some(200), None, true);
        }
        let entries = journal.after(0);
        assert_eq!((entries.len(), entries[0].number, entries[0].path.as_str()), (1000, 501, "/500"));
        assert_eq!(journal.after(1499).len(), 1);
        assert_eq!(journal.total, 1500);
    }
}
