//! The effects of a run on a live server.

use keyfit_openapi::plain;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::credential::secret::Redactor;
use crate::probe::CleanupReport;

/// What a run did to a live server.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct LiveReport {
    /// What has to be known of the way there: certificates that were not verified.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Every call that changed something, or may have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<CallReport>,
    /// What the run made and could not remove.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
    /// That the server died, and what it was asked last before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub died: Option<String>,
}

/// A call that changed something, or may have.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct CallReport {
    /// Method and URL, without the query.
    pub call: String,
    /// How it was answered.
    pub outcome: String,
    /// How often that was.
    pub count: usize,
}

impl LiveReport {
    /// Creates the report on the effects of a run.
    pub fn new(cleanup: CleanupReport, notes: Vec<String>, redactor: &Redactor) -> Self {
        let CleanupReport { calls, left, outage: died, .. } = cleanup;
        let calls = calls.into_iter().map(|(call, outcome, count)| CallReport {
            call: redactor.mask(&call),
            outcome: redactor.mask(&outcome),
            count,
        });
        let masked = |texts: Vec<String>| texts.iter().map(|text| redactor.mask(text)).collect();
        Self { notes, calls: calls.collect(), left: masked(left), died: died.map(|died| redactor.mask(&died)) }
    }

    /// Returns the lists with their titles, for humans.
    pub(super) fn lists(&self) -> Vec<(&'static str, Vec<String>)> {
        let call = |CallReport { call, outcome, count }: &CallReport| {
            let times = if *count == 1 { String::new() } else { format!(", {count} times") };
            format!("{}: {}{times}", plain(call), plain(outcome))
        };
        let plain_of = |texts: &[String]| texts.iter().map(|text| plain(text)).collect();
        let mut lists: Vec<(&str, Vec<String>)> = vec![
            ("sent to change something", self.calls.iter().map(call).collect()),
            ("made and not removed: remove it by hand", plain_of(&self.left)),
            ("THE SERVER DIED", plain_of(self.died.as_slice())),
        ];
        lists.retain(|(_, lines)| !lines.is_empty());
        lists
    }
}
