//! What probes of several requests share.

use super::{Draft, Reply, Sent, Target};
use crate::missing::Missing;

/// Why a probe did not come to its last request.
pub(super) enum Stop {
    /// Something was not given.
    Missing(Missing),
    /// The server did not do what comes before.
    Broken(String),
    /// What the answers show together.
    Found(String),
}

impl Stop {
    /// Something was not given: this.
    pub(super) fn missing(missing: impl Into<Missing>) -> Self {
        Self::Missing(missing.into())
    }
}

impl Target {
    /// Sends a request of a flow and keeps it.
    pub(super) async fn step(&self, draft: &Draft, kept: &mut Vec<Sent>) -> Result<Reply, Stop> {
        let sent = self.send(draft).await;
        let reply = sent.reply.clone();
        kept.push(sent);
        reply.map_err(|reason| Stop::Broken(format!("no answer came: {reason}")))
    }
}
