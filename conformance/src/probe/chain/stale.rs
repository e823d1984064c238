//! A change of a resource of the run under an outdated `ETag` (RFC 9110, section 13.1.1).

use reqwest::header::IF_MATCH;

use super::super::TargetServer;
use super::super::case_run::CaseRun;
use super::super::conditions::tag;
use super::super::flow::Stop;
use super::compare::{Representation, is_same};
use super::{WriteAndRead, end};
use crate::contract::Level;
use crate::document::chain::Chain;

impl TargetServer {
    /// Changes a resource twice, the second time with the `ETag` from before the first change.
    pub(super) async fn change_under_an_old_tag(&self, case_run: &mut CaseRun<'_>, chain: &Chain) -> Result<(), Stop> {
        let (ids, before) = self.create_own_resource(case_run, chain).await?;
        let no_tag = || Stop::missing("what is read has no `ETag`");
        let old = tag(&before).ok_or_else(no_tag)?;
        let catalogue = case_run.catalogue;
        let operation = catalogue.operation(case_run.case);
        let sides = WriteAndRead { api: &catalogue.api, operation, reader: &catalogue.api.operations[chain.reads] };
        let whole = self.draft_of(case_run, operation, &ids)?;
        let change = self.change(case_run, &sides, &whole, &before).await?;
        let reading = self.reading(case_run, chain, &ids)?;
        let now = self.step(&reading, &mut case_run.sent).await?;
        if tag(&now).ok_or_else(no_tag)? == old {
            return Err(Stop::missing("its `ETag` is as it was before a change"));
        }
        let name = change.name();
        let shown = Representation::read(&now.body);
        let again = sides.changed(&whole, &shown, name);
        let mut again = again.ok_or_else(|| Stop::missing("there is nothing else that it could be changed to"))?;
        again.headers.retain(|(known, _)| *known != IF_MATCH);
        again.headers.push((IF_MATCH, old));
        let reply = self.step(&again, &mut case_run.sent).await?;
        let after = self.step(&reading, &mut case_run.sent).await?;
        let later = Representation::read(&after.body);
        let is_kept = match (shown.get(name), later.get(name)) {
            (Some(one), Some(other)) => is_same(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        end(case_run, stale_change_finding(reply.status, after.is_success() && !is_kept))
    }
}

/// Returns the flaw of an answer to a change under an outdated `ETag`.
fn stale_change_finding(status: u16, is_made: bool) -> Option<(Level, String)> {
    match status {
        200..300 => {
            Some((Level::Must, format!("a change under an `ETag` that is over is answered with {status}, not 412")))
        }
        _ if is_made => {
            Some((Level::Must, format!("a change under an `ETag` that is over is refused with {status}, and is made")))
        }
        // 409 and 428 are equivalent refusals.
        409 | 412 | 428 => None,
        _ => Some((Level::Should, format!("a change under an `ETag` that is over is answered with {status}, not 412"))),
    }
}

#[cfg(test)]
mod tests {
    use super::{Level, stale_change_finding};

    #[test]
    fn a_stale_change_is_refused_and_not_made() {
        for status in [409, 412, 428] {
            assert_eq!(stale_change_finding(status, false), None, "{status}");
        }
        for (status, is_made, level) in
            [(200, true, Level::Must), (204, false, Level::Must), (412, true, Level::Must), (400, false, Level::Should)]
        {
            assert_eq!(stale_change_finding(status, is_made).map(|(level, _)| level), Some(level), "{status}");
        }
    }
}
