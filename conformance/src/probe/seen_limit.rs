//! Whether each call takes from what answers say is left, where nobody has described the limit. Nothing is used up for it.

use super::Target;
use super::answers::Told;
use super::flow::Stop;
use super::reply::Reply;
use super::trial::Trial;

/// Calls that are compared: what a bucket gets back between two of them may hide one.
const CALLS: usize = 3;
/// The least that a window has to last for the calls to fall into one. A bucket that fills up within seconds is full again at once.
const LEAST_SECONDS: i64 = 10;

impl Target {
    /// Calls a few times and compares what is said to be left.
    pub(super) async fn watch_limit(&self, trial: &mut Trial<'_>) -> Result<(), Stop> {
        let operation = trial.catalogue.operation(trial.case);
        let draft = trial.maker(self).draft(trial.probe, operation, &trial.identity).map_err(Stop::Missing)?;
        let mut before: Option<u64> = None;
        for _ in 0..CALLS {
            let reply = self.step(&draft, &mut trial.sent).await?;
            if !reply.is_success() {
                return Err(Stop::missing(format!("a valid call is answered with {}", reply.status)));
            }
            let told = Told::read(&reply.headers).ok().flatten();
            // What is not said is not wrong.
            let Some((told, left)) = told.and_then(|told| Some((told, told.remaining?))) else { return Ok(()) };
            if is_of_a_cache(&reply) || told.reset_in.is_none_or(|end| end < LEAST_SECONDS) {
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

/// Whether an answer was kept by a cache, with its headers.
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
