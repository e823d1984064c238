//! Checks whether web pages of other origins can read answers to a browser's requests with credentials (Fetch, "CORS protocol").

use keyfit_openapi::Retry;
use reqwest::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, ORIGIN,
};

use super::case_run::CaseRun;
use super::flow::Stop;
use super::{Reply, TargetServer};

/// An origin that does not exist: the domain is reserved (RFC 2606).
const UNKNOWN_ORIGIN: &str = "https://keyfit-made-up.example";

impl TargetServer {
    /// Sends the preflight request of a browser, and then the request itself if it is safe.
    pub(super) async fn send_cross_origin(&self, case_run: &mut CaseRun<'_>) -> Result<(), Stop> {
        let operation = case_run.catalogue.operation(case_run.case);
        let mut draft =
            case_run.maker(self).draft(case_run.probe, operation, &case_run.identity).map_err(Stop::Missing)?;
        draft.headers.push((ORIGIN, UNKNOWN_ORIGIN.to_owned()));
        let mut asking = draft.clone();
        "OPTIONS".clone_into(&mut asking.method);
        asking.body = None;
        // A preflight request has no credentials.
        asking.credentials.clear();
        asking.headers.push((ACCESS_CONTROL_REQUEST_METHOD, draft.method.clone()));
        asking.headers.push((ACCESS_CONTROL_REQUEST_HEADERS, AUTHORIZATION.to_string()));
        case_run.sent.push(self.send(&asking).await);
        let lets_in = case_run.sent.iter().filter_map(|sent| sent.answer()).any(|reply| finding(reply).is_some());
        if !lets_in && operation.retry == Retry::Safe {
            case_run.sent.push(self.send(&draft).await);
        }
        Ok(())
    }
}

/// Returns the flaw of an answer to a page of another origin.
pub(super) fn finding(reply: &Reply) -> Option<String> {
    let header = |name| reply.headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let origin = header(ACCESS_CONTROL_ALLOW_ORIGIN)?;
    let with_credentials = header(ACCESS_CONTROL_ALLOW_CREDENTIALS) == Some("true");
    let is_any = origin == UNKNOWN_ORIGIN || origin == "*";
    (with_credentials && is_any).then(|| {
        format!(
            "`Access-Control-Allow-Origin` is `{origin}` for a page of {UNKNOWN_ORIGIN}, with `Access-Control-Allow-Credentials: true`"
        )
    })
}
