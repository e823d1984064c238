//! Whether web pages of other origins may read what a browser gets with its credentials (Fetch, "CORS protocol").

use keyfit_openapi::Retry;
use reqwest::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, ORIGIN,
};

use super::flow::Stop;
use super::trial::Trial;
use super::{Reply, Target};

/// An origin that nobody has: the name ends in what is given to nobody (RFC 2606).
const MADE_UP: &str = "https://keyfit-made-up.example";

impl Target {
    /// Asks as a browser does whether a page may call, and calls where that only reads.
    pub(super) async fn send_cross_origin(&self, trial: &mut Trial<'_>) -> Result<(), Stop> {
        let operation = trial.catalogue.operation(trial.case);
        let mut draft = trial.maker(self).draft(trial.probe, operation, &trial.identity).map_err(Stop::Missing)?;
        draft.headers.push((ORIGIN, MADE_UP.to_owned()));
        let mut asking = draft.clone();
        "OPTIONS".clone_into(&mut asking.method);
        asking.body = None;
        // A browser asks without what it would send.
        asking.credentials.clear();
        asking.headers.push((ACCESS_CONTROL_REQUEST_METHOD, draft.method.clone()));
        asking.headers.push((ACCESS_CONTROL_REQUEST_HEADERS, AUTHORIZATION.to_string()));
        trial.sent.push(self.send(&asking).await);
        let lets_in = trial.sent.iter().filter_map(|sent| sent.answer()).any(|reply| finding(reply).is_some());
        if !lets_in && operation.retry == Retry::Safe {
            trial.sent.push(self.send(&draft).await);
        }
        Ok(())
    }
}

/// What is wrong with an answer to such a page.
pub(super) fn finding(reply: &Reply) -> Option<String> {
    let header = |name| reply.headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let origin = header(ACCESS_CONTROL_ALLOW_ORIGIN)?;
    let with_credentials = header(ACCESS_CONTROL_ALLOW_CREDENTIALS) == Some("true");
    let is_any = origin == MADE_UP || origin == "*";
    (with_credentials && is_any).then(|| {
        format!(
            "`Access-Control-Allow-Origin` is `{origin}` for a page of {MADE_UP}, with `Access-Control-Allow-Credentials: true`"
        )
    })
}
