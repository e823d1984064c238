//! Conditional reads with the `ETag` of a known version (RFC 9110, section 13.1.2).

use reqwest::header::{ETAG, IF_NONE_MATCH};

use super::TargetServer;
use super::case_run::CaseRun;
use super::flow::Stop;
use super::reply::Reply;
use crate::contract::Probe;

/// An entity tag that no version has.
const NO_TAG: &str = "\"keyfit-no-such-tag\"";

impl TargetServer {
    /// Reads twice, the second time with the tag of the first answer or with a tag that no version has.
    pub(super) async fn read_under_a_tag(&self, case_run: &mut CaseRun<'_>) -> Result<(), Stop> {
        let operation = case_run.catalogue.operation(case_run.case);
        let draft = case_run.maker(self).draft(&Probe::Valid, operation, &case_run.identity).map_err(Stop::Missing)?;
        let first = self.step(&draft, &mut case_run.sent).await?;
        if !first.is_success() {
            return Err(Stop::missing(format!("a valid call is answered with {}", first.status)));
        }
        let own = tag(&first).ok_or_else(|| Stop::missing("its answer has no `ETag`"))?;
        let known = if *case_run.probe == Probe::Modified { NO_TAG.to_owned() } else { own };
        let mut again = draft;
        again.headers.retain(|(name, _)| *name != IF_NONE_MATCH);
        again.headers.push((IF_NONE_MATCH, known));
        self.step(&again, &mut case_run.sent).await?;
        Ok(())
    }
}

/// Returns the entity tag of an answer.
pub(super) fn tag(reply: &Reply) -> Option<String> {
    Some(reply.headers.get(ETAG)?.to_str().ok()?.to_owned())
}
