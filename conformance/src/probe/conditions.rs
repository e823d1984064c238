//! Conditional reads with the `ETag` of a known version (RFC 9110, section 13.1.2).

use reqwest::header::{ETAG, IF_NONE_MATCH};

use super::Target;
use super::flow::Stop;
use super::reply::Reply;
use super::trial::Trial;
use crate::contract::Probe;

/// An entity tag that no version has.
const NO_TAG: &str = "\"keyfit-no-such-tag\"";

impl Target {
    /// Reads twice, the second time with the tag of the first answer or with a tag that no version has.
    pub(super) async fn read_under_a_tag(&self, trial: &mut Trial<'_>) -> Result<(), Stop> {
        let operation = trial.catalogue.operation(trial.case);
        let draft = trial.maker(self).draft(&Probe::Valid, operation, &trial.identity).map_err(Stop::Missing)?;
        let first = self.step(&draft, &mut trial.sent).await?;
        if !first.is_success() {
            return Err(Stop::missing(format!("a valid call is answered with {}", first.status)));
        }
        let own = tag(&first).ok_or_else(|| Stop::missing("its answer has no `ETag`"))?;
        let known = if *trial.probe == Probe::Modified { NO_TAG.to_owned() } else { own };
        let mut again = draft;
        again.headers.retain(|(name, _)| *name != IF_NONE_MATCH);
        again.headers.push((IF_NONE_MATCH, known));
        self.step(&again, &mut trial.sent).await?;
        Ok(())
    }
}

/// Returns the entity tag of an answer.
pub(super) fn tag(reply: &Reply) -> Option<String> {
    Some(reply.headers.get(ETAG)?.to_str().ok()?.to_owned())
}
