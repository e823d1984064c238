//! Checks that each call decrements the reported remaining calls of a rate limit that the contract does not describe. The limit is not
//! exhausted.

use super::TargetServer;
use super::answers::ReportedLimit;
use super::case_run::CaseRun;
use super::flow::Stop;
use super::reply::Reply;

/// The number of calls that are compared: a bucket that refills between two of them may hide one.
const CALLS: usize = 3;
/// The shortest window in seconds for which the calls are comparable. A bucket that refills within seconds is full again at once.
const LEAST_SECONDS: i64 = 10;

impl TargetServer {
    /// Calls a few times and compares the reported remaining calls.
    pub(super) async fn watch_limit(&self, case_run: &mut CaseRun<'_>) -> Result<(), Stop> {
        let operation = case_run.catalogue.operation(case_run.case);
        let draft = case_run.maker(self).draft(case_run.probe, operation, &case_run.identity).map_err(Stop::Missing)?;
        let mut before: Option<u64> = None;
        for _ in 0..CALLS {
            let reply = self.step(&draft, &mut case_run.sent).await?;
            if !reply.is_success() {
                return Err(Stop::missing(format!("a valid call is answered with {}", reply.status)));
            }
            let reported = ReportedLimit::read(&reply.headers).ok().flatten();
            // Missing headers are not a finding.
            let Some((reported, left)) = reported.and_then(|reported| Some((reported, reported.remaining?))) else {
                return Ok(());
            };
            if is_of_a_cache(&reply) || reported.reset_in.is_none_or(|end| end < LEAST_SECONDS) {
                return Err(Stop::missing("its answers do not show whether calls fall into one window"));
            }
            match before {
                Some(before) if left < before => return Ok(()),
                Some(before) if left > before => {
                    return Err(Stop::missing(
                        "more calls are left after one: a window began, or others count as well",
                    ));
                }
                _ => before = Some(left),
            }
        }
        let left = before.unwrap_or_default();
        Err(Stop::Found(format!(
            "{left} calls are left after each of {CALLS} calls, as the headers of the rate limit have it"
        )))
    }
}

/// Returns whether an answer comes from a cache, with stored headers.
fn is_of_a_cache(reply: &Reply) -> bool {
    let says_hit = |name: &str| {
        reply
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.to_lowercase().contains("hit"))
    };
    reply.headers.contains_key("age") || ["x-cache", "cf-cache-status"].into_iter().any(says_hit)
}
