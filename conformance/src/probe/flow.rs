//! Types that probes of several requests share.

use super::{Draft, Reply, SentRequest, TargetServer};
use crate::judgement::missing::Missing;

/// The reason why a probe ended before its last request.
pub(super) enum Stop {
    /// A precondition was not met.
    Missing(Missing),
    /// The server failed at a request before the last one.
    Broken(String),
    /// A finding that several answers show together.
    Found(String),
}

impl Stop {
    /// Returns a [`Stop::Missing`] for this precondition.
    pub(super) fn missing(missing: impl Into<Missing>) -> Self {
        Self::Missing(missing.into())
    }
}

impl TargetServer {
    /// Sends a request of a flow and records it.
    pub(super) async fn step(&self, draft: &Draft, kept: &mut Vec<SentRequest>) -> Result<Reply, Stop> {
        let sent = self.send(draft).await;
        let reply = sent.reply.clone();
        kept.push(sent);
        reply.map_err(|reason| Stop::Broken(format!("no answer came: {reason}")))
    }
}
